//! What looking for children costs the agent, on a machine with many processes.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use loopscope_bench::Failure;

use super::agent::Agent;
use super::cpus::Cpus;
use super::server::Server;
use super::statistics::{Middle, Random};
use super::target::Effort;

/// As `--only` names it.
pub(super) const NAME: &str = "children";

const TIER: &str = "passive";

/// Processes that have nothing to do with the target.
const OTHERS: usize = 300;

/// For how long each measurement lasts, and what is waited for before: the agent looks more often
/// in its first second.
const TIME: Duration = Duration::from_secs(3);
const SETTLED: Duration = Duration::from_millis(1_500);

/// The most that it may cost, in percent of a core.
const GOAL: f64 = 5.0;

/// What the target does, by the name that its script has for it.
const TARGETS: [(&str, &str); 2] =
    [("turns", "starts no process"), ("spawns", "starts a process each half second")];

/// A process that does nothing. It is killed when this is dropped.
#[derive(Debug)]
struct Idle(Child);

/// Measures it, and prints it.
pub(super) fn run(loopscope: &Path, node: &str, cpus: Cpus, effort: Effort) -> Result<(), Failure> {
    let others = (0..OTHERS).map(|_| Idle::start()).collect::<Result<Vec<Idle>, Failure>>()?;
    let mut random = Random(1);
    println!("looking for children, tier {TIER}; {OTHERS} other processes; percent of a core");
    for (kind, does) in TARGETS {
        let server = Server::start(node, kind, cpus)?;
        let mut without = Vec::new();
        let mut with = Vec::new();
        for _ in 0..effort.rounds {
            without.push(share(loopscope, &server, &[], effort)?);
            with.push(share(loopscope, &server, &["--children"], effort)?);
        }
        let more: Vec<f64> = with.iter().zip(&without).map(|(with, base)| with - base).collect();
        println!("  a target that {does}; {} rounds", more.len());
        for (name, figures) in [("without", &without), ("--children", &with), ("more", &more)] {
            let middle = Middle::of(figures, &mut random);
            let verdict = middle.against(GOAL).word();
            let goal = format!("<= {GOAL:.2}  {verdict}");
            let goal = if name == "more" { goal.as_str() } else { "" };
            let Middle { low, median, high } = middle;
            println!("    {name:<11} {median:>6.2} [{low:.2}, {high:.2}] %  {goal}");
        }
    }
    println!();
    drop(others);
    Ok(())
}

/// The CPU time of the agent, in percent of the time.
fn share(loopscope: &Path, server: &Server, more: &[&str], effort: Effort) -> Result<f64, Failure> {
    let agent = Agent::attach(loopscope, &[server.pid()], TIER, more)?;
    sleep(SETTLED);
    let (start, before) = (Instant::now(), agent.takes()?);
    sleep(TIME / effort.divisor as u32);
    let (wall, after) = (start.elapsed(), agent.takes()?);
    Ok((after.cpu_ns - before.cpu_ns) as f64 * 100.0 / wall.as_nanos() as f64)
}

impl Idle {
    fn start() -> Result<Idle, Failure> {
        let mut command = Command::new("sleep");
        command.arg("1h").stdin(Stdio::null()).stdout(Stdio::null());
        Ok(Idle(command.spawn().map_err(|error| format!("`sleep` does not start: {error}"))?))
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
