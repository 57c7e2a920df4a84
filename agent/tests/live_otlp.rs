//! OTLP, as a receiver that is not ours understands it.

mod common;
mod support;

use common::{command, finish, folder};
use serde_json::Value;
use support::ROTEL;
use support::rotel::{Metric, Point, Received, Rotel};

const RUN: [&str; 8] =
    ["run", "sync-promises", "--count", "3000", "--work", "0", "--report", "json"];

/// Three drains of 300 ms at least, one a round.
const STALLS: [&str; 12] = [
    "run",
    "sync-promises",
    "--count",
    "3000",
    "--work",
    "50us",
    "--repeat",
    "3",
    "--pause",
    "10ms",
    "--report",
    "json",
];

/// Of each histogram: its metric, an attribute that tells its points apart, its key in the
/// report, and how many of the report's units make one of the metric's.
const HISTOGRAMS: [(&str, (&str, &str), &str, f64); 6] = [
    ("loopscope.eventloop.turn.duration", ("thread", "main"), "/turn_ns", 1e9),
    ("loopscope.eventloop.timer.lateness", ("thread", "main"), "/timer_lateness_ns", 1e9),
    ("loopscope.eventloop.arrival.delay", ("thread", "main"), "/arrival_delay_ns", 1e9),
    ("loopscope.eventloop.phase.duration", ("phase", "poll"), "/phases/poll", 1e9),
    ("loopscope.eventloop.drain.length", ("queue", "microtask"), "/microtask_drain_length", 1.0),
    ("loopscope.eventloop.drain.duration", ("queue", "microtask"), "/microtask_drain_ns", 1e9),
];

#[test]
fn another_receiver_gets_the_figures_of_the_report() {
    let Some(program) = ROTEL.find("another_receiver_gets_the_figures_of_the_report") else {
        return;
    };
    let mut rotel = Rotel::start(&program, &folder("live_otlp"));
    let mut run = command(&RUN);
    run.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", rotel.address))
        .env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        .env("OTEL_SERVICE_NAME", "checkout")
        .env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=live%20test");
    let ran = finish(run.spawn().expect("the binary starts"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.stderr.contains("failed"), "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).expect("a report");
    let received = rotel.received(0);

    assert_resource(&received);
    let observed = &report["loops"][0];
    for (name, (attribute, value), key, scale) in HISTOGRAMS {
        let metric = received.metrics.get(name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(metric.about["DataType"], "ExponentialHistogram", "{name}");
        assert_eq!(metric.about["AggregationTemporality"], CUMULATIVE, "{name}");
        assert_eq!(metric.about["Unit"], if scale == 1.0 { "{job}" } else { "s" }, "{name}");
        let point = metric.point(attribute, value);
        let want = observed.pointer(key).unwrap_or_else(|| panic!("no {key} in {observed}"));
        assert_same_figures(name, point, want, scale);
        assert_buckets_hold(name, point);
    }
    assert_flood(&received, observed);
}

#[test]
fn another_receiver_gets_the_stalls_of_the_report() {
    let Some(program) = ROTEL.find("another_receiver_gets_the_stalls_of_the_report") else {
        return;
    };
    let mut rotel = Rotel::start(&program, &folder("live_otlp_logs"));
    let mut run = command(&STALLS);
    run.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", rotel.address))
        .env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        .env("OTEL_BLRP_SCHEDULE_DELAY", "50");
    let ran = finish(run.spawn().expect("the binary starts"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.stderr.contains("failed"), "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).expect("a report");
    let stalls = report["loops"][0]["stalls"].as_array().expect("stalls");
    let received = rotel.received(stalls.len());
    assert_eq!((received.records.len(), stalls.len()), (3, 3), "each once");
    for (record, stall) in received.records.iter().zip(stalls) {
        let resource = |name: &str| record.resource.get(name).map(String::as_str);
        assert_eq!(resource("service.name"), Some("sync-promises"));
        assert_eq!(resource("process.runtime.name"), Some("loop_core"));
        assert_eq!(resource("process.pid"), Some(report["loops"][0]["pid"].to_string().as_str()));
        assert_eq!(record.about["EventName"], "loopscope.stall");
        assert_eq!(record.about["SeverityText"], "WARN");
        assert_eq!(record.about["Timestamp"], stall["start_unix_ns"].to_string());
        assert!(record.about["Body"].contains("sync-promises (pid "), "{record:?}");
        let said = |name: &str| &record.attributes[&format!("loopscope.stall.{name}")];
        assert_eq!(*said("duration_ns"), stall["duration_ns"].to_string());
        assert_eq!(*said("microtasks"), stall["microtasks"].to_string());
        assert_eq!(said("phase"), stall["phase"].as_str().expect("a phase"));
        for (key, ns) in stall["ledger_ns"].as_object().expect("a ledger") {
            let sent = record.attributes.get(&format!("loopscope.stall.ledger_ns.{key}"));
            assert_eq!(sent.cloned(), (!ns.is_null()).then(|| ns.to_string()), "{key}");
        }
    }
}

const CUMULATIVE: &str = "AGGREGATION_TEMPORALITY_CUMULATIVE";

fn assert_resource(received: &Received) {
    let resource = |name: &str| received.resource.get(name).map(String::as_str);
    assert_eq!(resource("service.name"), Some("checkout"));
    assert_eq!(resource("service.version"), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(resource("deployment.environment.name"), Some("live test"));
}

/// The report and the last push are of the same end, and so must agree.
fn assert_same_figures(name: &str, point: &Point, report: &Value, scale: f64) {
    let figures = [("Count", "count", 1.0), ("Sum", "sum", scale), ("Min", "min", scale)];
    for (figure, key, scale) in figures.into_iter().chain([("Max", "max", scale)]) {
        let (got, want) = (point.figures[figure], report[key].as_f64().expect("a number") / scale);
        assert!((got - want).abs() <= 1e-9 * want.abs(), "{name}: {figure} is {got}, not {want}");
    }
}

/// How far a value may lie outside of its bucket: as far as the recorder's own buckets are wide,
/// which go as a whole to where their middle is.
const FINE: f64 = 1.04;

/// What the receiver made of our indices: the extremes lie in the outermost buckets.
fn assert_buckets_hold(name: &str, point: &Point) {
    let filled: Vec<_> = point.buckets.iter().filter(|(_, _, count)| *count > 0.0).collect();
    let counted: f64 = filled.iter().map(|bucket| bucket.2).sum();
    assert_eq!(counted, point.figures["Count"], "{name}");
    let (first, last) = (filled.first().expect("a bucket"), filled.last().expect("a bucket"));
    let (min, max) = (point.figures["Min"], point.figures["Max"]);
    assert!(min <= first.1 * FINE, "{name}: {min} {first:?}");
    assert!(last.0 / FINE < max && max <= last.1 * FINE, "{name}: {max} {last:?}");
}

fn assert_flood(received: &Received, observed: &Value) {
    let metric = |name: &str| &received.metrics[name];
    let value = |metric: &Metric| metric.points[0].figures["Value"];
    let drain = metric("loopscope.eventloop.drain.length").point("queue", "microtask");
    assert_eq!((drain.figures["Count"], drain.figures["Sum"]), (1.0, 6_000.0));

    let microtasks = metric("loopscope.eventloop.microtasks");
    assert_eq!(microtasks.about["DataType"], "Sum");
    assert_eq!(microtasks.about["IsMonotonic"], "true");
    assert_eq!(value(microtasks), 6_000.0);
    assert_eq!(microtasks.points[0].attributes["target"], "sync-promises");
    assert_eq!(microtasks.points[0].attributes["pid"], observed["pid"].to_string());
    assert_eq!(metric("loopscope.eventloop.current_turn").about["DataType"], "Gauge");
    assert_eq!(Some(value(metric("loopscope.eventloop.turns"))), observed["turns"].as_f64());
}
