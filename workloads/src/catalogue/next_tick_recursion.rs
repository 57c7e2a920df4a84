//! `process.nextTick` that calls itself: the tick queue never empties, so nothing else runs.

use std::time::Duration;

use loop_core::{Loop, Phase};

use super::request;
use crate::truth::Fact;
use crate::{Args, Job, Needs, Param, ParamKind, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "next-tick-recursion",
    summary: "a nextTick callback that queues the next one: all other work starves",
    shows: "A job takes itself on by process.nextTick. The tick queue is drained to its end after \
            every callback, ticks queued by ticks included, so not even the microtasks have a turn \
            until the recursion ends.",
    fixed: Some("takes itself on by setImmediate: one step a turn"),
    params: &[
        Param {
            name: "count",
            kind: ParamKind::Count(1, 1_000_000_000),
            default: "200000",
            help: "steps of the recursion",
        },
        Param {
            name: "work",
            kind: ParamKind::ANY_DURATION,
            default: "5us",
            help: "busy work in each step",
        },
    ],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

fn start(lp: &mut Loop, job: &Job) {
    let (args, variant) = (&job.args, job.variant);
    let (count, work) = (args.count("count"), args.duration("work"));
    request(lp, move |lp| {
        lp.set_timeout(1, |_| {});
        match variant {
            Variant::Pathology => lp.next_tick(move |lp| tick(lp, count, work)),
            Variant::Fixed => {
                lp.set_immediate(move |lp| immediate(lp, count, work));
            }
        }
    });
}

fn tick(lp: &mut Loop, left: u64, work: Duration) {
    lp.busy(work);
    if left > 1 {
        lp.next_tick(move |lp| tick(lp, left - 1, work));
    }
}

fn immediate(lp: &mut Loop, left: u64, work: Duration) {
    lp.busy(work);
    if left > 1 {
        lp.set_immediate(move |lp| immediate(lp, left - 1, work));
    }
}

fn truth(args: &Args, variant: Variant) -> Truth {
    let (count, work) = (args.count("count"), args.duration("work"));
    if variant == Variant::Fixed {
        let facts = vec![Fact::Immediates(count), Fact::Timers(1)];
        return Truth::new("healthy", facts).with_longest_turn(work);
    }
    let blocked_ns = count.saturating_mul(work.as_nanos() as u64);
    let facts = vec![
        Fact::Ticks(count),
        Fact::LongestTickDrain(count),
        Fact::Timers(1),
        Fact::BlockedAtLeast(blocked_ns),
        Fact::LateAtLeast(blocked_ns.saturating_sub(super::TIMER_NS)),
        Fact::LongestStallIn(Phase::Poll),
    ];
    let starved = count >= super::FLOOD_JOBS;
    let blocked = Duration::from_nanos(blocked_ns);
    Truth::new(if starved { "next-tick-starvation" } else { "healthy" }, facts)
        .with_longest_turn(blocked)
}
