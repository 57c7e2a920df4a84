//! What the agent takes for itself while it observes many targets and is scraped.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use loopscope_bench::Failure;

use super::agent::{Agent, Takes};
use super::cpus::Cpus;
use super::load::fetch;
use super::server::Server;

/// How many targets.
const TARGETS: usize = 16;

/// How often it is scraped.
const SCRAPE: Duration = Duration::from_secs(1);

/// As `--only` names it.
pub(super) const NAME: &str = "agent";

const MIB: f64 = (1 << 20) as f64;

/// Measures it at the cheapest tier and the dearest, for so many seconds each, and prints it.
pub(super) fn run(loopscope: &Path, node: &str, cpus: Cpus, seconds: u32) -> Result<(), Failure> {
    let servers: Result<Vec<Server>, Failure> =
        (0..TARGETS).map(|_| Server::start(node, "turns", cpus)).collect();
    let servers = servers?;
    let pids: Vec<u32> = servers.iter().map(Server::pid).collect();
    for tier in ["passive", "full"] {
        let agent = Agent::attach(loopscope, &pids, tier)?;
        // What it does once, behind its start.
        let page_bytes = fetch(agent.port, "/metrics")?;
        sleep(SCRAPE);
        let (start, before) = (Instant::now(), agent.takes()?);
        for _ in 0..seconds {
            sleep(SCRAPE);
            fetch(agent.port, "/metrics")?;
        }
        let (wall, after) = (start.elapsed(), agent.takes()?);
        agent.end(TARGETS)?;
        print(tier, seconds, page_bytes, wall, (before, after));
    }
    Ok(())
}

fn print(tier: &str, scrapes: u32, page: usize, wall: Duration, (before, after): (Takes, Takes)) {
    let share = (after.cpu_ns - before.cpu_ns) as f64 / wall.as_nanos() as f64;
    println!("the agent itself, tier {tier}; {TARGETS} targets, 100 turns a second each");
    println!("  {scrapes} scrapes, one a second, of {:.0} KiB each", page as f64 / 1024.0);
    let row = |name: &str, figure: f64, goal: f64, unit: &str| {
        let verdict = if figure <= goal { "met" } else { "MISSED" };
        println!("  {name:<21} {figure:>8.2} {unit:<9} <= {goal:<4} {verdict}");
    };
    row("CPU", share * 100.0, 2.0, "% of one");
    row("RSS", after.rss_bytes as f64 / MIB, 40.0, "MiB");
    row("RSS at most, ever", after.peak_rss_bytes as f64 / MIB, 40.0, "MiB");
    row("memory of kernel maps", after.map_bytes as f64 / MIB, 8.0, "MiB");
    row("descriptors", after.descriptors as f64, 64.0, "");
    row("threads", after.threads as f64, 8.0, "");
    println!();
}
