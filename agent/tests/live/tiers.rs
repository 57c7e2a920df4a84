//! The tiers below the full one: what each sees, and that it has no more in the target than that.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::alone;
use crate::attach::Attach;
use crate::check::{Check, Tolerance};
use crate::kernel::{Objects, can_attach};
use crate::nodes;
use crate::report::{Loop, Report};
use crate::target::Target;
use crate::text::until_untouched;
use crate::truth;

const MS: f64 = 1e6;

fn tier_of(report: &Report, pid: u32) -> &str {
    report.target(pid)["tier"].as_str().unwrap_or("null")
}

/// Reads only: no program, no probe. Utilisation, ages and stalls are seen all the same.
#[test]
fn passive() {
    let _alone = alone();
    let test = "passive";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        let mut targets: Vec<Target> = ["busy.js", "late.js", "idle.js", "forever.js"]
            .map(|script| Target::start(&node, script))
            .into();
        let references: Vec<&Target> = targets.iter().collect();
        let attach = Attach::with(&references, &["--tier", "passive"]);
        check.about(format!("an agent of the passive tier on Node {}", node.version));
        check.holds(Objects::of(attach.pid()).is_empty(), "it has objects in the kernel");
        targets.iter().for_each(until_untouched);
        targets.iter_mut().for_each(Target::go);
        let going = Instant::now();
        targets[..3].iter_mut().for_each(Target::done);
        targets[0].mark();
        let age = going.elapsed();
        let report = attach.stop();
        for target in &targets {
            check.about(target);
            check.equal("tier", "passive", tier_of(&report, target.pid()));
        }
        let stuck = targets.pop().expect("there are four");
        if let Some(main) = report.main(stuck.pid(), &mut check) {
            check.about(&stuck);
            let most = going.elapsed().as_nanos();
            truth::running(&main, age.as_nanos(), most, &mut check);
        }
        for (index, target) in targets.into_iter().enumerate() {
            check.about(&target);
            let Some(main) = report.main(target.pid(), &mut check) else { continue };
            unseen_without_probes(&main, &mut check);
            let truth = target.end();
            match index {
                0 => truth::utilization(&main, &truth, report.wall_ns(), &mut check),
                1 => stalls_from_outside(&main, &truth, &mut check),
                _ => truth::idle_without_probes(&main, &truth, &mut check),
            }
        }
    }
    check.end();
}

fn unseen_without_probes(seen: &Loop, check: &mut Check) {
    for unseen in ["phases/timers", "phases/check", "microtask_drain_length", "gc_pause_ns"] {
        check.holds(seen.is_null(unseen), format!("{unseen} takes a probe, but is not null"));
    }
}

/// Every block of 200 ms is found by looking ten times a second; how long it was is known to a
/// tenth of a second. It may have been longer, as others get the CPU too.
fn stalls_from_outside(seen: &Loop, truth: &serde_json::Value, check: &mut Check) {
    let blocks = truth["blocks"].as_array().expect("the truth has blocks").len();
    let stalls = seen.stalls();
    check.equal("number of stalls", blocks, stalls.len());
    let tolerance = Tolerance { share: 0.0, below_ns: 110.0 * MS, above_ns: 75.0 * MS };
    for stall in stalls {
        check.near("a stall", 200.0 * MS, stall.duration_ns, tolerance);
    }
}

/// Turns and phases, but neither drains nor pauses.
#[test]
fn turn() {
    let _alone = alone();
    let test = "turn";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        let mut targets: Vec<Target> = ["busy.js", "immediates.js", "phases.js"]
            .map(|script| Target::start(&node, script))
            .into();
        let references: Vec<&Target> = targets.iter().collect();
        let attach = Attach::with(&references, &["--tier", "turn"]);
        targets.iter_mut().for_each(Target::go);
        targets.iter_mut().for_each(Target::done);
        targets[0].mark();
        let report = attach.stop();
        for (index, target) in targets.into_iter().enumerate() {
            check.about(&target);
            check.equal("tier", "turn", tier_of(&report, target.pid()));
            let Some(main) = report.main(target.pid(), &mut check) else { continue };
            check.equal("turn_ns.count", main.number("turns"), main.histogram("turn_ns").count);
            for unseen in ["microtask_drain_length", "microtask_drain_ns", "gc_pause_ns"] {
                check.holds(main.is_null(unseen), format!("{unseen} is not null"));
            }
            let truth = target.end();
            match index {
                0 => truth::utilization(&main, &truth, report.wall_ns(), &mut check),
                1 => check.between("turns", 2_000.0, main.number("turns"), 2_200.0),
                _ => truth::stalls(
                    &main.stalls(),
                    &truth::blocks_of_phases(&truth),
                    None,
                    &mut check,
                ),
            }
        }
    }
    check.end();
}

/// A whole second of watching a process takes less than a hundredth of one: measured over a few
/// seconds, ten processes at once, with a debug build's factor granted.
#[test]
fn the_passive_tier_costs_little() {
    let _alone = alone();
    let test = "the_passive_tier_costs_little";
    if !can_attach(test) {
        return;
    }
    const TARGETS: usize = 10;
    let Some(node) = nodes::some(test).pop() else { return };
    let targets: Vec<Target> = (0..TARGETS).map(|_| Target::start(&node, "busy.js")).collect();
    let attach = Attach::with(&targets.iter().collect::<Vec<_>>(), &["--tier", "passive"]);
    let (before, began) = (cpu_ticks(attach.pid()), Instant::now());
    sleep(Duration::from_secs(3));
    let ticks = cpu_ticks(attach.pid()) - before;
    // The kernel counts in hundredths of a second.
    let share = ticks as f64 / 100.0 / began.elapsed().as_secs_f64() / TARGETS as f64;
    let most = if cfg!(debug_assertions) { 0.05 } else { 0.01 };
    assert!(share < most, "{share} of a core for each process, at most {most}");
    attach.stop();
    targets.into_iter().for_each(|target| drop(target.end()));
}

/// The CPU time of a process, user and kernel, in ticks of its clock.
fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let field = |index: usize| fields[index].parse::<u64>().expect("a number");
    field(11) + field(12)
}
