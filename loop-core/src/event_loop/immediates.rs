//! Immediates: what runs in the check phase, right after the poll.
//!
//! Those queued while immediates run wait for the next turn.

use std::collections::BTreeSet;
use std::fmt;

use super::Loop;
use crate::recorder::Record;
use crate::task::{Front, TaskRing};

/// The name of an immediate. Using it after the immediate has run does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImmediateId(u64);

/// **Invariant**: those that keep the loop alive are those in the ring that were neither cleared
/// nor unreferenced. One that runs is in the ring no more.
pub(super) struct Immediates<R: Record> {
    ring: TaskRing<Loop<R>>,
    /// Those in the ring that don't keep the loop alive; there are hardly ever any.
    unreferenced: BTreeSet<u64>,
    /// Those in the ring that were cleared.
    cleared: u64,
}

impl<R: Record> Immediates<R> {
    pub(super) fn new() -> Self {
        let (ring, unreferenced) = (TaskRing::new(), BTreeSet::new());
        Immediates { ring, unreferenced, cleared: 0 }
    }

    /// How many keep the loop alive.
    #[inline]
    pub(super) fn referenced(&self) -> u64 {
        self.ring.len() - self.cleared - self.unreferenced.len() as u64
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    fn waits(&self, id: ImmediateId) -> bool {
        (self.ring.front_number()..self.ring.next_number()).contains(&id.0)
    }
}

impl<R: Record> fmt::Debug for Immediates<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Immediates").field("ring", &self.ring).finish_non_exhaustive()
    }
}

impl<R: Record> Loop<R> {
    /// Runs a closure in the next check phase: as `setImmediate`.
    #[inline]
    pub fn set_immediate(&mut self, immediate: impl FnOnce(&mut Self) + 'static) -> ImmediateId {
        ImmediateId(self.immediates.ring.push(immediate))
    }

    /// Forgets an immediate that has not run: as `clearImmediate`.
    pub fn clear_immediate(&mut self, id: ImmediateId) {
        if self.immediates.ring.cancel(id.0) {
            self.immediates.unreferenced.remove(&id.0);
            self.immediates.cleared += 1;
        }
    }

    /// Lets the loop end though this immediate waits. It still runs if there is a next turn.
    pub fn immediate_unref(&mut self, id: ImmediateId) {
        let immediates = &mut self.immediates;
        if immediates.waits(id) && immediates.ring.is_armed(id.0) {
            immediates.unreferenced.insert(id.0);
        }
    }

    /// Lets this immediate keep the loop alive, as it does from the start.
    pub fn immediate_ref(&mut self, id: ImmediateId) {
        self.immediates.unreferenced.remove(&id.0);
    }

    pub(super) fn run_immediates(&mut self) {
        if self.immediates.is_empty() || self.rejections.fatal() {
            return;
        }
        // Nothing is queued here but what was left, as in Node.
        if self.needs_drain() {
            let may_go_on = self.drain();
            self.interrupted = false;
            if !may_go_on {
                return;
            }
        }
        let detail = R::ON && self.record.detail();
        let ran = if detail { self.run_batch::<true>() } else { self.run_batch::<false>() };
        self.record.immediates(ran);
        self.record.callbacks(ran);
    }

    /// Runs the immediates that wait now; those that are queued from now on are for the next turn.
    /// Behind one that was interrupted the next runs at once, and behind the last of them those
    /// that were queued meanwhile, as in Node.
    fn run_batch<const DETAIL: bool>(&mut self) -> u64 {
        let mut end = self.immediates.ring.next_number();
        let mut begins = false;
        let mut ran = 0;
        loop {
            let number = self.immediates.ring.front_number();
            if number == end {
                end = self.immediates.ring.next_number();
                if !begins || number == end {
                    return ran;
                }
            }
            if !self.immediates.unreferenced.is_empty() {
                self.immediates.unreferenced.remove(&number);
            }
            let front = if DETAIL && self.immediates.ring.is_armed(number) {
                self.timed_in_detail(Self::run_front_immediate)
            } else {
                self.run_front_immediate()
            };
            if front == Front::Cancelled {
                self.immediates.cleared -= 1;
                continue;
            }
            ran += 1;
            begins = false;
            if self.needs_drain() {
                begins = std::mem::take(&mut self.interrupted);
                if !begins && !self.drain() {
                    return ran;
                }
                self.interrupted = false;
            }
        }
    }

    #[inline]
    fn run_front_immediate(&mut self) -> Front {
        let front = TaskRing::run_front(self, |lp| &mut lp.immediates.ring);
        // An immediate that sets a timer has the clock read, and goes on.
        self.stale = true;
        front
    }
}
