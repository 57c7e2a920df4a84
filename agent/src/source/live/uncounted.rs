//! What libuv has not counted of the waits for events, put back where it belongs.
//!
//! ```text
//! libuv:  wait | turn                            |
//! truth:  wait | the same wait, until it ended   | turn |
//!              '---------- uncounted ------------'
//! ```
//!
//! The kernel's figures are by libuv's count: their turn is longer than it was, and so is the time
//! in which the loop was active, and its wait is shorter. Of turns that last as long as a stall it
//! is known by how much, so what was counted of them is taken back and the truth put in.
//!
//! **Invariant**: no time is lost: what is taken from a turn is added to a wait.

use loop_core::buckets::Scale;
use loop_core::snapshot::Histogram;

use super::ebpf::{Ended, PHASES, Reading};

/// Which of a turn's phases the poll is.
pub(super) const POLL: usize = 3;
const _: () = assert!(POLL < PHASES);

/// What was counted wrongly of one loop, and what it is.
#[derive(Clone, Debug)]
pub(super) struct Uncounted {
    turns: Moved,
    polls: Moved,
    waits: Moved,
    /// Time of turns in which it waited.
    waited_ns: u64,
}

/// Values that were counted, and those that are true.
#[derive(Clone, Debug)]
struct Moved {
    counted: Histogram,
    truth: Histogram,
}

impl Uncounted {
    pub(super) fn new() -> Uncounted {
        let moved = || Moved::new();
        Uncounted { turns: moved(), polls: moved(), waits: moved(), waited_ns: 0 }
    }

    /// For so long a turn, of which this reading tells, was the wait before it.
    pub(super) fn add(&mut self, turn: &Ended, waited_ns: u64, reading: &Reading) {
        self.waited_ns += waited_ns;
        self.turns.add(turn.duration_ns, turn.duration_ns.saturating_sub(waited_ns));
        let poll_ns = turn.turn.phase_ns[POLL];
        // A poll without an event is not counted.
        if self.polls.is_in(&reading.phase_ns[POLL], poll_ns) {
            self.polls.add(poll_ns, poll_ns.saturating_sub(waited_ns));
        }
        let counted_ns = turn.start_ns.saturating_sub(turn.boundary_ns);
        if self.waits.is_in(&reading.poll_wait_ns, counted_ns) {
            self.waits.add(counted_ns, counted_ns + waited_ns);
        } else {
            self.waits.truth.record(counted_ns + waited_ns);
        }
    }

    /// Puts it right.
    pub(super) fn put_right(&self, reading: &mut Reading) {
        self.turns.put_right(&mut reading.turn_ns);
        self.polls.put_right(&mut reading.phase_ns[POLL]);
        self.waits.put_right(&mut reading.poll_wait_ns);
        let totals = &mut reading.head.totals;
        let waited_ns = self.waited_ns.min(totals.active_ns);
        totals.active_ns -= waited_ns;
        totals.idle_ns += waited_ns;
    }
}

impl Moved {
    fn new() -> Moved {
        let none = || Histogram::new(Scale::Time);
        Moved { counted: none(), truth: none() }
    }

    fn add(&mut self, counted_ns: u64, truth_ns: u64) {
        self.counted.record(counted_ns);
        self.truth.record(truth_ns);
    }

    /// Whether a value is among those that were counted, and not one that was moved already.
    fn is_in(&self, counted: &Histogram, value_ns: u64) -> bool {
        let bucket = Scale::Time.index(value_ns);
        value_ns > 0 && counted.counts[bucket] > self.counted.counts[bucket]
    }

    /// The largest and the smallest value that is left are known to the width of their bucket,
    /// where it was one that was moved.
    fn put_right(&self, counted: &mut Histogram) {
        if self.counted.is_empty() && self.truth.is_empty() {
            return;
        }
        let left = counted.since(&self.counted);
        let mut right = Histogram {
            max: if counted.max > self.counted.max { counted.max } else { left.max },
            min: if counted.min < self.counted.min { counted.min } else { left.min },
            ..left
        };
        if right.is_empty() {
            (right.min, right.max) = (u64::MAX, 0);
        }
        right.merge(&self.truth);
        *counted = right;
    }
}

#[cfg(test)]
mod tests {
    use super::super::ebpf::Turn;
    use super::*;

    const MS: u64 = 1_000_000;

    /// Three turns, of which one was a wait of 10 s that libuv has counted 20 ms of.
    fn reading() -> (Reading, Ended) {
        let mut turn = Turn { events: 1, ..Turn::default() };
        turn.phase_ns[POLL] = 10_001 * MS;
        let ended = Ended {
            number: 1,
            boundary_ns: 1_000 * MS,
            start_ns: 1_020 * MS,
            duration_ns: 10_002 * MS,
            turn,
            ..Ended::default()
        };
        let mut reading = Reading::empty();
        reading.turn_ns = Histogram::of(Scale::Time, [MS, 70 * MS, 10_002 * MS]);
        reading.phase_ns[POLL] = Histogram::of(Scale::Time, [10_001 * MS]);
        reading.poll_wait_ns = Histogram::of(Scale::Time, [20 * MS, 400 * MS]);
        reading.head.totals.active_ns = 10_073 * MS;
        reading.head.totals.idle_ns = 420 * MS;
        (reading, ended)
    }

    #[test]
    fn what_was_a_wait_is_counted_as_one_and_no_time_is_lost() {
        let (mut reading, ended) = reading();
        let mut uncounted = Uncounted::new();
        uncounted.add(&ended, 10_000 * MS, &reading);
        uncounted.put_right(&mut reading);
        assert_eq!(reading.turn_ns.count(), 3);
        assert_eq!(reading.turn_ns.sum, u128::from(73 * MS));
        assert_eq!(reading.turn_ns.min, MS);
        // Known to the width of its bucket.
        assert!((70 * MS..73 * MS).contains(&reading.turn_ns.max), "{}", reading.turn_ns.max);
        assert_eq!(reading.phase_ns[POLL], Histogram::of(Scale::Time, [MS]));
        let waits = Histogram::of(Scale::Time, [400 * MS, 10_020 * MS]);
        let told = &reading.poll_wait_ns;
        assert!(told.counts == waits.counts && told.sum == waits.sum, "{told:?}");
        assert!(told.max == waits.max && (390 * MS..=400 * MS).contains(&told.min), "{told:?}");
        let totals = reading.head.totals;
        assert_eq!((totals.active_ns, totals.idle_ns), (73 * MS, 10_420 * MS));
    }

    #[test]
    fn the_longest_turn_that_was_one_stays_the_longest() {
        let (mut reading, ended) = reading();
        reading.turn_ns.record(20_000 * MS);
        let mut uncounted = Uncounted::new();
        uncounted.add(&ended, 10_000 * MS, &reading);
        uncounted.put_right(&mut reading);
        assert_eq!((reading.turn_ns.count(), reading.turn_ns.max), (4, 20_000 * MS));
    }

    #[test]
    fn a_poll_that_was_not_counted_is_not_taken_back() {
        let (mut reading, ended) = reading();
        reading.phase_ns[POLL] = Histogram::new(Scale::Time);
        reading.poll_wait_ns = Histogram::new(Scale::Time);
        let mut uncounted = Uncounted::new();
        uncounted.add(&ended, 10_000 * MS, &reading);
        uncounted.put_right(&mut reading);
        assert!(reading.phase_ns[POLL].is_empty());
        assert_eq!(reading.poll_wait_ns, Histogram::of(Scale::Time, [10_020 * MS]));
    }
}
