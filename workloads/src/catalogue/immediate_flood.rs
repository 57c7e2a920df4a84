//! Thousands of immediates that are queued at once.

use std::time::Duration;

use loop_core::{Loop, Phase};

use super::{pieces, request, times};
use crate::truth::Fact;
use crate::{Args, Job, Needs, Param, ParamKind, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "immediate-flood",
    summary: "thousands of immediates queued at once, each with a little work",
    shows: "To be kind to the loop a request hands every item of a list to setImmediate, all at \
            once. The check phase runs all that are queued when it begins, so the loop has its \
            next turn when the last one is done.",
    fixed: Some("queues the immediates in slices of 2 ms; the last of a slice queues the next"),
    params: &[
        Param {
            name: "count",
            kind: ParamKind::Count(1, 5_000_000),
            default: "10000",
            help: "immediates",
        },
        Param {
            name: "work",
            kind: ParamKind::ANY_DURATION,
            default: "100us",
            help: "busy work in each immediate",
        },
    ],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

fn start(lp: &mut Loop, job: &Job) {
    let (count, work) = (job.args.count("count"), job.args.duration("work"));
    let variant = job.variant;
    request(lp, move |lp| {
        lp.set_timeout(1, |_| {});
        match variant {
            Variant::Pathology => queue(lp, count, work),
            Variant::Fixed => queue_slice(lp, count, work),
        }
    });
}

fn queue(lp: &mut Loop, count: u64, work: Duration) {
    for _ in 0..count {
        lp.set_immediate(move |lp| lp.busy(work));
    }
}

fn queue_slice(lp: &mut Loop, left: u64, work: Duration) {
    let slice = pieces(work).min(left);
    queue(lp, slice - 1, work);
    lp.set_immediate(move |lp| {
        lp.busy(work);
        if left > slice {
            queue_slice(lp, left - slice, work);
        }
    });
}

fn truth(args: &Args, variant: Variant) -> Truth {
    let (count, work) = (args.count("count"), args.duration("work"));
    let mut facts =
        vec![Fact::Immediates(count), Fact::Callbacks(Phase::Check, count), Fact::Timers(1)];
    if variant == Variant::Fixed {
        let slice = pieces(work).min(count);
        return Truth::new("healthy", facts).with_longest_turn(times(work, slice));
    }
    let blocked_ns = times(work, count).as_nanos() as u64;
    facts.push(Fact::LateAtLeast(blocked_ns.saturating_sub(super::TIMER_NS)));
    super::held_up_by(facts, Phase::Check, count, work, "immediate-flood")
}
