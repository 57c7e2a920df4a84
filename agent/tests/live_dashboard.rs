//! Every query of the dashboards, on a real Prometheus that scrapes the real binary: of embedded
//! loops. `live/dashboards.rs` has the same of a Node.js.

mod common;
mod support;

use std::net::SocketAddr;
use std::path::Path;

use common::{command, folder};
use support::board::{CLASSIC, Expected, assert_all_shown};
use support::prometheus::Prometheus;
use support::server::Server;
use support::{PROMETHEUS, free_address};

/// Loads that together show all that a loop of ours can have, each in a process of its own. Their
/// rounds are short, so that the counters rise from scrape to scrape.
const LOADS: [&[&str]; 4] = [
    &["sync-promises", "--count", "2000", "--pause", "200ms"],
    &["next-tick-recursion", "--count", "20000", "--pause", "200ms"],
    &["cpu-bound-callback", "--count", "2", "--work", "80ms", "--pause", "200ms"],
    // The fixed twin: its immediates are the only ones here, and so its check phase.
    &["immediate-vs-timeout", "--fixed", "--count", "50", "--pause", "200ms"],
];

/// Of causes none is certain: where others want the CPU, too, it may be the run queue for all
/// stalls. These loads run nothing in the other phases.
const EXPECTED: Expected = Expected {
    histograms: CLASSIC,
    never: &[
        ("loopscope_gc_pause_seconds", "no script is among the loads"),
        ("loopscope_probe_overhead_ratio", "the embedded loop is not probed"),
        ("loopscope_attach_errors_total", "the embedded loop is not attached to"),
        ("ALERTS", "the rules are not loaded"),
        ("loopscope_processes_unseen", "the daemon alone looks for processes"),
        ("loopscope_windows_total", "the daemon alone opens windows"),
        ("loopscope_windows_refused_total", "the daemon alone opens windows"),
        ("loopscope_folded_targets", "the daemon alone watches so many"),
    ],
    perhaps: &[
        ("loopscope_thread_throttled_seconds_total", "known only in a control group for the CPU"),
        ("> 0.05", "a stall must run on at the moment of a scrape"),
    ],
    shown: &[
        ("phase", &["timers", "poll", "check"]),
        ("queue", &["next_tick", "microtask"]),
        ("state", &["attached"]),
    ],
};

#[test]
fn every_query_shows_something_on_a_real_prometheus() {
    let test = "every_query_shows_something_on_a_real_prometheus";
    let Some(program) = PROMETHEUS.find(test) else { return };
    let folder = folder("live_dashboard");
    // A receiver that is not there: pushes fail, which a panel must show.
    let nobody = free_address();
    let mut loads: Vec<Server> =
        LOADS.iter().map(|args| start(args, &folder.join(args[0]), nobody)).collect();
    let addresses: Vec<SocketAddr> = loads.iter_mut().map(Server::page).collect();
    let mut prometheus = Prometheus::start(&program, &folder, &addresses);

    let turns = "count(loopscope_eventloop_turns_total)";
    prometheus.until("all are scraped", |api| api.value(turns) == Some(LOADS.len() as f64));
    let targets = prometheus.api.label_values("target", "loopscope_eventloop_turns_total");
    let mut expected: Vec<_> = LOADS.iter().map(|args| args[0]).collect();
    expected.sort_unstable();
    assert_eq!(targets, expected);
    assert_all_shown(&prometheus.api, EXPECTED);
}

fn start(args: &[&str], folder: &Path, receiver: SocketAddr) -> Server {
    std::fs::create_dir_all(folder).expect("the folder can be made");
    let mut run = command(&["run"]);
    run.args(args)
        .args(["--repeat", "forever", "--detail", "--report", "none", "--listen", "127.0.0.1:0"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{receiver}"))
        .env("OTEL_METRIC_EXPORT_INTERVAL", "200");
    Server::start("loopscope", run, folder)
}
