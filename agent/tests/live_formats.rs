//! Real servers, each of which asks for a format of its own, have the figures of the page.

mod common;
mod support;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use common::{command, folder, get};
use support::prometheus::{Api, Exemplar, Prometheus};
use support::server::Server;
use support::victoria::VictoriaMetrics;
use support::{PROMETHEUS, Program, VICTORIA_METRICS};

const TURNS: &str = "loopscope_eventloop_turn_duration_seconds";

/// A native bucket is this much wider than the one below.
const BASE: f64 = 1.0906;

/// Stalls for a while, and then rests, so that what is asked later stands still.
const STALLED: [&str; 13] = [
    "run",
    "cpu-bound-callback",
    "--count",
    "5",
    "--work",
    "80ms",
    "--repeat",
    "forever",
    "--pause",
    "1h",
    "--report",
    "none",
    "--listen=127.0.0.1:0",
];

/// The workload at rest, and what its page has of turns.
struct Rested {
    _loopscope: Server,
    address: SocketAddr,
    count: f64,
    sum: f64,
    /// Bounds and cumulative counts, the last one beyond all bounds.
    buckets: Vec<(f64, f64)>,
}

impl Rested {
    fn start(folder: &Path) -> Rested {
        let mut loopscope = Server::start("loopscope", command(&STALLED), folder);
        let place = loopscope.told("serving http://");
        let address = place.strip_suffix("/metrics").and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address in `{place}`"));
        let stalls = "loopscope_eventloop_stalls_total{";
        let mut page = String::new();
        loopscope.until("the stalls are over", || {
            page = get(address, "/metrics").1;
            let counts = page.lines().filter(|line| line.starts_with(stalls)).map(value);
            counts.sum::<f64>() >= 5.0 && page.lines().any(is_idle)
        });
        // The loop may make a turn yet before it waits for the pause.
        loopscope.until("its turns stand still", || {
            let before = std::mem::replace(&mut page, get(address, "/metrics").1);
            let turns = |page: &str| {
                let start = format!("{TURNS}_count{{");
                page.lines().find(|line| line.starts_with(&start)).map(value)
            };
            std::thread::sleep(std::time::Duration::from_millis(200));
            turns(&before) == turns(&page) && turns(&page) == turns(&get(address, "/metrics").1)
        });
        let lines = |part: &str| {
            let start = format!("{TURNS}_{part}{{");
            page.lines().filter(move |line| line.starts_with(&start)).collect::<Vec<_>>()
        };
        let (count, sum) = (value(lines("count")[0]), value(lines("sum")[0]));
        let buckets = lines("bucket").into_iter().map(|line| (bound(line), value(line))).collect();
        Rested { _loopscope: loopscope, address, count, sum, buckets }
    }

    /// Whether a quantile lies in the bucket in which it must.
    fn holds(&self, quantile: f64, seconds: f64) -> bool {
        let rank = quantile * self.count;
        let at = self.buckets.iter().position(|(_, count)| *count >= rank).expect("a bucket");
        let below = at.checked_sub(1).map_or(0.0, |below| self.buckets[below].0);
        (below / BASE..=self.buckets[at].0 * BASE).contains(&seconds)
    }

    /// Exemplars that could be the page's: each of a stall, and no stall twice.
    fn assert_are_stalls(&self, exemplars: &[Exemplar]) {
        let ids: BTreeSet<&String> = exemplars.iter().map(|(of, ..)| &of["stall_id"]).collect();
        assert_eq!(ids.len(), exemplars.len(), "{exemplars:?}");
        for (labels, seconds, at) in exemplars {
            let numbers: Vec<u64> =
                labels["stall_id"].split('-').map(|text| text.parse().expect("number")).collect();
            let [_pid, _tid, start_unix_ns] = numbers[..] else { panic!("{labels:?}") };
            assert!(self.holds(1.0, *seconds) || *seconds <= self.sum, "{exemplars:?}");
            let end = start_unix_ns as f64 / 1e9 + seconds;
            assert!((at - end).abs() < 0.01, "{at} {end}: to the millisecond");
        }
    }
}

/// The gauge of a loop that waits.
fn is_idle(line: &str) -> bool {
    line.starts_with("loopscope_eventloop_current_turn_seconds{") && value(line) == 0.0
}

fn value(line: &str) -> f64 {
    line.rsplit(' ').next().and_then(|text| text.parse().ok()).expect(line)
}

fn bound(line: &str) -> f64 {
    let le = line.split_once("le=\"").and_then(|(_, rest)| rest.split('"').next());
    le.and_then(|le| le.parse().ok()).expect(line)
}

fn started(program: &Program, test: &str) -> Option<(std::path::PathBuf, std::path::PathBuf)> {
    Some((program.find(test)?, folder(test)))
}

fn assert_up(api: &Api) {
    assert_eq!(api.value("min_over_time(up[1h])"), Some(1.0), "no scrape failed");
}

#[test]
fn prometheus_has_native_histograms_and_exemplars_by_protobuf() {
    let test = "prometheus_has_native_histograms_and_exemplars_by_protobuf";
    let Some((program, folder)) = started(&PROMETHEUS, test) else { return };
    let rested = Rested::start(&folder);
    let features = ["native-histograms", "exemplar-storage"];
    let mut prometheus = Prometheus::start_with(&program, &folder, &[rested.address], &features);
    let count = format!("histogram_count({TURNS})");
    prometheus.until("a scrape", |api| api.value(&count).is_some());
    let api = &prometheus.api;
    assert_eq!(api.value(&count), Some(rested.count));
    let sum = api.value(&format!("histogram_sum({TURNS})")).expect("a sum");
    assert!((sum - rested.sum).abs() < 1e-9, "{sum} {}", rested.sum);
    for quantile in [0.5, 0.9, 0.99, 1.0] {
        let seconds = api.value(&format!("histogram_quantile({quantile}, {TURNS})"));
        let seconds = seconds.expect("a quantile");
        assert!(rested.holds(quantile, seconds), "{quantile}: {seconds} {:?}", rested.buckets);
    }
    let slow = api.value(&format!("histogram_fraction(0.05, 3600, {TURNS})")).expect("a share");
    assert!((slow * rested.count - 5.0).abs() < 0.5, "{slow} of {}", rested.count);
    prometheus.until("an exemplar", |api| !api.exemplars(TURNS).is_empty());
    let found = prometheus.api.exemplars(TURNS);
    assert_eq!(found.len(), 1, "{found:?}");
    rested.assert_are_stalls(&found[0].1);
    // In another place of the page, and with no histogram.
    assert!(prometheus.api.value("process_resident_memory_bytes") > Some(1e6));
    assert_up(&prometheus.api);
}

#[test]
fn prometheus_has_units_and_exemplars_by_openmetrics() {
    let test = "prometheus_has_units_and_exemplars_by_openmetrics";
    let Some((program, folder)) = started(&PROMETHEUS, test) else { return };
    let rested = Rested::start(&folder);
    let features = ["exemplar-storage"];
    let mut prometheus = Prometheus::start_with(&program, &folder, &[rested.address], &features);
    assert_classic(&rested, |what, holds| prometheus.until(what, holds));
    let buckets = format!("{TURNS}_bucket");
    prometheus.until("an exemplar", |api| !api.exemplars(&buckets).is_empty());
    let api = &prometheus.api;
    for (series, exemplars) in api.exemplars(&buckets) {
        rested.assert_are_stalls(&exemplars);
        let bound: f64 = series["le"].parse().expect("a bound");
        assert!(exemplars.iter().all(|(_, seconds, _)| *seconds <= bound), "{series:?}");
    }
    // Only this format tells units.
    assert_eq!(api.unit(TURNS).as_deref(), Some("seconds"));
    assert!(api.value("process_resident_memory_bytes") > Some(1e6));
    assert_up(api);
}

#[test]
fn victoria_metrics_has_the_same_by_text() {
    let test = "victoria_metrics_has_the_same_by_text";
    let Some((program, folder)) = started(&VICTORIA_METRICS, test) else { return };
    let rested = Rested::start(&folder);
    let mut victoria = VictoriaMetrics::start(&program, &folder, &[rested.address]);
    assert_classic(&rested, |what, holds| victoria.until(what, holds));
    assert!(victoria.api.value("process_resident_memory_bytes") > Some(1e6));
    assert_up(&victoria.api);
}

/// The classic histogram is that of the page.
fn assert_classic(rested: &Rested, mut until: impl FnMut(&str, &mut dyn FnMut(&Api) -> bool)) {
    let count = format!("{TURNS}_count");
    until("a scrape", &mut |api| api.value(&count).is_some());
    until("the figures", &mut |api| {
        assert_eq!(api.value(&count), Some(rested.count));
        let sum = api.value(&format!("{TURNS}_sum")).expect("a sum");
        assert!((sum - rested.sum).abs() < 1e-9, "{sum} {}", rested.sum);
        for quantile in [0.5, 0.9, 1.0] {
            let expr = format!("histogram_quantile({quantile}, {TURNS}_bucket)");
            let seconds = api.value(&expr).expect("a quantile");
            assert!(rested.holds(quantile, seconds), "{quantile}: {seconds}");
        }
        true
    });
}
