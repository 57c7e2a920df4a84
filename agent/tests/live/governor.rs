//! What probes may cost: where a program turns so often that they cost more, they are taken away,
//! and the report says so. What was counted stays, and what is not seen any more is null.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::alone;
use crate::attach::Attach;
use crate::check::Check;
use crate::common::until;
use crate::kernel::can_attach;
use crate::nodes;
use crate::report::{Loop, Report};
use crate::target::Target;
use crate::text::{probes_in, until_untouched};
use crate::truth::number;

/// The counters of a page, buckets, sums and counts of histograms included.
fn counters(page: &str) -> BTreeMap<String, f64> {
    let of_target = |line: &&str| line.starts_with("loopscope_") && line.contains("pid=\"");
    let ends = ["_total", "_bucket", "_sum", "_count"];
    let all = page.lines().filter(of_target).filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let name = series.split('{').next()?;
        let is_counter = ends.iter().any(|end| name.ends_with(end));
        is_counter.then(|| Some((series.to_owned(), value.parse().ok()?)))?
    });
    all.collect()
}

/// Scrapes until the target has this tier, and some times more. No counter may fall or go.
fn scrape(attach: &Attach, tier: &str, before: &mut BTreeMap<String, f64>, check: &mut Check) {
    let mut is_there = false;
    let mut left = 12;
    until(&format!("tier {tier}"), || {
        let page = attach.metrics();
        let now = counters(&page);
        for (series, then) in &*before {
            let value = now.get(series).copied().unwrap_or(f64::NAN);
            check.holds(value >= *then, format!("{series} was {then}, is {value}"));
        }
        *before = now;
        let of_tier = format!("loopscope_targets_by_tier{{tier=\"{tier}\"}} 1");
        is_there |= page.lines().any(|line| line == of_tier);
        left -= usize::from(is_there);
        sleep(Duration::from_millis(50));
        left == 0
    });
}

/// What the report says of why a tier was left.
fn why_left(report: &Report, pid: u32, tier: &str) -> Option<String> {
    let limits = report.target(pid)["limits"].as_array().cloned().unwrap_or_default();
    let what = format!("what tier {tier} shows, from ");
    let is_it = |limit: &&Value| limit["what"].as_str().is_some_and(|text| text.starts_with(&what));
    limits.iter().find(is_it).and_then(|limit| Some(limit["why"].as_str()?.to_owned()))
}

fn said_why(report: &Report, pid: u32, tier: &str, budget: u32, check: &mut Check) {
    let why = why_left(report, pid, tier).unwrap_or_default();
    let told = ["it cost ".to_owned(), format!("of the loop's time, and may cost {budget} %")];
    let is_told = told.iter().all(|part| why.contains(part));
    check.holds(is_told, format!("why not {tier}: `{why}`"));
    println!("{tier}: {why}");
}

/// One stall for each block, but that in which the tier changed, and none besides. Returns them.
fn stalls(seen: &Loop, truth: &Value, check: &mut Check) -> Vec<Value> {
    let blocks = truth["blocks"].as_array().map_or(0, Vec::len) as f64;
    let stalls = seen.value()["stalls"].as_array().cloned().unwrap_or_default();
    let long = |stall: &&Value| number(&stall["duration_ns"]) >= 75e6;
    let long: Vec<Value> = stalls.iter().filter(long).cloned().collect();
    // The agent begins and ends while the program goes on.
    check.between("stalls", blocks - 3.0, long.len() as f64, blocks);
    long
}

/// From the full tier to that of turns: what turns show is shown without a gap.
#[test]
fn probes_that_cost_too_much_are_taken_away() {
    let _alone = alone();
    let test = "probes_that_cost_too_much_are_taken_away";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        let mut target = Target::start_with(&node, "often.js", &["40"]);
        check.about(&target);
        let pid = target.pid();
        // Nine hits a turn are several times that, and one is less.
        let attach = Attach::with(&[&target], &["--overhead-budget", "6"]);
        let all = probes_in(&target);
        target.go_and_be_done();
        let mut before = BTreeMap::new();
        scrape(&attach, "turn", &mut before, &mut check);
        let left = probes_in(&target);
        check.holds(left > 0 && left < all, format!("{left} of {all} probes are left"));
        target.mark();
        let is_seen = |page: &str| page.contains("thread=\"worker-1\"");
        until("the worker", || is_seen(&attach.metrics()));
        sleep(Duration::from_millis(700));
        scrape(&attach, "turn", &mut before, &mut check);
        let report = attach.stop();
        let truth = target.end();
        check.equal("tier", Some("turn"), report.target(pid)["tier"].as_str());
        said_why(&report, pid, "full", 6, &mut check);
        if let Some(worker) = report.find(pid, "worker-1", &mut check) {
            check.between("turns of the worker", 5.0, worker.number("turns"), 1e6);
            unseen(&worker, &mut check);
        }
        let Some(main) = report.main(pid, &mut check) else { continue };
        check.between("turns", 1.0, main.number("turns"), number(&truth["turns"]));
        // It turns ten thousand times a second while one is read behind the other.
        let (turns, durations) = (main.number("turns"), main.histogram("turn_ns").count);
        check.between("turn_ns.count", turns, durations, turns + 100.0);
        let drains = main.histogram("microtask_drain_length").count;
        check.between("drains", 100.0, drains, main.number("turns") - 100.0);
        let told = stalls(&main, &truth, &mut check);
        let newest = told.last().cloned().unwrap_or_default();
        for key in ["/microtasks", "/phase"] {
            let value = newest.pointer(key).cloned().unwrap_or_default();
            check.holds(value.is_null(), format!("{key} of the newest stall is {value}"));
        }
    }
    check.end();
}

fn unseen(seen: &Loop, check: &mut Check) {
    let none = ["microtask_drain_length", "microtask_drain_ns", "gc_pause_ns", "timer_lateness_ns"];
    for unseen in none.into_iter().chain(["phases/timers", "phases/check"]) {
        check.holds(seen.is_null(unseen), format!("{unseen} is not probed, but is not null"));
    }
}

/// Down to the passive tier: nothing is left in the target, and no stall is lost or told twice.
#[test]
fn probes_that_cost_too_much_whatever_they_are() {
    let _alone = alone();
    let test = "probes_that_cost_too_much_whatever_they_are";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        let mut target = Target::start_with(&node, "often.js", &["0"]);
        check.about(&target);
        let pid = target.pid();
        let attach = Attach::to(&[&target]);
        target.go_and_be_done();
        let mut before = BTreeMap::new();
        scrape(&attach, "passive", &mut before, &mut check);
        until_untouched(&target);
        sleep(Duration::from_millis(1_000));
        scrape(&attach, "passive", &mut before, &mut check);
        let report = attach.stop();
        let truth = target.end();
        check.equal("tier", Some("passive"), report.target(pid)["tier"].as_str());
        said_why(&report, pid, "full", 15, &mut check);
        said_why(&report, pid, "turn", 15, &mut check);
        let Some(main) = report.main(pid, &mut check) else { continue };
        check.between("turns", 1.0, main.number("turns"), number(&truth["turns"]));
        stalls(&main, &truth, &mut check);
    }
    check.end();
}
