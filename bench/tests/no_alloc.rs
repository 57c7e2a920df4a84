//! A measured loop that is warm allocates nothing, whatever it does turn after turn.
//!
//! One test a way of going round: empty turns; turns with an immediate, a microtask and a tick;
//! timers that are set again each time they fire; a call of `Loop::run` for each turn.

use std::cell::Cell;
use std::rc::Rc;

use loop_core::{Clock, Loop, Options, RunMode, RunStatus};
use loopscope_bench::counting::{Asked, Counting, asked, asked_by};

#[global_allocator]
static COUNTING: Counting = Counting;

const NOTHING: Asked = Asked { calls: 0, bytes: 0 };

/// Turns before allocations are counted: more than the recorder's log holds.
const WARM_UP: u64 = 10_000;

const EMPTY_TURNS: u64 = 10_000_000;
const BUSY_TURNS: u64 = 1_000_000;

/// Runs a measured loop that does `work` in each turn, and tells what so many turns ask of the
/// allocator after a warm-up. Checks that the turns were measured.
fn asked_by_turns(clock: Clock, turns: u64, work: impl Fn(&mut Loop) + 'static) -> Asked {
    let mut lp = Loop::new(Options { clock, ..Options::default() }).unwrap();
    let result = Rc::new(Cell::new(None));
    let told = result.clone();
    let (mut turn, mut before) = (0, NOTHING);
    lp.check_start(move |lp| {
        work(lp);
        turn += 1;
        if turn == WARM_UP {
            before = asked();
        }
        if turn == WARM_UP + turns {
            told.set(Some(asked().since(before)));
            lp.stop();
        }
    });
    lp.idle_start(|_| {});
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Stopped);
    assert_eq!(lp.reader().snapshot().turns, Some(turns + WARM_UP + 1));
    result.get().unwrap()
}

#[test]
fn the_allocator_counts() {
    let (asked, block) = asked_by(|| vec![0_u8; 4_096]);
    assert_eq!((asked.calls, asked.bytes, block.len()), (1, 4_096, 4_096));
}

#[test]
fn empty_turns() {
    assert_eq!(asked_by_turns(Clock::real(), EMPTY_TURNS, |_| {}), NOTHING);
}

#[test]
fn turns_with_an_immediate_a_microtask_and_a_tick() {
    let asked = asked_by_turns(Clock::real(), BUSY_TURNS, |lp| {
        lp.set_immediate(|_| {});
        lp.queue_microtask(|_| {});
        lp.next_tick(|_| {});
    });
    assert_eq!(asked, NOTHING);
}

/// Each turn takes a millisecond, in which a timeout fires and is set anew. Beside them an
/// interval fires in every third.
#[test]
fn timers_that_fire_and_are_set_again() {
    let fired = Rc::new(Cell::new(0));
    let interval = fired.clone();
    let started = Cell::new(false);
    let counter = fired.clone();
    let asked = asked_by_turns(Clock::virtual_time(), BUSY_TURNS, move |lp| {
        if !started.replace(true) {
            let interval = interval.clone();
            lp.set_interval(3, move |_| interval.set(interval.get() + 1));
        }
        lp.busy(std::time::Duration::from_millis(1));
        let counter = counter.clone();
        lp.set_timeout(1, move |_| counter.set(counter.get() + 1));
    });
    assert_eq!(asked, NOTHING);
    assert!(fired.get() > BUSY_TURNS, "{}", fired.get());
}

/// Who drives the loop turn by turn calls `run` for each.
#[test]
fn runs_of_one_turn_each() {
    let mut lp = Loop::new(Options::default()).unwrap();
    lp.check_start(|_| {});
    let mut run = |turns| {
        (0..turns).for_each(|_| assert_eq!(lp.run(RunMode::NoWait).unwrap(), RunStatus::Alive));
    };
    run(WARM_UP);
    let (asked, ()) = asked_by(|| run(BUSY_TURNS));
    assert_eq!(asked, NOTHING);
}
