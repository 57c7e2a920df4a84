//! Every release line: one agent on a dozen targets at once, each report against what the target
//! itself has measured.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::alone;
use crate::attach::Attach;
use crate::check::Check;
use crate::kernel::can_attach;
use crate::nodes::{self, Node};
use crate::report::Report;
use crate::target::Target;
use crate::text::until_untouched;
use crate::truth;

const TARGETS: [&str; 9] = [
    "busy.js",
    "drains.js",
    "late.js",
    "gc.js",
    "workers.js",
    "sync.js",
    "phases.js",
    "immediates.js",
    "idle.js",
];

fn release(line: &str) {
    let _alone = alone();
    let test = format!("node_{line}");
    if !can_attach(&test) {
        return;
    }
    let Some(node) = Node::of_line(line, &test) else { return };
    let mut check = observe(&node, &TARGETS);
    check.add(forever(&node));
    check.end();
}

/// Attaches to all, lets them do their work, and compares.
fn observe(node: &Node, scripts: &[&str]) -> Check {
    let mut targets: Vec<Target> =
        scripts.iter().map(|script| Target::start(node, script)).collect();
    let attach = Attach::to(&targets.iter().collect::<Vec<_>>());
    targets.iter_mut().for_each(Target::go);
    targets.iter_mut().for_each(Target::done);
    targets[0].mark();
    let report = attach.stop();

    let mut check = Check::new();
    for (script, target) in scripts.iter().zip(targets) {
        check.about(&target);
        let pid = target.pid();
        identity(&report, pid, node, &mut check);
        until_untouched(&target);
        let truth = target.end();
        compare(script, &report, pid, &truth, node, &mut check);
    }
    check
}

/// Compares what is known of one target with the report.
fn compare(script: &str, report: &Report, pid: u32, truth: &Value, node: &Node, check: &mut Check) {
    if script == "workers.js" {
        truth::workers(report, pid, truth, check);
    }
    let Some(main) = report.main(pid, check) else { return };
    truth::everything(&main, node.line(), report.wall_ns(), check);
    match script {
        "busy.js" => truth::utilization(&main, truth, report.wall_ns(), check),
        "drains.js" => truth::drains(&main, &truth["drains"], check),
        "late.js" => truth::late(&main, truth, check),
        "gc.js" => truth::pauses(&main, truth, check),
        "workers.js" => truth::drains(&main, &truth["drains"], check),
        "sync.js" => truth::synchronous(&main, truth, report.wall_ns(), check),
        "phases.js" => truth::phases(&main, truth, check),
        "immediates.js" => truth::immediates(&main, truth, check),
        "idle.js" => truth::idle(&main, truth, report.wall_ns(), check),
        other => panic!("nothing is known of {other}"),
    }
}

/// What the report says of the target itself.
fn identity(report: &Report, pid: u32, node: &Node, check: &mut Check) {
    let target = report.target(pid);
    check.equal("source", "ebpf", target["source"].as_str().unwrap_or("null"));
    check.equal("tier", "full", target["tier"].as_str().unwrap_or("null"));
    check.equal("runtime", "nodejs", target["runtime"].as_str().unwrap_or("null"));
    let version = target["runtime_version"].as_str().unwrap_or("null").trim_start_matches('v');
    check.equal("runtime_version", node.version.as_str(), version);
    check.equal("sampled", Some(false), target["sampled"].as_bool());
    check.holds(target["overhead_ratio"].is_number(), "the overhead is not told");
    check.holds(report.limits(pid) > 0, "it is not told what can't be seen, and why");
    let name = target["name"].as_str().unwrap_or_default();
    check.holds(!name.is_empty(), "the target has no name");
}

/// Loops that are stuck, of a main thread and of a worker: from a time on at which they are
/// watched, and from before that.
fn forever(node: &Node) -> Check {
    const HEARD: Duration = Duration::from_millis(500);
    const STUCK: [(&[&str], &str); 4] = [
        (&[], "main"),
        (&["--at-once"], "main"),
        (&["--worker"], "worker-1"),
        (&["--worker", "--at-once"], "worker-1"),
    ];
    let started = Instant::now();
    let mut targets: Vec<Target> =
        STUCK.iter().map(|(args, _)| Target::start_with(node, "forever.js", args)).collect();
    // Those that begin at once have begun then.
    sleep(Duration::from_millis(200));
    let attach = Attach::to(&targets.iter().collect::<Vec<_>>());
    let going = Instant::now();
    targets[0].go();
    targets[2].go();
    sleep(Duration::from_millis(1_500));
    // On a busy machine a while passes until a target, or its worker, hears that it may begin.
    let at_least = going.elapsed().saturating_sub(HEARD).as_nanos();
    let report = attach.stop();
    let at_most = started.elapsed().as_nanos();

    let mut check = Check::new();
    for ((args, thread), target) in STUCK.iter().zip(&targets) {
        check.about(format!("{target} with {args:?}"));
        let Some(stuck) = report.find(target.pid(), thread, &mut check) else { continue };
        truth::running(&stuck, at_least, at_most, &mut check);
        check.holds(matches!(target.state(), 'R' | 'S'), "it is stopped");
    }
    check
}

#[test]
fn node_18() {
    release("18");
}

#[test]
fn node_19() {
    release("19");
}

#[test]
fn node_20() {
    release("20");
}

#[test]
fn node_21() {
    release("21");
}

#[test]
fn node_22() {
    release("22");
}

#[test]
fn node_23() {
    release("23");
}

#[test]
fn node_24() {
    release("24");
}

#[test]
fn node_25() {
    release("25");
}

#[test]
fn node_26() {
    release("26");
}

#[test]
fn every_line_of_the_list_has_its_test() {
    assert_eq!(nodes::lines(), ["18", "19", "20", "21", "22", "23", "24", "25", "26"]);
}
