//! What a target says that it did, against what the report says.

use serde_json::Value;

use crate::check::{Check, Tolerance};
use crate::report::{Histogram, Loop, Report, Seen};

const MS: f64 = 1e6;

/// A bucket is at most 3.1 % wide, and another process may get the CPU between the target's reading
/// of its clock and the end of what it measures.
const BLOCK: Tolerance = Tolerance { share: 0.032, below_ns: 0.2 * MS, above_ns: 75.0 * MS };

/// A turn of the loop has parts in which it waits for nothing and runs nothing.
const TURN_MAX_OVER_WALL: f64 = 1.02;

/// What must hold of every loop that is seen in full.
pub(crate) fn everything(seen: &Loop, line: u32, wall_ns: f64, check: &mut Check) {
    check.between("turns", 1.0, seen.number("turns"), f64::INFINITY);
    check.between("utilization", 0.0, seen.number("utilization"), 1.0);
    let (turns, waits) = (seen.histogram("turn_ns"), seen.histogram("poll_wait_ns"));
    check.equal("turn_ns.count, which is turns", seen.number("turns"), turns.count);
    check.between("poll_wait_ns.count", 1.0, waits.count, f64::INFINITY);
    check.between("turn_ns and poll_wait_ns", 0.0, turns.sum + waits.sum, wall_ns * 1.02);
    check.holds(!seen.is_null("arrival_delay_ns"), "no arrival delay");
    for part in ["timers", "idle", "prepare", "poll", "check"] {
        // Since libuv 1.45, which Node 20 has, timers run behind the other phases.
        let what = format!("phases.{part} on line {line}");
        check.holds(!seen.is_null(&format!("phases/{part}")), format!("{what} is null"));
    }
    // What no probe sees is null, never 0.
    for unseen in ["phases/pending", "phases/close", "tick_drain_length", "tick_drain_ns"] {
        check.holds(seen.is_null(unseen), format!("{unseen} can't be seen, but is not null"));
    }
    let phases = ["timers", "idle", "prepare", "poll", "check"];
    let in_phases: f64 = phases
        .iter()
        .map(|part| seen.histogram(&format!("phases/{part}")).sum)
        .filter(|sum| sum.is_finite())
        .sum();
    let most = turns.sum * TURN_MAX_OVER_WALL + wall_ns * 0.02;
    check.between("the sum of all phases", 0.0, in_phases, most);
}

/// Exact lengths; durations as the target measured them from its first job to its last.
pub(crate) fn drains(seen: &Loop, truth: &Value, check: &mut Check) {
    let drains = truth.as_array().expect("the truth has drains");
    let lengths: Vec<f64> = drains.iter().map(|drain| number(&drain["length"])).collect();
    let length = seen.histogram("microtask_drain_length");
    check.equal("microtask_drain_length.count", lengths.len() as f64, length.count);
    check.equal("microtask_drain_length.sum", lengths.iter().sum(), length.sum);
    check.equal("microtask_drain_length.min", least(&lengths), length.min);
    check.equal("microtask_drain_length.max", most(&lengths), length.max);

    let truths: Vec<f64> = drains.iter().map(|drain| number(&drain["ns"])).collect();
    let ns = seen.histogram("microtask_drain_ns");
    check.equal("microtask_drain_ns.count", truths.len() as f64, ns.count);
    // What is before the first job and behind the last one is V8's own work, or another process's.
    let tolerance = Tolerance { share: 0.05, below_ns: 0.0, above_ns: 30.0 * MS };
    check.near("microtask_drain_ns.max", most(&truths), ns.max, tolerance);
    let tolerance = Tolerance { above_ns: 30.0 * MS + 2.0 * MS * truths.len() as f64, ..tolerance };
    check.near("microtask_drain_ns.sum", truths.iter().sum(), ns.sum, tolerance);
}

/// How late timers were, and the blocks that made them so.
pub(crate) fn late(seen: &Loop, truth: &Value, check: &mut Check) {
    let lateness = seen.histogram("timer_lateness_ns");
    // libuv has milliseconds, and its clock stands still within a turn.
    let tolerance = Tolerance { share: 0.032, below_ns: 3.0 * MS, above_ns: 3.0 * MS };
    let expected = number(&truth["lateness_max_ns"]);
    check.near("timer_lateness_ns.max", expected, lateness.max, tolerance);
    let timers = number(&truth["timers"]);
    check.between("timer_lateness_ns.count", timers * 0.9, lateness.count, timers * 1.1 + 3.0);
    let blocks = numbers(&truth["blocks"]);
    stalls(&seen.stalls(), &blocks, Some("check"), check);
    check.near("turn_ns.max", most(&blocks), seen.histogram("turn_ns").max, BLOCK);
}

/// The collector's pauses: none is missed, none invented.
pub(crate) fn pauses(seen: &Loop, truth: &Value, check: &mut Check) {
    let of = |key: &str| -> Vec<f64> {
        let pauses = truth[key].as_array().expect("the truth has pauses");
        pauses.iter().map(|pause| number(&pause["ns"])).collect()
    };
    let (within, later) = (of("pauses"), of("later"));
    let pause = seen.histogram("gc_pause_ns");
    let count = within.len() as f64;
    check.between("gc_pause_ns.count", count, pause.count, count + later.len() as f64);
    // Node's entries have in them what V8 does round a collection.
    let tolerance =
        Tolerance { share: 0.1, below_ns: 0.3 * MS * count, above_ns: 0.3 * MS * count };
    check.near("gc_pause_ns.sum", within.iter().sum(), pause.sum, tolerance);
    let tolerance = Tolerance { share: 0.1, below_ns: MS, above_ns: MS };
    check.near("gc_pause_ns.max", most(&within), pause.max, tolerance);
}

/// By what Node itself says of the time between `go` and `mark`. The agent watches a little longer
/// than that; what it says of the rest is not known, so that much may be on either side.
pub(crate) fn utilization(seen: &Loop, truth: &Value, wall_ns: f64, check: &mut Check) {
    let (active, idle) = (number(&truth["active_ns"]), number(&truth["idle_ns"]));
    let rest = (wall_ns - active - idle).max(0.0);
    let (ratio, slack) = (seen.number("utilization"), 0.01 * wall_ns);
    check.between("active time", active - slack, ratio * wall_ns, active + rest + slack);
    let expected = number(&truth["utilization"]);
    let most = 0.02 + rest / wall_ns;
    check.between("utilization", expected - most, ratio, expected + most);
}

/// A loop that libuv runs inside a callback is a wait of the outer loop's turn, no poll of it.
pub(crate) fn synchronous(seen: &Loop, truth: &Value, wall_ns: f64, check: &mut Check) {
    let calls = numbers(&truth["calls"]);
    stalls(&seen.stalls(), &calls, Some("timers"), check);
    check.near("turn_ns.max", most(&calls), seen.histogram("turn_ns").max, BLOCK);
    let waited = seen.histogram("poll_wait_ns").sum + calls.iter().sum::<f64>();
    check.between("poll_wait_ns.sum and the calls", 0.0, waited, wall_ns * 1.01);
    let active = seen.number("utilization") * wall_ns;
    check.between("active time", calls.iter().sum::<f64>() * 0.98, active, wall_ns);
}

/// One block in each phase.
pub(crate) fn phases(seen: &Loop, truth: &Value, check: &mut Check) {
    let stalls = seen.stalls();
    for phase in ["timers", "poll", "check"] {
        let block = number(&truth["blocks"][phase]);
        let longest = seen.histogram(&format!("phases/{phase}")).max;
        check.near(&format!("phases.{phase}.max"), block, longest, BLOCK);
        let of_phase = stalls.iter().filter(|stall| stall.phase.as_deref() == Some(phase));
        let longest = of_phase.map(|stall| stall.duration_ns).fold(0.0, f64::max);
        check.near(&format!("the longest stall in {phase}"), block, longest, BLOCK);
    }
}

/// The blocks of `phases.js` in their order.
pub(crate) fn blocks_of_phases(truth: &Value) -> Vec<f64> {
    ["timers", "poll", "check"].map(|phase| number(&truth["blocks"][phase])).into()
}

/// One turn an immediate, and a drain of one job in each.
pub(crate) fn immediates(seen: &Loop, truth: &Value, check: &mut Check) {
    let ran = number(&truth["immediates"]);
    check.between("turns", ran, seen.number("turns"), ran + 200.0);
    let length = seen.histogram("microtask_drain_length");
    check.equal("microtask_drain_length.count", ran, length.count);
    check.equal("microtask_drain_length.sum", number(&truth["microtasks"]), length.sum);
    check.equal("microtask_drain_length.max", 1.0, length.max);
    let checks = seen.histogram("phases/check").count;
    check.between("phases.check.count", ran, checks, ran + 200.0);
}

/// A loop that waits is not woken by being watched.
pub(crate) fn idle(seen: &Loop, truth: &Value, wall_ns: f64, check: &mut Check) {
    idle_without_probes(seen, truth, check);
    let waits = seen.histogram("poll_wait_ns").sum;
    check.between("poll_wait_ns.sum", 0.0, waits, wall_ns * 1.01);
}

/// The same by what the passive tier sees.
pub(crate) fn idle_without_probes(seen: &Loop, truth: &Value, check: &mut Check) {
    check.between("switches", 0.0, number(&truth["switches"]), 8.0);
    check.between("utilization", 0.0, seen.number("utilization"), 0.05);
    check.between("current_turn_ns", 0.0, seen.number("current_turn_ns"), 0.0);
    check.equal("number of stalls", 0, seen.stalls().len());
}

/// Each worker under its own label, with its own drains and its own block.
pub(crate) fn workers(report: &Report, pid: u32, truth: &Value, check: &mut Check) {
    let workers = truth["workers"].as_array().expect("the truth has workers");
    check.equal("number of loops", workers.len() + 1, report.loops(pid).len());
    for worker in workers {
        let thread = format!("worker-{}", worker["threadId"]);
        let Some(seen) = report.find(pid, &thread, check) else { continue };
        let mut of_worker = Check::new();
        of_worker.about(format!("{thread} of {pid}"));
        drains(&seen, &worker["drains"], &mut of_worker);
        stalls(&seen.stalls(), &numbers(&worker["blocks"]), None, &mut of_worker);
        check.add(of_worker);
    }
}

/// A stall that goes on, and that is no younger than `least` and no older than `most`.
pub(crate) fn running(seen: &Loop, least_ns: u128, most_ns: u128, check: &mut Check) {
    // It is watched ten times a second at least.
    let (least, most) = (least_ns as f64 - 150.0 * MS, most_ns as f64);
    check.between("current_turn_ns", least, seen.number("current_turn_ns"), most);
    let running: Vec<Seen> = seen.stalls().into_iter().filter(|stall| stall.running).collect();
    check.equal("stalls that go on", 1, running.len());
    for stall in running {
        check.between("the age of the stall", least, stall.duration_ns, most);
    }
    check.between("utilization", 0.0, seen.number("utilization"), 1.0);
}

/// One stall for each block, in their order, and no other. On a busy machine a turn may also be
/// long because others got the CPU: what is much shorter than the blocks is not counted here.
pub(crate) fn stalls(seen: &[Seen], blocks: &[f64], phase: Option<&str>, check: &mut Check) {
    let long_enough = |stall: &&Seen| stall.duration_ns >= 0.75 * least(blocks);
    let seen: Vec<&Seen> = seen.iter().filter(long_enough).collect();
    check.equal("number of stalls", blocks.len(), seen.len());
    for (stall, block) in seen.iter().zip(blocks) {
        check.near("a stall", *block, stall.duration_ns, BLOCK);
        check.holds(!stall.running, "a stall that is over is said to go on");
        if phase.is_some() {
            check.equal("the phase of a stall", phase, stall.phase.as_deref());
        }
    }
}

/// Several histograms of one thing, counted together.
pub(crate) fn sum_of(histograms: &[Histogram]) -> Histogram {
    let mut all = Histogram { min: f64::INFINITY, ..Histogram::default() };
    for one in histograms.iter().filter(|one| one.count > 0.0) {
        all.count += one.count;
        all.sum += one.sum;
        all.min = all.min.min(one.min);
        all.max = all.max.max(one.max);
    }
    all
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("the truth has `{value}` for a number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("the truth has a list").iter().map(number).collect()
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}
