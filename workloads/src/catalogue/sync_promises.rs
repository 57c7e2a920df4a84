//! 30,000 promises that are settled when they are made, each with two reactions.
//!
//! A request handler walks over a list and calls `then` twice on a promise for each entry. Every
//! promise is resolved already, so all reactions run in the one drain behind the handler: no timer,
//! no socket and no immediate has a turn until the last of them is done.

use std::time::Duration;

use loop_core::{Loop, Phase, Promise};

use super::request;
use crate::truth::Fact;
use crate::{Args, Job, Needs, Param, ParamKind, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "sync-promises",
    summary: "30,000 synchronously resolved promises, two reactions each, in one drain",
    shows: "A request handler makes a promise for each entry of a list. All of them are resolved \
            already, so every reaction runs in the one microtask drain behind the handler. A timer \
            of 1 ms armed before it fires when the drain is over. --work 1ms blocks for a minute.",
    fixed: Some(
        "works in batches of about 5 ms and lets the loop turn between them (setImmediate)",
    ),
    params: &[
        Param {
            name: "count",
            kind: ParamKind::Count(1, 5_000_000),
            default: "30000",
            help: "promises; each has two reactions and takes 0.4 KB",
        },
        Param {
            name: "work",
            kind: ParamKind::ANY_DURATION,
            default: "25us",
            help: "busy work in each reaction",
        },
    ],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

/// How long a batch of the fixed twin may work.
const BATCH: Duration = Duration::from_millis(5);

/// The most promises in a batch: two reactions each stay well below a flood.
const BATCH_MAX: u64 = 250;

fn start(lp: &mut Loop, job: &Job) {
    let (args, variant) = (&job.args, job.variant);
    let (count, work) = (args.count("count"), args.duration("work"));
    request(lp, move |lp| {
        lp.set_timeout(1, |_| {});
        match variant {
            Variant::Pathology => (0..count).for_each(|_| promise(lp, work)),
            Variant::Fixed => run_batches(lp, count, work),
        }
    });
}

fn promise(lp: &mut Loop, work: Duration) {
    Promise::resolved(())
        .then(lp, move |lp, ()| lp.busy(work))
        .then(lp, move |lp, ()| lp.busy(work));
}

fn run_batches(lp: &mut Loop, left: u64, work: Duration) {
    let batch = batch_of(work).min(left);
    (0..batch).for_each(|_| promise(lp, work));
    if left > batch {
        lp.set_immediate(move |lp| run_batches(lp, left - batch, work));
    }
}

fn batch_of(work: Duration) -> u64 {
    let promise_ns = 2 * work.as_nanos() as u64;
    (BATCH.as_nanos() as u64).checked_div(promise_ns).unwrap_or(BATCH_MAX).clamp(1, BATCH_MAX)
}

fn truth(args: &Args, variant: Variant) -> Truth {
    let (count, work) = (args.count("count"), args.duration("work"));
    let jobs = 2 * count;
    let mut facts = vec![Fact::Microtasks(jobs), Fact::Timers(1)];
    let longest = match variant {
        Variant::Pathology => count,
        Variant::Fixed => batch_of(work).min(count),
    };
    facts.push(Fact::LongestDrain(2 * longest));
    if variant == Variant::Pathology {
        let blocked_ns = jobs.saturating_mul(work.as_nanos() as u64);
        facts.push(Fact::BlockedAtLeast(blocked_ns));
        facts.push(Fact::LateAtLeast(blocked_ns.saturating_sub(super::TIMER_NS)));
        facts.push(Fact::LongestStallIn(Phase::Poll));
    }
    let flood = 2 * longest >= super::FLOOD_JOBS;
    let turn_ns = (2 * longest).saturating_mul(work.as_nanos() as u64);
    Truth::new(if flood { "microtask-flood" } else { "healthy" }, facts)
        .with_longest_turn(Duration::from_nanos(turn_ns))
}
