//! Node's queues above the loop: after every callback all nextTicks, then all microtasks, and
//! again until both are empty.
//!
//! There is no bound, as in Node: a drain that feeds itself never ends. That is the pathology this
//! project is about.
//!
//! Cost: an empty pair of queues is two comparisons; a drain two clock readings and 3 to 5 ns a
//! job (`goals` in `bench`).

use super::Loop;
use crate::recorder::Record;
use crate::snapshot::Queue;
use crate::task::{Front, Task, TaskRing};

impl<R: Record> Loop<R> {
    /// Runs a closure before anything else: as `process.nextTick`.
    #[inline]
    pub fn next_tick(&mut self, tick: impl FnOnce(&mut Self) + 'static) {
        self.ticks.push(tick);
    }

    /// Runs a closure when all ticks are done: as `queueMicrotask`.
    #[inline]
    pub fn queue_microtask(&mut self, job: impl FnOnce(&mut Self) + 'static) {
        self.microtasks.push(job);
    }

    /// What runs now has failed, as by an exception: the drain behind it is left out, and `left` is
    /// run where the next one begins, which then is not empty. Where timers or immediates of Node's
    /// run they begin anew: the next one runs without a drain before it, whether a callback fails
    /// or what is drained between two of them. Ticks and microtasks that wait run nonetheless where
    /// one of them calls this. Of several `left` before a drain the first is run.
    pub fn interrupt(&mut self, left: impl FnOnce(&mut Self) + 'static) {
        self.interrupted = true;
        self.exceptional = true;
        if self.left.is_none() {
            self.left = Some(Task::new(left));
        }
    }

    /// What runs now is no part of the program, as a watcher that counts turns: behind it nothing
    /// is drained that [`Loop::interrupt`] has left for the next callback.
    pub fn pass_over(&mut self) {
        self.interrupted = self.exceptional;
    }

    /// Drains both queues, unless what ran last was interrupted. Returns whether the loop may go
    /// on: not after a fatal rejection.
    #[inline]
    pub(super) fn drain_if_needed(&mut self) -> bool {
        !self.needs_drain() || self.drain()
    }

    /// Whether there is anything that a drain looks at.
    #[inline]
    pub(super) fn needs_drain(&self) -> bool {
        !self.ticks.is_empty() || !self.microtasks.is_empty() || self.exceptional
    }

    #[inline(never)]
    pub(super) fn drain(&mut self) -> bool {
        if self.exceptional && !self.begin_exceptional_drain() {
            return !self.rejections.fatal();
        }
        loop {
            self.drain_queue(Queue::NextTick, |lp| &mut lp.ticks);
            self.drain_queue(Queue::Microtask, |lp| &mut lp.microtasks);
            if self.ticks.is_empty() && !(self.exceptional && self.end_exceptional_drain()) {
                return !self.exceptional || !self.rejections.fatal();
            }
        }
    }

    /// Runs what was left. Returns whether there is a drain behind it.
    #[cold]
    #[inline(never)]
    fn begin_exceptional_drain(&mut self) -> bool {
        if self.interrupted {
            return false;
        }
        if let Some(left) = self.left.take() {
            left.run(self);
        }
        true
    }

    /// Tells of rejections. Returns whether the queues may hold more now.
    #[cold]
    #[inline(never)]
    fn end_exceptional_drain(&mut self) -> bool {
        let more = self.process_rejections() && !self.rejections.fatal();
        self.exceptional = self.interrupted
            || self.left.is_some()
            || self.rejections.waiting()
            || self.rejections.fatal();
        more
    }

    #[inline(always)]
    fn drain_queue(&mut self, queue: Queue, ring: impl Fn(&mut Self) -> &mut TaskRing<Self>) {
        if ring(self).is_empty() {
            return;
        }
        let start_ns = if R::ON { self.take_time() } else { 0 };
        self.record.open_drain(queue, start_ns);
        let mut jobs = 0;
        // Nothing in these queues can be cancelled.
        while TaskRing::run_front(self, &ring) == Front::Ran {
            jobs += 1;
            self.record.drain_progress(jobs);
        }
        let end_ns = if R::ON { self.take_time() } else { 0 };
        self.record.close_drain(queue, jobs, end_ns - start_ns);
        self.stale = true;
    }
}
