//! What went wrong once and must not again. Each test says what it was.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use loop_core::snapshot::LedgerKey;
use loop_core::{
    Clock, HandleId, Loop, LoopError, Options, Promise, ReadEvent, Reason, RunMode, RunStatus,
    SysError,
};

type Log = Rc<RefCell<Vec<String>>>;

const MS: u64 = 1_000_000;

fn virtual_loop() -> Loop {
    Loop::new(Options { clock: Clock::virtual_time(), ..Options::default() }).unwrap()
}

fn real_loop() -> Loop {
    Loop::new(Options::default()).unwrap()
}

fn done(lp: &mut Loop) {
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done);
}

fn told(log: &Log) -> String {
    log.borrow().join(" ")
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A zero wait in the middle of a millisecond once took the virtual clock below zero.
#[test]
fn a_virtual_poll_that_does_not_wait_leaves_the_clock_alone() {
    let mut lp = virtual_loop();
    lp.set_immediate(|lp| {
        lp.busy(Duration::from_micros(1_500));
        lp.set_immediate(|_| {});
    });
    done(&mut lp);
    assert_eq!(lp.reader().clock().now_ns(), 1_500_000);
}

#[test]
fn the_farthest_loop_timer_is_waited_for_in_virtual_time() {
    for timeout_ms in [u64::MAX / 2, u64::MAX] {
        let mut lp = virtual_loop();
        lp.timer_start(timeout_ms, 0, |_| {});
        lp.run(RunMode::Once).unwrap();
    }
}

/// Events that were asked for after the last pass of a poll were once thrown away, and are
/// announced only once.
#[test]
fn no_event_is_lost_when_thousands_of_sockets_are_ready_for_many_polls() {
    const PAIRS: usize = 1_200;
    let mut lp = real_loop();
    let server = lp.tcp_listen("127.0.0.1:0".parse().unwrap(), |lp, connection| {
        let connection = connection.unwrap();
        lp.read_start(connection, move |lp, event| {
            if let ReadEvent::Data(bytes) = event {
                lp.write(connection, bytes, |_, _| {});
            }
        });
    });
    let address = lp.local_address(server.unwrap()).unwrap();
    let echoes: Rc<RefCell<Vec<u64>>> = Rc::new(RefCell::new(vec![0; PAIRS]));
    let clients: Vec<HandleId> = (0..PAIRS)
        .map(|pair| {
            let client = lp.tcp_connect(address, |_, result| result.unwrap()).unwrap();
            let echoes = echoes.clone();
            lp.read_start(client, move |lp, event| {
                if let ReadEvent::Data(_) = event {
                    echoes.borrow_mut()[pair] += 1;
                    lp.write(client, [1], |_, _| {});
                }
            });
            lp.run(RunMode::NoWait).unwrap();
            client
        })
        .collect();
    clients.into_iter().for_each(|client| lp.write(client, [1], |_, _| {}));
    let give_up = Instant::now() + Duration::from_secs(60);
    while echoes.borrow().iter().any(|&count| count < 40) {
        lp.run(RunMode::NoWait).unwrap();
        let least = *echoes.borrow().iter().min().unwrap();
        assert!(Instant::now() < give_up, "a connection is dead after {least} echoes");
    }
}

/// libuv calls every callback that a stream owes before the one of its closing.
#[test]
fn a_closed_stream_calls_back_for_its_connection_and_its_writes_first() {
    let peer = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let log = Log::default();
    let note = |what: &'static str| {
        let log = log.clone();
        move |_: &mut Loop, result: Result<(), SysError>| {
            log.borrow_mut()
                .push(format!("{what}:{}", if result.is_ok() { "ok" } else { "closed" }));
        }
    };
    let closed = |log: &Log| {
        let log = log.clone();
        move |_: &mut Loop| log.borrow_mut().push("close".to_owned())
    };
    let mut lp = real_loop();
    let stream = lp.tcp_connect(peer.local_addr().unwrap(), note("connect")).unwrap();
    lp.close_with(stream, closed(&log));
    done(&mut lp);
    assert_eq!(told(&log), "connect:closed close");

    log.borrow_mut().clear();
    let stream = lp.tcp_connect(peer.local_addr().unwrap(), |_, _| {}).unwrap();
    let accepted = peer.accept().unwrap();
    let (small, large, close) = (note("small"), note("large"), closed(&log));
    lp.set_timeout(20, move |lp| {
        lp.write(stream, [0; 10], small);
        lp.write(stream, vec![0; 64 << 20], large);
        lp.close_with(stream, close);
    });
    done(&mut lp);
    assert_eq!(told(&log), "small:ok large:closed close");
    drop(accepted);
}

#[test]
fn handles_close_last_first_and_leave_their_port_to_their_close_callback() {
    let mut lp = real_loop();
    let log = Log::default();
    for name in ["a", "b", "c"] {
        let (timer, log) = (lp.timer_start(100, 0, |_| {}), log.clone());
        lp.close_with(timer, move |_| log.borrow_mut().push(name.to_owned()));
    }
    let server = lp.tcp_listen("127.0.0.1:0".parse().unwrap(), |_, _| {}).unwrap();
    let address = lp.local_address(server).unwrap();
    lp.close_with(server, move |lp| {
        let again = lp.tcp_listen(address, |_, _| {}).expect("the port is free");
        lp.close(again);
    });
    done(&mut lp);
    assert_eq!(told(&log), "c b a");
}

/// Node ends with `first`, too.
#[test]
fn nothing_runs_after_a_fatal_rejection_and_everything_runs_later() {
    let mut lp = virtual_loop();
    let log = Log::default();
    let note = |what: &'static str| {
        let log = log.clone();
        move |_: &mut Loop| log.borrow_mut().push(what.to_owned())
    };
    let first = note("first");
    lp.set_immediate(move |lp| {
        first(lp);
        Promise::<()>::rejected(lp, Reason::new("boom"));
    });
    lp.set_immediate(note("second"));
    lp.set_timeout(1, note("timer"));
    assert!(matches!(lp.run(RunMode::Default), Err(LoopError::UnhandledRejection(_))));
    assert_eq!(told(&log), "first");
    done(&mut lp);
    assert_eq!(told(&log), "first second timer");
}

#[test]
fn what_was_queued_outside_a_callback_runs_with_the_next_run() {
    let mut lp = virtual_loop();
    let log = Log::default();
    let (tick, microtask) = (log.clone(), log.clone());
    lp.queue_microtask(move |_| microtask.borrow_mut().push("microtask".to_owned()));
    lp.next_tick(move |_| tick.borrow_mut().push("tick".to_owned()));
    done(&mut lp);
    assert_eq!(told(&log), "tick microtask");
    Promise::<()>::rejected(&mut lp, Reason::new("boom"));
    assert!(lp.run(RunMode::Default).is_err());
}

#[test]
fn the_first_resolution_of_a_promise_counts() {
    let mut lp = virtual_loop();
    let log = Log::default();
    let seen = log.clone();
    lp.enter(|lp| {
        let (inner, settle_inner) = Promise::<u32>::pending();
        let (outer, resolver) = Promise::pending();
        resolver.resolve_with(lp, inner);
        resolver.resolve(lp, 5);
        settle_inner.resolve(lp, 7);
        let log = seen.clone();
        outer.react(lp, move |_, value| log.borrow_mut().push(value.unwrap().to_string()));
        let (own, resolver) = Promise::<u32>::pending();
        resolver.resolve_with(lp, own.clone());
        own.react(lp, move |_, value| seen.borrow_mut().push(value.unwrap_err().to_string()));
    });
    done(&mut lp);
    assert_eq!(told(&log), "chaining cycle detected for a promise 7");
}

/// One slow reaction is the commonest stall of all.
#[test]
fn a_short_and_slow_drain_is_in_the_ledger() {
    let mut lp = virtual_loop();
    lp.set_immediate(|lp| lp.queue_microtask(|lp| lp.busy(ms(500))));
    done(&mut lp);
    let seen = lp.reader().snapshot();
    assert_eq!(seen.stalls[0].ledger_ns.get(LedgerKey::Microtasks), Some(500 * MS));
    assert_eq!(seen.stalls[0].ledger_ns.cause(), LedgerKey::Microtasks);
}

#[test]
fn a_main_program_thaws_a_frozen_loop() {
    let mut lp = virtual_loop();
    lp.enter(|lp| {
        lp.set_immediate(Loop::freeze);
        lp.busy(ms(1));
    });
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Frozen);
    lp.pass(ms(1_000));
    assert_eq!(lp.reader().snapshot().frozen_ns, Some(1_000 * MS), "while it is frozen");
    lp.enter(|lp| lp.busy(ms(100)));
    done(&mut lp);
    let seen = lp.reader().snapshot();
    assert_eq!((seen.frozen_ns, seen.active_ns), (Some(1_000 * MS), Some(101 * MS)));
}

/// As libuv and Node have it: only a poll that may wait is idle.
#[test]
fn a_loop_that_never_waits_is_busy() {
    let mut lp = real_loop();
    let mut turns = 100_000;
    let handle = Rc::new(Cell::new(None));
    let own = handle.clone();
    handle.set(Some(lp.idle_start(move |lp| {
        turns -= 1;
        if turns == 0 {
            lp.close(own.get().unwrap());
        }
    })));
    done(&mut lp);
    let seen = lp.reader().snapshot();
    assert!(seen.utilization > Some(0.9), "{:?}", seen.utilization);
    assert_eq!(seen.poll_wait_ns.unwrap().count(), 0);
}

#[test]
fn a_timer_that_clears_itself_gives_up_its_list() {
    let mut lp = virtual_loop();
    let log = Log::default();
    let me = Rc::new(Cell::new(None));
    let (own, l) = (me.clone(), log.clone());
    me.set(Some(lp.set_interval(10, move |lp| {
        lp.clear_timer(own.get().unwrap());
        let (a, b) = (l.clone(), l.clone());
        lp.set_timeout(10, move |_| a.borrow_mut().push("A".to_owned()));
        lp.busy(ms(2));
        lp.set_timeout(8, move |_| b.borrow_mut().push("B".to_owned()));
    })));
    done(&mut lp);
    assert_eq!(told(&log), "A B");
}

#[test]
fn a_loop_outlives_a_panic_of_a_callback() {
    let mut lp = virtual_loop();
    lp.set_immediate(|_| panic!("as meant"));
    lp.set_immediate(|lp| {
        lp.set_timeout(1, |_| {});
    });
    assert!(catch_unwind(AssertUnwindSafe(|| lp.run(RunMode::Default))).is_err());
    lp.run(RunMode::Once).unwrap();
    lp.run(RunMode::Once).unwrap();
    assert_eq!(lp.reader().snapshot().timers, Some(1));
}

/// A timer that panicked once held the loop for ever, and those behind it were never run.
#[test]
fn a_panic_of_a_timer_leaves_the_timers_behind_it_alone() {
    for repeats in [false, true] {
        let mut lp = virtual_loop();
        if repeats {
            lp.set_interval(1, |_| panic!("as meant"));
        } else {
            lp.set_timeout(1, |_| panic!("as meant"));
        }
        let log = Log::default();
        for (name, after_ms) in [("same", 1), ("later", 5)] {
            let log = log.clone();
            lp.set_timeout(after_ms, move |_| log.borrow_mut().push(name.to_owned()));
        }
        assert!(catch_unwind(AssertUnwindSafe(|| lp.run(RunMode::Default))).is_err());
        for _ in 0..2 {
            lp.busy(ms(10));
            lp.run(RunMode::NoWait).unwrap();
        }
        assert_eq!(told(&log), "same later");
        assert!(!lp.is_alive());
    }
}

#[test]
fn stopping_as_a_timer_leaves_other_handles_alone() {
    let mut lp = virtual_loop();
    let idle = lp.idle_start(|_| {});
    lp.timer_stop(idle);
    assert!(lp.is_active(idle));
}

#[test]
fn a_pool_in_which_nothing_waited_says_so() {
    let mut lp = real_loop();
    lp.queue_work(|| (), |_, _| {});
    done(&mut lp);
    assert_eq!(lp.reader().snapshot().thread_pool.queue_length_max, Some(0));
}

#[test]
fn a_stall_at_time_zero_is_in_the_window_since_before() {
    let mut lp = virtual_loop();
    let before = lp.reader().snapshot();
    lp.enter(|lp| lp.busy(ms(60)));
    done(&mut lp);
    let window = lp.reader().snapshot().since(&before);
    assert_eq!((window.stalls.len(), window.stall_totals.total_count()), (1, 1));
}

/// The end of a run by a rejection was once forgotten when the list of the timer that had rejected
/// was taken up again.
#[test]
fn no_timer_of_the_same_list_runs_after_a_fatal_rejection() {
    let mut lp = virtual_loop();
    let log = Log::default();
    lp.set_timeout(5, |lp| drop(Promise::<()>::rejected(lp, Reason::new("no"))));
    let seen = log.clone();
    lp.set_timeout(5, move |_| seen.borrow_mut().push("later".into()));
    lp.enter(|lp| lp.busy(ms(10)));
    assert!(matches!(lp.run(RunMode::Default), Err(LoopError::UnhandledRejection(_))));
    assert_eq!(told(&log), "");
    done(&mut lp);
    assert_eq!(told(&log), "later");
}

/// The loop once went round and round for ever when the clock could go no further.
#[test]
fn virtual_time_ends_and_says_so() {
    let mut lp = virtual_loop();
    lp.timer_start(u64::MAX, 0, |_| ());
    for _ in 0..2 {
        let error = lp.run(RunMode::Default).unwrap_err().to_string();
        assert!(error.contains("virtual time is at its end"), "{error}");
        lp.set_timeout(1, |_| ());
    }
}

/// What an immediate did behind a timer that it had set was once told as waiting, and the timer,
/// though due, was waited for.
#[test]
fn what_an_immediate_does_behind_a_timer_that_it_sets_is_a_stall() {
    let mut lp = real_loop();
    lp.set_immediate(|lp| {
        lp.set_timeout(1, |_| ());
        std::thread::sleep(ms(120));
    });
    done(&mut lp);
    let seen = lp.reader().snapshot();
    assert_eq!(seen.stalls.len(), 1);
    assert!(seen.stalls[0].duration_ns >= 120 * MS, "{:?}", seen.stalls[0]);
    assert_eq!(seen.idle_ns, Some(0), "the timer is due");
}

/// A timer that an immediate set was once not seen to be due at the end of the turn, however long
/// the immediate went on: setting it had the clock read, which then passed for the end's time.
#[test]
fn a_timer_that_is_due_when_its_immediate_ends_runs_in_that_turn() {
    let mut lp = real_loop();
    let log = Log::default();
    let seen = log.clone();
    lp.set_immediate(move |lp| {
        let (timer, immediate) = (seen.clone(), seen);
        lp.set_timeout(1, move |_| timer.borrow_mut().push("timer".into()));
        lp.set_immediate(move |_| immediate.borrow_mut().push("immediate".into()));
        // Not the loop's own `busy`, which it knows of.
        std::thread::sleep(ms(5));
    });
    done(&mut lp);
    assert_eq!(told(&log), "timer immediate");
}

/// A handle that waited to be closed behind another one kept the loop alive in the other's
/// callback. libuv takes its list as a whole.
#[test]
fn handles_that_are_being_closed_do_not_keep_the_loop_alive() {
    let mut lp = real_loop();
    let alive = std::rc::Rc::new(std::cell::Cell::new(None));
    let seen = alive.clone();
    lp.enter(move |lp| {
        let [first, second] = [lp.timer_start(1, 0, |_| ()), lp.timer_start(1, 0, |_| ())];
        lp.close_with(first, |_| ());
        lp.close_with(second, move |lp| seen.set(Some(lp.is_alive())));
    });
    done(&mut lp);
    assert_eq!(alive.get(), Some(false));
}
