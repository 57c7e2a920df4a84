//! The same statements as a script, in an I/O callback and as an ES module: three orders.

use std::time::Duration;

use loop_core::{Loop, Promise, RunMode};

use super::request;
use crate::job::RunError;
use crate::truth::Fact;
use crate::{Args, Job, Needs, Start, Story, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "main-io-module",
    summary: "the same six statements in a script, an I/O callback and an ES module",
    shows: "Each queues a timer, an immediate, a tick, a reaction of a promise and a microtask. A \
            script runs before the loop: ticks, microtasks, then timers and immediates. An I/O \
            callback runs in the poll phase, so immediates come before timers. A module runs from \
            a promise, and so in a drain of microtasks: those end first, then come the ticks.",
    fixed: None,
    params: &[],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Round(round),
    truth,
};

/// What each runs, in order, by the names of what it was queued with.
const ORDERS: [(&str, [&str; 6]); 3] = [
    ("script", ["main", "nextTick", "promise", "microtask", "setTimeout", "setImmediate"]),
    ("io", ["main", "nextTick", "promise", "microtask", "setImmediate", "setTimeout"]),
    ("module", ["main", "promise", "microtask", "nextTick", "setImmediate", "setTimeout"]),
];

fn round(lp: &mut Loop, job: &Job) -> Result<(), RunError> {
    let story = job.story.clone();
    lp.enter(|lp| {
        queue_all(lp, &story, "script");
        // Its timer is due when the loop begins; else it would be a race with the immediate.
        lp.busy(Duration::from_millis(2));
    });
    lp.run(RunMode::Default)?;
    let story = job.story.clone();
    request(lp, move |lp| queue_all(lp, &story, "io"));
    lp.run(RunMode::Default)?;
    // A module is loaded first, and then evaluated in a reaction of a promise.
    let story = job.story.clone();
    request(lp, move |lp| lp.queue_microtask(move |lp| queue_all(lp, &story, "module")));
    lp.run(RunMode::Default)?;
    Ok(())
}

fn queue_all(lp: &mut Loop, story: &Story, place: &'static str) {
    let say = |what: &'static str| {
        let story = story.clone();
        move || story.say(format!("{place}: {what}"))
    };
    let (timeout, immediate) = (say("setTimeout"), say("setImmediate"));
    lp.set_timeout(0, move |_| timeout());
    lp.set_immediate(move |_| immediate());
    let (promise, microtask, tick) = (say("promise"), say("microtask"), say("nextTick"));
    Promise::resolved(()).then(lp, move |_, ()| promise());
    lp.queue_microtask(move |_| microtask());
    lp.next_tick(move |_| tick());
    say("main")();
}

fn truth(_: &Args, _: Variant) -> Truth {
    let facts = vec![Fact::Timers(3), Fact::Immediates(3), Fact::Ticks(3), Fact::Microtasks(7)];
    let lines = ORDERS
        .iter()
        .flat_map(|(place, order)| order.iter().map(move |what| format!("{place}: {what}")));
    Truth::new("healthy", facts).telling(lines)
}
