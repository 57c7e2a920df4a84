//! More slow jobs than the pool has threads, and quick ones behind them.

use std::cell::Cell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use loop_core::{Loop, thread_pool_size};

use super::times;
use crate::truth::{Fact, STALL};
use crate::{Args, Job, Needs, Param, ParamKind, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "thread-pool-saturation",
    summary: "twelve slow jobs keep all threads of the pool, and quick ones wait behind them",
    shows: "The pool has 4 threads (UV_THREADPOOL_SIZE). A dozen slow jobs, as reads from a slow \
            disk, keep them for 450 ms, and a dns.lookup that takes no time waits behind them. The \
            loop is healthy all along: no turn is long, and yet every reply is late.",
    fixed: Some("starts slow jobs only while another thread of the pool is left for quick ones"),
    params: &[
        Param { name: "count", kind: ParamKind::Count(1, 1_000), default: "12", help: "slow jobs" },
        Param {
            name: "quick",
            kind: ParamKind::Count(1, 1_000),
            default: "8",
            help: "quick jobs behind them",
        },
        Param {
            name: "work",
            kind: ParamKind::Duration(Duration::ZERO, super::MINUTE),
            default: "150ms",
            help: "how long a slow job takes",
        },
    ],
    virtual_clock: false,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

/// Jobs waiting at once from which on a pool is crowded.
const CROWD: u64 = 4;

fn start(lp: &mut Loop, job: &Job) {
    let (count, work) = (job.args.count("count"), job.args.duration("work"));
    let at_once = match job.variant {
        Variant::Pathology => count,
        Variant::Fixed => at_once().min(count),
    };
    let left = Rc::new(Cell::new(count - at_once));
    for _ in 0..at_once {
        slow_job(lp, left.clone(), work);
    }
    for _ in 0..job.args.count("quick") {
        lp.queue_work(|| (), |_, _| {});
    }
}

/// How many slow jobs the fixed twin runs at once.
fn at_once() -> u64 {
    (thread_pool_size() as u64 - 1).max(1)
}

/// A job, and when it is done the next of those that are left.
fn slow_job(lp: &mut Loop, left: Rc<Cell<u64>>, work: Duration) {
    lp.queue_work(
        move || thread::sleep(work),
        move |lp, _| {
            if let Some(rest) = left.get().checked_sub(1) {
                left.set(rest);
                slow_job(lp, left, work);
            }
        },
    );
}

fn truth(args: &Args, variant: Variant) -> Truth {
    let (count, quick) = (args.count("count"), args.count("quick"));
    let work = args.duration("work");
    let threads = thread_pool_size() as u64;
    let started = match variant {
        Variant::Pathology => count,
        Variant::Fixed => at_once().min(count),
    };
    // What comes first keeps all threads for so many times the length of a slow job.
    let wait = times(work, started / threads);
    let waiting = (started + quick).saturating_sub(threads);
    let took_ns = times(work, count.div_ceil(threads)).as_nanos() as u64;
    let mut facts = vec![Fact::PoolJobs(count + quick), Fact::TookAtLeast(took_ns)];
    if !wait.is_zero() {
        // The last jobs are queued a moment after the first ones have begun.
        facts.push(Fact::PoolWaitAtLeast(wait.as_nanos() as u64 / 2));
        facts.push(Fact::PoolQueueAtLeast(waiting));
    }
    let saturated = wait >= STALL && waiting >= CROWD;
    Truth::new(if saturated { "thread-pool-saturation" } else { "healthy" }, facts)
}
