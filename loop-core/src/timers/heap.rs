//! The loop's own timers, in libuv's order: by due time, then by the order in which they started.
//!
//! Cost: logarithmic. There are few of them: Node's timers share one.

use std::collections::BTreeMap;

use crate::handle::HandleId;

/// Where a started timer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) due_ms: u64,
    start: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct TimerHeap {
    started: u64,
    timers: BTreeMap<Place, HandleId>,
}

impl TimerHeap {
    pub(crate) fn insert(&mut self, due_ms: u64, timer: HandleId) -> Place {
        let place = Place { due_ms, start: self.started };
        self.started += 1;
        self.timers.insert(place, timer);
        place
    }

    pub(crate) fn remove(&mut self, place: Place) {
        self.timers.remove(&place);
    }

    /// When the first timer is due.
    #[inline]
    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        self.timers.first_key_value().map(|(place, _)| place.due_ms)
    }

    /// How many timers were started so far.
    pub(crate) fn started(&self) -> u64 {
        self.started
    }

    /// Takes the first timer if it is due and was among the first `started` to be started.
    pub(crate) fn pop_due(&mut self, now_ms: u64, started: u64) -> Option<(Place, HandleId)> {
        let first = self.timers.first_entry()?;
        let place = first.key();
        (place.due_ms <= now_ms && place.start < started).then(|| first.remove_entry())
    }
}
