//! The loop's time: taken when it must be, remembered otherwise.

use std::time::Duration;

use super::Loop;
use crate::limits::NS_PER_MS;
use crate::recorder::Record;

impl<R: Record> Loop<R> {
    /// Reads the clock.
    #[inline]
    pub(crate) fn take_time(&mut self) -> u64 {
        // The clock may step back by less than a microsecond where it is brought into line.
        self.now_ns = self.now_ns.max(self.clock.now_ns());
        self.stale = false;
        self.now_ns
    }

    /// Reads the clock if something has run since it was read last.
    #[inline]
    pub(super) fn fresh_now_ns(&mut self) -> u64 {
        if self.stale { self.take_time() } else { self.now_ns }
    }

    /// The loop's time in whole milliseconds, by which timers are set (libuv's `uv_now`). It moves
    /// when the poll returns, before timers run, when a Node timer is set and by
    /// [`Loop::update_time`]; measuring does not move it.
    #[inline]
    pub fn now_ms(&self) -> u64 {
        self.loop_ns / NS_PER_MS
    }

    /// Moves the loop's time to now.
    #[inline]
    pub fn update_time(&mut self) {
        self.loop_ns = self.take_time();
    }

    /// Does so much work: keeps the thread busy on a real clock, moves a virtual one. This is how
    /// a workload declares what its work costs.
    pub fn busy(&mut self, work: Duration) {
        let work_ns = u64::try_from(work.as_nanos()).unwrap_or(u64::MAX);
        if self.clock.is_virtual() {
            self.record.cost_declared();
            self.clock.advance(work_ns);
        } else {
            let end_ns = self.clock.now_ns().saturating_add(work_ns);
            while self.clock.now_ns() < end_ns {
                std::hint::spin_loop();
            }
        }
        self.stale = true;
    }

    /// How long the poll may wait, in milliseconds; `None` for as long as it takes (libuv's
    /// `uv_backend_timeout`). Who runs the loop inside another one waits no longer than this for
    /// its descriptor, and then calls [`Loop::run`] with [`RunMode::NoWait`](crate::RunMode).
    #[inline]
    pub fn backend_timeout_ms(&mut self) -> Option<u64> {
        let must_go_on = !self.idle_is_empty()
            || self.immediates.referenced() > 0
            || self.stopped
            || self.freezing
            || self.rejections.fatal()
            || !self.has_work()
            || !self.pending.is_empty()
            || !self.closing.is_empty()
            || self.io.has_readable()
            || self.has_leftovers();
        if must_go_on {
            return Some(0);
        }
        let due_ms = self.timer_heap.next_due_ms()?;
        Some(due_ms.saturating_sub(self.fresh_now_ns() / NS_PER_MS))
    }
}
