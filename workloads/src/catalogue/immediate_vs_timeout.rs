//! A chain of `setTimeout(0)`: nothing is blocked, yet everything takes a millisecond a step.

use loop_core::Loop;

use crate::truth::Fact;
use crate::{Args, Job, Needs, Param, ParamKind, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "immediate-vs-timeout",
    summary: "1,000 nested setTimeout(0) take a second of waiting; setImmediate takes none",
    shows: "A job takes itself on by setTimeout(0), which Node makes 1 ms. A thousand steps take \
            over a second, and the loop is idle nearly all of it: it is healthy, the job is slow. \
            Look at the poll wait, and at utilization near zero.",
    fixed: Some("takes itself on by setImmediate: a thousand steps in well under 10 ms"),
    params: &[Param {
        name: "count",
        kind: ParamKind::Count(1, 100_000_000),
        default: "1000",
        help: "steps of the chain",
    }],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

fn start(lp: &mut Loop, job: &Job) {
    let (args, variant) = (&job.args, job.variant);
    let count = args.count("count");
    match variant {
        Variant::Pathology => timeout(lp, count),
        Variant::Fixed => immediate(lp, count),
    }
}

fn timeout(lp: &mut Loop, left: u64) {
    if left > 0 {
        lp.set_timeout(0, move |lp| timeout(lp, left - 1));
    }
}

fn immediate(lp: &mut Loop, left: u64) {
    if left > 0 {
        lp.set_immediate(move |lp| immediate(lp, left - 1));
    }
}

fn truth(args: &Args, variant: Variant) -> Truth {
    let count = args.count("count");
    let facts = match variant {
        // The first may be due within its millisecond; each other one is a whole one away.
        Variant::Pathology => {
            let whole_ns = (count - 1).saturating_mul(super::TIMER_NS);
            vec![Fact::Timers(count), Fact::TookAtLeast(whole_ns)]
        }
        Variant::Fixed => vec![Fact::Immediates(count), Fact::Timers(0)],
    };
    Truth::new("healthy", facts)
}
