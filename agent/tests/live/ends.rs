//! How an attachment ends: by its duration, by a signal, with its targets; and what it leaves.

use std::fs;
use std::time::Duration;

use crate::alone;
use crate::attach::Attach;
use crate::check::Check;
use crate::common::{folder, run};
use crate::kernel::{Objects, can_attach};
use crate::nodes::{self, Node};
use crate::report::Report;
use crate::serving::value;
use crate::target::Target;
use crate::truth;

fn node(test: &str) -> Option<Node> {
    if can_attach(test) { nodes::some(test).pop() } else { None }
}

#[test]
fn a_duration_that_is_over() {
    let _alone = alone();
    let Some(node) = node("a_duration_that_is_over") else { return };
    let target = Target::start(&node, "busy.js");
    let ran = run(&["attach", &target.pid().to_string(), "--duration", "4s", "--report", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let report = Report::read(&ran.stdout);
    let mut check = Check::new();
    check.about(&target);
    check.between("wall_ns", 3.9e9, report.wall_ns(), 6e9);
    if let Some(main) = report.main(target.pid(), &mut check) {
        truth::everything(&main, node.line(), report.wall_ns(), &mut check);
        check.between("turns", 100.0, main.number("turns"), 1_000.0);
    }
    check.holds(!report.diagnoses(target.pid()).is_empty(), "no diagnosis");
    check.end();
    target.end();
}

/// The signals that ask a program to end; each still brings the report.
#[test]
fn a_signal() {
    let _alone = alone();
    let Some(node) = node("a_signal") else { return };
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let target = Target::start(&node, "busy.js");
        let attach = Attach::to(&[&target]);
        let objects = Objects::of(attach.pid());
        assert!(!objects.is_empty(), "an attached agent has objects in the kernel");
        let ended = attach.signal(name);
        assert_eq!(ended.code, Some(code), "{name}: {}", ended.stderr);
        let report = Report::read(&ended.stdout);
        assert_eq!(report.loops(target.pid()).len(), 1, "{name}");
        objects.until_gone();
        target.end();
    }
}

/// A loop that has only waited until shortly before the end: it hits its first probe there, and
/// what it did before counts as well.
#[test]
fn a_wait_before_the_first_poll() {
    let _alone = alone();
    let test = "a_wait_before_the_first_poll";
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        let mut target = Target::start(&node, "drains.js");
        check.about(&target);
        let attach = Attach::to(&[&target]);
        std::thread::sleep(Duration::from_secs(3));
        target.go_and_be_done();
        let page = attach.metrics();
        let report = attach.stop();
        let seconds = |state: &str| {
            let labels = [format!("pid=\"{}\"", target.pid()), format!("state=\"{state}\"")];
            value(&page, "loopscope_eventloop_time_seconds_total", &labels)
        };
        let (active, idle, all) = (seconds("active"), seconds("idle"), report.wall_ns() / 1e9);
        check.between("seconds waited", 2.9, idle, all);
        // It is found some time after the beginning, and the page is older than the report.
        check.between("seconds in all", all - 1.0, active + idle, all);
        if let Some(main) = report.main(target.pid(), &mut check) {
            check.between("utilization", 0.0, main.number("utilization"), 0.3);
            let truth = target.end();
            truth::drains(&main, &truth["drains"], &mut check);
        }
    }
    check.end();
}

/// What was seen of a target before its end is told.
#[test]
fn a_target_that_ends_first() {
    let _alone = alone();
    let Some(node) = node("a_target_that_ends_first") else { return };
    let mut target = Target::start(&node, "drains.js");
    let mut stays = Target::start(&node, "idle.js");
    let attach = Attach::to(&[&target, &stays]);
    target.go_and_be_done();
    std::thread::sleep(Duration::from_millis(300));
    let pid = target.pid();
    let truth = target.end();
    stays.go_and_be_done();
    let report = attach.stop();
    let mut check = Check::new();
    check.about(format!("drains.js on Node {}, which has ended", node.version));
    if let Some(main) = report.main(pid, &mut check) {
        truth::drains(&main, &truth["drains"], &mut check);
        check.between("current_turn_ns", 0.0, main.number("current_turn_ns"), 0.0);
    }
    check.end();
    stays.end();
}

/// With its last target the agent ends too, long before its duration, and reports.
#[test]
fn the_last_target_that_ends() {
    let _alone = alone();
    let Some(node) = node("the_last_target_that_ends") else { return };
    let mut target = Target::start(&node, "drains.js");
    let attach = Attach::to(&[&target]);
    let objects = Objects::of(attach.pid());
    target.go_and_be_done();
    std::thread::sleep(Duration::from_millis(300));
    let pid = target.pid();
    let truth = target.end();
    let ended = attach.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report = Report::read(&ended.stdout);
    let mut check = Check::new();
    check.about(format!("drains.js on Node {}, which has ended", node.version));
    if let Some(main) = report.main(pid, &mut check) {
        truth::drains(&main, &truth["drains"], &mut check);
    }
    check.end();
    objects.until_gone();
}

/// For people: who was observed, by what, and what is wrong with it.
#[test]
fn the_text_report() {
    let _alone = alone();
    let Some(node) = node("the_text_report") else { return };
    let mut target = Target::start(&node, "drains.js");
    let attach = Attach::with(&[&target], &["--report", "text"]);
    target.go_and_be_done();
    let pid = target.pid().to_string();
    let ended = attach.interrupt();
    target.end();
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    let line = node.version.as_str();
    for want in [&pid, line, "ebpf", "full", "microtask-flood", "181000 microtasks"] {
        let text = ended.stdout.replace(',', "");
        assert!(text.contains(want), "no `{want}` in\n{}", ended.stdout);
    }
    let longest = ended.stdout.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(longest <= 120, "a line of {longest} columns in\n{}", ended.stdout);
}

/// The report goes where it is wanted.
#[test]
fn a_report_into_a_file() {
    let _alone = alone();
    let Some(node) = node("a_report_into_a_file") else { return };
    let target = Target::start(&node, "busy.js");
    let file = folder("a_report_into_a_file").join("report.json");
    let path = file.to_str().expect("a path of letters");
    let attach = Attach::with(&[&target], &["--output", path]);
    let ended = attach.interrupt();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(130), ""), "{}", ended.stderr);
    let report = Report::read(&fs::read_to_string(&file).expect("it was written"));
    assert_eq!(report.loops(target.pid()).len(), 1);
    target.end();
}
