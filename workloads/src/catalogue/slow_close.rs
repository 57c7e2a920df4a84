//! Many handles closed at once, whose close callbacks work.

use std::collections::VecDeque;
use std::time::Duration;

use loop_core::{HandleId, Loop, Phase};

use super::{pieces, request, times};
use crate::truth::Fact;
use crate::{Args, Job, Needs, Param, ParamKind, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "slow-close",
    summary: "a thousand handles closed at once, whose close callbacks each work for 1 ms",
    shows: "A service lets go of all its clients at once, and each close callback tidies up for \
            1 ms. They run in the close phase of one turn, one after the other, and a timer armed \
            before is late by all of them.",
    fixed: Some("closes as many a turn as make 2 ms of work, the next ones from an immediate"),
    params: &[
        Param {
            name: "count",
            kind: ParamKind::Count(1, 1_000_000),
            default: "1000",
            help: "handles",
        },
        Param {
            name: "work",
            kind: ParamKind::ANY_DURATION,
            default: "1ms",
            help: "busy work in each close callback",
        },
    ],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

/// When the handles, timers of the loop, would fire if they were not closed.
const NEVER_MS: u64 = 86_400_000;

fn start(lp: &mut Loop, job: &Job) {
    let (count, work) = (job.args.count("count"), job.args.duration("work"));
    let variant = job.variant;
    let clients: VecDeque<HandleId> =
        (0..count).map(|_| lp.timer_start(NEVER_MS, 0, |_| {})).collect();
    request(lp, move |lp| {
        lp.set_timeout(1, |_| {});
        let slice = match variant {
            Variant::Pathology => count,
            Variant::Fixed => pieces(work),
        };
        close_slice(lp, clients, slice, work);
    });
}

fn close_slice(lp: &mut Loop, mut clients: VecDeque<HandleId>, slice: u64, work: Duration) {
    for client in clients.drain(..clients.len().min(slice as usize)) {
        lp.close_with(client, move |lp| lp.busy(work));
    }
    if !clients.is_empty() {
        lp.set_immediate(move |lp| close_slice(lp, clients, slice, work));
    }
}

fn truth(args: &Args, variant: Variant) -> Truth {
    let (count, work) = (args.count("count"), args.duration("work"));
    let mut facts = vec![Fact::Callbacks(Phase::Close, count), Fact::Timers(1)];
    if variant == Variant::Fixed {
        let slice = pieces(work).min(count);
        facts.push(Fact::Immediates(count.div_ceil(slice) - 1));
        return Truth::new("healthy", facts).with_longest_turn(times(work, slice));
    }
    let blocked_ns = times(work, count).as_nanos() as u64;
    facts.push(Fact::LateAtLeast(blocked_ns.saturating_sub(super::TIMER_NS)));
    super::held_up_by(facts, Phase::Close, count, work, "cpu-bound-callback")
}
