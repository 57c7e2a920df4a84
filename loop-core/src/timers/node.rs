//! Node's timers: a list for each duration, because timers of one duration fall due in the order
//! in which they were set, and a queue of the lists by when their first timer is due.
//!
//! The order that follows is Node's, and is not that of a heap of timers: with timeouts `10 ms a`,
//! `10 ms b` and, two milliseconds later, `8 ms c`, a loop that comes late runs `a, b, c`, though
//! `c` and `b` were due at the same time and a list is run as long as its first timer is due.
//!
//! ```text
//!  duration ──> table ──> list: first ──> [ timers, 16 to a cache line ] <── last
//!                          ↑                 │
//!                 queue by (expiry, id)      └──> row: list, place (here, or the entry is dead)
//!                                                 slot: start, closure
//! ```
//!
//! Cost: with many timers the time goes into cache misses, so each operation touches few lines.
//! Setting: table, list and last entries, and row and slot beside those of the timer set before.
//! Clearing: row and list, no neighbour in the list, and the slot only if the closure must be
//! dropped. Running: first entries, rows and slots, fetched for sixteen timers at a time. A timer
//! takes 60 bytes, a list 60 and its chunks (`goals` in `bench` prints the times).
//!
//! **Invariant**: a timer that waits is live in exactly one list, and its row says at which place.

use std::fmt;

use super::fifo::{CHUNK, NOWHERE};
use super::lists::{ListKey, Lists};
use super::rows::{Interval, Rows, Standing, TimerCallback, TimerId};
use crate::limits::NS_PER_MS;

/// The longest duration Node takes; anything longer, and anything below 1 ms, becomes 1 ms.
const TIMEOUT_MAX_MS: u64 = (1 << 31) - 1;

/// A timer that is taken from its list to be run.
pub(crate) struct Fired<Cx> {
    pub(crate) callback: TimerCallback<Cx>,
    /// To the nanosecond, though the order goes by milliseconds.
    pub(crate) due_ns: u64,
}

/// See the module.
pub(crate) struct NodeTimers<Cx> {
    rows: Rows<Cx>,
    lists: Lists,
    referenced: u64,
    /// The timer whose callback runs.
    running: Option<TimerId>,
    /// When the loop timer behind all lists is due; `u64::MAX` when none is needed.
    pub(crate) next_expiry_ms: u64,
}

impl<Cx> NodeTimers<Cx> {
    pub(crate) fn new() -> Self {
        NodeTimers {
            rows: Rows::new(),
            lists: Lists::new(),
            referenced: 0,
            running: None,
            next_expiry_ms: u64::MAX,
        }
    }

    /// How many timers hold the loop.
    pub(crate) fn referenced(&self) -> u64 {
        self.referenced
    }

    /// Sets a timer without a callback. Returns its name, and the duration for which the loop timer
    /// must be set when this one is due before all others.
    #[inline]
    pub(crate) fn set(&mut self, duration_ms: u64, now_ns: u64) -> (TimerId, Option<u32>) {
        let clamped = (1..=TIMEOUT_MAX_MS).contains(&duration_ms);
        let duration_ms = if clamped { duration_ms as u32 } else { 1 };
        let (stands, sooner) = self.append(self.rows.next(), duration_ms, now_ns);
        self.referenced += 1;
        (self.rows.insert(stands, now_ns, duration_ms), sooner)
    }

    /// Gives a timer that was just set what it runs once.
    #[inline(always)]
    pub(crate) fn fill_timeout(&mut self, id: TimerId, timeout: impl FnOnce(&mut Cx) + 'static) {
        self.rows.fill(id, timeout);
    }

    /// Gives a timer that was just set what it runs again and again.
    pub(crate) fn fill_interval(&mut self, id: TimerId, interval: Interval<Cx>) {
        if let Some(index) = self.rows.find(id) {
            self.rows.put(index, interval);
        }
    }

    /// Appends a timer to the list of its duration, as of `start_ns`. Returns its place, and the
    /// second of what [`NodeTimers::set`] returns.
    #[inline]
    fn append(&mut self, index: u32, duration_ms: u32, start_ns: u64) -> (Standing, Option<u32>) {
        let (list, sooner) = match self.lists.find(duration_ms) {
            Some(list) => (list, None),
            None => self.new_list(duration_ms, start_ns),
        };
        let place = self.lists.next_place(list).unwrap_or_else(|| self.grow(list));
        self.lists.push(list, place, index);
        (Standing { list, place }, sooner)
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, list: u32) -> u32 {
        if self.lists.is_mostly_dead(list) {
            self.sweep(list);
        }
        self.lists.next_place(list).unwrap_or_else(|| self.lists.grow(list))
    }

    /// Takes the dead entries out of a list: all entries in turn, the live ones put in again.
    fn sweep(&mut self, list: u32) {
        let last = self.lists.last_place(list);
        loop {
            let place = self.lists.first_place(list);
            let Some(&index) = self.lists.first_entries(list).first() else { return };
            let is_live = self.rows.stands(index).place == place;
            self.lists.pop(list);
            if is_live {
                self.lists.let_die(list);
                let place = self.lists.next_place(list).unwrap_or_else(|| self.lists.grow(list));
                self.lists.push(list, place, index);
                self.rows.stand(index, Standing { list, place });
            }
            if place == last {
                return;
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn new_list(&mut self, duration_ms: u32, start_ns: u64) -> (u32, Option<u32>) {
        let expiry_ms = start_ns / NS_PER_MS + u64::from(duration_ms);
        let sooner = expiry_ms < self.next_expiry_ms;
        self.next_expiry_ms = self.next_expiry_ms.min(expiry_ms);
        let list = self.lists.create(duration_ms, expiry_ms);
        (list, sooner.then_some(duration_ms))
    }

    /// Takes a timer from the list that it is in and returns that. Its entry stays there, dead.
    #[inline]
    fn unlink(&mut self, index: u32) -> Option<u32> {
        let list = self.rows.leave(index)?;
        self.lists.let_die(list);
        Some(list)
    }

    /// Forgets a timer. Returns its callback if it must be dropped, so that dropping it can't reach
    /// back into here.
    #[inline]
    pub(crate) fn clear(&mut self, id: TimerId) -> Option<TimerCallback<Cx>> {
        let index = self.rows.find(id)?;
        let callback = self.rows.owns(index).then(|| self.rows.take(index));
        self.forget(index);
        callback
    }

    #[inline]
    fn forget(&mut self, index: u32) {
        let list = match self.unlink(index) {
            // A timer that clears itself is in no list while it runs.
            None => self.lists.find(self.rows.duration_ms(index)),
            some => some,
        };
        // A list that an unreferenced timer leaves empty stays, as in Node: it is likely to be
        // used again.
        if let Some(list) = list
            && self.lists.is_empty(list)
            && self.rows.is_referenced(index)
        {
            self.lists.forget(list);
        }
        self.retire(index);
    }

    #[inline]
    fn retire(&mut self, index: u32) {
        self.referenced -= u64::from(self.rows.is_referenced(index));
        self.rows.retire(index);
    }

    /// Starts a timer's time again, as `timeout.refresh()`. As for [`NodeTimers::set`], returns
    /// the duration for which the loop timer must be set. `None` within: no such timer.
    pub(crate) fn refresh(&mut self, id: TimerId, now_ns: u64) -> Option<Option<u32>> {
        let index = self.rows.find(id)?;
        Some(self.restart(index, now_ns))
    }

    /// Puts a timer at the end of the list of its duration, wherever it was.
    fn restart(&mut self, index: u32, start_ns: u64) -> Option<u32> {
        self.rows.start(index, start_ns);
        let Standing { list, place } = self.rows.stands(index);
        if place != NOWHERE && self.lists.last_place(list) == place {
            return None;
        }
        self.unlink(index);
        let (stands, sooner) = self.append(index, self.rows.duration_ms(index), start_ns);
        self.rows.stand(index, stands);
        sooner
    }

    /// Whether a timer holds the loop; `None` when it is gone.
    pub(crate) fn has_ref(&self, id: TimerId) -> Option<bool> {
        self.rows.find(id).map(|index| self.rows.is_referenced(index))
    }

    /// Lets a timer hold the loop, or not.
    pub(crate) fn set_ref(&mut self, id: TimerId, referenced: bool) {
        let Some(index) = self.rows.find(id) else { return };
        if self.rows.set_referenced(index, referenced) {
            self.referenced = self.referenced + u64::from(referenced) - u64::from(!referenced);
        }
    }

    /// The list that is due first, and when.
    #[inline]
    pub(crate) fn first_list(&mut self) -> Option<(ListKey, u64)> {
        self.lists.first()
    }

    /// The first timer of a list, and when it was set to be due.
    #[inline]
    pub(crate) fn first_timer(&mut self, key: ListKey) -> Option<(TimerId, u64)> {
        let duration_ms = self.lists.duration_ms(key)?;
        while !self.lists.is_empty(key.index) {
            let place = self.lists.first_place(key.index);
            let entries = self.lists.first_entries(key.index);
            if place.is_multiple_of(CHUNK) {
                self.rows.warm(entries);
            }
            let &index = entries.first()?;
            if self.rows.stands(index).place == place {
                let start_ms = self.rows.start_ns(index) / NS_PER_MS;
                return Some((self.rows.id(index), start_ms + u64::from(duration_ms)));
            }
            self.lists.pop(key.index);
        }
        None
    }

    /// Puts a list back whose first timer is due at `due_ms`, later than `now_ms`.
    pub(crate) fn postpone(&mut self, key: ListKey, due_ms: u64, now_ms: u64) {
        self.lists.postpone(key.index, due_ms.max(now_ms + 1));
    }

    /// Takes a timer off its list to run it. `None`: it was cleared in the meantime.
    #[inline]
    pub(crate) fn fire(&mut self, id: TimerId) -> Option<Fired<Cx>> {
        let index = self.rows.find(id)?;
        let place = self.rows.stands(index).place;
        if let Some(list) = self.unlink(index)
            && self.lists.first_place(list) == place
        {
            self.lists.pop(list);
        }
        self.running = Some(id);
        let duration_ns = u64::from(self.rows.duration_ms(index)) * NS_PER_MS;
        let due_ns = self.rows.start_ns(index) + duration_ns;
        Some(Fired { callback: self.rows.take(index), due_ns })
    }

    /// A timeout has run: forgets it. Its closure is spent, so a refresh from within it is too.
    #[inline]
    pub(crate) fn settle_timeout(&mut self, id: TimerId) {
        self.running = None;
        if let Some(index) = self.rows.find(id) {
            self.unlink(index);
            self.retire(index);
        }
    }

    /// An interval has run: sets it again, counted from the start of its callback. Returns the
    /// callback when the interval was cleared meanwhile, else what [`NodeTimers::set`] returns.
    pub(crate) fn settle_interval(
        &mut self,
        id: TimerId,
        start_ns: u64,
        callback: Interval<Cx>,
    ) -> Result<Option<u32>, Interval<Cx>> {
        self.running = None;
        let Some(index) = self.rows.find(id) else { return Err(callback) };
        self.rows.put(index, callback);
        Ok(self.restart(index, start_ns))
    }

    /// Forgets the timer whose callback has panicked, if that is what panicked.
    pub(crate) fn abandon(&mut self) {
        if let Some(id) = self.running.take() {
            self.settle_timeout(id);
        }
    }

    /// A list has been run to its end: drops it if it still is the one of its duration and empty.
    pub(crate) fn finish(&mut self, key: ListKey) {
        if self.lists.duration_ms(key).is_some() && self.lists.is_empty(key.index) {
            self.lists.forget(key.index);
        }
    }
}

impl<Cx> fmt::Debug for NodeTimers<Cx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeTimers").field("live", &self.rows.len()).finish_non_exhaustive()
    }
}
