//! The stalls of one loop: the newest in full, all of them in sums.

use std::collections::VecDeque;

use loop_core::snapshot::{CauseTotals, Events, Stall};

/// Stalls whose details are kept: the newest so many, as in the recorder of the embedded loop.
const STALLS_KEPT: usize = 64;

/// Completed stalls.
#[derive(Clone, Debug, Default)]
pub(super) struct Stalls {
    newest: VecDeque<Stall>,
    totals: CauseTotals,
}

impl Extend<Stall> for Stalls {
    /// Adds those that have ended.
    fn extend<T: IntoIterator<Item = Stall>>(&mut self, stalls: T) {
        for stall in stalls {
            self.totals.add(stall.ledger_ns.cause(), stall.duration_ns);
            if self.newest.len() == STALLS_KEPT {
                self.newest.pop_front();
            }
            self.newest.push_back(stall);
        }
    }
}

impl Stalls {
    /// Whether one that was added has for the most part the time of this one: it is the same, seen
    /// in two ways.
    pub(super) fn has(&self, stall: &Stall) -> bool {
        let end_ns = |of: &Stall| of.start_unix_ns.saturating_add(of.duration_ns);
        self.newest.iter().any(|known| {
            let from_ns = known.start_unix_ns.max(stall.start_unix_ns);
            let both_ns = end_ns(known).min(end_ns(stall)).saturating_sub(from_ns);
            both_ns > known.duration_ns.min(stall.duration_ns) / 2
        })
    }

    /// The newest, newest last.
    pub(super) fn newest(&self) -> impl Iterator<Item = &Stall> {
        self.newest.iter()
    }

    /// All of them.
    pub(super) fn totals(&self) -> CauseTotals {
        self.totals
    }

    /// How many there were, and how many of them are kept.
    pub(super) fn events(&self) -> Events {
        let (seen, kept) = (self.totals.total_count(), self.newest.len() as u64);
        Events { seen, kept, dropped: seen - kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seen_in_two_ways_is_the_same() {
        let stall =
            |start_unix_ns, duration_ns| Stall { start_unix_ns, duration_ns, ..Stall::default() };
        let mut stalls = Stalls::default();
        stalls.extend([stall(1_000, 100)]);
        for (start_ns, duration_ns, same) in [
            (1_000, 100, true),
            (1_010, 80, true),
            (990, 130, true),
            (1_100, 100, false),
            (940, 100, false),
        ] {
            assert_eq!(stalls.has(&stall(start_ns, duration_ns)), same, "{start_ns} {duration_ns}");
        }
    }
}
