//! What the recorder notes, and what its readers see while the loop runs, is blocked or is gone.

use std::sync::mpsc;
use std::time::Duration;

use loop_core::snapshot::{LedgerKey, LoopSnapshot, Queue, Snapshot};
use loop_core::{Blame, Blamed, Clock, Loop, Options, Phase, Reader, RunMode, RunStatus};

fn options(detail: bool) -> Options {
    Options { clock: Clock::virtual_time(), detail, ..Options::default() }
}

fn run(detail: bool, main: impl FnOnce(&mut Loop)) -> LoopSnapshot {
    let mut lp = Loop::new(options(detail)).unwrap();
    lp.enter(main);
    lp.run(RunMode::Default).unwrap();
    lp.reader().snapshot()
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const MS: u64 = 1_000_000;

#[test]
fn phases_add_up_to_turns_and_turns_and_waits_to_the_wall_clock() {
    let seen = run(false, |lp| {
        lp.set_timeout(10, |lp| {
            lp.busy(ms(3));
            lp.set_immediate(|lp| lp.busy(ms(2)));
        });
        lp.queue_work(|| (), |lp, _| lp.busy(ms(4)));
        lp.busy(ms(1));
    });
    let sum = |phase: Phase| seen.phases[phase].as_ref().unwrap().sum;
    assert_eq!(sum(Phase::Poll), 4 * u128::from(MS));
    assert_eq!(sum(Phase::Timers), 3 * u128::from(MS));
    assert_eq!(sum(Phase::Check), 2 * u128::from(MS));
    assert_eq!(seen.phases[Phase::Close].as_ref().unwrap().count(), 0);
    let turns = seen.turn_ns.as_ref().unwrap();
    assert_eq!(Some(turns.count()), seen.turns);
    assert_eq!(turns.sum, 10 * u128::from(MS), "main, poll, timers and check");
    assert_eq!(seen.active_ns, Some(10 * MS));
    assert_eq!(seen.active_ns.unwrap() + seen.idle_ns.unwrap(), 15 * MS);
    assert_eq!(seen.poll_wait_ns.unwrap().sum, u128::from(seen.idle_ns.unwrap()));
    assert_eq!((seen.timers, seen.immediates), (Some(1), Some(1)));
    let arrivals = seen.arrival_delay_ns.unwrap();
    let observed_us = 15 * MS / 1_000;
    let error = arrivals.count().abs_diff(observed_us);
    assert!(error <= observed_us / 60, "one arrival a microsecond, to 1.6 %: off by {error}");
}

#[test]
fn a_timer_is_late_by_what_ran_before_it() {
    let seen = run(false, |lp| {
        lp.set_timeout(10, |_| {});
        lp.set_timeout(10, |lp| lp.busy(ms(7)));
        lp.set_timeout(10, |_| {});
        lp.busy(ms(30));
    });
    let lateness = seen.timer_lateness_ns.unwrap();
    assert_eq!((lateness.count(), lateness.min, lateness.max), (3, 20 * MS, 27 * MS));
}

#[test]
fn drains_are_counted_when_they_are_not_empty_and_timed_when_they_are_long() {
    let main = |lp: &mut Loop| {
        (0..3).for_each(|_| lp.queue_microtask(|lp| lp.busy(ms(1))));
        lp.set_immediate(|lp| {
            (0..20).for_each(|_| lp.next_tick(|lp| lp.busy(ms(1))));
        });
        lp.set_immediate(|_| {});
    };
    let seen = run(false, main);
    assert!(seen.callback_ns().is_none(), "needs detail");
    let microtasks = seen.microtask_drain_length.unwrap();
    assert_eq!((microtasks.count(), microtasks.max), (1, 3));
    assert_eq!(seen.microtask_drain_ns.unwrap().count(), 0, "too short to be timed");
    assert_eq!(seen.tick_drain_length.unwrap().max, 20);
    assert_eq!(seen.tick_drain_ns.unwrap().max, 20 * MS);
    assert_eq!((seen.microtasks, seen.ticks), (Some(3), Some(20)));

    let detailed = run(true, main);
    assert_eq!(detailed.microtask_drain_ns.as_ref().unwrap().max, 3 * MS);
    assert_eq!(detailed.callback_ns().unwrap().count(), 2, "two immediates");
    assert_eq!(detailed.callbacks_ns[Phase::Check].as_ref().unwrap().count(), 2);
}

#[test]
fn under_a_virtual_clock_durations_are_unknown_until_a_cost_is_declared() {
    let seen = run(false, |lp| {
        lp.set_timeout(5, |_| {});
    });
    assert!(seen.turn_ns.is_none() && seen.active_ns.is_none() && seen.utilization.is_none());
    assert!(seen.phases[Phase::Timers].is_none() && seen.arrival_delay_ns.is_none());
    assert_eq!(seen.idle_ns, Some(5 * MS));
    assert_eq!(seen.timer_lateness_ns.unwrap().max, 0);
}

#[test]
fn a_stall_is_kept_with_its_phase_its_microtasks_and_its_ledger() {
    let seen = run(false, |lp| {
        lp.set_immediate(|lp| {
            (0..40).for_each(|_| lp.queue_microtask(|lp| lp.busy(ms(1))));
            lp.busy(ms(20));
        });
        lp.set_immediate(|lp| lp.busy(ms(5)));
    });
    assert_eq!(seen.stalls.len(), 1);
    let stall = &seen.stalls[0];
    assert_eq!((stall.duration_ns, stall.running), (65 * MS, false));
    assert_eq!((stall.phase, stall.microtasks), (Some(Phase::Check), Some(40)));
    assert_eq!(stall.callbacks, Some(2));
    assert_eq!(stall.ledger_ns.get(LedgerKey::Microtasks), Some(40 * MS));
    assert_eq!(stall.ledger_ns.get(LedgerKey::Native), Some(25 * MS));
    assert_eq!(stall.ledger_ns.get(LedgerKey::Gc), None);
    assert_eq!(stall.ledger_ns.total_ns(), stall.duration_ns);
    assert_eq!(seen.stall_totals.count(LedgerKey::Microtasks), 1);
}

#[derive(Debug)]
struct NoBlame;

impl Blame for NoBlame {
    fn blame(&self, _: u64) -> Option<Blamed> {
        None
    }
}

#[test]
fn collections_of_garbage_are_no_part_of_what_they_interrupt() {
    fn collect(lp: &mut Loop) {
        lp.busy(ms(5));
        lp.gc_paused(5 * MS);
    }
    let mut lp = Loop::new(options(false)).unwrap();
    lp.blame_by(Box::new(NoBlame));
    let reader = lp.reader();
    // A turn without a stall, of which nothing is left in the next.
    lp.set_immediate(collect);
    lp.run(RunMode::Default).unwrap();
    lp.set_immediate(move |lp| {
        lp.queue_microtask(|lp| {
            lp.busy(ms(20));
            collect(lp);
        });
        lp.next_tick(|lp| {
            lp.busy(ms(10));
            collect(lp);
        });
        lp.busy(ms(30));
        collect(lp);
    });
    lp.set_immediate(move |_| {
        let ledger = reader.snapshot().stalls[0].ledger_ns;
        assert_eq!(ledger.get(LedgerKey::Gc), Some(15 * MS), "while the turn is open");
    });
    lp.run(RunMode::Default).unwrap();
    let seen = lp.reader().snapshot();
    let pauses = seen.gc_pause_ns().unwrap();
    assert_eq!((pauses.count(), pauses.max), (4, 5 * MS));
    let ledger = seen.stalls[0].ledger_ns;
    let keys = [LedgerKey::Gc, LedgerKey::Microtasks, LedgerKey::Ticks, LedgerKey::Javascript];
    assert_eq!(keys.map(|key| ledger.get(key)), [15, 20, 10, 30].map(|ms| Some(ms * MS)));
}

#[test]
fn a_stall_of_the_main_program_is_in_no_phase() {
    let seen = run(false, |lp| {
        lp.busy(ms(80));
        lp.set_timeout(1, |lp| lp.busy(ms(2)));
    });
    assert_eq!(seen.stalls[0].phase, None);
}

#[test]
fn details_of_old_stalls_are_dropped_and_every_drop_is_counted() {
    let mut lp = Loop::new(options(false)).unwrap();
    for _ in 0..100 {
        lp.set_immediate(|lp| lp.busy(ms(60)));
        lp.run(RunMode::Default).unwrap();
    }
    let events = lp.reader().events();
    assert_eq!((events.seen, events.kept), (100, 64));
    assert_eq!(events.seen, events.kept + events.dropped);
    assert_eq!(lp.reader().snapshot().stall_totals.total_count(), 100);
}

#[test]
fn frozen_time_is_neither_active_nor_idle_nor_a_stall() {
    let mut lp = Loop::new(options(false)).unwrap();
    lp.enter(|lp| {
        lp.set_timeout(10, |_| {});
        lp.set_immediate(Loop::freeze);
        lp.busy(ms(1));
    });
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Frozen);
    assert!(lp.is_frozen() && lp.is_alive());
    lp.pass(ms(60_000));
    assert_eq!(lp.reader().snapshot().current_turn_ns(), 0);
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done);
    let seen = lp.reader().snapshot();
    assert_eq!(seen.frozen_ns, Some(60_000 * MS));
    assert_eq!((seen.active_ns, seen.idle_ns), (Some(MS), Some(0)));
    assert!(seen.stalls.is_empty());
    assert_eq!(seen.timer_lateness_ns.unwrap().max, 59_991 * MS, "late it is");
}

/// A loop on a thread of its own that blocks in `block` until it is told to go on.
fn blocked(block: impl FnOnce(&mut Loop, mpsc::Receiver<()>) + Send + 'static) -> Blocked {
    let (readers, reader) = mpsc::channel();
    let (go_on, hold) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut lp = Loop::new(Options::default()).unwrap();
        readers.send(lp.reader()).unwrap();
        lp.set_immediate(move |lp| block(lp, hold));
        lp.run(RunMode::Default).unwrap();
    });
    Blocked { reader: reader.recv().unwrap(), go_on, thread }
}

struct Blocked {
    reader: Reader,
    go_on: mpsc::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

/// Reads until the condition holds; panics after ten seconds.
fn wait_for(
    reader: &Reader,
    what: &str,
    condition: impl Fn(&LoopSnapshot) -> bool,
) -> LoopSnapshot {
    for _ in 0..10_000 {
        let seen = reader.snapshot();
        if condition(&seen) {
            return seen;
        }
        std::thread::sleep(ms(1));
    }
    panic!("not seen in 10 s: {what}");
}

#[test]
fn a_running_stall_is_seen_and_grows_while_the_loop_is_blocked() {
    let blocked = blocked(|_, hold| hold.recv().unwrap());
    let first = wait_for(&blocked.reader, "a running stall", |seen| !seen.stalls.is_empty());
    let stall = &first.stalls[0];
    assert!(stall.running);
    assert_eq!(stall.phase, Some(Phase::Check));
    assert_eq!(stall.ledger_ns.total_ns(), stall.duration_ns);
    assert_eq!(first.open.unwrap().phase, Some(Phase::Check));
    let then = first.current_turn_ns();
    let later = wait_for(&blocked.reader, "growth", |seen| seen.current_turn_ns() > then + 5 * MS);
    assert!(later.active_ns > first.active_ns);
    assert!(later.utilization.unwrap() > 0.0);
    blocked.go_on.send(()).unwrap();
    blocked.thread.join().unwrap();
    let after = blocked.reader.snapshot();
    assert_eq!(after.current_turn_ns(), 0);
    assert!(!after.stalls[0].running);
}

#[test]
fn an_open_drain_tells_how_many_jobs_it_has_run() {
    let blocked = blocked(|lp, hold| {
        (0..999).for_each(|_| lp.queue_microtask(|_| {}));
        lp.queue_microtask(move |_| hold.recv().unwrap());
    });
    let in_drain = |seen: &LoopSnapshot| {
        seen.open.and_then(|open| open.drain).is_some_and(|drain| drain.jobs == 999)
    };
    let seen = wait_for(&blocked.reader, "999 jobs", in_drain);
    let drain = seen.open.unwrap().drain.unwrap();
    assert_eq!(drain.queue, Queue::Microtask);
    let stalled = wait_for(&blocked.reader, "a stall", |seen| !seen.stalls.is_empty());
    assert_eq!(stalled.stalls[0].microtasks, Some(999));
    let stall = &stalled.stalls[0];
    // Where the kernel tells that the drain computes nothing, that comes first.
    let counted = stall.counters.task_clock_ns.is_some();
    let cause = if counted { LedgerKey::SyncIo } else { LedgerKey::Microtasks };
    assert_eq!(stall.ledger_ns.cause(), cause);
    blocked.go_on.send(()).unwrap();
    blocked.thread.join().unwrap();
    assert_eq!(blocked.reader.snapshot().microtasks, Some(1_000));
}

#[test]
fn an_idle_loop_counts_its_open_wait_and_has_no_open_turn() {
    let mut lp = Loop::new(Options::default()).unwrap();
    let reader = lp.reader();
    let waker = lp.waker(|lp| lp.stop());
    let thread = std::thread::spawn(move || {
        let seen = wait_for(&reader, "10 ms of waiting", |seen| seen.idle_ns > Some(10 * MS));
        assert_eq!(seen.current_turn_ns(), 0);
        let arrivals = seen.arrival_delay_ns.unwrap();
        assert!(arrivals.count() > 10_000, "the open wait is a time to arrive in, too");
        waker.wake();
    });
    lp.run(RunMode::Default).unwrap();
    thread.join().unwrap();
}

#[test]
fn readers_change_nothing_for_one_another() {
    let mut lp = Loop::new(options(false)).unwrap();
    lp.enter(|lp| lp.busy(ms(60)));
    lp.run(RunMode::Default).unwrap();
    let (one, other) = (lp.reader(), lp.reader());
    let first = one.snapshot();
    assert_eq!(first, one.snapshot());
    assert_eq!(first, other.snapshot());
    let mut reused = LoopSnapshot::default();
    other.snapshot_into(&mut reused);
    other.snapshot_into(&mut reused);
    assert_eq!(first, reused);
}

#[test]
fn snapshots_merge_in_any_grouping_and_since_gives_the_window() {
    let snapshot = |work: u64, tid: u32| {
        let mut seen = run(false, |lp| lp.busy(ms(work)));
        seen.tid = tid;
        let mut snapshot = Snapshot::empty(loop_core::snapshot::ClockKind::Virtual);
        snapshot.wall_ns = work * MS;
        snapshot.loops.push(seen);
        snapshot
    };
    let (a, b, c) = (snapshot(60, 1), snapshot(5, 2), snapshot(70, 1));
    let merged = |x: &Snapshot, y: &Snapshot| {
        let mut sum = x.clone();
        sum.merge(y);
        sum
    };
    let left = merged(&merged(&a, &b), &c);
    assert_eq!(left, merged(&a, &merged(&b, &c)));
    assert_eq!(left.loops.len(), 2);
    let turns = |seen: &Snapshot| seen.loops[0].turns.unwrap();
    assert_eq!(turns(&left), turns(&a) + turns(&c));
    assert_eq!(left.loops[0].stalls.len(), 2);
    let window = left.loops[0].since(&a.loops[0]);
    assert_eq!(window.turns, c.loops[0].turns);
    assert_eq!(window.turn_ns.unwrap().sum, c.loops[0].turn_ns.as_ref().unwrap().sum);
    assert_eq!(window.stall_totals.total_count(), 1);
}
