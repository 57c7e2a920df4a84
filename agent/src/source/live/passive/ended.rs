//! Loops that have ended: the newest each for itself, those before them together.

use std::collections::{BTreeSet, VecDeque};

use loop_core::snapshot::{Events, LoopSnapshot};

use super::super::thread_names::OTHER;

/// Loops that are kept each for itself after their end. A process may start workers for ever.
const KEPT: usize = 32;

/// What was seen of loops that have ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    newest: VecDeque<One>,
    other: Option<LoopSnapshot>,
    events: Events,
    /// Threads whose loops are told each by itself for as long as they are told.
    alone: BTreeSet<u32>,
}

/// One of them, and when it ended.
#[derive(Clone, Debug)]
struct One {
    since_ns: u64,
    seen: LoopSnapshot,
}

impl Ended {
    /// Adds one that has ended.
    pub(super) fn add(&mut self, events: Events, seen: LoopSnapshot, now_ns: u64) {
        self.events.merge(events);
        self.newest.push_back(One { since_ns: now_ns, seen });
        let is_shared = |one: &One| !self.alone.contains(&one.seen.tid);
        if self.newest.len() > KEPT
            && let Some(oldest) = self.newest.iter().position(is_shared)
            && let Some(oldest) = self.newest.remove(oldest)
        {
            self.fold(oldest.seen);
        }
    }

    /// Those of these threads are never put together with others: what they are told by themselves
    /// would be told twice.
    pub(super) fn keep_alone(&mut self, tids: impl Iterator<Item = u32>) {
        self.alone = tids.collect();
    }

    /// The threads of those that have ended before then.
    pub(super) fn before(&self, ns: u64) -> Vec<u32> {
        let old = self.newest.iter().filter(|one| one.since_ns < ns);
        old.map(|one| one.seen.tid).collect()
    }

    /// Lets go of what was told by itself; what shares a place stays told in it.
    pub(super) fn let_go(&mut self, tid: u32) {
        let is_alone = self.alone.contains(&tid);
        for one in std::mem::take(&mut self.newest) {
            match one.seen.tid == tid {
                false => self.newest.push_back(one),
                true if is_alone => {}
                true => self.fold(one.seen),
            }
        }
    }

    /// Of the stalls of the others there are sums only.
    fn fold(&mut self, oldest: LoopSnapshot) {
        let told = oldest.stalls.len() as u64;
        self.events.kept -= told;
        self.events.dropped += told;
        let oldest =
            LoopSnapshot { thread: OTHER.to_owned(), tid: 0, stalls: Vec::new(), ..oldest };
        match &mut self.other {
            Some(other) => other.merge(&oldest),
            other => *other = Some(oldest),
        }
    }

    /// All of them, as of now.
    pub(super) fn loops(&self, now_ns: u64) -> impl Iterator<Item = LoopSnapshot> {
        let newest = self.newest.iter().map(move |one| {
            let ended_ns = Some(now_ns.saturating_sub(one.since_ns));
            LoopSnapshot { ended_ns, ..one.seen.clone() }
        });
        newest.chain(self.other.clone())
    }

    /// The threads of those that are told each by itself.
    pub(super) fn tids(&self) -> impl Iterator<Item = u32> {
        self.newest.iter().map(|one| one.seen.tid)
    }

    /// Their stalls.
    pub(super) fn events(&self) -> Events {
        self.events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(ended: &mut Ended, tid: u32, now_ns: u64) {
        let seen = LoopSnapshot { tid, turns: Some(1), ..LoopSnapshot::default() };
        ended.add(Events::default(), seen, now_ns);
    }

    fn tells(ended: &Ended, tid: u32) -> bool {
        ended.tids().any(|of| of == tid)
    }

    fn other_turns(ended: &Ended) -> Option<u64> {
        ended.loops(0).find(|of| of.tid == 0)?.turns
    }

    #[test]
    fn the_newest_are_kept_and_the_totals_of_all() {
        let mut ended = Ended::default();
        (1..=100).for_each(|tid| add(&mut ended, tid, 5));
        assert_eq!((ended.loops(7).count(), other_turns(&ended)), (KEPT + 1, Some(68)));
        assert!(ended.loops(7).all(|of| of.tid == 0 || of.ended_ns == Some(2)));
        assert!(tells(&ended, 100) && !tells(&ended, 1) && !tells(&ended, 0));
    }

    #[test]
    fn what_was_told_by_itself_is_not_told_with_the_others_too() {
        let mut ended = Ended::default();
        ended.keep_alone([1, 2].into_iter());
        (1..=50).for_each(|tid| add(&mut ended, tid, u64::from(tid)));
        assert_eq!((tells(&ended, 1), other_turns(&ended)), (true, Some(18)));
        let old = ended.before(22);
        assert_eq!(old, [1, 2, 21]);
        old.into_iter().for_each(|tid| ended.let_go(tid));
        assert_eq!(other_turns(&ended), Some(19), "21 shares a place, and no total falls");
        assert!(!tells(&ended, 1) && !tells(&ended, 2) && !tells(&ended, 21) && tells(&ended, 22));
    }
}
