//! A real Prometheus scrapes the real binary while its loop is blocked.

mod common;
mod support;

use std::fs;
use std::process::Command;

use common::{command, folder, get};
use support::prometheus::{Api, Prometheus, Sample};
use support::server::Server;
use support::{PROMETHEUS, PROMTOOL, free_address};

const CURRENT_TURN: &str = "loopscope_eventloop_current_turn_seconds";
const LATENESS: &str = "loopscope_eventloop_timer_lateness_seconds";
const DRAIN_LENGTH: &str = "loopscope_eventloop_drain_length";
const DRAIN_DURATION: &str = "loopscope_eventloop_drain_duration_seconds";

/// Blocks for 6 s, then rests: it serves on until it is killed.
const BLOCKED_ONCE: [&str; 10] = [
    "run",
    "sync-promises",
    "--work",
    "100us",
    "--repeat",
    "forever",
    "--pause",
    "1h",
    "--report",
    "none",
];

/// The fewest scrapes in 6 s that show a rise; a machine with time to spare does twelve.
const SCRAPES_MIN: usize = 5;

fn microtask(metric: &str, more: &str) -> String {
    format!("{metric}{{queue=\"microtask\"{more}}}")
}

#[test]
fn a_block_is_scraped_while_it_lasts() {
    let Some(program) = PROMETHEUS.find("a_block_is_scraped_while_it_lasts") else { return };
    let folder = folder("live_prometheus");
    let address = free_address();
    let mut prometheus = Prometheus::start(&program, &folder, &[address]);
    // It takes 5 s to its first scrape. The loop is started then, and so is seen from its begin.
    prometheus.until("a first scrape", |api| api.value("up").is_some());
    let mut run = command(&BLOCKED_ONCE);
    run.args(["--listen", &address.to_string()]);
    let _loopscope = Server::start("loopscope", run, &folder);
    // The timer fires when the drain is over: then all is told.
    let fired = format!("{LATENESS}_count");
    prometheus.until("the end of the block", |api| api.value(&fired) == Some(1.0));

    let blocked = risen(&prometheus.api);
    assert_never_down(&prometheus.api);
    assert_one_drain(&prometheus.api, blocked.last().expect("samples").1);
}

/// The samples of the block, of which each must be higher than the one before.
fn risen(api: &Api) -> Vec<Sample> {
    let all = api.samples(CURRENT_TURN);
    let mut highest = 0;
    for (at, (_, age)) in all.iter().enumerate() {
        highest = if *age > all[highest].1 { at } else { highest };
    }
    let blocked: Vec<Sample> =
        all[..=highest].iter().copied().skip_while(|(_, age)| *age == 0.0).collect();
    assert!(blocked.len() >= SCRAPES_MIN, "{all:?}");
    assert!(blocked.windows(2).all(|two| two[0].1 < two[1].1), "{all:?}");

    // In seconds: by as much as the clock of Prometheus, give or take what scrapes wait.
    let (first, last) = (blocked[0], blocked[blocked.len() - 1]);
    let rise = (last.1 - first.1) / (last.0 - first.0);
    assert!((0.5..2.0).contains(&rise), "{rise} s a second: {all:?}");

    // All of it while the drain went on, which is counted when it is over.
    let drains = api.samples(&microtask(&format!("{DRAIN_LENGTH}_count"), ""));
    let ended = drains.iter().find(|(_, count)| *count > 0.0).expect("the drain is over");
    assert!(last.0 < ended.0, "{last:?} {drains:?}");
    blocked
}

/// A scrape that failed, or that the blocked loop held up, would be a 0.
fn assert_never_down(api: &Api) {
    let up = api.samples("up");
    let scraped: Vec<_> = up.iter().skip_while(|(_, up)| *up == 0.0).collect();
    assert!(scraped.len() > SCRAPES_MIN, "{up:?}");
    assert!(scraped.iter().all(|(_, up)| *up == 1.0), "{up:?}");
}

fn assert_one_drain(api: &Api, age_seen: f64) {
    let value = |expr: &str| api.value(expr).unwrap_or_else(|| panic!("no {expr}"));
    let drain = |metric: &str, more: &str| value(&microtask(metric, more));
    assert_eq!(value("loopscope_eventloop_microtasks_total"), 60_000.0);
    assert_eq!(drain(&format!("{DRAIN_LENGTH}_count"), ""), 1.0);
    assert_eq!(drain(&format!("{DRAIN_LENGTH}_sum"), ""), 60_000.0);
    assert_eq!(drain(&format!("{DRAIN_LENGTH}_bucket"), ",le=\"50000.0\""), 0.0);
    assert_eq!(drain(&format!("{DRAIN_LENGTH}_bucket"), ",le=\"100000.0\""), 1.0);

    // The drain held the loop, and the timer behind it, for most of what was seen meanwhile.
    let most = 0.9 * age_seen;
    let (held, late) = (drain(&format!("{DRAIN_DURATION}_sum"), ""), format!("{LATENESS}_sum"));
    assert!(held > most, "{held} s of {age_seen}");
    assert!(value(&late) > most, "{} s of {age_seen}", value(&late));
    // By which cause depends on who else wants the CPU.
    assert_eq!(value("sum(loopscope_eventloop_stalls_total)"), 1.0);
}

#[test]
fn promtool_has_nothing_to_say_about_a_live_page() {
    let test = "promtool_has_nothing_to_say_about_a_live_page";
    let Some(program) = PROMTOOL.find(test) else { return };
    let folder = folder(test);
    let mut run = command(&BLOCKED_ONCE);
    run.args(["--detail", "--listen", "127.0.0.1:0"]);
    let mut loopscope = Server::start("loopscope", run, &folder);
    let place = loopscope.told("serving http://");
    let address = place.strip_suffix("/metrics").and_then(|address| address.parse().ok());
    let page = get(address.expect("an address"), "/metrics").1;
    let file = folder.join("metrics.txt");
    fs::write(&file, page).expect("the page can be written");
    let check = Command::new(program)
        .args(["check", "metrics"])
        .stdin(fs::File::open(&file).expect("it was written"))
        .output()
        .expect("promtool starts");
    let told = String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success() && told.is_empty(), "{}: {told}", check.status);
}
