//! Four timers, and a loop that enters the timers phase at t+250.

use std::time::Duration;

use loop_core::Loop;

use crate::truth::Fact;
use crate::{Args, Job, Needs, Start, Story, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "timers-at-250",
    summary: "timers of 100 to 400 ms, and a loop that comes to them at t+250: which ones run?",
    shows: "At t four timers are armed: A of 100, B of 200, C of 300 and D of 400 ms. The program \
            then computes, so that the loop enters the timers phase at t+250. It runs A and B, one \
            after the other, finds that C is not due, does not even look at D, and goes on: the \
            immediate runs before C.",
    fixed: Some("does not compute: each timer has a turn of its own, on time"),
    params: &[],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

const TIMERS: [(&str, u64); 4] = [("A", 100), ("B", 200), ("C", 300), ("D", 400)];

/// How long the program computes.
const WORK: Duration = Duration::from_millis(250);

fn start(lp: &mut Loop, job: &Job) {
    for (name, ms) in TIMERS {
        let story = job.story.clone();
        lp.set_timeout(ms, move |_| say_timer(&story, name, ms));
    }
    let story = job.story.clone();
    lp.set_immediate(move |_| story.say("check: the immediate"));
    job.story.say("main: A, B, C and D armed");
    if job.variant == Variant::Pathology {
        lp.busy(WORK);
        job.story.say("main: 250 ms later");
    }
}

fn say_timer(story: &Story, name: &str, ms: u64) {
    story.say(format!("timers: {name}, due at t+{ms}"));
}

fn truth(_: &Args, variant: Variant) -> Truth {
    let mut facts = vec![Fact::Timers(4), Fact::Immediates(1)];
    let timer = |at: usize| format!("timers: {}, due at t+{}", TIMERS[at].0, TIMERS[at].1);
    let immediate = "check: the immediate".to_owned();
    let armed = "main: A, B, C and D armed".to_owned();
    if variant == Variant::Fixed {
        let lines = [armed, immediate, timer(0), timer(1), timer(2), timer(3)];
        return Truth::new("healthy", facts).telling(lines);
    }
    let work_ns = WORK.as_nanos() as u64;
    facts.push(Fact::BlockedAtLeast(work_ns));
    facts.push(Fact::LateAtLeast(work_ns - 100 * super::TIMER_NS));
    let later = "main: 250 ms later".to_owned();
    let lines = [armed, later, timer(0), timer(1), immediate, timer(2), timer(3)];
    Truth::new("cpu-bound-callback", facts).telling(lines)
}
