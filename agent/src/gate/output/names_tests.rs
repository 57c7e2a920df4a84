//! How figures and reasons are called.

use super::{smaller, words};
use crate::gate::Fingerprint;
use crate::gate::comparison::{Comparison, GateTier, Metric, Side, Standing, Unit, Verdict};
use crate::gate::measure::MEASURES;

fn metric(name: &'static str, title: &'static str, unit: Unit) -> Metric {
    Metric {
        name,
        title,
        unit,
        tier: GateTier::Time,
        decides: true,
        base: Vec::new(),
        head: vec![5.0; 3],
        change: None,
        noise: None,
        budget: None,
        standing: Standing::Same,
        culprit: None,
    }
}

fn budget(name: &'static str, title: &'static str, unit: Unit, text: &str) -> Metric {
    let (tier, budget) = (GateTier::Budget, Some(text.to_owned()));
    Metric { tier, budget, head: vec![7.0; 3], ..metric(name, title, unit) }
}

fn comparison(verdict: Verdict, metrics: Vec<Metric>, notes: &[&str]) -> Comparison {
    Comparison {
        verdict,
        base: None,
        head: Side { command: "node app.js".to_owned(), runs: 3 },
        fingerprint: Fingerprint::default(),
        observed: ("ebpf", "full"),
        metrics,
        notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        took_ns: 1,
        inconclusive_fails: false,
    }
}

/// The names and values of a trend.
fn trend(metrics: Vec<Metric>) -> Vec<(String, f64)> {
    let text = smaller(&comparison(Verdict::Passed, metrics, &[])).unwrap();
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    let entry = |entry: &serde_json::Value| {
        (entry["name"].as_str().unwrap().to_owned(), entry["value"].as_f64().unwrap())
    };
    read.as_array().unwrap().iter().map(entry).collect()
}

#[test]
fn each_figure_has_its_own_name_in_the_trend_and_is_there_once() {
    let drain_time = |text| budget("drain_time_max", "longest drain", Unit::Nanoseconds, text);
    let stalls = |text| budget("stalls_over", "stalls over a time", Unit::Count, text);
    let budgets = vec![
        budget("drain_max", "longest drain", Unit::Count, "longest drain < 10000"),
        drain_time("longest drain < 20ms"),
        drain_time("max drain > 1us"),
        stalls("Stalls  over 100ms = 0"),
        stalls("stalls over 100ms < 9"),
        stalls("stalls over 1s = 0"),
        budget("gc_time", "gc time", Unit::Nanoseconds, "gc time < 9ms"),
        budget("gc_share", "gc time", Unit::Share, "gc time < 9%"),
    ];
    let told = trend(budgets.clone());
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    let want = [
        "longest drain",
        "longest drain (ns)",
        "stalls over 100ms",
        "stalls over 1s",
        "gc time (ns)",
        "gc time (share)",
    ];
    assert_eq!(names, want);

    let measured = metric("longest_drain", "longest drain", Unit::Count);
    let with_base = trend([budgets, vec![measured]].concat());
    assert_eq!(with_base.len(), want.len(), "{with_base:?}");
    let drains = with_base.iter().filter(|(name, _)| name == "longest drain");
    assert_eq!(drains.map(|(_, value)| *value).collect::<Vec<_>>(), [5.0], "as it is measured");
    let blind = Metric { head: Vec::new(), ..metric("turn_p50", "p50 turn", Unit::Nanoseconds) };
    let limit = budget("turn_p50", "p50 turn", Unit::Nanoseconds, "p50 turn < 1s");
    assert_eq!(trend(vec![blind, limit]), [("p50 turn (ns)".to_owned(), 7.0)]);
}

#[test]
fn each_count_says_what_it_counts() {
    let known = ["microtasks", "drains", "turns", "ticks", "timers", "immediates", "stalls"];
    for of in &MEASURES {
        let counted = metric(of.name, of.title, of.unit).counted();
        let is_known = counted.is_some_and(|counted| known.contains(&counted));
        assert_eq!(is_known, of.unit == Unit::Count, "{}: {counted:?}", of.name);
        assert_eq!(counted.is_some(), is_known, "{}", of.name);
    }
    let over = |name, title, text: &str| {
        let worse = Metric { standing: Standing::Worse, ..budget(name, title, Unit::Count, text) };
        words::sentence(&worse)
    };
    for (name, title, text, want) in [
        ("drain_max", "longest drain", "longest drain < 5", "7 microtasks"),
        ("drain_mean", "mean drain", "mean drain < 5", "7 microtasks"),
        ("stalls_over", "stalls over a time", "stalls over 1s = 0", "7 stalls"),
        ("turns", "turns", "turns < 5", "7 turns"),
    ] {
        assert_eq!(over(name, title, text), format!("{text} is not kept: {want}"));
    }
    let turns = Metric { base: vec![5.0; 3], ..metric("turns", "turns", Unit::Count) };
    assert_eq!(words::sentence(&turns), "turns stayed at 5");
}

#[test]
fn the_reason_is_what_can_not_be_told_and_not_a_note_beside_it() {
    let note = "1 run was made again";
    let untold =
        |metric, why: &str| Metric { standing: Standing::Untold(why.to_owned()), ..metric };
    let time = untold(metric("turn_time", "time in turns", Unit::Nanoseconds), "not timed");
    let over = budget("stalls_over", "stalls over a time", Unit::Count, "stalls over 1s = 0");
    let said = |verdict, metrics| words::verdict(&comparison(verdict, metrics, &[note]));
    let inconclusive = said(Verdict::Inconclusive, vec![time.clone()]);
    assert_eq!(inconclusive, "Inconclusive: can't tell time in turns: not timed");
    let invalid = said(Verdict::Invalid, vec![time.clone(), untold(over, "not seen")]);
    assert_eq!(invalid, "Invalid: can't tell stalls over 1s = 0: not seen");
    assert_eq!(said(Verdict::Invalid, vec![time.clone()]), format!("Invalid: {note}"));
    let all = comparison(Verdict::Inconclusive, vec![time], &[note]);
    assert_eq!(words::notes(&all).collect::<Vec<_>>(), [note], "the note is told below");
}
