//! Counterparts of libuv's own tests of the loop, its timers, its idle, prepare and check handles
//! and its metrics. Those of sockets, signals, files and the pool stand with their handles.
//!
//! | libuv | here, or in the file named |
//! |---|---|
//! | `loop_alive` | `libuv_order`: `loop_alive_and_unref` |
//! | `loop_handles` | `libuv_order`: `loop_handles_run_in_the_order_of_the_phases` |
//! | `loop_stop`, `loop_stop_before_run` | `libuv_order`: `loop_stop_ends_the_turn_...` |
//! | `loop_update_time` | `loop_update_time_never_goes_back_and_is_cached` |
//! | `loop_backend_timeout` | `loop_backend_timeout_is_that_of_the_next_timer` |
//! | `loop_close`, `loop_instant_close` | `loop_close_drops_what_is_left` |
//! | `loop_configure` | none: idle time is always measured, signals are the user's |
//! | `embed` | `a_loop_runs_inside_another_one` |
//! | `run_once`, `run_nowait` | `run_once_is_one_turn`, `run_nowait_does_not_wait` |
//! | `timer` | `timer_once_repeating_stopped_and_never` |
//! | `timer_order` | `libuv_order`: `timer_order_is_due_time_then_start_order` |
//! | `timer_start_twice` | none: a timer is started as it is made; `timer_again` restarts it |
//! | `timer_null_callback` | none: the type demands a callback |
//! | `timer_init`, `timer_is_closing` | `timer_is_closing_and_can_t_be_started` |
//! | `timer_zero_timeout` | `libuv_order`: `timer_zero_timeout_restarted_...` |
//! | `timer_huge_timeout`, `timer_huge_repeat` | `timer_huge_timeout_and_repeat` |
//! | `timer_run_once` | `timer_run_once_per_run` |
//! | `timer_early_check` | `libuv_order`: `timers_never_fire_early_on_a_real_clock` |
//! | `timer_no_double_call_once`, `_nowait` | `timer_no_double_call_however_it_is_run` |
//! | `timer_no_run_on_unref` | `timer_no_run_on_unref` |
//! | `timer_again` | `timer_again_pushes_a_timer_back`; `libuv_order`: `timer_again_...` |
//! | `timer_from_check` | `timer_from_check_comes_after_prepare` |
//! | `idle_starvation` | `starvation`: `an_idle_handle_starves_nobody` |
//! | `idle_check` | `idle_check_runs_without_waiting` |
//! | `metrics_idle_time` | `metrics_idle_time_is_the_time_in_polls` |
//! | `metrics_idle_time_thread` | `recorder`: `an_idle_loop_counts_its_open_wait_...` |
//! | `metrics_idle_time_zero` | `metrics_idle_time_zero_without_waiting` |
//! | `metrics_info_check` | `metrics_info_counts_turns_and_events` (without `events_waiting`) |
//! | `metrics_pool_events` | `metrics_pool_events_are_counted_once` |

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use loop_core::{Clock, HandleId, Loop, Options, Phase, RunMode, RunStatus};

const MS: u64 = 1_000_000;

type Log = Rc<RefCell<Vec<String>>>;

fn virtual_loop() -> Loop {
    Loop::new(Options { clock: Clock::virtual_time(), ..Options::default() }).unwrap()
}

fn real_loop() -> Loop {
    Loop::new(Options::default()).unwrap()
}

fn done(lp: &mut Loop) {
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done);
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A counter, and a callback that counts.
fn counting() -> (Rc<Cell<u32>>, impl FnMut(&mut Loop) + Clone) {
    let runs = Rc::new(Cell::new(0));
    let counted = runs.clone();
    (runs, move |_: &mut Loop| counted.set(counted.get() + 1))
}

type Slot = Rc<Cell<Option<HandleId>>>;

/// A place for the name of a handle whose callback needs it.
fn slot() -> (Slot, Slot) {
    let slot = Rc::new(Cell::new(None));
    (slot.clone(), slot)
}

#[test]
fn loop_update_time_never_goes_back_and_is_cached() {
    let mut lp = virtual_loop();
    lp.update_time();
    let before_ms = lp.now_ms();
    lp.busy(ms(100));
    assert_eq!(lp.now_ms(), before_ms, "the loop's time stands still until it is updated");
    lp.update_time();
    assert_eq!(lp.now_ms(), before_ms + 100);

    let mut lp = real_loop();
    let start = Instant::now();
    while start.elapsed() < ms(20) {
        let before_ms = lp.now_ms();
        lp.update_time();
        assert!(lp.now_ms() >= before_ms);
    }
}

#[test]
fn loop_backend_timeout_is_that_of_the_next_timer() {
    let mut lp = virtual_loop();
    assert_eq!(lp.backend_timeout_ms(), Some(0), "nothing to wait for");
    let timer = lp.timer_start(1_000, 0, |_| {});
    assert_eq!(lp.backend_timeout_ms(), Some(1_000));
    lp.run(RunMode::NoWait).unwrap();
    assert_eq!(lp.backend_timeout_ms(), Some(1_000), "a run without waiting takes no time");
    lp.busy(ms(300));
    assert_eq!(lp.backend_timeout_ms(), Some(700));
    let idle = lp.idle_start(|_| {});
    assert_eq!(lp.backend_timeout_ms(), Some(0), "an idle handle is active");
    lp.watcher_stop(idle);
    let immediate = lp.set_immediate(|_| {});
    assert_eq!(lp.backend_timeout_ms(), Some(0), "an immediate waits");
    lp.clear_immediate(immediate);
    assert_eq!(lp.backend_timeout_ms(), Some(700));
    lp.close(idle);
    assert_eq!(lp.backend_timeout_ms(), Some(0), "a handle is closing");
    lp.run(RunMode::NoWait).unwrap();
    lp.handle_unref(timer);
    assert_eq!(lp.backend_timeout_ms(), Some(0), "nothing keeps the loop alive");
    lp.handle_ref(timer);
    done(&mut lp);
    assert_eq!(lp.backend_timeout_ms(), Some(0));
    lp.check_start(|_| {});
    assert_eq!(lp.backend_timeout_ms(), None, "as long as it takes");
}

/// The outer loop waits for the inner one's descriptor, as long as the inner one says.
#[cfg(unix)]
#[test]
fn a_loop_runs_inside_another_one() {
    use std::os::fd::AsRawFd;
    let mut lp = real_loop();
    let (runs, count) = counting();
    let (mut timer, mut job) = (count.clone(), count);
    lp.timer_start(20, 0, move |lp| timer(lp));
    lp.queue_work(|| std::thread::sleep(ms(5)), move |lp, _| job(lp));

    let mut outer = mio::Poll::new().unwrap();
    let descriptor = lp.as_raw_fd();
    let mut source = mio::unix::SourceFd(&descriptor);
    outer.registry().register(&mut source, mio::Token(0), mio::Interest::READABLE).unwrap();
    let mut events = mio::Events::with_capacity(8);
    let mut turns = 0;
    while lp.run(RunMode::NoWait).unwrap() == RunStatus::Alive {
        let wait = lp.backend_timeout_ms().map(Duration::from_millis);
        outer.poll(&mut events, wait.or(Some(ms(10_000)))).unwrap();
        turns += 1;
    }
    assert_eq!(runs.get(), 2);
    assert!(turns < 50, "{turns} turns: the outer loop did not wait");
}

#[test]
fn loop_close_drops_what_is_left() {
    let held = Rc::new(());
    let mut lp = virtual_loop();
    let hold = || {
        let held = held.clone();
        move |_: &mut Loop| drop(held.clone())
    };
    lp.idle_start(hold());
    lp.prepare_start(hold());
    lp.check_start(hold());
    lp.timer_start(5, 5, hold());
    lp.set_timeout(5, hold());
    lp.set_interval(5, hold());
    lp.set_immediate(hold());
    lp.next_tick(hold());
    lp.queue_microtask(hold());
    let waker = lp.waker(hold());
    let closing = lp.timer_start(5, 5, hold());
    lp.close_with(closing, hold());
    let job = hold();
    lp.queue_work(|| (), move |lp, _| job(lp));
    assert_eq!(Rc::strong_count(&held), 14);
    drop(lp);
    assert_eq!(Rc::strong_count(&held), 1, "a closure is left behind");
    waker.wake();
    drop(real_loop());
}

#[test]
fn run_once_is_one_turn() {
    let mut lp = virtual_loop();
    let (runs, count) = counting();
    lp.idle_start(count);
    for turn in 1..=10 {
        assert_eq!(lp.run(RunMode::Once).unwrap(), RunStatus::Alive);
        assert_eq!(runs.get(), turn);
    }
}

#[test]
fn run_nowait_does_not_wait() {
    let mut lp = virtual_loop();
    let (runs, count) = counting();
    lp.timer_start(100, 100, count);
    assert_eq!(lp.run(RunMode::NoWait).unwrap(), RunStatus::Alive);
    assert_eq!((runs.get(), lp.reader().clock().now_ns()), (0, 0));
}

#[test]
fn timer_once_repeating_stopped_and_never() {
    let mut lp = virtual_loop();
    let (once, count) = counting();
    for n in 0..10 {
        lp.timer_start(n * 50, 0, count.clone());
    }
    let (repeated, count_repeated) = counting();
    let (slot, own) = slot();
    let (mut run, seen) = (count_repeated, repeated.clone());
    slot.set(Some(lp.timer_start(100, 100, move |lp| {
        run(lp);
        if seen.get() == 5 {
            lp.close(own.get().unwrap());
        }
    })));
    let never = lp.timer_start(100, 100, |_| unreachable!("it is stopped"));
    lp.timer_stop(never);
    lp.timer_stop(never);
    done(&mut lp);
    assert_eq!((once.get(), repeated.get()), (10, 5));
    assert_eq!(lp.reader().clock().now_ns(), 500 * MS);
}

#[test]
fn timer_is_closing_and_can_t_be_started() {
    let mut lp = virtual_loop();
    let timer = lp.timer_start(5, 5, |_| unreachable!("it is closing"));
    lp.close(timer);
    lp.timer_again(timer);
    assert!(!lp.is_active(timer) && lp.timer_due_in_ms(timer).is_none());
    done(&mut lp);
    lp.timer_again(timer);
    lp.timer_stop(timer);
    assert!(!lp.is_active(timer) && !lp.is_alive());
}

#[test]
fn timer_huge_timeout_and_repeat() {
    let mut lp = virtual_loop();
    let (slot, own) = slot();
    let huge = [
        lp.timer_start(u64::MAX, 0, |_| unreachable!("that far it never gets")),
        lp.timer_start(u64::MAX - 1, u64::MAX, |_| unreachable!("nor that far")),
        lp.timer_start(1, u64::MAX, |_| {}),
        lp.timer_start(1, u64::MAX / 1_000_000, |_| {}),
    ];
    let mut runs = 0;
    slot.set(Some(lp.timer_start(2, 2, move |lp| {
        runs += 1;
        if runs == 10 {
            huge.into_iter().chain(own.get()).for_each(|handle| lp.close(handle));
        }
    })));
    done(&mut lp);
    assert_eq!(lp.reader().snapshot().timers, Some(12));
    assert_eq!(lp.reader().clock().now_ns(), 20 * MS);
}

#[test]
fn timer_run_once_per_run() {
    let mut lp = virtual_loop();
    let (runs, count) = counting();
    for timeout_ms in [0, 0, 1, 1] {
        let before = runs.get();
        lp.timer_start(timeout_ms, 0, count.clone());
        assert_eq!(lp.run(RunMode::Once).unwrap(), RunStatus::Done);
        assert_eq!(runs.get(), before + 1);
    }
}

#[test]
fn timer_no_double_call_however_it_is_run() {
    for mode in [RunMode::Once, RunMode::NoWait] {
        let mut lp = virtual_loop();
        let (runs, count) = counting();
        lp.timer_start(10, 10, count);
        lp.pass(ms(25));
        assert_eq!(lp.run(mode).unwrap(), RunStatus::Alive);
        assert_eq!(runs.get(), 1, "{mode:?}");
    }
}

#[test]
fn timer_no_run_on_unref() {
    let mut lp = virtual_loop();
    let timer = lp.timer_start(0, 0, |_| unreachable!("nothing keeps the loop alive"));
    lp.handle_unref(timer);
    done(&mut lp);
}

#[test]
fn timer_again_pushes_a_timer_back() {
    let mut lp = virtual_loop();
    let log = Log::default();
    let l = log.clone();
    let pushed = lp.timer_start(50, 100, move |lp| l.borrow_mut().push(lp.now_ms().to_string()));
    let (slot, own) = slot();
    let mut pushes = 0;
    slot.set(Some(lp.timer_start(0, 30, move |lp| {
        pushes += 1;
        if pushes <= 3 {
            lp.timer_again(pushed);
        }
        if pushes == 8 {
            lp.close(own.get().unwrap());
            lp.close(pushed);
        }
    })));
    done(&mut lp);
    assert_eq!(log.borrow().join(" "), "160", "100 ms after the push at 60 ms");
}

#[test]
fn timer_from_check_comes_after_prepare() {
    let mut lp = virtual_loop();
    let log = Log::default();
    let (slot, own) = slot();
    let l = log.clone();
    let timer = lp.timer_start(50, 50, |lp| {
        unreachable!("check pushes it back and then closes it at {} ms", lp.now_ms())
    });
    let mut checks = 0;
    slot.set(Some(lp.check_start(move |lp| {
        checks += 1;
        l.borrow_mut().push(format!("check {}", lp.now_ms()));
        lp.timer_stop(timer);
        if checks == 2 {
            lp.close(own.get().unwrap());
            lp.close(timer);
            return;
        }
        let (prepare, fired) = (l.clone(), l.clone());
        let once = Rc::new(Cell::new(None));
        let prepared = once.clone();
        once.set(Some(lp.prepare_start(move |lp| {
            prepare.borrow_mut().push("prepare".to_owned());
            lp.close(prepared.get().unwrap());
        })));
        lp.timer_start(50, 0, move |_| fired.borrow_mut().push("timer".to_owned()));
    })));
    done(&mut lp);
    assert_eq!(log.borrow().join(", "), "check 50, prepare, check 50, timer");
}

#[test]
fn idle_check_runs_without_waiting() {
    let mut lp = virtual_loop();
    let log = Log::default();
    let (slot, own) = slot();
    let l = log.clone();
    let check = lp.check_start(move |_| l.borrow_mut().push("check".to_owned()));
    let l = log.clone();
    slot.set(Some(lp.idle_start(move |lp| {
        l.borrow_mut().push("idle".to_owned());
        lp.close(own.get().unwrap());
        lp.close(check);
    })));
    lp.handle_unref(check);
    done(&mut lp);
    assert_eq!(log.borrow().join(" "), "idle", "a check handle closed in this turn does not run");
    let (runs, count) = counting();
    let check = lp.check_start(count);
    let idle = lp.idle_start(|_| {});
    lp.run(RunMode::Once).unwrap();
    assert_eq!(runs.get(), 1);
    lp.close(check);
    lp.close(idle);
    done(&mut lp);
}

#[test]
fn metrics_idle_time_is_the_time_in_polls() {
    let mut lp = real_loop();
    let start = Instant::now();
    lp.timer_start(50, 0, |lp| lp.busy(ms(10)));
    done(&mut lp);
    let passed_ns = start.elapsed().as_nanos() as u64;
    let seen = lp.reader().snapshot();
    let (idle_ns, active_ns) = (seen.idle_ns.unwrap(), seen.active_ns.unwrap());
    assert!(idle_ns >= 48 * MS, "{idle_ns}");
    assert!(active_ns >= 10 * MS, "{active_ns}");
    assert!(idle_ns + active_ns <= passed_ns + MS, "{idle_ns} + {active_ns} in {passed_ns}");
}

#[test]
fn metrics_idle_time_zero_without_waiting() {
    let mut lp = real_loop();
    lp.timer_start(60_000, 0, |_| {});
    for _ in 0..100 {
        lp.run(RunMode::NoWait).unwrap();
    }
    assert_eq!(lp.reader().snapshot().idle_ns, Some(0));
}

/// A turn here is what lies between two polls, so a run has one more than it polls.
#[test]
fn metrics_info_counts_turns_and_events() {
    let mut lp = virtual_loop();
    let turns = |lp: &Loop| lp.reader().snapshot().turns.unwrap();
    lp.timer_start(5, 5, |_| {});
    for polls in 1..=4 {
        lp.run(RunMode::Once).unwrap();
        assert_eq!(turns(&lp), 2 * polls);
    }
    let (runs, mut count) = counting();
    let waker = lp.waker(move |lp| count(lp));
    let events = |lp: &Loop| lp.reader().snapshot().callbacks.unwrap()[Phase::Poll];
    assert_eq!(events(&lp), 0);
    for event in 1..=3 {
        waker.wake();
        waker.wake();
        lp.run(RunMode::NoWait).unwrap();
        assert_eq!((events(&lp), runs.get()), (event, event as u32));
    }
}

#[test]
fn metrics_pool_events_are_counted_once() {
    let mut lp = real_loop();
    for _ in 0..10 {
        lp.queue_work(
            || (),
            |lp, _| {
                lp.queue_work(|| (), |_, _| {});
            },
        );
    }
    done(&mut lp);
    let seen = lp.reader().snapshot();
    assert_eq!(seen.callbacks.unwrap()[Phase::Poll], 20);
    let pool = &seen.thread_pool;
    assert_eq!(pool.run_ns.as_ref().unwrap().count(), 20);
    assert_eq!(pool.queue_ns.as_ref().unwrap().count(), 20);
    assert_eq!(pool.queue_length, Some(0));
}
