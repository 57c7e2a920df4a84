//! The loop's own phases and handles, after libuv's tests of the same names.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use loop_core::{Clock, Loop, LoopError, Options, ReadEvent, RunMode, RunStatus};

type Log = Rc<RefCell<Vec<&'static str>>>;

fn virtual_loop() -> Loop {
    Loop::new(Options { clock: Clock::virtual_time(), ..Options::default() }).unwrap()
}

fn noting(log: &Log, what: &'static str) -> impl FnMut(&mut Loop) + 'static {
    let log = log.clone();
    move |_| log.borrow_mut().push(what)
}

fn done(lp: &mut Loop) {
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done);
}

#[test]
fn loop_handles_run_in_the_order_of_the_phases() {
    let mut lp = virtual_loop();
    let log = Log::default();
    let (l, i) = (log.clone(), log.clone());
    let mut turns = 0;
    let check = lp.check_start(noting(&log, "check"));
    let prepare = lp.prepare_start(noting(&log, "prepare"));
    let idle = Rc::new(Cell::new(None));
    let own = idle.clone();
    idle.set(Some(lp.idle_start(move |lp| {
        i.borrow_mut().push("idle");
        turns += 1;
        if turns == 2 {
            for handle in [own.get().unwrap(), check, prepare] {
                let l = l.clone();
                lp.close_with(handle, move |_| l.borrow_mut().push("close"));
            }
        }
    })));
    lp.timer_start(0, 0, noting(&log, "timer"));
    done(&mut lp);
    let expect = "timer idle prepare check idle close close close";
    assert_eq!(log.borrow().join(" "), expect);
}

#[test]
fn watchers_run_last_started_first() {
    let mut lp = virtual_loop();
    let log = Log::default();
    for name in ["a", "b", "c"] {
        lp.prepare_start(noting(&log, name));
    }
    lp.run(RunMode::NoWait).unwrap();
    assert_eq!(log.borrow().join(" "), "c b a");
}

#[test]
fn a_watcher_stopped_and_started_again_in_a_pass_runs_in_the_next() {
    let mut lp = virtual_loop();
    let log = Log::default();
    let first = lp.check_start(noting(&log, "a"));
    let l = log.clone();
    lp.check_start(move |lp| {
        l.borrow_mut().push("b");
        lp.watcher_stop(first);
        lp.watcher_restart(first);
    });
    lp.run(RunMode::NoWait).unwrap();
    assert_eq!(log.borrow().join(" "), "b");
}

#[test]
fn loop_alive_and_unref() {
    let mut lp = virtual_loop();
    assert!(!lp.is_alive());
    let timer = lp.timer_start(5, 0, |_| {});
    assert!(lp.is_alive());
    lp.handle_unref(timer);
    assert!(!lp.is_alive() && lp.is_active(timer));
    lp.handle_ref(timer);
    assert!(lp.is_alive());
    lp.timer_stop(timer);
    assert!(!lp.is_alive());
    lp.close(timer);
    assert!(lp.is_alive(), "a close callback waits");
    done(&mut lp);
    assert!(!lp.is_active(timer));
}

#[test]
fn loop_stop_ends_the_turn_and_loop_stop_before_run_does_no_turn() {
    let mut lp = virtual_loop();
    let log = Log::default();
    let l = log.clone();
    let prepare = lp.prepare_start(move |lp| {
        l.borrow_mut().push("prepare");
        lp.stop();
    });
    lp.check_start(noting(&log, "check"));
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Stopped);
    assert_eq!(log.borrow().join(" "), "prepare check");
    lp.close(prepare);
    lp.stop();
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Stopped);
    assert_eq!(log.borrow().len(), 2);
}

#[test]
fn a_callback_cannot_run_the_loop_that_runs_it() {
    let mut lp = virtual_loop();
    let log = Log::default();
    let l = log.clone();
    lp.set_immediate(move |lp| {
        assert!(matches!(lp.run(RunMode::Default), Err(LoopError::Nested)));
        let inner = l.clone();
        lp.enter(|_| inner.borrow_mut().push("inner"));
        l.borrow_mut().push("outer");
    });
    done(&mut lp);
    assert_eq!(log.borrow().join(" "), "inner outer");
    assert_eq!(lp.reader().snapshot().turns, Some(2));
    lp.set_immediate(noting(&log, "again"));
    done(&mut lp);
    assert_eq!(log.borrow().len(), 3);
}

#[test]
fn timer_order_is_due_time_then_start_order() {
    let mut lp = virtual_loop();
    let log = Log::default();
    lp.timer_start(10, 0, noting(&log, "10a"));
    lp.timer_start(5, 0, noting(&log, "5"));
    lp.timer_start(10, 0, noting(&log, "10b"));
    done(&mut lp);
    assert_eq!(log.borrow().join(" "), "5 10a 10b");
}

#[test]
fn timer_zero_timeout_restarted_in_its_callback_runs_in_the_next_turn() {
    let mut lp = virtual_loop();
    let log = Log::default();
    let l = log.clone();
    lp.check_start(noting(&log, "check"));
    lp.timer_start(0, 0, move |lp| {
        l.borrow_mut().push("timer");
        lp.timer_start(0, 0, noting(&l, "again"));
    });
    lp.run(RunMode::NoWait).unwrap();
    lp.run(RunMode::NoWait).unwrap();
    assert_eq!(log.borrow().join(" "), "check timer check again");
}

#[test]
fn timer_no_double_call_though_two_periods_late() {
    let mut lp = virtual_loop();
    let runs = Rc::new(Cell::new(0));
    let r = runs.clone();
    lp.timer_start(10, 10, move |_| r.set(r.get() + 1));
    lp.pass(Duration::from_millis(25));
    lp.run(RunMode::NoWait).unwrap();
    assert_eq!(runs.get(), 1);
}

#[test]
fn timer_again_restarts_a_repeating_timer_only() {
    let mut lp = virtual_loop();
    let once = lp.timer_start(5, 0, |_| {});
    let repeating = lp.timer_start(5, 20, |_| {});
    lp.timer_again(once);
    lp.timer_again(repeating);
    assert_eq!(lp.timer_due_in_ms(once), Some(5));
    assert_eq!(lp.timer_due_in_ms(repeating), Some(20));
}

#[test]
fn timers_never_fire_early_on_a_real_clock() {
    let mut lp = Loop::new(Options::default()).unwrap();
    let clock = lp.reader().clock().clone();
    for ms in [1, 2, 5, 10, 20] {
        let clock = clock.clone();
        lp.update_time();
        let set_ms = lp.now_ms();
        lp.timer_start(ms, 0, move |_| {
            assert!(clock.now_ns() / 1_000_000 >= set_ms + ms, "{ms} ms fired early");
        });
    }
    done(&mut lp);
}

#[test]
fn an_active_idle_handle_keeps_the_poll_from_waiting() {
    let mut lp = virtual_loop();
    let idle = lp.idle_start(|_| {});
    lp.timer_start(1_000, 0, |_| {});
    lp.run(RunMode::Once).unwrap();
    assert_eq!(lp.reader().clock().now_ns(), 0);
    lp.close(idle);
    done(&mut lp);
    assert_eq!(lp.reader().clock().now_ns(), 1_000_000_000);
}

#[test]
fn another_thread_wakes_the_loop_and_wakes_are_one_until_it_gets_there() {
    let mut lp = Loop::new(Options::default()).unwrap();
    let runs = Rc::new(Cell::new(0));
    let r = runs.clone();
    let handle = Rc::new(Cell::new(None));
    let own = handle.clone();
    let waker = lp.waker(move |lp| {
        r.set(r.get() + 1);
        lp.close(own.get().unwrap());
    });
    handle.set(Some(waker.handle()));
    let other = waker.clone();
    std::thread::spawn(move || (0..1_000).for_each(|_| other.wake())).join().unwrap();
    done(&mut lp);
    assert_eq!(runs.get(), 1);
    waker.wake();
    done(&mut lp);
    assert_eq!(runs.get(), 1, "a closed handle is not called");
}

#[test]
fn pool_results_come_in_the_poll_phase_and_hold_the_loop() {
    let mut lp = Loop::new(Options::default()).unwrap();
    let sum = Rc::new(Cell::new(0));
    for n in 1..=20u64 {
        let sum = sum.clone();
        lp.queue_work(move || n * n, move |_, square| sum.set(sum.get() + square.unwrap()));
    }
    done(&mut lp);
    assert_eq!(sum.get(), (1..=20).map(|n| n * n).sum::<u64>());
    let snapshot = lp.reader().snapshot();
    assert_eq!(snapshot.callbacks.unwrap()[loop_core::Phase::Poll], 20);
    assert_eq!(snapshot.thread_pool.run_ns.unwrap().count(), 20);
}

#[test]
fn a_waiting_job_can_be_cancelled_and_a_panic_stays_in_its_job() {
    let options = Options { thread_pool_size: Some(1), ..Options::default() };
    let mut lp = Loop::new(options).unwrap();
    let (release, hold) = std::sync::mpsc::channel::<()>();
    lp.queue_work(move || hold.recv().unwrap(), |_, result| assert!(result.is_ok()));
    let outcome = Rc::new(RefCell::new(Vec::new()));
    let o = outcome.clone();
    let waiting = lp.queue_work(
        || unreachable!(),
        move |_, r: Result<(), _>| {
            o.borrow_mut().push(r.unwrap_err());
        },
    );
    let o = outcome.clone();
    lp.queue_work(
        || panic!("as meant"),
        move |_, r: Result<(), _>| {
            o.borrow_mut().push(r.unwrap_err());
        },
    );
    assert!(lp.cancel_work(waiting));
    assert!(!lp.cancel_work(waiting));
    release.send(()).unwrap();
    done(&mut lp);
    use loop_core::JobError::{Cancelled, Panicked};
    assert_eq!(*outcome.borrow(), [Cancelled, Panicked]);
    assert!(lp.reader().snapshot().thread_pool.queue_length_max.unwrap() >= 1);
}

#[test]
fn tcp_echo_of_a_megabyte_and_an_orderly_end() -> io::Result<()> {
    const BYTES: usize = 1 << 20;
    let mut lp = Loop::new(Options::default())?;
    let server = lp.tcp_listen("127.0.0.1:0".parse().unwrap(), |lp, connection| {
        let connection = connection.unwrap();
        lp.read_start(connection, move |lp, event| match event {
            ReadEvent::Data(bytes) => lp.write(connection, bytes, |_, result| result.unwrap()),
            ReadEvent::End => lp.end(connection),
            ReadEvent::Error(error) => panic!("{error}"),
        });
    })?;
    let address = lp.local_address(server).unwrap();
    let received = Rc::new(Cell::new(0));
    let total = received.clone();
    let id = Rc::new(Cell::new(None));
    let client = id.clone();
    let connected = lp.tcp_connect(address, move |lp, result| {
        result.unwrap();
        let stream = client.get().unwrap();
        lp.write(stream, vec![7; BYTES], move |lp, result| {
            result.unwrap();
            lp.end(stream);
        });
        lp.read_start(stream, move |lp, event| match event {
            ReadEvent::Data(bytes) => total.set(total.get() + bytes.len()),
            ReadEvent::End => {
                lp.close(stream);
                lp.close(server);
            }
            ReadEvent::Error(error) => panic!("{error}"),
        });
    })?;
    id.set(Some(connected));
    done(&mut lp);
    assert_eq!(received.get(), BYTES);
    Ok(())
}

#[test]
fn a_refused_connection_and_a_taken_port_are_errors() {
    let mut lp = Loop::new(Options::default()).unwrap();
    let server = lp.tcp_listen("127.0.0.1:0".parse().unwrap(), |_, _| {}).unwrap();
    let address = lp.local_address(server).unwrap();
    assert!(lp.tcp_listen(address, |_, _| {}).is_err());
    lp.close(server);
    done(&mut lp);
    let refused = Rc::new(Cell::new(false));
    let r = refused.clone();
    lp.tcp_connect(address, move |_, result| {
        r.set(result.unwrap_err().kind() == io::ErrorKind::ConnectionRefused);
    })
    .unwrap();
    done(&mut lp);
    assert!(refused.get());
}
