//! The queue of timer lists: a binary heap by (expiry, id) in which each list knows its place, so
//! that one can be taken from the middle.

/// What a list needs to be in the queue.
pub(super) trait Queued {
    /// The order: by expiry, then by id. Ids are unique.
    fn key(&self) -> (u64, u64);
    /// Notes where in the queue the list now stands.
    fn set_position(&mut self, position: u32);
    /// Where it stands.
    fn position(&self) -> u32;
}

/// A heap of indices into a slice of lists.
#[derive(Debug, Default)]
pub(super) struct ListQueue {
    heap: Vec<u32>,
}

impl ListQueue {
    #[inline]
    pub(super) fn first(&self) -> Option<u32> {
        self.heap.first().copied()
    }

    pub(super) fn push<T: Queued>(&mut self, lists: &mut [T], list: u32) {
        self.heap.push(list);
        self.sift_up(lists, self.heap.len() - 1);
    }

    /// Takes a list out, wherever it stands.
    pub(super) fn remove<T: Queued>(&mut self, lists: &mut [T], list: u32) {
        let position = lists[list as usize].position() as usize;
        self.heap.swap_remove(position);
        if position < self.heap.len() {
            self.settle(lists, position);
        }
    }

    /// Puts a list whose key has changed into its right place.
    pub(super) fn update<T: Queued>(&mut self, lists: &mut [T], list: u32) {
        self.settle(lists, lists[list as usize].position() as usize);
    }

    fn settle<T: Queued>(&mut self, lists: &mut [T], position: usize) {
        let position = self.sift_up(lists, position);
        self.sift_down(lists, position);
    }

    fn key<T: Queued>(&self, lists: &[T], position: usize) -> (u64, u64) {
        lists[self.heap[position] as usize].key()
    }

    fn place<T: Queued>(&self, lists: &mut [T], position: usize) {
        lists[self.heap[position] as usize].set_position(position as u32);
    }

    fn swap<T: Queued>(&mut self, lists: &mut [T], a: usize, b: usize) {
        self.heap.swap(a, b);
        self.place(lists, a);
        self.place(lists, b);
    }

    fn sift_up<T: Queued>(&mut self, lists: &mut [T], mut position: usize) -> usize {
        self.place(lists, position);
        while position > 0 {
            let parent = (position - 1) / 2;
            if self.key(lists, parent) <= self.key(lists, position) {
                break;
            }
            self.swap(lists, parent, position);
            position = parent;
        }
        position
    }

    fn sift_down<T: Queued>(&mut self, lists: &mut [T], mut position: usize) {
        loop {
            let left = 2 * position + 1;
            if left >= self.heap.len() {
                return;
            }
            let right = left + 1;
            let right_first =
                right < self.heap.len() && self.key(lists, right) < self.key(lists, left);
            let child = if right_first { right } else { left };
            if self.key(lists, position) <= self.key(lists, child) {
                return;
            }
            self.swap(lists, position, child);
            position = child;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct List {
        key: (u64, u64),
        position: u32,
    }

    impl Queued for List {
        fn key(&self) -> (u64, u64) {
            self.key
        }
        fn set_position(&mut self, position: u32) {
            self.position = position;
        }
        fn position(&self) -> u32 {
            self.position
        }
    }

    proptest! {
        #[test]
        fn it_pops_in_order_whatever_was_removed_or_moved(
            keys in prop::collection::vec(0u64..50, 1..60),
            removed in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
            moved in prop::collection::vec((any::<prop::sample::Index>(), 0u64..50), 0..10),
        ) {
            let mut lists: Vec<List> = Vec::new();
            let mut queue = ListQueue::default();
            for (id, &key) in keys.iter().enumerate() {
                lists.push(List { key: (key, id as u64), position: 0 });
                queue.push(&mut lists, id as u32);
            }
            for (which, key) in moved {
                let list = which.index(keys.len());
                lists[list].key.0 = key;
                queue.update(&mut lists, list as u32);
            }
            let mut gone = std::collections::HashSet::new();
            for which in removed {
                let list = which.index(keys.len()) as u32;
                if gone.insert(list) {
                    queue.remove(&mut lists, list);
                }
            }
            let mut want: Vec<_> = (0..keys.len()).filter(|&l| !gone.contains(&(l as u32)))
                .map(|l| lists[l].key).collect();
            want.sort_unstable();
            let mut got = Vec::new();
            while let Some(list) = queue.first() {
                got.push(lists[list as usize].key);
                queue.remove(&mut lists, list);
            }
            prop_assert_eq!(got, want);
        }
    }
}
