//! What the loop knows of each timer: a row and a slot.
//!
//! ```text
//!  row, 16 bytes:   | generation, flags | list | place | duration |  to set and to clear
//!  slot, 40 bytes:  | start ns | callback: 4 words |                 to set and to run
//! ```
//!
//! Clearing a timer whose closure needs no drop reads and writes its row and nothing else of it:
//! the closure stays in its slot, and the next one is written over it.
//!
//! **Invariant**: a slot holds a callback that must be dropped exactly if its row says so.

use std::mem::ManuallyDrop;

use super::fifo::NOWHERE;
use crate::task::Task;

/// Words of a timeout's closure that need no box.
const TIMEOUT_WORDS: usize = 3;

/// Set in [`Row::state`] while the slot holds something that must be dropped.
const OWNS: u32 = 1;

/// Set in [`Row::state`] while the timer holds the loop.
const REFERENCED: u32 = 2;

/// The generation, in steps of [`NEXT_GENERATION`].
const GENERATION: u32 = !(OWNS | REFERENCED);
const NEXT_GENERATION: u32 = 4;

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
    Once(Task<Cx, TIMEOUT_WORDS>),
    /// An interval.
    Repeat(Interval<Cx>),
}

const _: () = assert!(size_of::<TimerCallback<()>>() == 32, "no word beside the closure's");
const _: () = assert!(size_of::<Row>() == 16 && size_of::<Slot<()>>() == 40, "as drawn above");

impl<Cx> TimerCallback<Cx> {
    /// What stands in a slot that holds nothing. Dropping it does nothing.
    fn nothing() -> ManuallyDrop<Self> {
        ManuallyDrop::new(TimerCallback::Once(Task::new(|_| {})))
    }
}

/// Where a timer stands in the lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) list: u32,
    /// Nowhere while it runs and when it is gone.
    pub(super) place: u32,
}

struct Row {
    state: u32,
    stands: Standing,
    duration_ms: u32,
}

struct Slot<Cx> {
    start_ns: u64,
    callback: ManuallyDrop<TimerCallback<Cx>>,
}

/// See the module.
pub(super) struct Rows<Cx> {
    rows: Vec<Row>,
    slots: Vec<Slot<Cx>>,
    free: Vec<u32>,
}

impl<Cx> Rows<Cx> {
    pub(super) fn new() -> Self {
        Rows { rows: Vec::new(), slots: Vec::new(), free: Vec::new() }
    }

    /// How many timers are there.
    pub(super) fn len(&self) -> usize {
        self.rows.len() - self.free.len()
    }

    /// The row that the next timer will get.
    #[inline]
    pub(super) fn next(&self) -> u32 {
        self.free.last().copied().unwrap_or(self.rows.len() as u32)
    }

    /// Writes a timer, which holds the loop and has no callback yet, into the row [`Rows::next`].
    #[inline]
    pub(super) fn insert(&mut self, stands: Standing, start_ns: u64, duration_ms: u32) -> TimerId {
        let Some(index) = self.free.pop() else {
            let index = self.rows.len() as u32;
            self.rows.push(Row { state: REFERENCED, stands, duration_ms });
            self.slots.push(Slot { start_ns, callback: TimerCallback::nothing() });
            return TimerId { index, generation: 0 };
        };
        let row = &mut self.rows[index as usize];
        let generation = row.state;
        *row = Row { state: generation | REFERENCED, stands, duration_ms };
        self.slots[index as usize].start_ns = start_ns;
        TimerId { index, generation }
    }

    /// Gives a new timer its timeout. It is built where it stays.
    #[inline(always)]
    pub(super) fn fill<F: FnOnce(&mut Cx) + 'static>(&mut self, id: TimerId, timeout: F) {
        self.slots[id.index as usize].callback =
            ManuallyDrop::new(TimerCallback::Once(Task::new(timeout)));
        if Task::<Cx, TIMEOUT_WORDS>::needs_drop::<F>() {
            self.rows[id.index as usize].state |= OWNS;
        }
    }

    /// The row of a timer that isn't gone.
    #[inline]
    pub(super) fn find(&self, id: TimerId) -> Option<u32> {
        let row = self.rows.get(id.index as usize)?;
        (row.state & GENERATION == id.generation).then_some(id.index)
    }

    /// The name of a timer.
    #[inline]
    pub(super) fn id(&self, index: u32) -> TimerId {
        TimerId { index, generation: self.rows[index as usize].state & GENERATION }
    }

    #[inline]
    pub(super) fn duration_ms(&self, index: u32) -> u32 {
        self.rows[index as usize].duration_ms
    }

    #[inline]
    pub(super) fn start_ns(&self, index: u32) -> u64 {
        self.slots[index as usize].start_ns
    }

    /// Notes a new start.
    #[inline]
    pub(super) fn start(&mut self, index: u32, start_ns: u64) {
        self.slots[index as usize].start_ns = start_ns;
    }

    /// Where a timer stands.
    #[inline]
    pub(super) fn stands(&self, index: u32) -> Standing {
        self.rows[index as usize].stands
    }

    /// Notes where a timer stands now.
    #[inline]
    pub(super) fn stand(&mut self, index: u32, stands: Standing) {
        self.rows[index as usize].stands = stands;
    }

    /// Notes that a timer stands nowhere. Returns the list in which it stood.
    #[inline]
    pub(super) fn leave(&mut self, index: u32) -> Option<u32> {
        let stands = &mut self.rows[index as usize].stands;
        let place = std::mem::replace(&mut stands.place, NOWHERE);
        (place != NOWHERE).then_some(stands.list)
    }

    #[inline]
    pub(super) fn is_referenced(&self, index: u32) -> bool {
        self.rows[index as usize].state & REFERENCED != 0
    }

    /// Lets a timer hold the loop or not. Returns whether that is a change.
    pub(super) fn set_referenced(&mut self, index: u32, referenced: bool) -> bool {
        let state = &mut self.rows[index as usize].state;
        let before = *state;
        *state = if referenced { before | REFERENCED } else { before & !REFERENCED };
        *state != before
    }

    /// Takes a timer's callback.
    #[inline]
    pub(super) fn take(&mut self, index: u32) -> TimerCallback<Cx> {
        self.rows[index as usize].state &= !OWNS;
        let slot = &mut self.slots[index as usize].callback;
        ManuallyDrop::into_inner(std::mem::replace(slot, TimerCallback::nothing()))
    }

    /// Gives an interval its callback, or gives it back.
    pub(super) fn put(&mut self, index: u32, interval: Interval<Cx>) {
        self.rows[index as usize].state |= OWNS;
        self.slots[index as usize].callback = ManuallyDrop::new(TimerCallback::Repeat(interval));
    }

    /// Whether a timer has a callback that must be dropped if it is not run.
    #[inline]
    pub(super) fn owns(&self, index: u32) -> bool {
        self.rows[index as usize].state & OWNS != 0
    }

    /// Forgets a timer. A callback that must be dropped has been taken before.
    #[inline]
    pub(super) fn retire(&mut self, index: u32) {
        let row = &mut self.rows[index as usize];
        row.state = (row.state & GENERATION).wrapping_add(NEXT_GENERATION);
        row.stands.place = NOWHERE;
        self.free.push(index);
    }

    /// Brings rows and slots of several timers into the cache, all at once: the CPU waits for
    /// memory once and not for each.
    #[inline]
    pub(super) fn warm(&self, timers: &[u32]) {
        let sum = timers.iter().fold(0, |sum: u64, &index| {
            let row = u64::from(self.rows[index as usize].state);
            sum ^ row ^ self.slots[index as usize].start_ns
        });
        std::hint::black_box(sum);
    }
}

impl<Cx> Drop for Rows<Cx> {
    fn drop(&mut self) {
        for index in 0..self.rows.len() as u32 {
            if self.rows[index as usize].state & OWNS != 0 {
                drop(self.take(index));
            }
        }
    }
}
