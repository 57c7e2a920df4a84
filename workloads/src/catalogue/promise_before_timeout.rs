//! A function that calls one by setTimeout(0), one directly, and settles a promise between.

use loop_core::{Loop, Promise};

use crate::truth::Fact;
use crate::{Args, Job, Needs, Start, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "promise-before-timeout",
    summary: "foo calls bar by setTimeout(0), settles a promise and calls baz: foo baz promise bar",
    shows: "A function runs to its end before anything else does. Reactions of promises that are \
            settled by then follow right behind it, those that they queue included, in the same \
            drain. A timer of 0 ms waits for the loop.",
    fixed: None,
    params: &[],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

const LINES: [&str; 5] =
    ["foo", "baz", "promise: right after baz, before bar", "promise: queued by a promise", "bar"];

fn start(lp: &mut Loop, job: &Job) {
    let [caller, called, promise, nested, later] = LINES;
    job.story.say(caller);
    let told = job.story.clone();
    lp.set_timeout(0, move |_| told.say(later));
    let (first, second) = (job.story.clone(), job.story.clone());
    Promise::resolved(())
        .then(lp, move |_, ()| first.say(promise))
        .then(lp, move |_, ()| second.say(nested));
    job.story.say(called);
}

fn truth(_: &Args, _: Variant) -> Truth {
    let facts = vec![Fact::Timers(1), Fact::Microtasks(2), Fact::LongestDrain(2)];
    Truth::new("healthy", facts).telling(LINES)
}
