//! The queue of timer lists: a binary heap by (expiry, id).
//!
//! A list that leaves the queue or gets another key is not looked for: its entry stays, and is
//! known to be stale because the list no longer has that id. Stale entries are skipped when they
//! come first, and swept out when they are most of the heap.
//!
//! Cost: logarithmic to take the first, constant to let one go. 24 bytes a list.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Stale entries that are not worth a sweep.
const STALE_MIN: usize = 64;

/// A list's place in the order. Ids are unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) expiry_ms: u64,
    pub(super) id: u64,
    pub(super) list: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct ListQueue {
    heap: BinaryHeap<Reverse<Entry>>,
    stale: usize,
}

impl ListQueue {
    pub(super) fn push(&mut self, entry: Entry) {
        self.heap.push(Reverse(entry));
    }

    /// The first entry that isn't stale.
    #[inline]
    pub(super) fn first(&mut self, is_stale: impl Fn(&Entry) -> bool) -> Option<Entry> {
        while let Some(&Reverse(entry)) = self.heap.peek() {
            if !is_stale(&entry) {
                return Some(entry);
            }
            self.heap.pop();
            self.stale -= 1;
        }
        None
    }

    /// Notes that one more entry has become stale.
    pub(super) fn let_go(&mut self, is_stale: impl Fn(&Entry) -> bool) {
        self.stale += 1;
        if self.stale > STALE_MIN && self.stale > self.heap.len() / 2 {
            self.heap.retain(|Reverse(entry)| !is_stale(entry));
            self.stale = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_gives_lists_in_order_whatever_was_let_go_or_moved(
            keys in prop::collection::vec(0u64..50, 1..300),
            changes in prop::collection::vec(
                (any::<prop::sample::Index>(), prop::option::of(0u64..50)), 0..300),
        ) {
            let mut queue = ListQueue::default();
            // The key of each list; `None`: it was let go.
            let mut lists: Vec<Option<(u64, u64)>> = Vec::new();
            let mut ids = 0..;
            let entry = |(expiry_ms, id), list: usize| Entry { expiry_ms, id, list: list as u32 };
            for &expiry_ms in &keys {
                let key = (expiry_ms, ids.next().unwrap());
                queue.push(entry(key, lists.len()));
                lists.push(Some(key));
            }
            for (which, moved_to) in changes {
                let list = which.index(lists.len());
                if lists[list].is_none() {
                    continue;
                }
                lists[list] = moved_to.map(|expiry_ms| (expiry_ms, ids.next().unwrap()));
                let stands = |entry: &Entry| Some((entry.expiry_ms, entry.id));
                queue.let_go(|entry| lists[entry.list as usize] != stands(entry));
                if let Some(key) = lists[list] {
                    queue.push(entry(key, list));
                }
                prop_assert!(queue.heap.len() <= 2 * lists.len() + STALE_MIN);
            }
            let mut want: Vec<_> = lists.iter().flatten().copied().collect();
            want.sort_unstable();
            let mut got = Vec::new();
            loop {
                let is_stale =
                    |entry: &Entry| lists[entry.list as usize] != Some((entry.expiry_ms, entry.id));
                let Some(first) = queue.first(is_stale) else { break };
                got.push((first.expiry_ms, first.id));
                lists[first.list as usize] = None;
                queue.stale += 1;
            }
            prop_assert_eq!(got, want);
        }
    }
}
