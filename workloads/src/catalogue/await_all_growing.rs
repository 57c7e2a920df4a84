//! `await Promise.all(all)` in a loop that adds a promise each time.
//!
//! Every promise is settled already, so each wait queues a job for all of them so far and one for
//! the `await`, and goes on in the same drain: n promises cost n(n+1)/2 + n jobs.

use std::cell::RefCell;
use std::rc::Rc;

use loop_core::{Loop, Phase, Promise};

use super::promise_race_pool::{CHUNK, wait_for_chunk};
use super::request;
use crate::truth::Fact;
use crate::{Args, Job, Needs, Param, ParamKind, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "await-all-growing",
    summary: "waits for all promises so far after each new one: n(n+1)/2 + n jobs in one drain",
    shows: "A loop collects promises and, to be safe, awaits Promise.all of the whole list after \
            each one. They are settled already, so all of it is one drain, and ten times the \
            promises block a hundred times as long: 1,000 are 501,500 jobs, 30,000 \
            are 450 million.",
    fixed: Some("waits for each promise once, 100 at a time, and lets the loop turn between them"),
    params: &[Param {
        name: "count",
        kind: ParamKind::Count(1, 1_000_000),
        default: "10000",
        help: "promises; 30000 make 450 million jobs",
    }],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

type All = Rc<RefCell<Vec<Promise<()>>>>;

fn start(lp: &mut Loop, job: &Job) {
    let (count, variant) = (job.args.count("count"), job.variant);
    request(lp, move |lp| {
        lp.set_timeout(1, |_| {});
        match variant {
            Variant::Pathology => add_one(lp, All::default(), count),
            Variant::Fixed => wait_for_chunk(lp, count),
        }
    });
}

fn add_one(lp: &mut Loop, all: All, left: u64) {
    all.borrow_mut().push(Promise::resolved(()));
    let waited = Promise::all(lp, &all.borrow());
    waited.react(lp, move |lp, _| {
        if left > 1 {
            add_one(lp, all, left - 1);
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
