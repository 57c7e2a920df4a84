//! A loop whose CPU is taken by busy neighbours.

use std::time::Duration;

use loop_core::snapshot::LedgerKey;
use loop_core::{Loop, Phase, RunMode};

use super::times;
use crate::job::RunError;
use crate::machine::{Manners, Neighbours, use_cpu};
use crate::truth::{Fact, STALL};
use crate::{Args, Job, Needs, Param, ParamKind, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "cpu-starved",
    summary: "sixteen busy threads on the loop's CPU: 5 ms of work take 17 times as long",
    shows: "Threads that never sleep share the CPU with the loop's thread, as on a host with too \
            many busy processes. The loop is runnable and does not run: it gets one part in 17, so \
            each turn works for 5 ms and lasts about 85. Nothing in the code is at fault.",
    fixed: Some("the neighbours give way (nice 19), and the loop may move to any CPU"),
    params: &[
        Param {
            name: "count",
            kind: ParamKind::Count(1, 1_000_000),
            default: "15",
            help: "turns with work",
        },
        Param {
            name: "work",
            kind: ParamKind::Duration(Duration::ZERO, WORK_MAX),
            default: "5ms",
            help: "CPU time that each turn uses, at most 49ms: more is a stall of its own",
        },
        Param {
            name: "neighbours",
            kind: ParamKind::Count(0, 256),
            default: "16",
            help: "busy threads on the same CPU",
        },
    ],
    virtual_clock: false,
    needs: Needs::Pinning,
    start: Start::Round(round),
    truth,
};

fn round(lp: &mut Loop, job: &Job) -> Result<(), RunError> {
    let (count, work) = (job.args.count("count"), job.args.duration("work"));
    let manners = match job.variant {
        Variant::Pathology => Manners::Equal,
        Variant::Fixed => Manners::GiveWay,
    };
    let neighbours = Neighbours::start(job.args.count("neighbours"), manners)
        .map_err(|error| RunError::System("a busy thread on the loop's CPU", error))?;
    lp.enter(|lp| {
        lp.set_immediate(move |lp| step(lp, count, work));
    });
    let ran = lp.run(RunMode::Default);
    drop(neighbours);
    ran?;
    Ok(())
}

fn step(lp: &mut Loop, left: u64, work: Duration) {
    use_cpu(work);
    if left > 1 {
        lp.set_immediate(move |lp| step(lp, left - 1, work));
    }
}

fn truth(args: &Args, variant: Variant) -> Truth {
    let (count, work) = (args.count("count"), args.duration("work"));
    let neighbours = args.count("neighbours");
    let mut facts = vec![Fact::Immediates(count), Fact::BlockedAtLeast(work.as_nanos() as u64)];
    if variant == Variant::Fixed {
        return Truth::new("healthy", facts);
    }
    // All get the same share, so the loop waits for as long as the others run: at least half of
    // that, whatever the kernel owes it from before.
    let wait_ns = times(work, count * neighbours).as_nanos() as u64 / 2;
    facts.push(Fact::CpuWaitAtLeast(wait_ns));
    let turn = times(work, neighbours + 1);
    let starved = neighbours > 0 && turn >= STALL && count >= STARVED_STALLS;
    if starved {
        facts.extend([
            Fact::LongestStallIn(Phase::Check),
            Fact::LongestStallBy(LedgerKey::RunQueue),
        ]);
    }
    Truth::new(if starved { "cpu-starved" } else { "healthy" }, facts)
}

/// With more, each turn would be a stall without any neighbour, and not the neighbours' fault.
const WORK_MAX: Duration = Duration::from_millis(49);

/// Turns that must stall before that is more than chance.
const STARVED_STALLS: u64 = 3;
