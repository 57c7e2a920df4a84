//! Freezing a loop with its callbacks pending and thawing it later, as AWS Lambda does to the
//! context of a function between two invocations.
//!
//! **Invariant**: the time between is `frozen`: neither active nor idle, and never a stall. Timers
//! that came due in it fire late, and their lateness is recorded as it is.

use std::time::Duration;

use super::Loop;
use crate::recorder::Record;

impl<R: Record> Loop<R> {
    /// Lets [`Loop::run`] return [`super::RunStatus::Frozen`] at the end of this turn. Whatever is
    /// pending stays so.
    pub fn freeze(&mut self) {
        self.freezing = true;
    }

    /// Whether the loop is frozen.
    pub fn is_frozen(&self) -> bool {
        self.frozen_since_ns.is_some()
    }

    pub(super) fn begin_freeze(&mut self) {
        self.frozen_since_ns = Some(self.now_ns);
        self.record.open_freeze(self.now_ns);
    }

    /// Ends the freeze; [`Loop::run`] and [`Loop::enter`] do it by themselves. Does nothing to a
    /// loop that isn't frozen.
    pub fn thaw(&mut self) {
        if let Some(since_ns) = self.frozen_since_ns.take() {
            let now_ns = self.take_time();
            self.record.close_freeze(now_ns - since_ns);
        }
    }

    /// Lets time pass while the loop doesn't run: sleeps on a real clock, moves a virtual one.
    /// Does nothing from a callback: there it would be work, which [`Loop::busy`] is for.
    pub fn pass(&mut self, time: Duration) {
        if self.running {
            return;
        }
        if self.turn_open {
            self.close_turn();
        }
        if self.clock.is_virtual() {
            self.clock.advance(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        } else {
            std::thread::sleep(time);
        }
        self.stale = true;
    }
}
