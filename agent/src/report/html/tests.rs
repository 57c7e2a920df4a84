//! The page as text: what it holds, how large it gets, and that nothing of a program is markup.

use std::sync::Arc;

use loop_core::snapshot::{
    ClockKind, Histogram, Ledger, LedgerKey, LoopSnapshot, Profile, ProfileFrame, SampleState,
    Snapshot, Stall,
};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::diagnosis::diagnose;

fn page(snapshot: &Snapshot, timeline: &Timeline) -> String {
    let diagnoses = diagnose(snapshot);
    let report =
        Report { snapshot, diagnoses: &diagnoses, workload: None, script: None, command: None };
    let mut page = Vec::new();
    write(&report, timeline, &mut page).expect("a Vec takes all");
    String::from_utf8(page).expect("UTF-8")
}

/// The data of the page, as its script reads it.
fn data(page: &str) -> Value {
    let data = page.split("id=\"data\">").nth(1).and_then(|rest| rest.split("</script>").next());
    serde_json::from_str(data.expect("it has data")).expect("JSON")
}

fn stall(start_unix_ns: u64, duration_ns: u64) -> Stall {
    let ledger_ns = Ledger::default().with(LedgerKey::Javascript, duration_ns);
    Stall { start_unix_ns, duration_ns, ledger_ns, ..Stall::default() }
}

fn of(pid: u32, stalls: Vec<Stall>) -> LoopSnapshot {
    LoopSnapshot { pid, thread: "main".into(), stalls, ..LoopSnapshot::default() }
}

fn snapshot(loops: Vec<LoopSnapshot>) -> Snapshot {
    Snapshot { loops, wall_ns: 1_000, ..Snapshot::empty(ClockKind::Real) }
}

/// Many stacks of 20 frames, each unlike any other.
fn crowded(seed: u64) -> Arc<Profile> {
    let mut profile = Profile::new(seed * 10_000);
    for sample in 1..=1_000u64 {
        let frames = (0..20).map(|depth| ProfileFrame {
            name: format!("function{}", (sample * 7 + depth * seed) % 400),
            file: Some("/srv/app/some/where/deep/module.js".into()),
            line: Some(7),
        });
        profile.add(sample, 1, SampleState::OnCpu, frames);
    }
    Arc::new(profile)
}

#[test]
fn a_page_is_bounded_and_tells_what_is_left_out() {
    let sampled = |number: u64| Stall {
        profile: Some(crowded(number)),
        ..stall(number * 10_000, 2_000 + number)
    };
    let stalls = |number: u64| (1..=64).map(|stall| sampled(stall + number * 64)).collect();
    let loops = (0..2).map(|number| of(number, stalls(u64::from(number))));
    let page = page(&snapshot(loops.collect()), &Timeline::default());
    assert!(page.len() < 8_000_000, "{} bytes", page.len());
    let data = data(&page);
    let nodes = |flame: &Value| flame["nodes"].as_array().map_or(0, Vec::len);
    assert_eq!(nodes(&data["flame"]), limits::ALL_NODES_MAX);
    assert!(data["flame"]["left_out"].as_u64() > Some(1_000));
    assert_eq!(data["flame"]["samples"], 2 * 64 * 1_000);
    let loops = data["loops"].as_array().expect("loops");
    let stalls: Vec<&Value> =
        loops.iter().flat_map(|of| of["stalls"].as_array().expect("stalls")).collect();
    let single: usize = stalls.iter().map(|stall| nodes(&stall["flame"])).sum();
    assert!(single <= limits::NODES_MAX && single > limits::NODES_MAX / 2, "{single}");
    let without = stalls.iter().filter(|stall| stall["flame"].is_null());
    let longest = without.filter_map(|stall| stall["duration_ns"].as_u64()).max();
    let with = stalls.iter().filter(|stall| !stall["flame"].is_null());
    let shortest = with.filter_map(|stall| stall["duration_ns"].as_u64()).min();
    assert!(longest < shortest, "those of the longest are kept");
    assert!(stalls.iter().all(|stall| stall["samples"] == 1_000));
}

#[test]
fn the_worst_loops_are_drawn_and_others_counted() {
    let loops = (0..60).map(|pid| LoopSnapshot {
        stall_totals: {
            let mut totals = loop_core::snapshot::CauseTotals::default();
            totals.add(LedgerKey::Gc, u64::from(pid));
            totals
        },
        ..of(pid, Vec::new())
    });
    let data = data(&page(&snapshot(loops.collect()), &Timeline::default()));
    assert_eq!(data["loops"].as_array().map(Vec::len), Some(limits::LOOPS_MAX));
    assert_eq!((&data["loops"][0]["pid"], &data["loops_left_out"]), (&59.into(), &20.into()));
}

#[test]
fn time_begins_where_the_observation_did_if_that_is_known() {
    let observed = snapshot(vec![of(1, vec![stall(5_000, 300), stall(6_000, 100)])]);
    let told = |timeline: &Timeline| {
        let data = data(&page(&observed, timeline));
        let of = |key: &str| data[key].as_u64().expect("a number");
        let at = data["loops"][0]["stalls"][0]["at_ns"].as_u64().expect("a number");
        (data["begin_is_known"] == true, of("begin_unix_ns"), of("length_ns"), at)
    };
    assert_eq!(told(&Timeline::default()), (false, 5_000, 1_100, 0));
    let known = Timeline { began_unix_ns: Some(4_900), ..Timeline::default() };
    assert_eq!(told(&known), (true, 4_900, 1_200, 100));
    let later = Timeline { began_unix_ns: Some(5_100), ..Timeline::default() };
    assert_eq!(told(&later), (true, 5_000, 1_100, 0));
}

#[test]
fn what_is_not_seen_is_null_and_has_a_reason() {
    let turn_ns = Some(Histogram::of(loop_core::buckets::Scale::Time, [4_000, 5_000]));
    let poll_wait_ns = Some(Histogram::new(loop_core::buckets::Scale::Time));
    let seen = LoopSnapshot { turn_ns, poll_wait_ns, ..of(1, vec![stall(0, 60)]) };
    let data = data(&page(&snapshot(vec![seen]), &Timeline::default()));
    let of = &data["loops"][0];
    let names = |list: &Value| -> Vec<String> {
        let names = list.as_array().into_iter().flatten();
        names.filter_map(|name| Some(name.as_str()?.to_owned())).collect()
    };
    assert_eq!(of["charts"].as_array().map(Vec::len), Some(1));
    assert_eq!(of["charts"][0]["name"], "active turn");
    assert_eq!(names(&of["none"]), ["wait in the poll"]);
    let unseen: Vec<String> =
        of["unseen"].as_array().into_iter().flatten().flat_map(|group| names(&group[1])).collect();
    assert!(unseen.contains(&"timer lateness".to_owned()) && unseen.contains(&"poll".to_owned()));
    let stall = &of["stalls"][0];
    assert!(["stack", "waits", "drain", "culprit", "flame"].iter().all(|key| stall[key].is_null()));
    assert!(stall["ledger_ns"]["gc"].is_null() && of["utilization"].is_null());
}

const HIDDEN: [char; 3] = ['\u{202e}', '\u{1b}', '\u{0}'];

proptest! {
    #[test]
    fn no_name_is_markup(name in "\\PC{0,40}|[<>&\"'/!a-z\\-\u{202e}\u{1b}\u{0}]{0,40}") {
        let stall = Stall {
            stack: Some(vec![name.clone()]),
            ..stall(0, 60_000_000)
        };
        let thread = name.clone();
        let page = page(
            &snapshot(vec![LoopSnapshot { thread, ..of(1, vec![stall]) }]),
            &Timeline::default(),
        );
        prop_assert_eq!(page.matches("<script").count(), 2);
        prop_assert_eq!(page.matches("</script").count(), 2);
        prop_assert_eq!(page.matches("<!--").count(), 0);
        prop_assert!(!page.contains(HIDDEN), "{}", name);
        let told = data(&page)["loops"][0]["stalls"][0]["stack"][0].clone();
        prop_assert_eq!(told.as_str().map(|told| told.contains('<')), Some(name.contains('<')));
    }
}
