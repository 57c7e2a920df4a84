//! Timers: the loop's own (libuv's `uv_timer`), and Node's above one of them.
//!
//! A loop timer that is started in the timers phase runs in a later turn at the earliest, whatever
//! its timeout, as in libuv since it takes the due ones aside first. The one behind Node's timers
//! is as in the libuv of Node 20: where the loop's time has moved past it, it runs at once.

use super::Loop;
use crate::handle::{Callback, HandleId, Kind, LoopTimer};
use crate::limits::NS_PER_MS;
use crate::phase::Phase;
use crate::recorder::Record;
use crate::timers::{ListKey, TimerCallback, TimerId};

impl<R: Record> Loop<R> {
    /// Runs a closure once after so many milliseconds: as `setTimeout`. 0, and what is longer than
    /// 2^31 - 1, becomes 1 ms.
    #[inline]
    pub fn set_timeout(&mut self, ms: u64, timeout: impl FnOnce(&mut Self) + 'static) -> TimerId {
        let id = self.set_node_timer(ms);
        self.node_timers.fill_timeout(id, timeout);
        id
    }

    /// Runs a closure every so many milliseconds: as `setInterval`. The next period starts with
    /// the callback, and periods that were missed are not made up for.
    pub fn set_interval(&mut self, ms: u64, interval: impl FnMut(&mut Self) + 'static) -> TimerId {
        let id = self.set_node_timer(ms);
        self.node_timers.fill_interval(id, Box::new(interval));
        id
    }

    /// Forgets a timeout or interval: as `clearTimeout`, `clearInterval`.
    pub fn clear_timer(&mut self, id: TimerId) {
        drop(self.node_timers.clear(id));
    }

    /// Starts a timer's time again: as `timeout.refresh()`.
    pub fn timer_refresh(&mut self, id: TimerId) {
        self.update_time();
        if let Some(sooner) = self.node_timers.refresh(id, self.loop_ns) {
            self.schedule_if(sooner);
        }
    }

    /// Lets the loop end though this timer is set: as `timeout.unref()`.
    pub fn timer_unref(&mut self, id: TimerId) {
        self.node_timers.set_ref(id, false);
    }

    /// Lets this timer keep the loop alive, as it does from the start.
    pub fn timer_ref(&mut self, id: TimerId) {
        self.node_timers.set_ref(id, true);
    }

    /// Whether a timer keeps the loop alive; `None` when it is gone.
    pub fn timer_has_ref(&self, id: TimerId) -> Option<bool> {
        self.node_timers.has_ref(id)
    }

    fn set_node_timer(&mut self, ms: u64) -> TimerId {
        // As Node: a timer counts from now, not from when the phase began.
        self.update_time();
        let (id, sooner) = self.node_timers.set(ms, self.loop_ns);
        self.schedule_if(sooner);
        id
    }

    #[inline]
    fn schedule_if(&mut self, duration_ms: Option<u32>) {
        if let Some(duration_ms) = duration_ms {
            self.schedule_node_timers(duration_ms.into());
        }
    }

    fn schedule_node_timers(&mut self, duration_ms: u64) {
        if let Some(place) = self.node_timer.take() {
            self.timer_heap.remove(place);
        }
        let due_ms = self.now_ms() + duration_ms;
        self.node_timer = Some(self.timer_heap.insert(due_ms, HandleId::NODE_TIMERS));
    }

    /// Starts one of the loop's own timers, repeating every `repeat_ms` unless that is 0. Times
    /// count from the loop's time ([`Loop::now_ms`]), as libuv's.
    pub fn timer_start(
        &mut self,
        timeout_ms: u64,
        repeat_ms: u64,
        callback: impl FnMut(&mut Self) + 'static,
    ) -> HandleId {
        if !self.turn_open {
            self.update_time();
        }
        let callback: Callback<R> = Box::new(callback);
        let timer = LoopTimer { place: None, due_ns: 0, repeat_ms, callback: Some(callback) };
        let id = self.handles.insert(Kind::Timer(timer), false);
        self.arm(id, timeout_ms);
        id
    }

    /// Stops one of the loop's own timers. [`Loop::timer_again`] starts a repeating one again.
    pub fn timer_stop(&mut self, id: HandleId) {
        let Some(timer) = self.loop_timer(id) else { return };
        if let Some(place) = timer.place.take() {
            self.timer_heap.remove(place);
        }
        self.handles.update(id, |handle| handle.active = false);
    }

    /// Starts a repeating timer again with its period. Does nothing to one that doesn't repeat.
    pub fn timer_again(&mut self, id: HandleId) {
        let repeat_ms = self.loop_timer(id).map_or(0, |timer| timer.repeat_ms);
        if repeat_ms > 0 {
            self.timer_stop(id);
            self.arm(id, repeat_ms);
        }
    }

    /// In how many milliseconds one of the loop's own timers is due; `None` when it isn't started.
    pub fn timer_due_in_ms(&self, id: HandleId) -> Option<u64> {
        let Kind::Timer(timer) = &self.handles.get(id)?.kind else { return None };
        Some(timer.place?.due_ms.saturating_sub(self.now_ms()))
    }

    fn loop_timer(&mut self, id: HandleId) -> Option<&mut LoopTimer<R>> {
        match &mut self.handles.get_mut(id).filter(|handle| !handle.closing)?.kind {
            Kind::Timer(timer) => Some(timer),
            _ => None,
        }
    }

    fn arm(&mut self, id: HandleId, timeout_ms: u64) {
        if self.loop_timer(id).is_none() {
            return;
        }
        let place = self.timer_heap.insert(self.now_ms().saturating_add(timeout_ms), id);
        let due_ns = self.loop_ns.saturating_add(timeout_ms.saturating_mul(NS_PER_MS));
        if let Some(timer) = self.loop_timer(id) {
            timer.place = Some(place);
            timer.due_ns = due_ns;
        }
        self.handles.update(id, |handle| handle.active = true);
    }

    #[inline]
    pub(super) fn run_timers(&mut self) {
        self.loop_ns = self.fresh_now_ns();
        if self.timer_heap.is_due(self.loop_ns) {
            self.in_phase(Phase::Timers, Self::run_due_timers);
        }
    }

    #[inline(never)]
    fn run_due_timers(&mut self) {
        let now_ms = self.now_ms();
        let started_later = self.timer_heap.started();
        while !self.rejections.fatal()
            && let Some(id) = self.pop_due(now_ms, started_later)
        {
            if id == HandleId::NODE_TIMERS {
                self.node_timer = None;
                self.run_node_timers();
            } else {
                self.run_loop_timer(id);
            }
        }
    }

    /// The next timer that was due at `now_ms`, or Node's where they are by now.
    fn pop_due(&mut self, now_ms: u64, started_later: u64) -> Option<HandleId> {
        let due = self.timer_heap.pop_due(now_ms, started_later);
        if due.is_none()
            && let Some(place) = self.node_timer
            && place.due_ms <= self.now_ms()
        {
            self.timer_heap.remove(place);
            return Some(HandleId::NODE_TIMERS);
        }
        due
    }

    fn run_loop_timer(&mut self, id: HandleId) {
        let Some(timer) = self.loop_timer(id) else { return };
        timer.place = None;
        let due_ns = timer.due_ns;
        let Some(mut callback) = timer.callback.take() else { return };
        self.handles.update(id, |handle| handle.active = false);
        self.timer_again(id);
        self.note_timer(due_ns);
        self.callback(|lp| {
            callback(lp);
            if let Some(timer) = lp.loop_timer(id) {
                timer.callback = Some(callback);
            }
        });
    }

    /// Notes how late a timer is. One that was set late in a millisecond may run early in the one
    /// in which it is due, and then is not late.
    #[inline]
    fn note_timer(&mut self, due_ns: u64) {
        if R::ON {
            let now_ns = self.fresh_now_ns();
            self.record.timer(now_ns.saturating_sub(due_ns));
        }
    }

    /// Runs all lists whose first timer is due, as Node's `processTimers`: the time is taken once,
    /// at the start.
    fn run_node_timers(&mut self) {
        self.update_time();
        let now_ms = self.now_ms();
        self.run_due_lists(now_ms);
        // Whether the loop may go on is asked before the next callback.
        if self.needs_drain() {
            let _ = self.drain();
            self.interrupted = false;
        }
    }

    /// Drains between the lists, and between the timers of one. Behind what was interrupted it
    /// begins anew, as Node does: with what then is first, without a drain before.
    #[inline(always)]
    fn run_due_lists(&mut self, now_ms: u64) {
        self.node_timers.next_expiry_ms = u64::MAX;
        let mut begins = true;
        while let Some((list, expiry_ms)) = self.node_timers.first_list() {
            if expiry_ms > now_ms {
                self.node_timers.next_expiry_ms = expiry_ms;
                let duration_ms = expiry_ms.saturating_sub(self.now_ms()).max(1);
                self.schedule_node_timers(duration_ms);
                break;
            }
            if !begins && !self.drain_if_needed() {
                self.node_timers.next_expiry_ms = expiry_ms;
                self.schedule_node_timers(1);
                return;
            }
            if !self.interrupted {
                self.run_timer_list(list, now_ms);
            }
            begins = self.interrupted;
            if begins {
                self.interrupted = false;
                self.node_timers.next_expiry_ms = u64::MAX;
            } else {
                self.node_timers.finish(list);
            }
        }
    }

    /// After a callback has panicked: forgets it if it was a timer's, and lets those behind it run.
    pub(super) fn recover_node_timers(&mut self) {
        self.node_timers.abandon();
        self.interrupted = false;
        if let Some((_, expiry_ms)) = self.node_timers.first_list()
            && self.node_timer.is_none()
        {
            self.node_timers.next_expiry_ms = expiry_ms;
            self.schedule_node_timers(expiry_ms.saturating_sub(self.now_ms()).max(1));
        }
    }

    fn run_timer_list(&mut self, list: ListKey, now_ms: u64) {
        let mut begins = true;
        while let Some((timer, due_ms)) = self.node_timers.first_timer(list) {
            if due_ms > now_ms {
                self.node_timers.postpone(list, due_ms, now_ms);
                return;
            }
            // What the timer before has queued runs only now: it may clear this one, but no longer
            // make it wait.
            if !begins && self.needs_drain() && (!self.drain() || self.interrupted) {
                return;
            }
            self.run_node_timer(timer);
            if self.interrupted {
                return;
            }
            begins = false;
        }
    }

    fn run_node_timer(&mut self, id: TimerId) {
        let Some(fired) = self.node_timers.fire(id) else { return };
        self.note_timer(fired.due_ns);
        match fired.callback {
            TimerCallback::Once(task) => self.callback_alone(|lp| {
                task.run(lp);
                lp.node_timers.settle_timeout(id);
            }),
            TimerCallback::Repeat(mut interval) => {
                self.update_time();
                let start_ns = self.loop_ns;
                self.callback_alone(|lp| {
                    interval(lp);
                    let settled = lp.node_timers.settle_interval(id, start_ns, interval);
                    lp.schedule_if(settled.unwrap_or(None));
                });
            }
        }
    }
}
