//! The loop's own timers, in libuv's order: by due time, then by the order in which they started.
//!
//! Cost: logarithmic. There are few of them: Node's timers share one.

use std::collections::BTreeMap;

use crate::handle::HandleId;
use crate::limits::NS_PER_MS;

/// Where a started timer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) due_ms: u64,
    start: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct TimerHeap {
    started: u64,
    timers: BTreeMap<Place, HandleId>,
    /// When the first timer is due, remembered because every turn asks; `u64::MAX` for none.
    next_due_ms: u64,
    /// The same in nanoseconds.
    next_due_ns: u64,
}

impl TimerHeap {
    pub(crate) fn new() -> Self {
        TimerHeap {
            started: 0,
            timers: BTreeMap::new(),
            next_due_ms: u64::MAX,
            next_due_ns: u64::MAX,
        }
    }

    pub(crate) fn insert(&mut self, due_ms: u64, timer: HandleId) -> Place {
        // The largest number stands for no timer at all.
        let due_ms = due_ms.min(u64::MAX - 1);
        let place = Place { due_ms, start: self.started };
        self.started += 1;
        self.timers.insert(place, timer);
        self.remember(self.next_due_ms.min(due_ms));
        place
    }

    pub(crate) fn remove(&mut self, place: Place) {
        self.timers.remove(&place);
        self.remember_next();
    }

    fn remember_next(&mut self) {
        let first = self.timers.first_key_value();
        self.remember(first.map_or(u64::MAX, |(place, _)| place.due_ms));
    }

    fn remember(&mut self, due_ms: u64) {
        self.next_due_ms = due_ms;
        self.next_due_ns = due_ms.saturating_mul(NS_PER_MS);
    }

    /// When the first timer is due.
    #[inline]
    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        (self.next_due_ms != u64::MAX).then_some(self.next_due_ms)
    }

    /// Whether a timer is due in the millisecond in which `now_ns` is.
    #[inline]
    pub(crate) fn is_due(&self, now_ns: u64) -> bool {
        self.next_due_ns <= now_ns
    }

    /// How many timers were started so far.
    pub(crate) fn started(&self) -> u64 {
        self.started
    }

    /// Takes the first timer if it is due and was among the first `started` to be started.
    pub(crate) fn pop_due(&mut self, now_ms: u64, started: u64) -> Option<HandleId> {
        let first = self.timers.first_entry()?;
        let place = first.key();
        if place.due_ms > now_ms || place.start >= started {
            return None;
        }
        let taken = first.remove();
        self.remember_next();
        Some(taken)
    }
}
