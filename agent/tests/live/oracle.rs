//! V8 itself as the judge: a target that also writes V8's trace events has its drains counted
//! twice, by V8 and from outside.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::alone;
use crate::attach::Attach;
use crate::check::{Check, Tolerance};
use crate::common::folder;
use crate::kernel::can_attach;
use crate::nodes::{self, Node};
use crate::target::Target;

const MS: f64 = 1e6;

/// One drain in V8's trace.
#[derive(Clone, Copy, Debug)]
struct Drain {
    length: f64,
    ns: f64,
}

/// The drains of every thread, by the number of the thread.
fn drains_of(folder: &Path) -> BTreeMap<u64, Vec<Drain>> {
    let mut drains: BTreeMap<u64, Vec<Drain>> = BTreeMap::new();
    let mut begins: BTreeMap<u64, f64> = BTreeMap::new();
    for event in events(folder).iter().filter(|event| event["name"] == "RunMicrotasks") {
        let tid = event["tid"].as_u64().expect("an event has its thread");
        let at = event["ts"].as_f64().expect("an event has its time") * 1e3;
        if event["ph"] == "B" {
            begins.insert(tid, at);
        } else {
            let length = event["args"]["microtask_count"].as_f64().expect("V8 tells the count");
            let ns = at - begins.remove(&tid).unwrap_or(at);
            drains.entry(tid).or_default().push(Drain { length, ns });
        }
    }
    drains
}

/// All events of the trace's files, in their order.
fn events(folder: &Path) -> Vec<Value> {
    let entries = fs::read_dir(folder).expect("the folder can be read").flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.sort();
    let mut events = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ext| ext == "json")) {
        let text = fs::read_to_string(file).expect("the trace can be read");
        let mut trace: Value = serde_json::from_str(&text).expect("the trace is JSON");
        events.append(trace["traceEvents"].as_array_mut().expect("the trace has events"));
    }
    events
}

/// A target that has its trace written into a folder.
fn traced(node: &Node, script: &str, folder: &Path) -> Target {
    let mut command = node.command(script);
    let pattern = folder.join("trace-${rotation}.json");
    let options =
        format!("--trace-event-categories=v8.execute --trace-event-file-pattern={pattern:?}");
    command.env("NODE_OPTIONS", options);
    Target::spawn(&format!("traced {script} on Node {}", node.version), command)
}

fn agree(node: &Node, script: &str, check: &mut Check) {
    let folder = folder(&format!("trace-{}-{script}", node.version));
    let mut target = traced(node, script, &folder);
    check.about(&target);
    let attach = Attach::to(&[&target]);
    target.go_and_be_done();
    let report = attach.stop();
    let pid = target.pid();
    target.end();

    let drains = drains_of(&folder);
    check.holds(!drains.is_empty(), "V8 has traced no drain");
    for (tid, drains) in drains {
        let seen = report.loops(pid).into_iter().find(|seen| seen.number("tid") == tid as f64);
        check.holds(seen.is_some(), format!("no loop of thread {tid}"));
        let Some(seen) = seen else { continue };
        let what = |figure: &str| format!("{} microtask_drain_{figure}", seen.thread());
        let (length, ns) =
            (seen.histogram("microtask_drain_length"), seen.histogram("microtask_drain_ns"));
        let (count, jobs) = (drains.len() as f64, drains.iter().map(|drain| drain.length).sum());
        check.equal(&what("length.count"), count, length.count);
        check.equal(&what("length.sum"), jobs, length.sum);
        let longest = drains.iter().map(|drain| drain.length).fold(0.0, f64::max);
        check.equal(&what("length.max"), longest, length.max);
        // V8 writes its events near our two probes. In between another process may get the CPU.
        let sum = drains.iter().map(|drain| drain.ns).sum();
        let above_ns = 30.0 * MS + 0.2 * MS * count;
        let tolerance = Tolerance { share: 0.05, below_ns: 30.0 * MS, above_ns };
        check.near(&what("ns.sum"), sum, ns.sum, tolerance);
    }
}

#[test]
fn v8_counts_the_same_drains() {
    let _alone = alone();
    let test = "v8_counts_the_same_drains";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        agree(&node, "drains.js", &mut check);
        agree(&node, "workers.js", &mut check);
    }
    check.end();
}

/// The targets' own truth is held to V8's as well; no agent is needed for that.
#[test]
fn v8_counts_what_targets_tell() {
    let _alone = alone();
    let test = "v8_counts_what_targets_tell";
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        for script in ["drains.js", "workers.js", "passing.js", "immediates.js"] {
            let folder = folder(&format!("truth-{}-{script}", node.version));
            let mut target = traced(&node, script, &folder);
            check.about(&target);
            target.go_and_be_done();
            let truth = target.end();
            let by_v8 = drains_of(&folder).into_values().flatten();
            let mut by_v8: Vec<u64> = by_v8.map(|drain| drain.length as u64).collect();
            let mut told = lengths(&truth);
            told.sort_unstable();
            by_v8.sort_unstable();
            check.equal("drains", by_v8, told);
        }
    }
    check.end();
}

/// The lengths of all drains that a target tells, of whatever thread.
fn lengths(truth: &Value) -> Vec<u64> {
    let workers = truth["workers"].as_array().into_iter().flatten();
    let drains = workers.chain([truth]).filter_map(|one| one["drains"].as_array()).flatten();
    let mut lengths: Vec<u64> = drains.filter_map(|drain| drain["length"].as_u64()).collect();
    // Each immediate has a drain of its own.
    lengths.extend((0..truth["immediates"].as_u64().unwrap_or(0)).map(|_| 1));
    lengths
}
