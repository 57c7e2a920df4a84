//! Callbacks that compute for long before they return.

use std::time::Duration;

use loop_core::{Loop, Phase};

use crate::truth::Fact;
use crate::{Args, Job, Needs, Param, ParamKind, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "cpu-bound-callback",
    summary: "timer callbacks that each compute for 200 ms without a break",
    shows: "A timer callback computes for 200 ms, then the next one, armed before it, fires that \
            much too late. There is no queue to blame: the callback itself is the block.",
    fixed: Some("computes in slices of 5 ms, each from an immediate"),
    params: &[
        Param {
            name: "count",
            kind: ParamKind::Count(1, 1_000_000),
            default: "5",
            help: "callbacks",
        },
        Param {
            name: "work",
            kind: ParamKind::ANY_DURATION,
            default: "200ms",
            help: "busy work in each callback",
        },
    ],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

/// What the fixed twin does in one turn.
const SLICE: Duration = Duration::from_millis(5);

fn start(lp: &mut Loop, job: &Job) {
    let (args, variant) = (&job.args, job.variant);
    let (count, work) = (args.count("count"), args.duration("work"));
    lp.set_timeout(1, move |lp| match variant {
        Variant::Pathology => compute(lp, count, work),
        Variant::Fixed => compute_slice(lp, count, work, work),
    });
}

fn compute(lp: &mut Loop, left: u64, work: Duration) {
    if left > 1 {
        lp.set_timeout(1, move |lp| compute(lp, left - 1, work));
    }
    lp.busy(work);
}

fn compute_slice(lp: &mut Loop, left: u64, work: Duration, rest: Duration) {
    let slice = rest.min(SLICE);
    lp.busy(slice);
    let rest = rest - slice;
    if !rest.is_zero() {
        lp.set_immediate(move |lp| compute_slice(lp, left, work, rest));
    } else if left > 1 {
        lp.set_timeout(1, move |lp| compute_slice(lp, left - 1, work, work));
    }
}

fn truth(args: &Args, variant: Variant) -> Truth {
    let (count, work) = (args.count("count"), args.duration("work"));
    let timers = Fact::Timers(count);
    if variant == Variant::Fixed {
        let slices = work.as_nanos().div_ceil(SLICE.as_nanos()).max(1) as u64;
        return Truth::new("healthy", vec![timers, Fact::Immediates(count * (slices - 1))]);
    }
    let work_ns = work.as_nanos() as u64;
    let mut facts = vec![timers, Fact::BlockedAtLeast(work_ns)];
    if count > 1 {
        facts.push(Fact::LateAtLeast(work_ns.saturating_sub(super::TIMER_NS)));
    }
    facts.push(Fact::LongestStallIn(Phase::Timers));
    Truth::new("healthy", facts).with_longest_turn(work)
}
