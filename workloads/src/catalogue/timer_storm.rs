//! Thousands of timers that come due together.

use std::time::Duration;

use loop_core::{Loop, Phase};

use super::{pieces, request, times};
use crate::truth::Fact;
use crate::{Args, Job, Needs, Param, ParamKind, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "timer-storm",
    summary: "thousands of timers due in the same millisecond, each with a little work",
    shows: "A request arms a timer for each of its sessions, all with the same delay. They come \
            due together, and the timers phase runs all that are due before the loop goes on: \
            each callback is short, and the last one is late by all the others.",
    fixed: Some("arms one timer that works through the sessions in slices of 2 ms (setImmediate)"),
    params: &[
        Param {
            name: "count",
            kind: ParamKind::Count(1, 5_000_000),
            default: "10000",
            help: "timers",
        },
        Param {
            name: "work",
            kind: ParamKind::ANY_DURATION,
            default: "100us",
            help: "busy work in each timer",
        },
    ],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

/// How long the request goes on when the last timer is armed: longer than their delay, so that the
/// timers phase behind it finds all of them due.
const REST: Duration = Duration::from_millis(2);

fn start(lp: &mut Loop, job: &Job) {
    let (count, work) = (job.args.count("count"), job.args.duration("work"));
    let variant = job.variant;
    request(lp, move |lp| {
        match variant {
            Variant::Pathology => {
                for _ in 0..count {
                    lp.set_timeout(1, move |lp| lp.busy(work));
                }
            }
            Variant::Fixed => {
                lp.set_timeout(1, move |lp| serve_slice(lp, count, work));
            }
        }
        lp.busy(REST);
    });
}

fn serve_slice(lp: &mut Loop, left: u64, work: Duration) {
    let slice = pieces(work).min(left);
    (0..slice).for_each(|_| lp.busy(work));
    if left > slice {
        lp.set_immediate(move |lp| serve_slice(lp, left - slice, work));
    }
}

fn truth(args: &Args, variant: Variant) -> Truth {
    let (count, work) = (args.count("count"), args.duration("work"));
    if variant == Variant::Fixed {
        let slice = pieces(work).min(count);
        let facts = vec![Fact::Timers(1), Fact::Immediates(count.div_ceil(slice) - 1)];
        return Truth::new("healthy", facts).with_longest_turn(times(work, slice));
    }
    let facts = vec![
        Fact::Timers(count),
        Fact::Callbacks(Phase::Timers, count),
        Fact::LateAtLeast(times(work, count - 1).as_nanos() as u64),
    ];
    super::held_up_by(facts, Phase::Timers, count, work, "timer-storm")
}
