//! The naive pool: `while (running.length) { await Promise.race(running); running.pop() }`.
//!
//! `race` over promises that are settled already queues a reaction for every one of them, and the
//! `await` behind it goes on only in the same drain. So n promises cost n(n+1)/2 jobs of the races
//! and n of the awaits, in one drain: 30,000 promises make 450,045,000 jobs. This is how 30,000
//! promises block a loop for over a minute in Node.

use std::cell::RefCell;
use std::rc::Rc;

use loop_core::{Loop, Phase, Promise};

use super::request;
use crate::truth::Fact;
use crate::{Args, Job, Needs, Param, ParamKind, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "promise-race-pool",
    summary: "a pool that races promises which are settled: n(n+1)/2 + n jobs in one drain",
    shows: "A pool waits for the first of its promises by Promise.race, takes one out, and waits \
            again. Its promises are settled already, so each race queues a job for every promise \
            left, and all of it is one drain. Ten times the promises block a hundred times as \
            long.",
    fixed: Some(
        "waits for 100 promises at a time by Promise.all and lets the loop turn between them",
    ),
    params: &[Param {
        name: "count",
        kind: ParamKind::Count(1, 1_000_000),
        default: "4000",
        help: "promises in the pool; 30000 makes 450 million jobs",
    }],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

/// Promises a fixed twin waits for at once.
pub(super) const CHUNK: u64 = 100;

type Pool = Rc<RefCell<Vec<Promise<()>>>>;

fn start(lp: &mut Loop, job: &Job) {
    let (args, variant) = (&job.args, job.variant);
    let count = args.count("count");
    request(lp, move |lp| {
        lp.set_timeout(1, |_| {});
        match variant {
            Variant::Pathology => {
                let pool = (0..count).map(|_| Promise::resolved(())).collect();
                race(lp, Rc::new(RefCell::new(pool)));
            }
            Variant::Fixed => wait_for_chunk(lp, count),
        }
    });
}

fn race(lp: &mut Loop, pool: Pool) {
    if pool.borrow().is_empty() {
        return;
    }
    let first = Promise::race(lp, &pool.borrow());
    first.react(lp, move |lp, _| {
        pool.borrow_mut().pop();
        race(lp, pool);
    });
}

pub(super) fn wait_for_chunk(lp: &mut Loop, left: u64) {
    let chunk = left.min(CHUNK);
    let promises: Vec<Promise<()>> = (0..chunk).map(|_| Promise::resolved(())).collect();
    Promise::all(lp, &promises).react(lp, move |lp, _| {
        if left > chunk {
            lp.set_immediate(move |lp| wait_for_chunk(lp, left - chunk));
        }
    });
}

fn truth(args: &Args, variant: Variant) -> Truth {
    let count = args.count("count");
    let (jobs, longest) = match variant {
        Variant::Pathology => {
            let jobs = count * (count + 1) / 2 + count;
            (jobs, jobs)
        }
        Variant::Fixed => (count + count.div_ceil(CHUNK), count.min(CHUNK) + 1),
    };
    let mut facts = vec![Fact::Microtasks(jobs), Fact::LongestDrain(longest), Fact::Timers(1)];
    if variant == Variant::Pathology {
        facts.push(Fact::LongestStallIn(Phase::Poll));
    }
    let flood = longest >= super::FLOOD_JOBS;
    Truth::new(if flood { "microtask-flood" } else { "healthy" }, facts)
}
