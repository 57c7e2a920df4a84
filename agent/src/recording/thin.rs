//! What goes when a recording is as long as it may be.
//!
//! What the newest snapshot needs for its report goes last. Before it go, in this order: what a
//! newer block has taken the place of; every second moment of the timeline, again and again, while
//! it takes more than half of the room; samples of other stalls, then those stalls, the shortest
//! first; and more of the timeline.
//!
//! **Invariant**: the head, the first and the newest snapshot stay.

use std::collections::HashSet;

use super::Dropped;
use super::block::Kind;
use super::limits::TIMELINE_MIN;

/// A block of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// Of a stall, of samples, or of a snapshot.
    pub(super) number: u64,
    /// Where it begins.
    pub(super) begin: u64,
    /// All of its bytes.
    pub(super) bytes: u64,
    /// How long the stall lasted.
    pub(super) duration_ns: u64,
    /// Whether it says nothing that the newest snapshot, or another stall, does not say better.
    pub(super) is_old: bool,
}

/// How much is to be left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal {
    /// What is to be left if the newest snapshot has all that it needs.
    pub(super) easy_bytes: u64,
    /// What is to be left in any case.
    pub(super) hard_bytes: u64,
}

/// What is left.
#[derive(Debug)]
pub(super) struct Plan {
    /// Whether each block stays.
    pub(super) stays: Vec<bool>,
    /// Of how many snapshots one is left.
    pub(super) interval: u64,
    /// What goes.
    pub(super) dropped: Dropped,
}

/// Says what is left. `needed` are the numbers of the newest snapshot's stalls.
///
/// Cost: some passes over the blocks, and one sort of the stalls.
pub(super) fn plan(entries: &[Entry], needed: &HashSet<u64>, interval: u64, goal: Goal) -> Plan {
    let newest = entries.iter().filter(|of| of.kind == Kind::Snapshot).map(|of| of.number).max();
    let stays = vec![true; entries.len()];
    let bytes = entries.iter().map(|entry| entry.bytes).sum();
    let newest = newest.unwrap_or(0);
    let mut thinning =
        Thinning { entries, needed, newest, interval, stays, bytes, dropped: Dropped::default() };
    thinning.run(goal);
    Plan { stays: thinning.stays, interval: thinning.interval, dropped: thinning.dropped }
}

struct Thinning<'a> {
    entries: &'a [Entry],
    needed: &'a HashSet<u64>,
    newest: u64,
    interval: u64,
    stays: Vec<bool>,
    bytes: u64,
    dropped: Dropped,
}

impl Thinning<'_> {
    fn run(&mut self, goal: Goal) {
        for index in 0..self.entries.len() {
            let entry = self.entries[index];
            let is_old = entry.is_old && !self.needed.contains(&entry.number);
            if is_old || entry.kind == Kind::Dropped {
                self.drop_block(index);
            }
        }
        let share = goal.easy_bytes / 2;
        let is_long = |count: usize, bytes: u64| count > TIMELINE_MIN && bytes > share;
        self.thin_timeline(goal.easy_bytes, is_long);
        for (kind, is_needed) in [(Kind::Samples, false), (Kind::Stall, false)] {
            self.drop_shortest(kind, is_needed, goal.easy_bytes);
        }
        self.thin_timeline(goal.easy_bytes, |count, _| count > 2);
        for (kind, is_needed) in [(Kind::Samples, true), (Kind::Stall, true)] {
            self.drop_shortest(kind, is_needed, goal.hard_bytes);
        }
    }

    fn drop_block(&mut self, index: usize) {
        self.stays[index] = false;
        self.bytes -= self.entries[index].bytes;
    }

    fn left(&self, kind: Kind) -> impl Iterator<Item = (usize, Entry)> {
        let all = self.entries.iter().copied().enumerate();
        all.filter(move |(index, entry)| entry.kind == kind && self.stays[*index])
    }

    /// Leaves one of two snapshots, while there is too much and the timeline is too long.
    fn thin_timeline(&mut self, bytes_max: u64, is_long: impl Fn(usize, u64) -> bool) {
        while self.bytes > bytes_max && self.interval <= self.newest {
            let timeline = self.left(Kind::Snapshot).map(|(_, entry)| entry.bytes);
            let (count, bytes) = timeline.fold((0, 0), |(n, sum), bytes| (n + 1, sum + bytes));
            if !is_long(count, bytes) {
                return;
            }
            self.interval *= 2;
            let interval = self.interval;
            let goes = |of: &Entry| !of.number.is_multiple_of(interval) && of.number != self.newest;
            let gone: Vec<usize> = self
                .left(Kind::Snapshot)
                .filter(|(_, entry)| goes(entry))
                .map(|(index, _)| index)
                .collect();
            self.dropped.snapshots += gone.len() as u64;
            gone.into_iter().for_each(|index| self.drop_block(index));
        }
    }

    /// Drops the shortest stalls, or their samples, while there is too much.
    fn drop_shortest(&mut self, kind: Kind, is_needed: bool, bytes_max: u64) {
        if self.bytes <= bytes_max {
            return;
        }
        let of_kind = self.left(kind);
        let mut found: Vec<(usize, Entry)> =
            of_kind.filter(|(_, of)| self.needed.contains(&of.number) == is_needed).collect();
        found.sort_by_key(|(index, entry)| (entry.duration_ns, *index));
        for (index, _) in found {
            if self.bytes <= bytes_max {
                return;
            }
            self.drop_block(index);
            match kind {
                Kind::Samples => self.dropped.samples += 1,
                _ => self.dropped.stalls += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: Kind, number: u64, bytes: u64, duration_ns: u64) -> Entry {
        Entry { kind, number, begin: 0, bytes, duration_ns, is_old: false }
    }

    fn goal(easy_bytes: u64) -> Goal {
        Goal { easy_bytes, hard_bytes: easy_bytes + easy_bytes / 2 }
    }

    fn left(entries: &[Entry], plan: &Plan, kind: Kind) -> Vec<u64> {
        let all = entries.iter().zip(&plan.stays);
        all.filter(|(of, stays)| **stays && of.kind == kind).map(|(of, _)| of.number).collect()
    }

    #[test]
    fn the_timeline_is_thinned_before_stalls_go() {
        let mut entries: Vec<Entry> =
            (0..=200).map(|number| entry(Kind::Snapshot, number, 10, 0)).collect();
        entries.extend((0..10).map(|number| entry(Kind::Stall, number, 10, 1)));
        let plan = plan(&entries, &HashSet::new(), 1, goal(1_200));
        let kept = left(&entries, &plan, Kind::Snapshot);
        assert_eq!(kept, (0..=200).step_by(2).collect::<Vec<_>>());
        assert_eq!((plan.interval, plan.dropped.snapshots), (2, 100));
        assert_eq!(left(&entries, &plan, Kind::Stall).len(), 10);
    }

    #[test]
    fn samples_go_before_stalls_the_shortest_first_and_what_is_needed_last() {
        let mut entries = vec![entry(Kind::Head, 0, 10, 0), entry(Kind::Snapshot, 0, 100, 0)];
        for number in 0..10 {
            entries.push(entry(Kind::Samples, number, 100, 10 - number));
            entries.push(entry(Kind::Stall, number, 10, 10 - number));
        }
        let needed = HashSet::from([9]);
        let some = plan(&entries, &needed, 1, goal(610));
        assert_eq!(left(&entries, &some, Kind::Samples), [0, 1, 2, 9]);
        assert_eq!((some.dropped.samples, some.dropped.stalls), (6, 0));
        let more = plan(&entries, &needed, 1, goal(230));
        assert_eq!(left(&entries, &more, Kind::Samples), [9]);
        assert_eq!(left(&entries, &more, Kind::Stall), [0, 9]);
        let all = plan(&entries, &needed, 1, goal(1));
        assert!(left(&entries, &all, Kind::Samples).is_empty());
        assert_eq!(left(&entries, &all, Kind::Head).len(), 1);
        assert_eq!(left(&entries, &all, Kind::Snapshot), [0]);
        assert_eq!((all.dropped.samples, all.dropped.stalls), (10, 10));
    }

    #[test]
    fn what_was_replaced_is_not_counted_as_dropped() {
        let old = Entry { is_old: true, ..entry(Kind::Stall, 1, 50, 9) };
        let needed = Entry { number: 2, ..old };
        let entries = [old, needed, entry(Kind::Snapshot, 0, 10, 0), entry(Kind::Dropped, 0, 9, 0)];
        let plan = plan(&entries, &HashSet::from([2]), 1, goal(100));
        assert_eq!(plan.stays, [false, true, true, false]);
        assert_eq!(plan.dropped, Dropped::default());
    }
}
