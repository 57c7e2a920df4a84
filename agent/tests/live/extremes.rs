//! Targets at the end of their tether: killed for their memory, not to be woken, or with more loops
//! than there is room for.

use std::os::unix::process::ExitStatusExt;
use std::thread::sleep;
use std::time::Duration;

use crate::attach::Attach;
use crate::check::Check;
use crate::common::until;
use crate::groups::Group;
use crate::kernel::{Objects, can_attach};
use crate::nodes;
use crate::report::{Histogram, Report};
use crate::target::Target;
use crate::text::until_untouched;
use crate::truth::{number, sum_of};
use crate::{alone, times};

/// The kernel ends it in the middle of whatever it does.
#[test]
fn a_target_that_is_killed_for_its_memory() {
    let _alone = alone();
    let test = "a_target_that_is_killed_for_its_memory";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    for _ in 0..times(2, 20) {
        let Some(group) = Group::make("memory", "hungry") else { return };
        group.set("memory.limit_in_bytes", &(128 << 20).to_string());
        let mut target = Target::start(&node, "hungry.js");
        group.set("cgroup.procs", &target.pid().to_string());
        let attach = Attach::to(&[&target]);
        let objects = Objects::of(attach.pid());
        target.go();
        let ended = attach.ended();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(target.kill().signal(), Some(9), "{target}");
        let report = Report::read(&ended.stdout);
        let mut check = Check::new();
        check.about(&target);
        if let Some(main) = report.main(target.pid(), &mut check) {
            check.between("turns", 5.0, main.number("turns"), 1e6);
        }
        check.end();
        objects.until_gone();
    }
}

/// Lets it go on if the test fails: who is frozen can't be killed, and is waited for.
struct Thaws<'a>(&'a Group);

impl Drop for Thaws<'_> {
    fn drop(&mut self) {
        self.0.set("freezer.state", "THAWED");
    }
}

/// In state D: nothing gets through to it, and nobody waits for it.
#[test]
fn a_target_that_can_not_be_woken() {
    let _alone = alone();
    let test = "a_target_that_can_not_be_woken";
    if !can_attach(test) {
        return;
    }
    let Some(group) = Group::make("freezer", "frozen") else { return };
    for node in nodes::some(test) {
        let mut target = Target::start(&node, "drains.js");
        group.set("cgroup.procs", &target.pid().to_string());
        let before = Attach::to(&[&target]);
        target.go_and_be_done();
        // Frozen in the midst of a turn, it would be held up by that turn.
        until("it waits", || target.state() == 'S');
        let _thaws = Thaws(&group);
        group.set("freezer.state", "FROZEN");
        until("the freeze", || group.get("freezer.state") == "FROZEN");
        until("state D", || target.state() == 'D');
        for tier in ["full", "passive"] {
            let meanwhile = Attach::with(&[&target], &["--tier", tier]);
            sleep(Duration::from_millis(times(300, 5_000) as u64));
            let page = meanwhile.metrics();
            assert!(page.contains(&format!("pid=\"{}\"", target.pid())), "{page}");
            let report = meanwhile.stop();
            assert_eq!(report.loops(target.pid()).len(), 1, "{target}");
            assert_eq!(report.diagnoses(target.pid()), ["frozen"], "{target}");
            let told = report.value()["diagnoses"][0]["evidence"][0].as_str().unwrap_or_default();
            assert!(told.starts_with("frozen with its control group for the whole "), "{told}");
        }
        let killed = Attach::to(&[&target]);
        let objects = Objects::of(killed.pid());
        killed.kill();
        objects.until_gone();
        let report = before.stop();
        until_untouched(&target);
        assert_eq!(target.state(), 'D', "{target}");
        group.set("freezer.state", "THAWED");
        let pid = target.pid();
        let truth = target.end();
        let mut check = Check::new();
        check.about(test);
        if let Some(main) = report.main(pid, &mut check) {
            crate::truth::drains(&main, &truth["drains"], &mut check);
        }
        check.end();
    }
}

/// More loops than the kernel side has room for: those that have some are told exactly, and that
/// there are others is told.
#[test]
fn more_loops_than_there_is_room_for() {
    const WORKERS: usize = 80;
    let _alone = alone();
    let test = "more_loops_than_there_is_room_for";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let mut target = Target::start_with(&node, "crowd.js", &[&WORKERS.to_string()]);
    let attach = Attach::to(&[&target]);
    target.go_and_be_done();
    let page = attach.metrics();
    let report = attach.stop();
    let pid = target.pid();
    let truth = target.end();
    assert_eq!(number(&truth["workers"]), WORKERS as f64);
    let loops = report.loops(pid);
    assert!(loops.len() >= 64, "{} loops", loops.len());
    let of_loops: Vec<Histogram> =
        loops.iter().map(|seen| seen.histogram("microtask_drain_length")).collect();
    let drains = truth["drains"].as_array().expect("a list");
    let jobs: f64 = drains.iter().map(|drain| number(&drain["length"])).sum();
    let seen = sum_of(&of_loops);
    assert!(seen.sum <= jobs + 10_000.0 && seen.sum > jobs / 2.0, "{seen:?} of {jobs}");
    let limits = report.target(pid)["limits"].to_string();
    assert!(limits.contains("beyond the 64th"), "{limits}");
    // However many there are, the page stays bounded.
    let series = page.lines().filter(|line| !line.starts_with('#')).count();
    assert!(series < 20_000, "{series} series");
    println!("{test}: {} loops, {series} series", loops.len());
}
