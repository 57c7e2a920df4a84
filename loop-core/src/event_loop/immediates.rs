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

pub(super) struct Immediates<R: Record> {
    ring: TaskRing<Loop<R>>,
    /// Those that don't keep the loop alive; there are hardly ever any.
    unreferenced: BTreeSet<u64>,
    referenced: u64,
}

impl<R: Record> Immediates<R> {
    pub(super) fn new() -> Self {
        Immediates { ring: TaskRing::new(), unreferenced: BTreeSet::new(), referenced: 0 }
    }

    /// How many keep the loop alive.
    #[inline]
    pub(super) fn referenced(&self) -> u64 {
        self.referenced
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    #[inline]
    fn forget(&mut self, number: u64) {
        if self.unreferenced.is_empty() || !self.unreferenced.remove(&number) {
            self.referenced -= 1;
        }
    }

    /// Counts anew what keeps the loop alive: one that panicked was not forgotten.
    pub(super) fn recount(&mut self) {
        let waiting = self.ring.front_number()..self.ring.next_number();
        self.unreferenced = self.unreferenced.split_off(&waiting.start);
        let armed = waiting.filter(|&number| self.ring.is_armed(number)).count() as u64;
        self.referenced = armed - self.unreferenced.len() as u64;
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
        self.immediates.referenced += 1;
        ImmediateId(self.immediates.ring.push(immediate))
    }

    /// Forgets an immediate that has not run: as `clearImmediate`.
    pub fn clear_immediate(&mut self, id: ImmediateId) {
        if self.immediates.ring.cancel(id.0) {
            self.immediates.forget(id.0);
        }
    }

    /// Lets the loop end though this immediate waits. It still runs if there is a next turn.
    pub fn immediate_unref(&mut self, id: ImmediateId) {
        let immediates = &mut self.immediates;
        if immediates.waits(id)
            && immediates.ring.is_armed(id.0)
            && immediates.unreferenced.insert(id.0)
        {
            immediates.referenced -= 1;
        }
    }

    /// Lets this immediate keep the loop alive, as it does from the start.
    pub fn immediate_ref(&mut self, id: ImmediateId) {
        if self.immediates.unreferenced.remove(&id.0) {
            self.immediates.referenced += 1;
        }
    }

    pub(super) fn run_immediates(&mut self) {
        if self.immediates.is_empty() || self.rejections.fatal() {
            return;
        }
        let detail = R::ON && self.record.detail();
        let ran = if detail { self.run_batch::<true>() } else { self.run_batch::<false>() };
        self.record.immediates(ran);
        self.record.callbacks(ran);
    }

    /// Runs the immediates that wait now; those that are queued from now on are for the next turn.
    fn run_batch<const DETAIL: bool>(&mut self) -> u64 {
        let end = self.immediates.ring.next_number();
        let mut ran = 0;
        while self.immediates.ring.front_number() < end {
            let number = self.immediates.ring.front_number();
            let front = if DETAIL && self.immediates.ring.is_armed(number) {
                self.timed_in_detail(Self::run_front_immediate)
            } else {
                self.run_front_immediate()
            };
            if front == Front::Ran {
                ran += 1;
                self.immediates.forget(number);
                if !self.drain_if_needed() {
                    break;
                }
            }
        }
        ran
    }

    #[inline]
    fn run_front_immediate(&mut self) -> Front {
        self.stale = true;
        TaskRing::run_front(self, |lp| &mut lp.immediates.ring)
    }
}
