//! A nextTick that queues itself, with timers that wait until it no longer does.

use std::cell::Cell;
use std::rc::Rc;

use loop_core::Loop;

use crate::truth::Fact;
use crate::{Args, Job, Needs, Param, ParamKind, Start, Story, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "next-tick-starvation",
    summary: "a timer whose nextTick queues itself: all of it runs before the timer beside it",
    shows: "Two timers are due together. The first starts a recursion by process.nextTick, and \
            each step arms a timer of its own. Ticks are drained to their end after every callback \
            (since Node 11 also between timers of one list), so the timer beside it waits for the \
            last step, and those of the steps come behind. With recursion that never ends they \
            would never fire: see next-tick-recursion.",
    fixed: None,
    params: &[Param {
        name: "count",
        kind: ParamKind::Count(1, 900),
        default: "20",
        help: "steps of the recursion",
    }],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

fn start(lp: &mut Loop, job: &Job) {
    let (count, story) = (job.args.count("count"), job.story.clone());
    let step = Rc::new(Cell::new(0));
    lp.set_timeout(2, move |lp| foo(lp, story, step, count));
    let story = job.story.clone();
    lp.set_timeout(2, move |_| story.say("Other setTimeout"));
}

fn foo(lp: &mut Loop, story: Story, step: Rc<Cell<u64>>, count: u64) {
    step.set(step.get() + 1);
    if step.get() > count {
        return;
    }
    story.say(format!("foo {}", step.get()));
    let (told, seen) = (story.clone(), step.clone());
    lp.set_timeout(0, move |_| told.say(format!("setTimeout {}", seen.get())));
    lp.next_tick(move |lp| foo(lp, story, step, count));
}

fn truth(args: &Args, _: Variant) -> Truth {
    let count = args.count("count");
    let facts = vec![Fact::Timers(count + 2), Fact::Ticks(count), Fact::LongestTickDrain(count)];
    let foos = (1..=count).map(|step| format!("foo {step}"));
    // By then the steps have been counted to their end.
    let timeouts = (0..count).map(|_| format!("setTimeout {}", count + 1));
    let lines = foos.chain(["Other setTimeout".to_owned()]).chain(timeouts);
    Truth::new("healthy", facts).telling(lines)
}
