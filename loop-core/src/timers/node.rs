//! Node's timers: a list for each duration, because timers of one duration fall due in the order
//! in which they were set, and a queue of the lists by when their first timer is due.
//!
//! The order that follows is Node's, and is not that of a heap of timers: with timeouts `10 ms a`,
//! `10 ms b` and, two milliseconds later, `8 ms c`, a loop that comes late runs `a, b, c`, though
//! `c` and `b` were due at the same time and a list is run as long as its first timer is due.
//!
//! Cost: setting one appends to a list, clearing one unlinks it; only a new or an emptied list
//! touches the queue.
//!
//! **Invariant**: a list is in the queue and in the table of durations, or in neither.

use std::fmt;

use super::durations::Durations;
use super::list_queue::{ListQueue, Queued};
use crate::limits::NS_PER_MS;
use crate::task::Task;

/// The longest duration Node takes; anything longer, and anything below 1 ms, becomes 1 ms.
const TIMEOUT_MAX_MS: u64 = (1 << 31) - 1;

const NONE: u32 = u32::MAX;

/// A timeout or an interval. Stays valid as a name when the timer is gone: using it then does
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerId {
    index: u32,
    generation: u32,
}

/// What an interval runs, again and again.
pub(crate) type Interval<Cx> = Box<dyn FnMut(&mut Cx)>;

/// What a timer runs.
pub(crate) enum TimerCallback<Cx> {
    /// A timeout.
    Once(Task<Cx>),
    /// An interval.
    Repeat(Interval<Cx>),
    /// Nothing: the timer is gone, or its callback is running.
    Gone,
}

/// A timer that is taken from its list to be run.
pub(crate) struct Fired<Cx> {
    pub(crate) callback: TimerCallback<Cx>,
    /// To the nanosecond, though the order goes by milliseconds.
    pub(crate) due_ns: u64,
}

/// A list, named so that another one in the same place is not mistaken for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListKey {
    index: u32,
    serial: u64,
}

struct Timer {
    next: u32,
    previous: u32,
    /// The list it stands in; `NONE` while it runs and when it is gone.
    list: u32,
    generation: u32,
    start_ns: u64,
    duration_ms: u32,
    referenced: bool,
    live: bool,
}

#[derive(Debug)]
struct List {
    first: u32,
    last: u32,
    duration_ms: u32,
    position: u32,
    expiry_ms: u64,
    id: u64,
    serial: u64,
}

impl Queued for List {
    fn key(&self) -> (u64, u64) {
        (self.expiry_ms, self.id)
    }
    fn set_position(&mut self, position: u32) {
        self.position = position;
    }
    fn position(&self) -> u32 {
        self.position
    }
}

/// See the module.
pub(crate) struct NodeTimers<Cx> {
    timers: Vec<Timer>,
    callbacks: Vec<TimerCallback<Cx>>,
    free_timers: Vec<u32>,
    lists: Vec<List>,
    free_lists: Vec<u32>,
    queue: ListQueue,
    table: Durations,
    ids: u64,
    serials: u64,
    referenced: u64,
    /// When the loop timer behind all lists is due; `u64::MAX` when none is needed.
    pub(crate) next_expiry_ms: u64,
}

impl<Cx> NodeTimers<Cx> {
    pub(crate) fn new() -> Self {
        NodeTimers {
            timers: Vec::new(),
            callbacks: Vec::new(),
            free_timers: Vec::new(),
            lists: Vec::new(),
            free_lists: Vec::new(),
            queue: ListQueue::default(),
            table: Durations::default(),
            ids: 0,
            serials: 0,
            referenced: 0,
            next_expiry_ms: u64::MAX,
        }
    }

    /// How many timers hold the loop.
    pub(crate) fn referenced(&self) -> u64 {
        self.referenced
    }

    /// Sets a timer. Returns its name, and the duration for which the loop timer must be set when
    /// this one is due before all others.
    #[inline]
    pub(crate) fn set(
        &mut self,
        duration_ms: u64,
        now_ns: u64,
        callback: TimerCallback<Cx>,
    ) -> (TimerId, Option<u64>) {
        let clamped = (1..=TIMEOUT_MAX_MS).contains(&duration_ms);
        let duration_ms = if clamped { duration_ms as u32 } else { 1 };
        let timer = Timer {
            next: NONE,
            previous: NONE,
            list: NONE,
            generation: 0,
            start_ns: now_ns,
            duration_ms,
            referenced: true,
            live: true,
        };
        let index = self.store(timer, callback);
        self.referenced += 1;
        let sooner = self.append(index, now_ns);
        (TimerId { index, generation: self.timers[index as usize].generation }, sooner)
    }

    fn store(&mut self, timer: Timer, callback: TimerCallback<Cx>) -> u32 {
        match self.free_timers.pop() {
            Some(index) => {
                let slot = &mut self.timers[index as usize];
                let generation = slot.generation;
                *slot = Timer { generation, ..timer };
                self.callbacks[index as usize] = callback;
                index
            }
            None => {
                self.timers.push(timer);
                self.callbacks.push(callback);
                (self.timers.len() - 1) as u32
            }
        }
    }

    /// Appends a timer to the list of its duration, as of `start_ns`.
    #[inline]
    fn append(&mut self, index: u32, start_ns: u64) -> Option<u64> {
        let start_ms = start_ns / NS_PER_MS;
        let duration_ms = self.timers[index as usize].duration_ms;
        let known = self.table.get(duration_ms);
        let list = known.unwrap_or_else(|| self.new_list(duration_ms, start_ms));
        let last = self.lists[list as usize].last;
        let timer = &mut self.timers[index as usize];
        timer.start_ns = start_ns;
        timer.list = list;
        timer.previous = last;
        timer.next = NONE;
        match last {
            NONE => self.lists[list as usize].first = index,
            _ => self.timers[last as usize].next = index,
        }
        self.lists[list as usize].last = index;
        let expiry_ms = start_ms + u64::from(duration_ms);
        let sooner = known.is_none() && expiry_ms < self.next_expiry_ms;
        if sooner {
            self.next_expiry_ms = expiry_ms;
        }
        sooner.then_some(u64::from(duration_ms))
    }

    fn new_list(&mut self, duration_ms: u32, start_ms: u64) -> u32 {
        let list = List {
            first: NONE,
            last: NONE,
            duration_ms,
            position: NONE,
            expiry_ms: start_ms + u64::from(duration_ms),
            id: self.ids,
            serial: self.serials,
        };
        self.ids += 1;
        self.serials += 1;
        let index = match self.free_lists.pop() {
            Some(index) => {
                self.lists[index as usize] = list;
                index
            }
            None => {
                self.lists.push(list);
                (self.lists.len() - 1) as u32
            }
        };
        self.table.set(duration_ms, Some(index));
        self.queue.push(&mut self.lists, index);
        index
    }

    fn find(&self, id: TimerId) -> Option<u32> {
        let timer = self.timers.get(id.index as usize)?;
        (timer.generation == id.generation && timer.live).then_some(id.index)
    }

    fn unlink(&mut self, index: u32) {
        let timer = &mut self.timers[index as usize];
        let (next, previous) = (timer.next, timer.previous);
        let list = std::mem::replace(&mut timer.list, NONE);
        if list == NONE {
            return;
        }
        match previous {
            NONE => self.lists[list as usize].first = next,
            _ => self.timers[previous as usize].next = next,
        }
        match next {
            NONE => self.lists[list as usize].last = previous,
            _ => self.timers[next as usize].previous = previous,
        }
    }

    /// Forgets a timer. Returns its callback, so that dropping it can't reach back into here.
    pub(crate) fn clear(&mut self, id: TimerId) -> Option<TimerCallback<Cx>> {
        let index = self.find(id)?;
        self.unlink(index);
        // A list that an unreferenced timer leaves empty stays, as in Node: it is likely to be
        // used again. The list is looked up by the duration, because a timer that clears itself is
        // in none while it runs.
        let timer = &self.timers[index as usize];
        if timer.referenced
            && let Some(list) = self.table.get(timer.duration_ms)
            && self.lists[list as usize].first == NONE
        {
            self.drop_list(list);
        }
        Some(self.retire(index))
    }

    fn retire(&mut self, index: u32) -> TimerCallback<Cx> {
        let timer = &mut self.timers[index as usize];
        self.referenced -= u64::from(timer.referenced);
        timer.live = false;
        timer.generation = timer.generation.wrapping_add(1);
        self.free_timers.push(index);
        std::mem::replace(&mut self.callbacks[index as usize], TimerCallback::Gone)
    }

    fn drop_list(&mut self, list: u32) {
        self.table.set(self.lists[list as usize].duration_ms, None);
        self.queue.remove(&mut self.lists, list);
        self.free_lists.push(list);
        // Another list may use this place; a stale key must not fit it, nor this one.
        self.lists[list as usize].serial = u64::MAX;
    }

    /// Starts a timer's time again, as `timeout.refresh()`. As for [`NodeTimers::set`], returns
    /// the duration for which the loop timer must be set. `None` within: no such timer.
    pub(crate) fn refresh(&mut self, id: TimerId, now_ns: u64) -> Option<Option<u64>> {
        let index = self.find(id)?;
        self.unlink(index);
        Some(self.append(index, now_ns))
    }

    /// Whether a timer holds the loop; `None` when it is gone.
    pub(crate) fn has_ref(&self, id: TimerId) -> Option<bool> {
        self.find(id).map(|index| self.timers[index as usize].referenced)
    }

    /// Lets a timer hold the loop, or not.
    pub(crate) fn set_ref(&mut self, id: TimerId, referenced: bool) {
        let Some(index) = self.find(id) else { return };
        let timer = &mut self.timers[index as usize];
        if std::mem::replace(&mut timer.referenced, referenced) != referenced {
            self.referenced = self.referenced + u64::from(referenced) - u64::from(!referenced);
        }
    }

    /// The list that is due first, and when.
    #[inline]
    pub(crate) fn first_list(&self) -> Option<(ListKey, u64)> {
        let index = self.queue.first()?;
        let list = &self.lists[index as usize];
        Some((ListKey { index, serial: list.serial }, list.expiry_ms))
    }

    fn list(&self, key: ListKey) -> Option<&List> {
        self.lists.get(key.index as usize).filter(|list| list.serial == key.serial)
    }

    /// The first timer of a list, and when it was set to be due.
    #[inline]
    pub(crate) fn first_timer(&self, key: ListKey) -> Option<(TimerId, u64)> {
        let list = self.list(key).filter(|list| list.first != NONE)?;
        let timer = &self.timers[list.first as usize];
        let id = TimerId { index: list.first, generation: timer.generation };
        Some((id, timer.start_ns / NS_PER_MS + u64::from(list.duration_ms)))
    }

    /// Puts a list back whose first timer is due at `due_ms`, later than `now_ms`.
    pub(crate) fn postpone(&mut self, key: ListKey, due_ms: u64, now_ms: u64) {
        let list = &mut self.lists[key.index as usize];
        list.expiry_ms = due_ms.max(now_ms + 1);
        list.id = self.ids;
        self.ids += 1;
        self.queue.update(&mut self.lists, key.index);
    }

    /// Takes a timer off its list to run it. `None`: it was cleared in the meantime.
    #[inline]
    pub(crate) fn fire(&mut self, id: TimerId) -> Option<Fired<Cx>> {
        let index = self.find(id)?;
        self.unlink(index);
        let timer = &self.timers[index as usize];
        let due_ns = timer.start_ns + u64::from(timer.duration_ms) * NS_PER_MS;
        let gone = TimerCallback::Gone;
        let callback = std::mem::replace(&mut self.callbacks[index as usize], gone);
        Some(Fired { callback, due_ns })
    }

    /// A timeout has run: forgets it. Its closure is spent, so a refresh from within it is too.
    pub(crate) fn settle_timeout(&mut self, id: TimerId) {
        if let Some(index) = self.find(id) {
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
    ) -> Result<Option<u64>, Interval<Cx>> {
        let Some(index) = self.find(id) else { return Err(callback) };
        self.callbacks[index as usize] = TimerCallback::Repeat(callback);
        self.unlink(index);
        Ok(self.append(index, start_ns))
    }

    /// A list has been run to its end: drops it if it still is the one of its duration and empty.
    pub(crate) fn finish(&mut self, key: ListKey) {
        if self.list(key).is_some_and(|list| list.first == NONE) {
            self.drop_list(key.index);
        }
    }
}

impl<Cx> fmt::Debug for NodeTimers<Cx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let live = self.timers.len() - self.free_timers.len();
        f.debug_struct("NodeTimers").field("live", &live).finish_non_exhaustive()
    }
}
