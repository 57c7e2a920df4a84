//! The lists of timers: one for each duration, and the queue of them by when the first is due.
//!
//! A timer that is cleared or set again leaves its entry behind in its list. The entry is dead,
//! and is skipped when its turn comes, or swept out when the list would grow though most of it is
//! dead. A list without a live one is empty, whatever else stands in it.
//!
//! Cost: 32 bytes a list, 24 in the queue, and its chunks ([`Fifos`]).
//!
//! **Invariant**: a list is in the queue and in the table of durations, or in neither.

use super::durations::Durations;
use super::fifo::{CHUNK, Fifos, NOWHERE};
use super::list_queue::{Entry, ListQueue};

/// Entries to a live timer from which on a list is swept before it grows.
const ENTRIES_MAX: u64 = 8;

/// Chunks that are not worth a sweep.
const CHUNKS_MIN: u64 = 4;

/// The id of what is no list.
const NO_ID: u64 = u64::MAX;

/// A list, named so that another one in the same place is not mistaken for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListKey {
    pub(super) index: u32,
    id: u64,
}

/// What setting and clearing a timer needs of its list, eight to a cache line.
#[derive(Clone, Copy, Debug)]
struct Tail {
    /// The place of the last entry.
    last: u32,
    live: u32,
}

/// What only growing and running a list needs.
#[derive(Debug)]
struct Head {
    id: u64,
    /// The place of the first entry.
    first: u32,
    chunks: u32,
    duration_ms: u32,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Lists {
    tails: Vec<Tail>,
    heads: Vec<Head>,
    free: Vec<u32>,
    entries: Fifos,
    table: Durations,
    queue: ListQueue,
    ids: u64,
}

impl Lists {
    pub(super) fn new() -> Self {
        Lists {
            tails: Vec::new(),
            heads: Vec::new(),
            free: Vec::new(),
            entries: Fifos::new(),
            table: Durations::default(),
            queue: ListQueue::default(),
            ids: 0,
        }
    }

    /// The list of a duration.
    #[inline]
    pub(super) fn find(&self, duration_ms: u32) -> Option<u32> {
        self.table.get(duration_ms)
    }

    /// Makes the list of a duration that has none.
    #[inline(never)]
    pub(super) fn create(&mut self, duration_ms: u32, expiry_ms: u64) -> u32 {
        let id = self.next_id();
        let tail = Tail { last: NOWHERE, live: 0 };
        let head = Head { id, first: NOWHERE, chunks: 0, duration_ms };
        let list = match self.free.pop() {
            Some(list) => {
                self.tails[list as usize] = tail;
                self.heads[list as usize] = head;
                list
            }
            None => {
                self.tails.push(tail);
                self.heads.push(head);
                (self.tails.len() - 1) as u32
            }
        };
        self.table.set(duration_ms, Some(list));
        self.queue.push(Entry { expiry_ms, id, list });
        list
    }

    fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids - 1
    }

    /// The place that the next timer of a list gets without more memory.
    #[inline]
    pub(super) fn next_place(&self, list: u32) -> Option<u32> {
        Fifos::behind(self.tails[list as usize].last)
    }

    /// Whether most of a list is dead, so that it should be swept before it grows.
    pub(super) fn is_mostly_dead(&self, list: u32) -> bool {
        let chunks = u64::from(self.heads[list as usize].chunks);
        let live = u64::from(self.tails[list as usize].live);
        chunks >= CHUNKS_MIN && chunks * u64::from(CHUNK) > live * ENTRIES_MAX
    }

    /// Adds a chunk to a list. Returns its first place.
    pub(super) fn grow(&mut self, list: u32) -> u32 {
        let (tail, head) = (self.tails[list as usize], &mut self.heads[list as usize]);
        let place = self.entries.grow(tail.last);
        head.chunks += 1;
        if tail.last == NOWHERE {
            head.first = place;
        }
        place
    }

    /// Appends a timer at the next place.
    #[inline]
    pub(super) fn push(&mut self, list: u32, place: u32, timer: u32) {
        let tail = &mut self.tails[list as usize];
        *tail = Tail { last: place, live: tail.live + 1 };
        self.entries.put(place, timer);
    }

    /// The place of the last entry of a list, dead or not.
    #[inline]
    pub(super) fn last_place(&self, list: u32) -> u32 {
        self.tails[list as usize].last
    }

    /// Whether no live timer is in a list.
    #[inline]
    pub(super) fn is_empty(&self, list: u32) -> bool {
        self.tails[list as usize].live == 0
    }

    /// Notes that an entry of a list is dead.
    #[inline]
    pub(super) fn let_die(&mut self, list: u32) {
        self.tails[list as usize].live -= 1;
    }

    /// Forgets a list that has no live timer.
    pub(super) fn forget(&mut self, list: u32) {
        let (tail, head) = (&self.tails[list as usize], &mut self.heads[list as usize]);
        if tail.last != NOWHERE {
            self.entries.free(head.first, tail.last);
        }
        head.id = NO_ID;
        self.table.set(head.duration_ms, None);
        self.free.push(list);
        let heads = &self.heads;
        self.queue.let_go(|entry| heads[entry.list as usize].id != entry.id);
    }

    /// The list that is due first, and when.
    #[inline]
    pub(super) fn first(&mut self) -> Option<(ListKey, u64)> {
        let heads = &self.heads;
        let first = self.queue.first(|entry| heads[entry.list as usize].id != entry.id)?;
        Some((ListKey { index: first.list, id: first.id }, first.expiry_ms))
    }

    /// Puts a list where its new expiry belongs, behind those that have the same.
    pub(super) fn postpone(&mut self, list: u32, expiry_ms: u64) {
        let id = self.next_id();
        self.heads[list as usize].id = id;
        let heads = &self.heads;
        self.queue.let_go(|entry| heads[entry.list as usize].id != entry.id);
        self.queue.push(Entry { expiry_ms, id, list });
    }

    /// The duration of the timers in a list; `None` if it is gone, or has been postponed.
    #[inline]
    pub(super) fn duration_ms(&self, key: ListKey) -> Option<u32> {
        let head = &self.heads[key.index as usize];
        (head.id == key.id).then_some(head.duration_ms)
    }

    /// The place of the first entry of a list, dead or not.
    #[inline]
    pub(super) fn first_place(&self, list: u32) -> u32 {
        self.heads[list as usize].first
    }

    /// The first entries of a list that has any, as far as their chunk reaches.
    #[inline]
    pub(super) fn first_entries(&self, list: u32) -> &[u32] {
        self.entries.some(self.heads[list as usize].first, self.tails[list as usize].last)
    }

    /// Takes the first entry of a list off. If it is live, the timer has left the list before.
    #[inline]
    pub(super) fn pop(&mut self, list: u32) {
        let (tail, head) = (&mut self.tails[list as usize], &mut self.heads[list as usize]);
        let next = self.entries.pop(head.first, tail.last);
        if next / CHUNK != head.first / CHUNK {
            head.chunks -= 1;
        }
        head.first = next;
        if next == NOWHERE {
            tail.last = NOWHERE;
        }
    }
}
