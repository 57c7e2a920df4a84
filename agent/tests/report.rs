//! The JSON report of a real run: every key of the schema, in order, and the truth of the workload.

mod common;

use common::run;
use serde_json::Value;

fn observe(args: &[&str]) -> (Value, String) {
    let ran = run(&[&["run"], args, &["--report", "json"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    (serde_json::from_str(&ran.stdout).expect("is JSON"), ran.stdout)
}

/// The keys that stand at an indent, in the order of the text.
fn keys(text: &str, indent: usize) -> Vec<&str> {
    let blanks = " ".repeat(indent);
    let own = text.lines().filter_map(|line| line.strip_prefix(&blanks)?.strip_prefix('"'));
    own.filter_map(|rest| rest.split_once("\":")).map(|(key, _)| key).collect()
}

#[test]
fn the_schema_is_as_promised() {
    let (report, text) = observe(&["sync-promises", "--count", "300", "--work", "0"]);
    let top = ["schema", "wall_ns", "clock", "events", "targets", "loops", "diagnoses", "workload"];
    assert_eq!(keys(&text, 2), top);
    assert_eq!(report["schema"], "loopscope.report/1");
    let of_loop = [
        "pid",
        "thread",
        "tid",
        "turns",
        "utilization",
        "current_turn_ns",
        "turn_ns",
        "poll_wait_ns",
        "timer_lateness_ns",
        "arrival_delay_ns",
        "callback_ns",
        "phases",
        "microtask_drain_length",
        "microtask_drain_ns",
        "tick_drain_length",
        "tick_drain_ns",
        "gc_pause_ns",
        "thread_pool",
        "counters",
        "stalls",
    ];
    let of_target = [
        "pid",
        "name",
        "runtime",
        "runtime_version",
        "source",
        "tier",
        "overhead_ratio",
        "sampled",
        "limits",
    ];
    let of_diagnosis =
        ["id", "pid", "thread", "summary", "evidence", "advice", "culprit", "confidence", "docs"];
    let observed = text.split("\n  \"workload\"").next().expect("text before the last part");
    assert_eq!(keys(observed, 6), [&of_target[..], &of_loop[..], &of_diagnosis[..]].concat());
    let histogram = report["loops"][0]["turn_ns"].as_object().expect("an object");
    for key in ["count", "sum", "min", "max", "mean", "p50", "p90", "p99", "p999"] {
        assert!(histogram.contains_key(key), "{key}");
    }
    assert!(report["loops"][0]["gc_pause_ns"].is_null(), "what is not seen is null");
    let counters = report["loops"][0]["counters"].as_object().expect("an object");
    for key in ["task_clock_ns", "context_switches", "page_faults", "cycles", "instructions"] {
        assert!(counters.contains_key(key), "{key}");
    }
    assert_eq!(report["targets"][0]["name"], "sync-promises");
    assert_eq!(report["workload"]["params"]["count"], "300");
}

#[test]
fn the_counts_are_the_truth() {
    let (report, _) = observe(&["sync-promises", "--count", "2000", "--work", "0"]);
    assert_eq!(report["diagnoses"][0]["id"], "microtask-flood");
    let drains = &report["loops"][0]["microtask_drain_length"];
    assert_eq!((drains["count"].as_u64(), drains["max"].as_u64()), (Some(1), Some(4_000)));
    for row in report["workload"]["truth"].as_array().expect("it was checked") {
        assert_eq!(row["holds"], true, "{row}");
    }
}

#[test]
fn virtual_time_gives_the_same_report_each_time() {
    let args = ["next-tick-recursion", "--count", "5000", "--clock", "virtual"];
    let strip = |mut report: Value| {
        for owner in ["targets", "loops", "diagnoses"] {
            report[owner][0]["pid"] = Value::Null;
        }
        report["loops"][0]["tid"] = Value::Null;
        report
    };
    let first = strip(observe(&args).0);
    assert_eq!(first["clock"], "virtual");
    assert_eq!(first["diagnoses"][0]["id"], "next-tick-starvation");
    assert_eq!(first, strip(observe(&args).0));
}
