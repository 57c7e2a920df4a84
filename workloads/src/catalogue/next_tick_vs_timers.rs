//! When the two queues above the loop run: nextTick callbacks first, microtasks behind them, both
//! after every callback.

use loop_core::Loop;

use crate::truth::Fact;
use crate::{Args, Job, Needs, Start, Story, Truth, Variant, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "next-tick-vs-timers",
    summary: "ticks, then microtasks, after every callback and before the next timer",
    shows: "What the program queues runs when it returns: all ticks, those queued by ticks \
            included, then all microtasks, and what those queue, before any timer. The same \
            happens behind each callback, also between two timers that are due together.",
    fixed: None,
    params: &[],
    virtual_clock: true,
    needs: Needs::Nothing,
    start: Start::Main(start),
    truth,
};

const LINES: [&str; 12] = [
    "main",
    "main: tick",
    "main: tick queued by a tick",
    "main: microtask",
    "main: microtask queued by a microtask",
    "main: tick queued by a microtask",
    "timer 1",
    "timer 1: tick",
    "timer 1: microtask",
    "timer 2",
    "timer 2: tick",
    "timer 2: microtask",
];

fn start(lp: &mut Loop, job: &Job) {
    let story = &job.story;
    for timer in [&LINES[6..9], &LINES[9..12]] {
        let told = story.clone();
        lp.set_timeout(0, move |lp| {
            told.say(timer[0]);
            queue_both(lp, &told, timer[1], timer[2]);
        });
    }
    let told = story.clone();
    lp.queue_microtask(move |lp| {
        told.say(LINES[3]);
        queue_both(lp, &told, LINES[5], LINES[4]);
    });
    let told = story.clone();
    lp.next_tick(move |lp| {
        told.say(LINES[1]);
        lp.next_tick(move |_| told.say(LINES[2]));
    });
    story.say(LINES[0]);
}

fn queue_both(lp: &mut Loop, story: &Story, tick: &'static str, microtask: &'static str) {
    let told = story.clone();
    lp.queue_microtask(move |_| told.say(microtask));
    let told = story.clone();
    lp.next_tick(move |_| told.say(tick));
}

fn truth(_: &Args, _: Variant) -> Truth {
    // Ticks that a microtask queues are a drain of their own.
    let facts = vec![
        Fact::Timers(2),
        Fact::Ticks(5),
        Fact::Microtasks(4),
        Fact::LongestTickDrain(2),
        Fact::LongestDrain(2),
    ];
    Truth::new("healthy", facts).telling(LINES)
}
