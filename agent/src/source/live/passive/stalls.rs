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
