//! The timeline of random programs: what it lists is what the loop's recorder counts.

use loop_core::{Clock, Loop, Options};
use loopscope_workloads::timeline::{Callback, Made, Queue, Timeline, What};
use loopscope_workloads::{Script, Trace};

/// More than any of these programs makes.
const EVENTS_MAX: usize = 1_000_000;

/// A linear congruential generator: Knuth's MMIX.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// Statements that schedule, nested this deep.
    fn block(&mut self, depth: u64) -> String {
        (0..1 + self.below(4)).map(|_| self.statement(depth)).collect()
    }

    fn statement(&mut self, depth: u64) -> String {
        let kind = self.below(if depth == 0 { 1 } else { 9 });
        let inner = if depth == 0 { String::new() } else { self.block(depth - 1) };
        match kind {
            0 => "n++;\n".to_owned(),
            1 => format!("setTimeout(() => {{\n{inner}}}, {});\n", self.below(4)),
            2 => format!("setImmediate(() => {{\n{inner}}});\n"),
            3 => format!("process.nextTick(() => {{\n{inner}}});\n"),
            4 => format!("queueMicrotask(() => {{\n{inner}}});\n"),
            5 => format!("Promise.resolve().then(() => {{\n{inner}}}).finally(() => n++);\n"),
            6 => format!("(async () => {{\nawait null;\n{inner}await n;\n}})();\n"),
            7 => format!("clearTimeout(setTimeout(() => {{\n{inner}}}, 1));\n"),
            _ => format!("Promise.reject(1).then(null).catch(() => {{\n{inner}}});\n"),
        }
    }
}

/// Runs a program on a loop of its own, with its timeline and perhaps its calls, or without.
fn run(source: &str, calls: Option<bool>) -> (Timeline, loop_core::snapshot::LoopSnapshot) {
    let source: &'static str = source.to_owned().leak();
    let clock = Clock::virtual_time();
    let options = Options { clock: clock.clone(), ..Options::default() };
    let mut lp = Loop::new(options).expect("a loop");
    let script = Script { file: "/program.js".into(), source: Some(source), ..Script::default() };
    let mut recorder = Trace::new(clock.clone(), EVENTS_MAX);
    if calls == Some(true) {
        recorder = recorder.with_calls();
    }
    let status = match calls {
        Some(_) => script.explain(&mut lp, clock, &recorder),
        None => script.run(&mut lp, clock),
    };
    assert_eq!(status.expect("it runs"), 0, "{source}");
    (recorder.timeline(), lp.reader().snapshot())
}

fn count(timeline: &Timeline, is: impl Fn(&What) -> bool) -> u64 {
    timeline.events.iter().filter(|event| is(&event.what)).count() as u64
}

#[test]
fn what_is_listed_is_what_is_counted() {
    let mut seen = 0;
    for seed in 1..=40 {
        let source = format!("let n = 0;\n{}", Random(seed).block(4));
        let (timeline, observed) = run(&source, Some(false));
        let callbacks = |kind| {
            count(
                &timeline,
                |what| matches!(what, What::Callback { callback, .. } if *callback == kind),
            )
        };
        let tasks = |kind| {
            count(&timeline, |what| matches!(what, What::Task { queue, .. } if *queue == kind))
        };
        let drained = |kind| -> u64 {
            let of = timeline.drains.iter().filter(|drain| drain.queue == kind);
            of.map(|drain| drain.length).sum()
        };
        assert_eq!(Some(callbacks(Callback::Timer)), observed.timers, "seed {seed}");
        assert_eq!(Some(callbacks(Callback::Immediate)), observed.immediates, "seed {seed}");
        for (queue, counted) in
            [(Queue::NextTick, observed.ticks), (Queue::Microtask, observed.microtasks)]
        {
            assert_eq!(Some(tasks(queue)), counted, "seed {seed}");
            assert_eq!(Some(drained(queue)), counted, "seed {seed}");
        }
        assert_eq!((timeline.events_dropped, timeline.drains_dropped), (0, 0));
        seen += timeline.events.len();
    }
    assert!(seen > 2_000, "{seen}");
}

#[test]
fn what_is_recorded_changes_no_count() {
    for seed in 1..=40 {
        let source = format!("let n = 0;\n{}", Random(seed).block(4));
        let (walked, traced) = run(&source, Some(true));
        let steps = |is: fn(&What) -> bool| count(&walked, is);
        let begun = steps(|what| matches!(what, What::Begins { .. }));
        assert!(begun > 0 && begun == steps(|what| *what == What::Ends), "seed {seed}");
        let (nothing, plain) = run(&source, None);
        assert_eq!(nothing, Timeline::default());
        assert_eq!(
            (traced.timers, traced.immediates, traced.ticks, traced.microtasks),
            (plain.timers, plain.immediates, plain.ticks, plain.microtasks),
            "seed {seed}"
        );
        let longest = |seen: &loop_core::snapshot::LoopSnapshot| {
            seen.microtask_drain_length.as_ref().map(|lengths| lengths.max)
        };
        assert_eq!(longest(&traced), longest(&plain), "seed {seed}");
    }
}

#[test]
fn each_callback_and_task_knows_the_line_that_asked_for_it() {
    let source = "setTimeout(function late() {}, 0);\nsetImmediate(() => {});\n\
                  process.nextTick(() => {});\nqueueMicrotask(() => {});\n\
                  Promise.resolve().then(() => {});\n";
    let (timeline, _) = run(source, Some(false));
    let line = |made: &Option<usize>| {
        let asked = &timeline.events[made.expect("it was asked for")];
        asked.stack[0].place.line
    };
    let mut lines = Vec::new();
    for event in &timeline.events {
        match &event.what {
            What::Task { made, task, .. } => lines.push((*task, line(made))),
            What::Callback { callback: Callback::Timer, made, .. } => {
                lines.push((Some(Made::Timeout), line(made)));
            }
            What::Callback { callback: Callback::Immediate, made, .. } => {
                lines.push((Some(Made::Immediate), line(made)));
            }
            _ => {}
        }
    }
    lines.sort_by_key(|(_, line)| *line);
    let kinds = [Made::Timeout, Made::Immediate, Made::Tick, Made::Microtask, Made::Reaction];
    assert_eq!(lines, kinds.map(Some).into_iter().zip(1..).collect::<Vec<_>>());
}
