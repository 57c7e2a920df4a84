//! What the agent takes for itself while it observes many targets and is scraped.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use loopscope_bench::Failure;

use super::agent::{Agent, Takes};
use super::cpus::Cpus;
use super::load::{fetch, fetch_text};
use super::server::Server;

/// How many targets.
const TARGETS: usize = 16;

/// How often it is scraped.
const SCRAPE: Duration = Duration::from_secs(1);

/// As `--only` names them: processes that were named, and all of the host.
pub(super) const NAME: &str = "agent";
pub(super) const DAEMON: &str = "daemon";

/// How long it may take the daemon to find all targets: ten times what it needs.
const FOUND_MAX: Duration = Duration::from_secs(60);

const MIB: f64 = (1 << 20) as f64;

/// What it took between two moments.
struct Measured {
    wall: Duration,
    before: Takes,
    after: Takes,
    page_bytes: usize,
    scrapes: u32,
}

/// Measures it at the cheapest tier and the dearest, for so many seconds each, and prints it.
pub(super) fn run(loopscope: &Path, node: &str, cpus: Cpus, seconds: u32) -> Result<(), Failure> {
    let servers = servers(node, cpus)?;
    let pids: Vec<u32> = servers.iter().map(Server::pid).collect();
    for tier in ["passive", "full"] {
        let agent = Agent::attach(loopscope, &pids, tier, &[])?;
        let measured = measure(&agent, seconds)?;
        agent.end(TARGETS)?;
        print(&format!("the agent itself, tier {tier}"), &measured);
    }
    Ok(())
}

/// Measures the daemon, which finds its targets by itself, and prints it.
pub(super) fn daemon(
    loopscope: &Path,
    node: &str,
    cpus: Cpus,
    seconds: u32,
) -> Result<(), Failure> {
    let servers = servers(node, cpus)?;
    let agent = Agent::daemon(loopscope)?;
    find_all(&agent, &servers)?;
    let measured = measure(&agent, seconds)?;
    let page = fetch_text(agent.port, "/metrics")?;
    agent.stop()?;
    print("the daemon, which watches a host", &measured);
    for line in page.lines().filter(|line| line.starts_with("loopscope_windows_total")) {
        println!("  {line}");
    }
    println!();
    Ok(())
}

fn servers(node: &str, cpus: Cpus) -> Result<Vec<Server>, Failure> {
    (0..TARGETS).map(|_| Server::start(node, "turns", cpus)).collect()
}

/// Waits until its page has all of them.
fn find_all(agent: &Agent, servers: &[Server]) -> Result<(), Failure> {
    let start = Instant::now();
    while start.elapsed() < FOUND_MAX {
        let page = fetch_text(agent.port, "/metrics")?;
        let is_found = |server: &Server| page.contains(&format!("pid=\"{}\"", server.pid()));
        if servers.iter().all(is_found) {
            return Ok(());
        }
        sleep(SCRAPE);
    }
    Err(format!("the daemon has not found {TARGETS} targets in {FOUND_MAX:?}").into())
}

fn measure(agent: &Agent, seconds: u32) -> Result<Measured, Failure> {
    // What it does once, behind its start.
    let page_bytes = fetch(agent.port, "/metrics")?;
    sleep(SCRAPE);
    let (start, before) = (Instant::now(), agent.takes()?);
    for _ in 0..seconds {
        sleep(SCRAPE);
        fetch(agent.port, "/metrics")?;
    }
    let (wall, after) = (start.elapsed(), agent.takes()?);
    Ok(Measured { wall, before, after, page_bytes, scrapes: seconds })
}

fn print(what: &str, measured: &Measured) {
    let Measured { wall, before, after, page_bytes, scrapes } = measured;
    let share = (after.cpu_ns - before.cpu_ns) as f64 / wall.as_nanos() as f64;
    println!("{what}; {TARGETS} targets, 100 turns a second each");
    println!("  {scrapes} scrapes, one a second, of {:.0} KiB each", *page_bytes as f64 / 1024.0);
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
