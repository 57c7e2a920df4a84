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
        let end = self.immediates.ring.next_number();
        while self.immediates.ring.front_number() < end {
            let number = self.immediates.ring.front_number();
            self.callback_if(|lp| {
                if lp.immediates.ring.is_armed(number) {
                    lp.immediates.forget(number);
                }
                let front = TaskRing::run_front(lp, |lp| &mut lp.immediates.ring);
                front == Front::Ran
            });
        }
    }

    /// As [`Loop::callback`], for something that may turn out to have been cancelled.
    #[inline]
    fn callback_if(&mut self, run: impl FnOnce(&mut Self) -> bool) {
        let start_ns = if R::ON && self.record.detail() { Some(self.take_time()) } else { None };
        if !run(self) {
            return;
        }
        let duration_ns = start_ns.map(|start_ns| self.take_time() - start_ns);
        self.record.immediate();
        self.record.callback(duration_ns);
        self.stale = true;
        self.drain_if_needed();
    }
}
