//! More than one loop: workers that come and go, children of a cluster, several releases at once.

use std::time::Duration;

use crate::alone;
use crate::attach::Attach;
use crate::check::Check;
use crate::kernel::can_attach;
use crate::nodes::{self, Node};
use crate::report::Histogram;
use crate::serving::value;
use crate::target::Target;
use crate::truth::{self, number, sum_of};

/// No worker's drain is lost, whether its loop has a line of its own or was folded into another.
#[test]
fn workers_that_come_and_go_are_counted() {
    let _alone = alone();
    let test = "workers_that_come_and_go_are_counted";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        let mut target = Target::start(&node, "passing.js");
        check.about(&target);
        let attach = Attach::to(&[&target]);
        target.go_and_be_done();
        let report = attach.stop();
        let loops = report.loops(target.pid());
        let truth = target.end();
        let workers = truth["workers"].as_array().expect("the truth has workers");
        let drains = workers.iter().flat_map(|worker| worker["drains"].as_array().into_iter());
        let lengths: Vec<f64> = drains.flatten().map(|drain| number(&drain["length"])).collect();
        let of_loops: Vec<Histogram> =
            loops.iter().map(|seen| seen.histogram("microtask_drain_length")).collect();
        let seen = sum_of(&of_loops);
        check.equal("drains of all workers", lengths.len() as f64, seen.count);
        check.equal("microtasks of all workers", lengths.iter().sum(), seen.sum);
        let threads: Vec<String> = loops.iter().map(|seen| seen.thread()).collect();
        check.equal("loops of the main thread", 1, loops.len() - workers_among(&threads));
        check.between("loops of workers", 1.0, workers_among(&threads) as f64, 3.0);
    }
    check.end();
}

fn workers_among(threads: &[String]) -> usize {
    threads.iter().filter(|thread| *thread != "main").count()
}

/// No loop has collected garbage for longer than it was active, however early that was.
#[test]
fn workers_are_active_from_their_first_instruction_on() {
    let _alone = alone();
    let test = "workers_are_active_from_their_first_instruction_on";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        let mut target = Target::start(&node, "collecting.js");
        let attach = Attach::to(&[&target]);
        target.go_and_be_done();
        let page = attach.metrics();
        let report = attach.stop();
        let pid = target.pid();
        let truth = target.end();
        for worker in truth["workers"].as_array().expect("the truth has workers") {
            let thread = format!("worker-{}", worker["threadId"]);
            check.about(format!("{thread} of collecting.js on Node {}", node.version));
            let Some(seen) = report.find(pid, &thread, &mut check) else { continue };
            let gc = seen.histogram("gc_pause_ns");
            check.between("gc_pause_ns.count", 1.0, gc.count, f64::MAX);
            let labels = [
                format!("pid=\"{pid}\""),
                format!("thread=\"{thread}\""),
                "state=\"active\"".to_owned(),
            ];
            let active = value(&page, "loopscope_eventloop_time_seconds_total", &labels) * 1e9;
            // One that has never polled is not timed by probes: by memory, or not at all.
            if worker["threadId"] == 2 || !active.is_nan() {
                check.between("active time", gc.sum, active, f64::MAX);
            }
            if worker["threadId"] == 2 {
                check.between("active time", number(&worker["ran"]), active, 2e9);
            }
        }
    }
    check.end();
}

#[test]
fn children_of_a_cluster_are_followed() {
    let _alone = alone();
    let test = "children_of_a_cluster_are_followed";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::some(test) {
        let mut target = Target::start(&node, "cluster.js");
        let children = target.children();
        let mut attach = Attach::with(&[&target], &["--children"]);
        let all = [vec![target.pid()], children.clone()].concat();
        attach.until_attached(&all, true);
        target.go_and_be_done();
        let report = attach.stop();
        let truth = target.end();
        let told = truth["children"].as_array().expect("the truth has children");
        check.about(format!("cluster.js on Node {}", node.version));
        check.equal("children", told.len(), children.len());
        for child in told {
            let pid = number(&child["pid"]) as u32;
            check.about(format!("child {pid} of cluster.js on Node {}", node.version));
            let Some(main) = report.main(pid, &mut check) else { continue };
            truth::drains(&main, &child["drains"], &mut check);
            let blocks = [number(&child["blocks"][0])];
            truth::stalls(&main.stalls(), &blocks, Some("timers"), &mut check);
        }
    }
    check.end();
}

/// Without `--children` the report has the process that was named, and no other.
#[test]
fn children_are_left_alone_unless_asked_for() {
    let _alone = alone();
    let test = "children_are_left_alone_unless_asked_for";
    if !can_attach(test) {
        return;
    }
    for node in nodes::some(test) {
        let target = Target::start(&node, "cluster.js");
        let report = Attach::to(&[&target]).stop();
        let pids: Vec<_> = report.value()["targets"].as_array().expect("targets").iter().collect();
        assert_eq!(pids.len(), 1, "{pids:?}");
        assert_eq!(pids[0]["pid"], target.pid());
    }
}

/// One agent, a process of every release line.
#[test]
fn all_releases_at_once() {
    let _alone = alone();
    let test = "all_releases_at_once";
    if !can_attach(test) {
        return;
    }
    let lines = nodes::lines();
    let nodes: Vec<Node> = lines.iter().filter_map(|line| Node::of_line(line, test)).collect();
    let mut targets: Vec<Target> =
        nodes.iter().map(|node| Target::start(node, "drains.js")).collect();
    let attach = Attach::to(&targets.iter().collect::<Vec<_>>());
    targets.iter_mut().for_each(Target::go);
    targets.iter_mut().for_each(Target::done);
    let report = attach.stop();
    let mut check = Check::new();
    for target in targets {
        check.about(&target);
        let pid = target.pid();
        let truth = target.end();
        if let Some(main) = report.main(pid, &mut check) {
            truth::drains(&main, &truth["drains"], &mut check);
        }
    }
    check.end();
}

/// Two agents see the same, each all of it, and the first to leave takes nothing from the other.
#[test]
fn two_agents_on_one_target() {
    let _alone = alone();
    let test = "two_agents_on_one_target";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::some(test) {
        let mut target = Target::start(&node, "drains.js");
        let mut other = Target::start(&node, "idle.js");
        let (first, second) = (Attach::to(&[&target]), Attach::to(&[&target, &other]));
        other.go_and_be_done();
        let short = Attach::to(&[&target]);
        drop(short.stop());
        std::thread::sleep(Duration::from_millis(100));
        target.go_and_be_done();
        let reports = [first.stop(), second.stop()];
        let pid = target.pid();
        let truth = target.end();
        for (which, report) in reports.iter().enumerate() {
            check.about(format!("agent {which} of two on Node {}", node.version));
            if let Some(main) = report.main(pid, &mut check) {
                truth::drains(&main, &truth["drains"], &mut check);
            }
        }
        other.end();
    }
    check.end();
}
