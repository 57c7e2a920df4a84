//! A million timers under virtual time: each that was not cleared runs, once, in Node's order and
//! at its millisecond, in a time that does not grow with what is waited for.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use loop_core::{Clock, Loop, Options, Phase, RunMode, RunStatus};

const TIMERS: u32 = 1_000_000;

/// What the run takes is about a second in a debug build.
const GIVE_UP: Duration = Duration::from_secs(120);

/// A duration that looks random, the same in every run.
fn spread_ms(number: u32) -> u64 {
    u64::from(number.wrapping_mul(2_654_435_761) >> 8) % 60_000 + 1
}

/// (number, millisecond) of each timer that has run.
type Ran = Rc<RefCell<Vec<(u32, u64)>>>;

fn virtual_loop() -> Loop {
    Loop::new(Options { clock: Clock::virtual_time(), ..Options::default() }).unwrap()
}

fn noting(ran: &Ran, number: u32) -> impl Fn(&mut Loop) + 'static {
    let ran = ran.clone();
    move |lp| ran.borrow_mut().push((number, lp.now_ms()))
}

fn run(lp: &mut Loop, started: Instant) {
    assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done);
    assert!(started.elapsed() < GIVE_UP, "{:?}", started.elapsed());
}

fn is_cleared(number: u32) -> bool {
    number.is_multiple_of(3)
}

#[test]
fn a_million_timeouts_run_in_order_except_the_cleared_ones() {
    let started = Instant::now();
    let mut lp = virtual_loop();
    let ran = Ran::default();
    let timers: Vec<_> =
        (0..TIMERS).map(|number| lp.set_timeout(spread_ms(number), noting(&ran, number))).collect();
    for number in (0..TIMERS).rev().filter(|&number| is_cleared(number)) {
        lp.clear_timer(timers[number as usize]);
    }
    run(&mut lp, started);

    // All were set at the same time, so a list is a duration, and lists never wait for each other.
    let mut want: Vec<_> = (0..TIMERS).filter(|&number| !is_cleared(number)).collect();
    want.sort_by_key(|&number| spread_ms(number));
    let want: Vec<_> = want.into_iter().map(|number| (number, spread_ms(number))).collect();
    let ran = ran.borrow();
    let wrong = ran.iter().zip(&want).find(|(ran, want)| ran != want);
    assert!(wrong.is_none(), "{wrong:?}");
    assert_eq!(ran.len(), want.len());
    assert_eq!(lp.reader().snapshot().timers, Some(want.len() as u64));
    assert_eq!(lp.reader().snapshot().timer_lateness_ns.unwrap().max, 0);
}

/// Set over ten seconds, a tenth of them cleared by one another, so that lists run late.
#[test]
fn a_million_timeouts_set_over_time_run_when_they_are_due() {
    const A_MILLISECOND: u32 = 100;
    let started = Instant::now();
    let mut lp = virtual_loop();
    let ran = Ran::default();
    let due = Rc::new(RefCell::new(BTreeMap::new()));
    let (noted, dues) = (ran.clone(), due.clone());
    let mut number = 0;
    let own = Rc::new(RefCell::new(None));
    let slot = own.clone();
    *slot.borrow_mut() = Some(lp.set_interval(1, move |lp| {
        for _ in 0..A_MILLISECOND {
            let ms = spread_ms(number) % 2_000 + 1;
            dues.borrow_mut().insert(number, lp.now_ms() + ms);
            let timer = lp.set_timeout(ms, noting(&noted, number));
            if number % 10 == 9 {
                lp.clear_timer(timer);
                dues.borrow_mut().remove(&number);
            }
            number += 1;
        }
        if number >= TIMERS {
            lp.clear_timer(own.borrow().unwrap());
        }
    }));
    run(&mut lp, started);
    assert_eq!(ran.borrow().len(), due.borrow().len());
    for (number, at_ms) in ran.borrow().iter() {
        assert_eq!(due.borrow_mut().remove(number), Some(*at_ms), "timer {number}");
    }
    assert!(due.borrow().is_empty());
}

#[test]
fn a_million_loop_timers_run_by_due_time_then_start() {
    let started = Instant::now();
    let mut lp = virtual_loop();
    let ran = Ran::default();
    let timers: Vec<_> = (0..TIMERS)
        .map(|number| lp.timer_start(spread_ms(number), 0, noting(&ran, number)))
        .collect();
    for number in (0..TIMERS).filter(|&number| is_cleared(number)) {
        lp.timer_stop(timers[number as usize]);
    }
    run(&mut lp, started);
    let mut want: Vec<_> = (0..TIMERS).filter(|&number| !is_cleared(number)).collect();
    want.sort_by_key(|&number| spread_ms(number));
    let ran = ran.borrow();
    let wrong = ran.iter().zip(&want).find(|(ran, want)| ran.0 != **want);
    assert!(wrong.is_none(), "{wrong:?}");
    assert_eq!(ran.len(), want.len());
    timers.into_iter().for_each(|timer| lp.close(timer));
    run(&mut lp, started);
    let closed = lp.reader().snapshot().callbacks.unwrap()[Phase::Close];
    assert_eq!(closed, u64::from(TIMERS));
}
