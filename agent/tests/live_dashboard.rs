//! Every query of the dashboard, on a real Prometheus that scrapes the real binary.

mod common;
mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{command, folder};
use loopscope_exporters::dashboard::{PanelQuery, queries};
use support::prometheus::{Api, Prometheus};
use support::server::Server;
use support::{PROMETHEUS, free_address};

const LOOP: &str = include_str!("../../dashboards/loop.json");

/// Ten times what it takes until each query has figures.
const LIMIT: Duration = Duration::from_secs(60);

/// Loads that together show all that a loop of ours can have, each in a process of its own. Their
/// rounds are short, so that the counters rise from scrape to scrape.
const LOADS: [&[&str]; 4] = [
    &["sync-promises", "--count", "2000", "--pause", "200ms"],
    &["next-tick-recursion", "--count", "20000", "--pause", "200ms"],
    &["cpu-bound-callback", "--count", "2", "--work", "80ms", "--pause", "200ms"],
    // The fixed twin: its immediates are the only ones here, and so its check phase.
    &["immediate-vs-timeout", "--fixed", "--count", "50", "--pause", "200ms"],
];

/// Metrics that no loop of ours has, and why. Their queries must stay empty.
const NEVER: [(&str, &str); 3] = [
    ("loopscope_gc_pause_seconds", "no script is among the loads"),
    ("loopscope_probe_overhead_ratio", "the embedded loop is not probed"),
    ("loopscope_attach_errors_total", "the embedded loop is not attached to"),
];

/// Metrics that only some machines have, and why. Their queries must succeed.
const PERHAPS: [(&str, &str); 1] =
    [("loopscope_thread_throttled_seconds_total", "known only in a control group for the CPU")];

/// What a query that groups by a label must show a figure for, in one target at least. These loads
/// run nothing in the other phases. Of causes none is certain: where others want the CPU, too, it
/// may be the run queue for all stalls.
const SHOWN: [(&str, &[&str]); 3] = [
    ("phase", &["timers", "poll", "check"]),
    ("queue", &["next_tick", "microtask"]),
    ("state", &["attached"]),
];

/// The variables of the dashboard, as a person would choose them.
type Choice = BTreeMap<&'static str, String>;

#[test]
fn every_query_shows_something_on_a_real_prometheus() {
    let test = "every_query_shows_something_on_a_real_prometheus";
    let Some(program) = PROMETHEUS.find(test) else { return };
    let folder = folder("live_dashboard");
    // A receiver that is not there: pushes fail, which a panel must show.
    let nobody = free_address();
    let mut loads: Vec<Server> =
        LOADS.iter().map(|args| start(args, &folder.join(args[0]), nobody)).collect();
    let addresses: Vec<SocketAddr> = loads.iter_mut().map(address).collect();
    let mut prometheus = Prometheus::start(&program, &folder, &addresses);

    let turns = "count(loopscope_eventloop_turns_total)";
    prometheus.until("all are scraped", |api| api.value(turns) == Some(LOADS.len() as f64));
    let choices = choices(&prometheus.api);
    let start = Instant::now();
    let mut missing = missing_figures(&prometheus.api, &choices);
    while !missing.is_empty() && start.elapsed() < LIMIT {
        sleep(Duration::from_millis(200));
        missing = missing_figures(&prometheus.api, &choices);
    }
    assert!(missing.is_empty(), "nothing after {LIMIT:?} for {missing:#?}");
    assert_exceptions_hold(&prometheus.api, &choices);
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

fn address(loopscope: &mut Server) -> SocketAddr {
    let place = loopscope.told("serving http://");
    let address = place.strip_suffix("/metrics").and_then(|address| address.parse().ok());
    address.unwrap_or_else(|| panic!("no address in `{place}`"))
}

/// One choice for each target, made of what the server has for the dashboard's own variables.
fn choices(api: &Api) -> Vec<Choice> {
    let dashboard: serde_json::Value = serde_json::from_str(LOOP).expect("JSON");
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let values = |name: &str, chosen: &Choice| {
        let variable = variables.iter().find(|variable| variable["name"] == name);
        let query = variable.expect(name)["query"]["query"].as_str().expect(name);
        let query = query.strip_prefix("label_values(").and_then(|q| q.strip_suffix(')'));
        let (selector, label) = query.and_then(|q| q.rsplit_once(", ")).expect(name);
        api.label_values(label, &substitute(selector, chosen))
    };
    let any = Choice::from([("instance", ".*".to_owned()), ("phase", ".*".to_owned())]);
    assert_eq!(values("instance", &any).len(), LOADS.len());
    let targets = values("target", &any);
    let mut expected: Vec<_> = LOADS.iter().map(|args| args[0]).collect();
    expected.sort_unstable();
    assert_eq!(targets, expected);
    let choose = |target: &String| {
        let mut choice = any.clone();
        choice.insert("target", target.clone());
        for name in ["pid", "thread"] {
            let found = values(name, &choice);
            assert_eq!(found.len(), 1, "{name} of {choice:?}: {found:?}");
            choice.insert(name, found[0].clone());
        }
        choice
    };
    targets.iter().map(choose).collect()
}

fn substitute(text: &str, choice: &Choice) -> String {
    choice
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${name}"), value))
}

fn all_queries(choice: &Choice) -> Vec<PanelQuery> {
    let variables: Vec<(&str, &str)> = choice.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let all = queries(LOOP, &variables).expect("a dashboard");
    assert!(all.len() > 40, "{} queries", all.len());
    all
}

fn names_one_of(query: &PanelQuery, metrics: &[(&str, &str)]) -> bool {
    metrics.iter().any(|(metric, _why)| query.expr.contains(metric))
}

fn must_show(query: &PanelQuery) -> bool {
    !names_one_of(query, &NEVER) && !names_one_of(query, &PERHAPS)
}

/// The queries that show no figure in any target, or none for a label's value that they must show.
/// `NaN` is no figure: a quantile of nothing.
fn missing_figures(api: &Api, choices: &[Choice]) -> Vec<String> {
    let of_each: Vec<_> = choices.iter().map(all_queries).collect();
    let mut missing = Vec::new();
    for (index, query) in of_each[0].iter().enumerate().filter(|(_, query)| must_show(query)) {
        let mut shown = Vec::new();
        for queries in &of_each {
            let series = api.query(&queries[index].expr);
            assert!(series.iter().all(|(_, v)| !v.is_infinite()), "{query:?}: {series:?}");
            shown.extend(series.into_iter().filter(|(_, value)| value.is_finite()));
        }
        let place = format!("{}: {}", query.panel, query.expr);
        if shown.is_empty() {
            missing.push(place.clone());
        }
        for (label, values) in SHOWN.iter().filter(|(label, _)| groups_by(&query.expr, label)) {
            for value in *values {
                let has = |labels: &BTreeMap<_, _>| labels.get(*label).is_some_and(|v| v == value);
                if !shown.iter().any(|(labels, _)| has(labels)) {
                    missing.push(format!("{label}={value} of {place}"));
                }
            }
        }
    }
    missing
}

fn groups_by(expr: &str, label: &str) -> bool {
    expr.contains(&format!("by ({label}"))
}

/// An exception that shows something, or that no query needs, is out of date.
fn assert_exceptions_hold(api: &Api, choices: &[Choice]) {
    let all: Vec<PanelQuery> = choices.iter().flat_map(all_queries).collect();
    for query in all.iter().filter(|query| !must_show(query)) {
        let series = api.query(&query.expr);
        assert!(series.is_empty() || names_one_of(query, &PERHAPS), "{query:?}: {series:?}");
    }
    for (metric, _why) in NEVER.iter().chain(&PERHAPS) {
        assert!(all.iter().any(|query| query.expr.contains(metric)), "{metric} is on no panel");
    }
}
