//! Waking a loop from other threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use super::*;

/// Each wake that comes after its callback has begun is heard: a thread that waits for the loop's
/// answer before it wakes again gets as many answers.
#[test]
fn async_wakes_one_by_one() {
    const TIMES: usize = 1_000;
    let mut lp = real_loop();
    let (answer, answers) = mpsc::channel();
    let slot = Slot::default();
    let own = slot.clone();
    let mut count = 0;
    let waker = lp.waker(move |lp| {
        count += 1;
        answer.send(count).unwrap();
        if count == TIMES {
            lp.close(own.get().unwrap());
        }
    });
    slot.set(Some(waker.handle()));
    let other = std::thread::spawn(move || {
        (1..=TIMES).for_each(|time| {
            waker.wake();
            assert_eq!(answers.recv().unwrap(), time);
        });
    });
    done(&mut lp);
    other.join().unwrap();
}

/// Wakes may become one, but what they tell of is never missed.
#[test]
fn many_threads_wake_at_once() {
    const THREADS: usize = 8;
    const TIMES: usize = 2_000;
    let mut lp = real_loop();
    let told = Arc::new(AtomicUsize::new(0));
    let (seen, calls) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (t, s, c) = (told.clone(), seen.clone(), calls.clone());
    let waker = lp.waker(move |_| {
        s.set(t.load(Ordering::SeqCst));
        c.set(c.get() + 1);
    });
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (waker, told) = (waker.clone(), told.clone());
            std::thread::spawn(move || {
                (0..TIMES).for_each(|_| {
                    told.fetch_add(1, Ordering::SeqCst);
                    waker.wake();
                });
            })
        })
        .collect();
    run_until(&mut lp, |_| seen.get() == THREADS * TIMES);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(calls.get() <= THREADS * TIMES);
}

/// A wake from the callback itself is for the next poll: it does not keep this one.
#[test]
fn a_waker_that_wakes_itself_leaves_the_others_their_phases() {
    let mut lp = real_loop();
    let log = Log::default();
    let slot: Rc<RefCell<Option<loop_core::Waker>>> = Rc::default();
    let (own, l) = (slot.clone(), log.clone());
    let mut left = 3;
    let waker = lp.waker(move |lp| {
        note(&l, "wake");
        lp.set_immediate(noting(&l, "immediate"));
        left -= 1;
        let own = own.borrow();
        let waker = own.as_ref().unwrap();
        if left > 0 { waker.wake() } else { lp.close(waker.handle()) }
    });
    waker.wake();
    *slot.borrow_mut() = Some(waker);
    done(&mut lp);
    assert_eq!(told(&log), "wake immediate wake immediate wake immediate");
}

/// Nothing happens when the loop is gone.
#[test]
fn a_waker_outlives_its_loop() {
    let mut lp = real_loop();
    let waker = lp.waker(|_| {});
    drop(lp);
    waker.wake();
}

#[test]
fn two_wakers_are_two() {
    let mut lp = real_loop();
    let log = Log::default();
    let (a, b) = (lp.waker(noting(&log, "a")), lp.waker(noting(&log, "b")));
    (0..3).for_each(|_| {
        a.wake();
        b.wake();
    });
    lp.run(RunMode::Once).unwrap();
    assert_eq!(told(&log), "a b");
    lp.close(a.handle());
    a.wake();
    b.wake();
    lp.run(RunMode::Once).unwrap();
    assert_eq!(told(&log), "b");
}
