//! Loops with probes that have ended: the newest each for itself, those before them together. A
//! process may start workers for ever, and what is kept of one is 100 KB.
//!
//! **Invariant**: no total falls, and no event is lost.

use std::collections::VecDeque;

use loop_core::snapshot::{Events, LoopSnapshot};

use super::missed::Missed;
use super::probed::Seen;
use super::thread_names::OTHER;

/// How many are kept each for itself.
const KEPT: usize = 32;

/// A loop that is not there any more.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) seen: Seen,
    pub(super) events: Events,
    pub(super) hits: u64,
    pub(super) missed: Missed,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Past {
    newest: VecDeque<Ended>,
    other: Option<Seen>,
    events: Events,
    most_hits: u64,
    missed: Missed,
}

impl Past {
    /// Adds one.
    pub(super) fn add(&mut self, ended: Ended) {
        self.events.merge(ended.events);
        self.most_hits = self.most_hits.max(ended.hits);
        self.missed.add(ended.missed);
        self.newest.push_back(ended);
    }

    /// Puts the oldest together that are not told by others, too: those are asked for by thread.
    pub(super) fn fold(&mut self, is_told: impl Fn(u32) -> bool) {
        let mut beyond = self.newest.len().saturating_sub(KEPT);
        for ended in std::mem::take(&mut self.newest) {
            if beyond > 0 && !is_told(ended.seen.snapshot.tid) {
                self.put(ended.seen.snapshot);
            } else {
                self.newest.push_back(ended);
            }
            beyond = beyond.saturating_sub(1);
        }
    }

    /// Of their stalls there are sums only.
    fn put(&mut self, oldest: LoopSnapshot) {
        let listed = oldest.stalls.len() as u64;
        self.events.kept -= listed;
        self.events.dropped += listed;
        let (thread, stalls) = (OTHER.to_owned(), Vec::new());
        let snapshot = LoopSnapshot { tid: 0, thread, stalls, ..oldest };
        match &mut self.other {
            Some(other) => other.snapshot.merge(&snapshot),
            other => *other = Some(Seen { snapshot, first_poll_ns: None }),
        }
    }

    /// Forgets all but how many hits they had, and what was missed.
    pub(super) fn forget(&mut self) {
        *self = Past { most_hits: self.most_hits, missed: self.missed, ..Past::default() };
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Seen> {
        self.other.iter().chain(self.each())
    }

    /// Those that are kept each for itself, oldest first.
    pub(super) fn each(&self) -> impl Iterator<Item = &Seen> {
        self.newest.iter().map(|ended| &ended.seen)
    }

    /// Their stalls.
    pub(super) fn events(&self) -> Events {
        self.events
    }

    /// What was missed of them.
    pub(super) fn missed(&self) -> Missed {
        self.missed
    }

    /// The hits of the one that had most.
    pub(super) fn most_hits(&self) -> u64 {
        self.most_hits
    }
}

#[cfg(test)]
mod tests {
    use loop_core::snapshot::Stall;

    use super::*;

    fn ended(tid: u32) -> Ended {
        let stalls = vec![Stall::default()];
        let snapshot = LoopSnapshot { tid, turns: Some(2), stalls, ..LoopSnapshot::default() };
        let events = Events { seen: 3, kept: 1, dropped: 2 };
        let (hits, missed) = (u64::from(tid), Missed::default());
        Ended { seen: Seen { snapshot, first_poll_ns: Some(1) }, events, hits, missed }
    }

    #[test]
    fn the_newest_are_kept_and_the_totals_of_all() {
        let mut past = Past::default();
        for tid in 1..=1_000_u32 {
            past.add(ended(tid));
            past.fold(|tid| tid == 5);
            let turns: u64 = past.all().filter_map(|seen| seen.snapshot.turns).sum();
            assert_eq!(turns, 2 * u64::from(tid));
        }
        let each: Vec<u32> = past.each().map(|seen| seen.snapshot.tid).collect();
        assert_eq!((each.len(), each[0], each[1]), (KEPT + 1, 5, 969), "who is told is kept");
        let (kept, all) = (each.len() as u64, past.events());
        assert_eq!((all.seen, all.kept, all.dropped), (3_000, kept, 3_000 - kept));
        assert_eq!((past.most_hits(), past.all().next().unwrap().snapshot.tid), (1_000, 0));
    }
}
