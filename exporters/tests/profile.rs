//! Profiles: against golden files, and what must hold of each format.
//!
//! `LOOPSCOPE_BLESS=1 cargo test -p loopscope-exporters --test profile` writes the files anew.

mod support;

use std::path::Path;
use std::sync::Arc;

use loop_core::Phase;
use loop_core::snapshot::{
    Counters, Drain, Ledger, LedgerKey, LoopSnapshot, OpenTurn, Profile, ProfileFrame, Queue,
    SampleState, Snapshot, Stall, Wait,
};
use loopscope_exporters::profile::{
    ChromeTrace, Collapsed, CpuProfile, FORMATS, ProfileFormat, format_of, samples,
};
use serde_json::Value;

const MS: u64 = 1_000_000;

/// When the first stall began.
const START_NS: u64 = 1_795_248_000_250_000_000;

fn frame(name: &str, file: Option<&str>, line: u32) -> ProfileFrame {
    let line = file.map(|_| line);
    ProfileFrame { name: name.into(), file: file.map(str::to_owned), line }
}

fn stack(line: u32) -> Vec<ProfileFrame> {
    vec![
        frame("JSON.parse", None, 0),
        frame("load; all", Some("/srv/my shop/load.js"), line),
        frame("", Some("/srv/my shop/web.js"), 5),
    ]
}

fn stall(start_ns: u64, duration_ns: u64, profile: Profile) -> Stall {
    Stall {
        start_unix_ns: start_ns,
        duration_ns,
        running: false,
        phase: Some(Phase::Poll),
        callbacks: Some(1),
        microtasks: Some(4),
        repeated: None,
        ledger_ns: Ledger::default().with(LedgerKey::Javascript, duration_ns),
        counters: Counters::default(),
        culprit: None,
        waits: None,
        drain: None,
        stack: None,
        profile: Some(Arc::new(profile)),
    }
}

/// A loop that computed and then waited, and computes again right now, in a drain; and a worker.
fn snapshot() -> Snapshot {
    let mut first = Profile::new(START_NS);
    for ms in 11..=40 {
        let line = if ms < 30 { 7 } else { 9 };
        first.add(ms * MS, MS, SampleState::OnCpu, stack(line));
    }
    let read = [frame("read", None, 0), frame("load; all", Some("/srv/my shop/load.js"), 12)];
    first.add(60 * MS, 15 * MS, SampleState::Waiting, read);
    let mut second = Profile::new(START_NS + 500 * MS);
    for ms in 11..=60 {
        let react = frame("react", Some("file:///srv/my shop/jobs.mjs"), 3);
        second.add(ms * MS, MS, SampleState::OnCpu, [react]);
    }
    let waits =
        vec![Wait { call: "read".into(), subject: Some("/run/pipe".into()), duration_ns: 15 * MS }];
    let ended = Stall { waits: Some(waits), ..stall(START_NS, 62 * MS, first) };
    let running = Stall { running: true, ..stall(START_NS + 500 * MS, 60 * MS, second) };
    let drain = Drain { queue: Queue::Microtask, age_ns: 55 * MS, jobs: 4_000 };
    let open = OpenTurn { age_ns: 60 * MS, phase: Some(Phase::Poll), drain: Some(drain) };
    let main = LoopSnapshot {
        pid: 4242,
        thread: "main".into(),
        tid: 4242,
        open: Some(open),
        // As sources may tell them: newest first.
        stalls: vec![running, ended],
        ..LoopSnapshot::default()
    };
    let mut busy = Profile::new(START_NS + 20 * MS);
    busy.add(30 * MS, 20 * MS, SampleState::OnCpu, [frame("crunch", Some("/srv/crunch.js"), 1)]);
    let worker = LoopSnapshot {
        pid: 4242,
        thread: "worker-1".into(),
        tid: 4250,
        stalls: vec![stall(START_NS + 20 * MS, 55 * MS, busy)],
        ..LoopSnapshot::default()
    };
    Snapshot { loops: vec![worker, main], ..support::snapshot() }
}

fn written(format: &dyn ProfileFormat, snapshot: &Snapshot) -> String {
    let mut out = Vec::new();
    format.write(snapshot, &mut out).expect("a Vec takes all");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn the_files_are_the_golden_ones() {
    for (end, format) in FORMATS.iter().filter(|(end, _)| *end != ".folded") {
        let path = format!("tests/golden/profile{end}");
        support::golden(&path, &written(*format, &snapshot()));
    }
}

#[test]
fn the_format_is_told_by_the_end_of_the_name() {
    let known = |name: &str| format_of(Path::new(name)).map(|format| format!("{format:?}"));
    assert_eq!(known("/tmp/a.b.cpuprofile").as_deref(), Some("CpuProfile"));
    assert_eq!(known("stacks.folded").as_deref(), Some("Collapsed"));
    assert_eq!(known("stacks.collapsed").as_deref(), Some("Collapsed"));
    assert_eq!(known("a.trace.json").as_deref(), Some("ChromeTrace"));
    for name in ["a.json", "cpuprofile", "a.cpuprofile.gz", "/", ""] {
        assert_eq!(known(name), None, "{name}");
    }
}

#[test]
fn collapsed_stacks_hold_all_the_time() {
    let text = written(&Collapsed, &snapshot());
    let us: u64 = text
        .lines()
        .map(|line| line.rsplit_once(' ').expect("a count").1.parse::<u64>().expect("a number"))
        .sum();
    assert_eq!(us, (30 + 15 + 50 + 20) * 1_000, "{text}");
    assert!(text.contains(";read;(waiting) 15000"), "{text}");
    assert!(text.contains(";load_ all (/srv/my shop/load.js);JSON.parse 30000"), "{text}");
}

#[test]
fn a_cpuprofile_is_a_tree_and_its_times_add_up() {
    let profile: Value = serde_json::from_str(&written(&CpuProfile, &snapshot())).unwrap();
    let numbers = |key: &str| -> Vec<u64> {
        profile[key].as_array().unwrap().iter().map(|value| value.as_u64().unwrap()).collect()
    };
    let (samples, deltas) = (numbers("samples"), numbers("timeDeltas"));
    assert_eq!(samples.len(), deltas.len());
    let (start, end) = (&profile["startTime"], &profile["endTime"]);
    assert_eq!(deltas.iter().sum::<u64>(), end.as_u64().unwrap() - start.as_u64().unwrap());
    let nodes = profile["nodes"].as_array().unwrap();
    let ids: Vec<u64> = nodes.iter().map(|node| node["id"].as_u64().unwrap()).collect();
    assert!(samples.iter().all(|id| ids.contains(id)));
    let children = nodes.iter().flat_map(|node| node["children"].as_array().unwrap());
    let mut children: Vec<u64> = children.map(|id| id.as_u64().unwrap()).collect();
    children.sort_unstable();
    assert_eq!(children, ids[1..], "each but the root has one parent");
    let hits: u64 = nodes.iter().map(|node| node["hitCount"].as_u64().unwrap()).sum();
    assert_eq!(hits, 81, "80 on a CPU and one wait: the main loop was sampled for longest");
    let at = |name: &str| {
        let is = |node: &&Value| node["callFrame"]["functionName"] == name;
        nodes.iter().find(is).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    assert_eq!(at("load; all")["callFrame"]["url"], "file:///srv/my%20shop/load.js");
    assert_eq!(at("load; all")["callFrame"]["lineNumber"], 6, "lines are told from 0");
    assert_eq!(at("(not sampled)")["hitCount"], 0);
}

#[test]
fn slices_of_a_track_lie_in_each_other_or_apart() {
    let trace: Value = serde_json::from_str(&written(&ChromeTrace, &snapshot())).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let slices: Vec<(u64, f64, f64)> = events
        .iter()
        .filter(|event| event["ph"] == "X")
        .map(|event| {
            let ts = event["ts"].as_f64().unwrap();
            (event["tid"].as_u64().unwrap(), ts, ts + event["dur"].as_f64().unwrap())
        })
        .collect();
    assert!(slices.len() > 8, "{events:?}");
    for (tid, begin, end) in &slices {
        for (_, other_begin, other_end) in slices.iter().filter(|(other, ..)| other == tid) {
            let apart = end <= other_begin || other_end <= begin;
            let inside = begin >= other_begin && end <= other_end;
            let around = begin <= other_begin && end >= other_end;
            assert!(apart || inside || around, "{tid}: {begin}-{end}, {other_begin}-{other_end}");
        }
    }
    let stall = events.iter().find(|event| event["cat"] == "stall").expect("a stall");
    assert_eq!(stall["args"]["ledger_ns"]["javascript"], 55 * MS);
    let drain = events.iter().find(|event| event["cat"] == "drain").expect("the drain that runs");
    assert_eq!((&drain["args"]["jobs"], &drain["dur"]), (&4_000.into(), &55_000.0.into()));
}

#[test]
fn time_that_two_samples_stand_for_is_counted_once() {
    let mut profile = Profile::new(START_NS);
    for ms in [20, 25, 30] {
        profile.add(ms * MS, 10 * MS, SampleState::OnCpu, [frame("work", Some("/a.js"), 1)]);
    }
    let observed = LoopSnapshot {
        pid: 7,
        thread: "main".into(),
        stalls: vec![stall(START_NS, 40 * MS, profile)],
        ..LoopSnapshot::default()
    };
    let snapshot = Snapshot { loops: vec![observed], ..support::snapshot() };
    assert_eq!(written(&Collapsed, &snapshot), "main of 7;work (/a.js) 20000\n");
}

#[test]
fn without_a_sample_every_file_is_whole_all_the_same() {
    let none = Snapshot { loops: Vec::new(), ..support::snapshot() };
    assert_eq!((samples(&none), samples(&snapshot())), (0, 82));
    assert_eq!(written(&Collapsed, &none), "");
    let profile: Value = serde_json::from_str(&written(&CpuProfile, &none)).unwrap();
    assert_eq!(profile["nodes"][0]["callFrame"]["functionName"], "(root)");
    let trace: Value = serde_json::from_str(&written(&ChromeTrace, &none)).unwrap();
    assert!(trace["traceEvents"].as_array().is_some());
}
