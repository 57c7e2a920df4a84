//! `/metrics` of an attached agent: complete while the target runs, answering while it is blocked.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::alone;
use crate::attach::Attach;
use crate::check::Check;
use crate::common::until;
use crate::kernel::can_attach;
use crate::nodes;
use crate::target::Target;
use crate::truth::number;

/// The value of the only series with these labels; `NaN` where there is none.
pub(crate) fn value(page: &str, metric: &str, labels: &[String]) -> f64 {
    let of_metric = page.lines().filter(|line| line.starts_with(&format!("{metric}{{")));
    let mut found = of_metric.filter(|line| labels.iter().all(|label| line.contains(label)));
    let line = found.next().and_then(|line| line.rsplit(' ').next()?.parse().ok());
    line.unwrap_or(f64::NAN)
}

fn of_thread(pid: u32, thread: &str) -> Vec<String> {
    vec![format!("pid=\"{pid}\""), format!("thread=\"{thread}\"")]
}

const CURRENT_TURN: &str = "loopscope_eventloop_current_turn_seconds";

#[test]
fn the_page_holds_every_loop() {
    let _alone = alone();
    let test = "the_page_holds_every_loop";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::some(test) {
        let mut target = Target::start(&node, "workers.js");
        check.about(&target);
        let attach = Attach::to(&[&target]);
        target.go_and_be_done();
        let page = attach.metrics();
        attach.stop();
        let pid = target.pid();
        let truth = target.end();
        for worker in truth["workers"].as_array().expect("the truth has workers") {
            let labels = of_thread(pid, &format!("worker-{}", worker["threadId"]));
            let lengths = worker["drains"].as_array().expect("the truth has drains").iter();
            let sum: f64 = lengths.map(|drain| number(&drain["length"])).sum();
            let seen = value(&page, "loopscope_eventloop_drain_length_sum", &labels);
            check.equal("eventloop_drain_length_sum", sum, seen);
            let seen = value(&page, "loopscope_eventloop_microtasks_total", &labels);
            check.equal("eventloop_microtasks_total", sum, seen);
            let seen = value(&page, "loopscope_eventloop_turns_total", &labels);
            check.between("eventloop_turns_total", 5.0, seen, f64::INFINITY);
        }
        let queue = "queue=\"next_tick\"";
        check.holds(!page.contains(queue), format!("ticks can't be seen, but there is {queue}"));
        check.holds(page.contains("runtime=\"nodejs\""), "no label for the runtime");
    }
    check.end();
}

/// By kind, as Node's own entries have them.
#[test]
fn pauses_are_told_by_kind() {
    let _alone = alone();
    let test = "pauses_are_told_by_kind";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        let mut target = Target::start(&node, "gc.js");
        check.about(&target);
        let attach = Attach::to(&[&target]);
        target.go_and_be_done();
        let page = attach.metrics();
        attach.stop();
        let pid = target.pid();
        let truth = target.end();
        let minor = "kind=\"minor\"";
        let major = "kind=\"major\"";
        for (kinds, kind) in [([1, 2].as_slice(), minor), ([4].as_slice(), major)] {
            let pauses = truth["pauses"].as_array().expect("the truth has pauses").iter();
            let ours = pauses.filter(|pause| kinds.contains(&(number(&pause["kind"]) as u32)));
            let labels = [of_thread(pid, "main"), vec![kind.to_owned()]].concat();
            let seen = value(&page, "loopscope_gc_pause_seconds_count", &labels);
            let expected = ours.count() as f64;
            // The line of its truth makes garbage too, but less than a collection takes.
            check.between(&format!("gc_pause_seconds_count of {kind}"), expected, seen, expected);
        }
    }
    check.end();
}

/// The age of the open turn rises from page to page, and every page comes at once.
#[test]
fn a_blocked_target_is_served() {
    let _alone = alone();
    let test = "a_blocked_target_is_served";
    if !can_attach(test) {
        return;
    }
    for node in nodes::both_ends(test) {
        for tier in ["passive", "turn", "full"] {
            let mut target = Target::start(&node, "forever.js");
            let attach = Attach::with(&[&target], &["--tier", tier]);
            let labels = of_thread(target.pid(), "main");
            let age = |attach: &Attach| value(&attach.metrics(), CURRENT_TURN, &labels);
            target.go();
            let mut attach = attach;
            attach.until(&format!("a rising age of {target}"), |attach| age(attach) > 0.5);
            let (mut before, began) = (age(&attach), Instant::now());
            let first = before;
            for _ in 0..5 {
                sleep(Duration::from_millis(150));
                let now = age(&attach);
                assert!(now > before, "{target}, {tier}: {now} after {before}");
                before = now;
            }
            let (risen, passed) = (before - first, began.elapsed().as_secs_f64());
            assert!((risen - passed).abs() < 0.3, "{target}, {tier}: {risen} s in {passed}");
            attach.stop();
        }
    }
}

/// What a stopped process has is told as long as it is stopped, and nothing waits for it.
#[test]
fn a_stopped_target_is_served() {
    let _alone = alone();
    let test = "a_stopped_target_is_served";
    if !can_attach(test) {
        return;
    }
    for node in nodes::some(test) {
        let mut target = Target::start(&node, "drains.js");
        let attach = Attach::to(&[&target]);
        target.go_and_be_done();
        target.signal("STOP");
        let labels = of_thread(target.pid(), "main");
        for _ in 0..5 {
            sleep(Duration::from_millis(100));
            let seen = value(&attach.metrics(), "loopscope_eventloop_microtasks_total", &labels);
            assert_eq!(seen, 181_000.0, "{target}");
            assert_eq!(target.state(), 'T', "{target}");
        }
        // Another one can begin and end meanwhile; the target stays as it was.
        Attach::with(&[&target], &["--tier", "passive"]).stop();
        Attach::to(&[&target]).stop();
        assert_eq!(target.state(), 'T', "{target}");
        target.signal("CONT");
        attach.stop();
        target.end();
    }
}

/// A process that is stopped does nothing, which is not the same as having nothing to do.
#[test]
fn a_stopped_target_is_frozen() {
    let _alone = alone();
    let test = "a_stopped_target_is_frozen";
    if !can_attach(test) {
        return;
    }
    for node in nodes::some(test) {
        let target = Target::start(&node, "idle.js");
        target.rest();
        target.signal("STOP");
        until("the stop", || target.state() == 'T');
        for tier in ["full", "turn", "passive"] {
            let attach = Attach::with(&[&target], &["--tier", tier]);
            sleep(Duration::from_millis(1_500));
            let report = attach.stop();
            let told = &report.value()["diagnoses"][0];
            assert_eq!(told["id"], "frozen", "{tier}: {told}");
            let evidence = told["evidence"][0].as_str().unwrap_or_default();
            assert!(evidence.contains("for the whole observation"), "{tier}: {told}");
            assert_eq!(report.value()["diagnoses"].as_array().map(Vec::len), Some(1), "{tier}");
        }
        target.signal("CONT");
        let attach = Attach::to(&[&target]);
        sleep(Duration::from_millis(500));
        target.signal("STOP");
        sleep(Duration::from_millis(1_500));
        let report = attach.stop();
        let told = &report.value()["diagnoses"][0];
        assert_eq!(told["id"], "frozen", "{told}");
        let evidence = told["evidence"][0].as_str().unwrap_or_default();
        assert!(evidence.contains("for the last"), "{told}");
        target.signal("CONT");
        target.end();
    }
}
