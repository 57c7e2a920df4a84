//! Lines of JSON: against a golden file, and with texts that try to break a line.

mod support;

use loopscope_exporters::{Exporter, JsonLines, SelfStats, stall_id};
use serde_json::Value;

fn line(stats: &SelfStats) -> String {
    let mut out = Vec::new();
    let lines = JsonLines { unix_ns: 1_700_000_005_000_000_000 };
    lines.export(&support::stalled(), stats, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn stall_line(stall: usize) -> String {
    let snapshot = support::stalled();
    let of = &snapshot.loops[0];
    let mut out = Vec::new();
    JsonLines::write_stall(&snapshot, of, &of.stalls[stall], &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_lines_are_the_golden_ones() {
    let lines = line(&support::full_stats()) + &stall_line(2) + &stall_line(5);
    support::golden("tests/golden/lines.json", &lines);
}

#[test]
fn a_line_says_when_of_whom_and_what() {
    let json: Value = serde_json::from_str(&line(&support::full_stats())).unwrap();
    assert_eq!(json["schema"], "loopscope.metrics/1");
    assert_eq!(json["unix_ns"], 1_700_000_005_000_000_000_u64);
    assert_eq!(json["loops"][1]["pid"], 4242);
    assert_eq!(json["loops"][1]["target"], "checkout");
    let metrics = &json["loops"][1]["metrics"];
    assert_eq!(metrics["loopscope_eventloop_time_seconds_total"]["idle"], 3.0);
    let turns = &metrics["loopscope_eventloop_turn_duration_seconds"];
    let buckets = r#"{"0.0001":1,"0.1":3,"2.5":4}"#;
    assert_eq!(turns["buckets"], serde_json::from_str::<Value>(buckets).unwrap());
    assert_eq!((&turns["count"], &turns["max"]), (&5.into(), &200.0.into()));
    // What a loop doesn't show has no key, and an empty histogram no quantiles.
    let bare = json["loops"][0]["metrics"].as_object().unwrap();
    assert!(!bare.contains_key("loopscope_eventloop_microtasks_total"));
    let empty = &metrics["loopscope_eventloop_drain_duration_seconds"]["next_tick"];
    assert_eq!((&empty["count"], &empty["p50"]), (&0.into(), &Value::Null));
    assert_eq!(json["agent"]["loopscope_export_failures_total"]["otlp"]["timeout"], 4);
    assert_eq!(json["agent"]["process_threads"], 3);
    assert!(json["agent"].get("loopscope_eventloop_turns_total").is_none());
}

#[test]
fn a_line_of_a_stall_has_its_id_and_the_fields_of_the_report() {
    let snapshot = support::stalled();
    let json: Value = serde_json::from_str(&stall_line(2)).unwrap();
    let (of, report) = (&snapshot.loops[0], serde_json::to_value(&snapshot).unwrap());
    assert_eq!(json["schema"], "loopscope.stall/1");
    assert_eq!(json["stall_id"], stall_id(of, &of.stalls[2]));
    assert_eq!((&json["target"], &json["thread"]), (&"checkout".into(), &"main".into()));
    for (name, value) in report["loops"][0]["stalls"][2].as_object().unwrap() {
        assert_eq!(&json[name], value, "{name}");
    }
}

#[test]
fn no_text_breaks_a_line() {
    for line in [line(&support::stats()), stall_line(0)] {
        assert_eq!(line.find('\n'), Some(line.len() - 1));
    }
    assert!(line(&support::stats()).contains(r#"evil\"} 1\n# TYPE \\ naïve €"#));
}
