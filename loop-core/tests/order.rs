//! The order of events against a model: random programs run on the loop under virtual time and on
//! a slow loop that was written from the rules, and what happens must be the same, line by line.
//!
//! Whether a loop is measured, in detail or not at all must make no difference, and what its
//! recorder counts must be what the model counts.
//!
//! `PROPTEST_CASES=20000 cargo test -p loop-core --release --test order` looks further.

mod model;

use std::io::Write;
use std::sync::mpsc;
use std::time::Duration;

use loop_core::snapshot::{Histogram, LoopSnapshot};
use loop_core::{Clock, Loop, NoRecord, Options, Phase};
use proptest::prelude::*;

use loop_core::buckets::Scale;
use model::program::{Program, program};
use model::script;
use model::slow_loop::{Counts, SlowLoop};

/// Programs that CI tries, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 400;

/// From how long on a turn is a stall.
const STALL_NS: u64 = 5_000_000;

/// How long one program may take before it is taken for an endless one: many times what it does.
const HUNG: Duration = Duration::from_secs(60);

fn options(detail: bool) -> Options {
    let clock = Clock::virtual_time();
    Options { clock, stall_threshold_ns: STALL_NS, detail, ..Options::default() }
}

/// What should happen, what should be counted, and whether it takes a metronome to get there.
fn modelled(program: &Program) -> (Vec<String>, Counts, bool) {
    for metronome in [false, true] {
        let mut slow = SlowLoop::default();
        let lines = script::run(&mut slow, program, metronome);
        if !slow.blocked {
            return (lines, slow.counts, metronome);
        }
    }
    unreachable!("with a metronome no poll waits for good");
}

/// Ends the process when `run` takes too long, telling which program it was: a test that hangs
/// would not.
fn guarded<T>(program: &Program, run: impl FnOnce() -> T) -> T {
    let text = format!("{program:#?}");
    let (finished, guard) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        if guard.recv_timeout(HUNG) == Err(mpsc::RecvTimeoutError::Timeout) {
            // Not `eprintln`: what a test prints that way is lost when the process ends.
            let _ = writeln!(std::io::stderr(), "this program hangs: {text}");
            std::process::exit(101);
        }
    });
    let result = run();
    drop(finished);
    thread.join().expect("it only waits");
    result
}

fn same_lines(what: &str, got: &[String], want: &[String]) -> Result<(), TestCaseError> {
    if let Some(at) = (0..got.len().max(want.len())).find(|&at| got.get(at) != want.get(at)) {
        let from = at.saturating_sub(5);
        let cut = |lines: &[String]| {
            lines[from.min(lines.len())..].iter().take(10).cloned().collect::<Vec<_>>()
        };
        let (got, want) = (cut(got).join("\n  "), cut(want).join("\n  "));
        let text = format!("{what}, line {at}\n got:\n  {got}\n want:\n  {want}");
        return Err(TestCaseError::fail(text));
    }
    Ok(())
}

fn same_counts(seen: &LoopSnapshot, want: &Counts) -> Result<(), TestCaseError> {
    let times = |values: &[u64]| Histogram::of(Scale::Time, values.iter().copied());
    let lengths = |values: &[u64]| Histogram::of(Scale::Length, values.iter().copied());
    let sum = |values: &[u64]| values.iter().sum::<u64>();

    prop_assert_eq!(seen.turns, Some(want.turns_ns.len() as u64), "turns");
    prop_assert_eq!(seen.callbacks.unwrap().0, want.callbacks, "callbacks by phase");
    prop_assert_eq!(seen.immediates, Some(want.immediates), "immediates");
    prop_assert_eq!(seen.timers, Some(want.lateness_ns.len() as u64), "timers");
    prop_assert_eq!(seen.ticks, Some(sum(&want.tick_drains)), "ticks");
    prop_assert_eq!(seen.microtasks, Some(sum(&want.microtask_drains)), "microtasks");
    prop_assert_eq!(&seen.tick_drain_length, &Some(lengths(&want.tick_drains)));
    prop_assert_eq!(&seen.microtask_drain_length, &Some(lengths(&want.microtask_drains)));
    prop_assert_eq!(&seen.timer_lateness_ns, &Some(times(&want.lateness_ns)));
    prop_assert_eq!(&seen.poll_wait_ns, &Some(times(&want.waits_ns)));
    prop_assert_eq!(seen.idle_ns, Some(sum(&want.waits_ns)), "idle");
    prop_assert_eq!(seen.frozen_ns, Some(want.frozen_ns), "frozen");
    let known = want.cost_declared;
    prop_assert_eq!(seen.active_ns, known.then(|| sum(&want.turns_ns)), "active");
    prop_assert_eq!(&seen.turn_ns, &known.then(|| times(&want.turns_ns)));
    for phase in Phase::ALL {
        let spent = seen.phases[phase].as_ref().map(|phase| phase.sum);
        let want = u128::from(want.phases_ns[phase as usize]);
        prop_assert_eq!(spent, known.then_some(want), "time in {}", phase.name());
    }
    let stalls = want.turns_ns.iter().filter(|&&turn_ns| turn_ns >= STALL_NS).count();
    prop_assert_eq!(seen.stall_totals.total_count(), stalls as u64, "stalls");
    prop_assert!(seen.open.is_none(), "a loop that has ended has no open turn");
    Ok(())
}

fn check(program: &Program) -> Result<(), TestCaseError> {
    let (want, counts, metronome) = modelled(program);
    for detail in [false, true] {
        let mut lp = Loop::new(options(detail)).unwrap();
        let got = script::run(&mut lp, program, metronome);
        same_lines(if detail { "measured in detail" } else { "measured" }, &got, &want)?;
        same_counts(&lp.reader().snapshot(), &counts)?;
    }
    let mut lp: Loop<NoRecord> = Loop::unmeasured(options(false)).unwrap();
    let got = script::run(&mut lp, program, metronome);
    same_lines("unmeasured", &got, &want)
}

#[test]
fn random_programs_run_as_the_model_does() {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    proptest!(config, |(program in program())| {
        guarded(&program, || check(&program))?;
    });
}
