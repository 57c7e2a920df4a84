//! A million of Node's timers: set, cleared in random order, expired. An operation is a timer.
//!
//! Time is virtual, so that expiring a minute of timers takes no minute. A turn then still asks the
//! kernel for events, once for each millisecond in which something is due.

use std::hint::black_box;
use std::thread;
use std::time::Duration;

use loop_core::{Loop, Record, RunMode, TimerId};

use crate::Failure;
use crate::measure::{Batch, Case};

/// The longest duration, in milliseconds, of timers that are spread.
pub const SPREAD_MS: u64 = 60_000;

/// Over how many milliseconds timers are spread that are to expire in real time.
pub const EXPIRE_SPREAD_MS: u64 = 60;

/// Which durations the timers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durations {
    /// 1 to [`SPREAD_MS`], at random.
    Spread,
    /// All one second.
    Same,
}

/// What of a timer's life is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Setting it.
    Insert,
    /// Clearing it.
    Cancel,
    /// Running the loop until all have fired, the closing turn included.
    Expire,
}

/// Numbers that look random and are the same in every run.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Random(0x9e37_79b9_7f4a_7c15)
    }
}

impl Random {
    /// A number below `end`, by Marsaglia's xorshift.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((u128::from(self.0) * u128::from(end)) >> 64) as u64
    }

    /// Brings a slice out of order.
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

/// As many durations as there are timers.
pub fn durations(timers: usize, which: Durations) -> Vec<u64> {
    let mut random = Random::default();
    let duration = || match which {
        Durations::Spread => 1 + random.below(SPREAD_MS),
        Durations::Same => 1_000,
    };
    std::iter::repeat_with(duration).take(timers).collect()
}

/// Timers on a new loop each time, so that they stand in memory in the order in which they were
/// set. For [`Part::Insert`] the loop had as many before, and has its memory already.
pub fn timers<R: Record>(
    make: impl Fn() -> Result<Loop<R>, Failure> + 'static,
    count: usize,
    which: Durations,
    part: Part,
) -> Case {
    let durations = durations(count, which);
    Box::new(move || {
        let mut lp = make()?;
        let mut ids = Vec::with_capacity(count);
        insert(&mut lp, &durations, &mut ids);
        match part {
            Part::Insert => {
                ids.reverse();
                cancel(&mut lp, &ids);
                ids.clear();
                Ok(timed(count, || insert(&mut lp, &durations, &mut ids)))
            }
            Part::Cancel => {
                Random::default().shuffle(&mut ids);
                Ok(timed(count, || cancel(&mut lp, &ids)))
            }
            Part::Expire => Batch::try_timed(count as u64, || lp.run(RunMode::Default)),
        }
    })
}

/// Timers set on a loop that has to find its memory while they are set.
pub fn first_timers<R: Record>(
    make: impl Fn() -> Result<Loop<R>, Failure> + 'static,
    count: usize,
    which: Durations,
) -> Case {
    let durations = durations(count, which);
    Box::new(move || {
        let mut lp = make()?;
        let mut ids = Vec::with_capacity(count);
        Ok(timed(count, || insert(&mut lp, &durations, &mut ids)))
    })
}

/// Timers set on a loop on which as many were cleared in random order, so that those set one after
/// the other stand apart in memory.
pub fn scattered_timers<R: Record>(
    make: impl Fn() -> Result<Loop<R>, Failure> + 'static,
    count: usize,
    which: Durations,
) -> Case {
    let durations = durations(count, which);
    Box::new(move || {
        let mut lp = make()?;
        let mut ids = Vec::with_capacity(count);
        insert(&mut lp, &durations, &mut ids);
        Random::default().shuffle(&mut ids);
        cancel(&mut lp, &ids);
        ids.clear();
        Ok(timed(count, || insert(&mut lp, &durations, &mut ids)))
    })
}

/// Timers spread over [`EXPIRE_SPREAD_MS`], all of which are due when the loop runs.
pub fn due_timers<R: Record>(
    make: impl Fn() -> Result<Loop<R>, Failure> + 'static,
    count: usize,
) -> Case {
    let spread = durations(count, Durations::Spread).into_iter();
    let durations: Vec<u64> = spread.map(|ms| ms / (SPREAD_MS / EXPIRE_SPREAD_MS)).collect();
    Box::new(move || {
        let mut lp = make()?;
        let mut ids = Vec::with_capacity(count);
        insert(&mut lp, &durations, &mut ids);
        let_all_fall_due();
        Batch::try_timed(count as u64, || lp.run(RunMode::Default))
    })
}

/// Sleeps until timers that were just set, spread over [`EXPIRE_SPREAD_MS`], are due.
pub(crate) fn let_all_fall_due() {
    thread::sleep(Duration::from_millis(EXPIRE_SPREAD_MS + 5));
}

fn timed(count: usize, work: impl FnOnce()) -> Batch {
    Batch::timed(count as u64, work)
}

fn insert<R: Record>(lp: &mut Loop<R>, durations: &[u64], ids: &mut Vec<TimerId>) {
    for &ms in durations {
        ids.push(lp.set_timeout(ms, move |_| {
            black_box(ms);
        }));
    }
}

fn cancel<R: Record>(lp: &mut Loop<R>, ids: &[TimerId]) {
    ids.iter().for_each(|&id| lp.clear_timer(id));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffling_keeps_every_value_and_moves_most() {
        let mut values: Vec<usize> = (0..1_000).collect();
        Random::default().shuffle(&mut values);
        let stayed = values.iter().enumerate().filter(|(at, value)| at == *value).count();
        assert!(stayed < 20, "{stayed}");
        values.sort_unstable();
        assert!(values.into_iter().eq(0..1_000));
    }

    #[test]
    fn durations_are_within_their_bounds() {
        assert!(durations(1_000, Durations::Spread).iter().all(|ms| (1..=SPREAD_MS).contains(ms)));
        assert!(durations(10, Durations::Same).iter().all(|&ms| ms == 1_000));
    }
}
