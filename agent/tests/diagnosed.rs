//! What real loops are called, under virtual time: no machine is too slow or too busy for it.

use std::time::Duration;

use loop_core::snapshot::{ClockKind, Snapshot};
use loop_core::{Clock, Loop, Options, RunMode};
use loopscope::diagnosis::{Confidence, Diagnosis, diagnose};

/// Runs a program on a loop of its own.
fn observe(detail: bool, program: impl FnOnce(&mut Loop)) -> Vec<Diagnosis> {
    let options = Options { clock: Clock::virtual_time(), detail, ..Options::default() };
    let mut lp = Loop::new(options).expect("a loop can be made");
    program(&mut lp);
    while lp.is_frozen() || lp.is_alive() {
        lp.pass(Duration::from_secs(2));
        lp.run(RunMode::Default).expect("the loop runs");
    }
    let loops = vec![lp.reader().snapshot()];
    diagnose(&Snapshot { loops, ..Snapshot::empty(ClockKind::Virtual) })
}

/// Runs a program as a main script, and the loop it leaves behind.
fn check(detail: bool, script: impl FnOnce(&mut Loop), want: &[(&str, Confidence)]) {
    let told = observe(detail, |lp| {
        lp.enter(script);
        lp.run(RunMode::Default).expect("the loop runs");
    });
    let got: Vec<_> = told.iter().map(|diagnosis| (diagnosis.id, diagnosis.confidence)).collect();
    assert_eq!(got, want, "{told:#?}");
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn many_timers_at_once_are_a_storm_and_one_long_one_is_not() {
    let many = |lp: &mut Loop| {
        for _ in 0..500 {
            lp.set_timeout(5, |lp| lp.busy(MS));
        }
    };
    check(false, many, &[("timer-storm", Confidence::Medium)]);
    check(true, many, &[("timer-storm", Confidence::High)]);
    let one_long = |lp: &mut Loop| {
        many(lp);
        lp.set_timeout(5, |lp| lp.busy(900 * MS));
    };
    check(true, one_long, &[("cpu-bound-callback", Confidence::High)]);
    let spread = |lp: &mut Loop| {
        for delay_ms in 0..500 {
            lp.set_timeout(2 * delay_ms, |lp| lp.busy(MS));
        }
    };
    check(false, spread, &[("healthy", Confidence::High)]);
}

#[test]
fn many_immediates_in_one_turn_are_a_flood_and_a_chain_of_them_is_not() {
    let at_once = |lp: &mut Loop| {
        for _ in 0..500 {
            lp.set_immediate(|lp| lp.busy(MS));
        }
    };
    check(false, at_once, &[("immediate-flood", Confidence::Medium)]);
    fn chain(lp: &mut Loop, left: u32) {
        lp.busy(MS);
        if left > 0 {
            lp.set_immediate(move |lp| chain(lp, left - 1));
        }
    }
    check(false, |lp| chain(lp, 500), &[("healthy", Confidence::High)]);
}

#[test]
fn ticks_and_promises_that_queue_each_other_are_starvation() {
    fn ping(lp: &mut Loop, left: u32) {
        lp.busy(MS / 10);
        if left > 0 {
            lp.next_tick(move |lp| lp.queue_microtask(move |lp| ping(lp, left - 1)));
        }
    }
    let script = |lp: &mut Loop| {
        lp.set_timeout(1, |lp| ping(lp, 2_000));
    };
    check(false, script, &[("next-tick-starvation", Confidence::Medium)]);
}

#[test]
fn a_freeze_is_told_if_something_was_pending() {
    let pending = |lp: &mut Loop| {
        lp.set_timeout(100, |_| {});
        lp.set_timeout(1, Loop::freeze);
    };
    check(false, pending, &[("frozen", Confidence::High)]);
    let nothing = |lp: &mut Loop| {
        lp.busy(MS);
        lp.set_timeout(1, Loop::freeze);
    };
    check(false, nothing, &[("healthy", Confidence::High)]);
}
