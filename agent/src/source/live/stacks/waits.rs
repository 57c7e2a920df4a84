//! A loop's waits for events, as looks have found them.
//!
//! libuv counts how long it waits from when it has begun to. A signal ends a wait, and the kernel
//! itself does, to do what it was asked for by `io_uring`; then libuv waits on, and counts from
//! there: what went before is taken for a part of the turn.

use std::collections::VecDeque;

use super::limits::{BEGUN_AGAIN_NS, WAITED_KEPT};
use crate::source::live::ebpf::Ended;

/// What changes from one turn to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) loop_count: Option<u64>,
    pub(super) idle_ns: u64,
    /// When the poll was entered last, by its probe; 0: not known.
    pub(super) boundary_ns: u64,
}

/// When looks have found a wait going on first and last.
#[derive(Clone, Copy, Debug)]
struct Wait {
    turn: Turn,
    from_ns: u64,
    to_ns: u64,
    /// How long it had gone on when libuv noted last that it begins; 0: it was not ended yet.
    begun_again_ns: u64,
}

/// The newest waits, oldest first.
#[derive(Debug, Default)]
pub(super) struct Waits(VecDeque<Wait>);

impl Waits {
    /// A look at `now_ns` has found it waiting since `since_ns`, as libuv has noted.
    pub(super) fn note(&mut self, turn: Turn, since_ns: u64, now_ns: u64) {
        let known = Some(turn.boundary_ns).filter(|&boundary_ns| boundary_ns != 0);
        let passed_ns = known.map_or(0, |boundary_ns| since_ns.saturating_sub(boundary_ns));
        let begun_again_ns = if passed_ns < BEGUN_AGAIN_NS { 0 } else { passed_ns };
        match self.0.back_mut() {
            Some(wait) if wait.turn == turn => {
                (wait.to_ns, wait.begun_again_ns) = (now_ns, begun_again_ns);
            }
            _ => {
                if self.0.len() == WAITED_KEPT {
                    self.0.pop_front();
                }
                self.0.push_back(Wait { turn, from_ns: now_ns, to_ns: now_ns, begun_again_ns });
            }
        }
    }

    /// Until when it waited in what was taken for this turn: for what libuv has not counted of the
    /// wait before it, and at least until the last look that saw it. `None`: as far as was seen, it
    /// didn't.
    pub(super) fn until(&self, turn: &Ended) -> Option<u64> {
        let end_ns = turn.start_ns.saturating_add(turn.duration_ns);
        let last = self.0.iter().rev().find(|wait| wait.from_ns < end_ns)?;
        let is_before_it = last.turn.boundary_ns == turn.boundary_ns;
        let uncounted_ns = if is_before_it { last.begun_again_ns } else { 0 };
        let began_ns = turn.start_ns.saturating_add(uncounted_ns);
        Some(last.to_ns.max(began_ns).min(end_ns)).filter(|&until_ns| until_ns > turn.start_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn before(boundary_ns: u64) -> Turn {
        Turn { loop_count: Some(7), idle_ns: 3, boundary_ns }
    }

    /// The poll was entered at 1,000 ms; the wait ended at 1,300 ms, the turn at 1,400 ms.
    fn turn(uncounted_ns: u64) -> Ended {
        let start_ns = 1_300 * MS - uncounted_ns;
        let duration_ns = 100 * MS + uncounted_ns;
        Ended { start_ns, duration_ns, boundary_ns: 1_000 * MS, ..Ended::default() }
    }

    #[test]
    fn a_wait_that_began_again_is_taken_off_to_the_nanosecond() {
        let mut waits = Waits::default();
        waits.note(before(1_000 * MS), 1_000 * MS + 9_000, 1_002 * MS);
        assert_eq!(waits.until(&turn(0)), None, "it was counted from its begin on");
        waits.note(before(1_000 * MS), 1_004 * MS, 1_012 * MS);
        assert_eq!(waits.until(&turn(4 * MS)), Some(1_300 * MS));
    }

    #[test]
    fn what_was_seen_last_counts_where_it_began_again_unseen() {
        let mut waits = Waits::default();
        waits.note(before(1_000 * MS), 1_000 * MS, 1_010 * MS);
        waits.note(before(1_000 * MS), 1_000 * MS, 1_285 * MS);
        assert_eq!(waits.until(&turn(290 * MS)), Some(1_285 * MS));
    }

    #[test]
    fn the_wait_before_another_turn_does_not_count() {
        let mut waits = Waits::default();
        waits.note(before(900 * MS), 904 * MS, 950 * MS);
        assert_eq!(waits.until(&turn(4 * MS)), None);
        let unprobed = Turn { boundary_ns: 0, ..before(0) };
        waits.note(unprobed, 1_004 * MS, 1_005 * MS);
        let unprobed = Ended { boundary_ns: 0, ..turn(4 * MS) };
        assert_eq!(waits.until(&unprobed), None, "when the poll was entered is not known");
    }
}
