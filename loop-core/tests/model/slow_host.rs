//! The model as a [`Host`]: what a program calls.

use loop_core::RunStatus;

use super::host::{Host, Many, Once};
use super::program::{Mode, Watched};
use super::slow_loop::{Handle, Immediate, SlowLoop, What};
use super::slow_timers::Callback;

impl SlowLoop {
    fn make(&mut self, what: What, active: bool, run: Many<Self>) -> usize {
        let (callback, on_close) = (Some(run), None);
        let handle = Handle { what, active, referenced: true, closing: false, callback, on_close };
        self.handles.push(handle);
        self.handles.len() - 1
    }

    fn watched(&self, handle: usize) -> Option<Watched> {
        match self.handles[handle].what {
            What::Watcher(what) if !self.handles[handle].closing => Some(what),
            _ => None,
        }
    }

    fn is_timer(&self, handle: usize) -> bool {
        matches!(self.handles[handle].what, What::Timer { .. }) && !self.handles[handle].closing
    }

    /// Stops whatever the handle is.
    fn halt(&mut self, handle: usize) {
        self.pass.retain(|&other| other != handle);
        self.watching.iter_mut().for_each(|list| list.retain(|&other| other != handle));
        self.unset_loop_timer(Some(handle));
        self.handles[handle].active = false;
    }
}

impl Host for SlowLoop {
    type Timer = usize;
    type Immediate = usize;
    type Handle = usize;
    /// Its number, and whether `promise` has made it.
    type Promise = (usize, bool);
    type Waker = usize;

    fn busy_us(&mut self, us: u64) {
        self.counts.cost_declared = true;
        self.clock_ns += us * 1_000;
    }
    fn update_time(&mut self) {
        self.loop_ns = self.clock_ns;
    }
    fn now_ms(&self) -> u64 {
        self.loop_ns / 1_000_000
    }
    fn is_alive(&self) -> bool {
        self.alive()
    }

    fn set_timeout(&mut self, ms: u64, run: Once<Self>) -> usize {
        self.set_node_timer(ms, Callback::Timeout(run))
    }
    fn set_interval(&mut self, ms: u64, run: Many<Self>) -> usize {
        self.set_node_timer(ms, Callback::Interval(run))
    }
    fn clear_timer(&mut self, timer: usize) {
        self.clear_node_timer(timer);
    }
    fn refresh_timer(&mut self, timer: usize) {
        self.refresh_node_timer(timer);
    }
    fn ref_timer(&mut self, timer: usize, on: bool) {
        self.node.timers[timer].referenced = on;
    }
    fn timer_has_ref(&self, timer: usize) -> Option<bool> {
        let timer = &self.node.timers[timer];
        (!timer.gone).then_some(timer.referenced)
    }

    fn set_immediate(&mut self, run: Once<Self>) -> usize {
        self.immediates.push(Immediate { run: Some(run), referenced: true });
        self.waiting.push_back(self.immediates.len() - 1);
        self.immediates.len() - 1
    }
    fn clear_immediate(&mut self, immediate: usize) {
        self.immediates[immediate].run = None;
    }
    fn ref_immediate(&mut self, immediate: usize, on: bool) {
        self.immediates[immediate].referenced = on;
    }

    fn next_tick(&mut self, run: Once<Self>) {
        self.ticks.push_back(run);
    }
    fn queue_microtask(&mut self, run: Once<Self>) {
        self.microtasks.push_back(run);
    }

    fn promise(&mut self) -> (usize, bool) {
        (self.new_promise(), true)
    }
    fn then(&mut self, promise: &(usize, bool), run: Once<Self>) -> (usize, bool) {
        (self.derive(promise.0, true, run), false)
    }
    fn catch(&mut self, promise: &(usize, bool), run: Once<Self>) -> (usize, bool) {
        (self.derive(promise.0, false, run), false)
    }
    fn resolve(&mut self, promise: &(usize, bool)) {
        if promise.1 {
            self.decide(promise.0, true);
        }
    }
    fn reject(&mut self, promise: &(usize, bool)) {
        if promise.1 {
            self.decide(promise.0, false);
        }
    }
    fn follow(&mut self, promise: &(usize, bool), other: &(usize, bool)) {
        if promise.1 {
            self.resolve_with(promise.0, other.0);
        }
    }
    fn all(&mut self, promises: &[(usize, bool)], run: Once<Self>) -> (usize, bool) {
        let promises: Vec<usize> = promises.iter().map(|promise| promise.0).collect();
        let all = self.all_of(&promises);
        (self.derive(all, true, run), false)
    }
    fn race(&mut self, promises: &[(usize, bool)]) -> (usize, bool) {
        let promises: Vec<usize> = promises.iter().map(|promise| promise.0).collect();
        (self.race_of(&promises), false)
    }
    fn on_unhandled_rejection(&mut self, run: Many<Self>) {
        self.on_unhandled = Some(run);
    }

    fn watch(&mut self, what: Watched, run: Many<Self>) -> usize {
        let handle = self.make(What::Watcher(what), true, run);
        self.watching[what as usize].push_front(handle);
        handle
    }
    fn stop_watching(&mut self, handle: usize) {
        if self.watched(handle).is_some() {
            self.halt(handle);
        }
    }
    fn watch_again(&mut self, handle: usize) {
        if let Some(what) = self.watched(handle)
            && !self.handles[handle].active
        {
            self.handles[handle].active = true;
            self.watching[what as usize].push_front(handle);
        }
    }
    fn start_timer(&mut self, ms: u64, repeat_ms: u64, run: Many<Self>) -> usize {
        if self.turn_since_ns.is_none() {
            self.loop_ns = self.clock_ns;
        }
        let handle = self.make(What::Timer { repeat_ms, due_ns: 0 }, false, run);
        self.arm(handle, ms);
        handle
    }
    fn stop_timer(&mut self, handle: usize) {
        if self.is_timer(handle) {
            self.halt(handle);
        }
    }
    fn timer_again(&mut self, handle: usize) {
        if let What::Timer { repeat_ms, .. } = self.handles[handle].what
            && self.is_timer(handle)
            && repeat_ms > 0
        {
            self.halt(handle);
            self.arm(handle, repeat_ms);
        }
    }
    fn due_in_ms(&self, handle: usize) -> Option<u64> {
        Some(self.due_ms(handle)?.saturating_sub(self.now_ms()))
    }
    fn waker(&mut self, run: Many<Self>) -> (usize, usize) {
        let handle = self.make(What::Waker, true, run);
        (handle, handle)
    }
    fn wake(&mut self, waker: &usize) {
        if !self.wakes.contains(waker) {
            self.wakes.push_back(*waker);
        }
    }
    fn close(&mut self, handle: usize, run: Once<Self>) {
        if !self.handles[handle].closing {
            self.halt(handle);
            self.handles[handle].closing = true;
            self.handles[handle].on_close = Some(run);
            self.closing.push(handle);
        }
    }
    fn ref_handle(&mut self, handle: usize, on: bool) {
        self.handles[handle].referenced = on;
    }
    fn is_active(&self, handle: usize) -> bool {
        self.handles[handle].active
    }

    fn job(&mut self, run: Once<Self>) {
        self.outstanding += 1;
        self.jobs.push_back(run);
    }
    fn stop(&mut self) {
        self.stopped = true;
    }
    fn freeze(&mut self) {
        self.freezing = true;
    }

    fn enter(&mut self, main: Once<Self>) {
        self.enter_main(main);
    }
    fn run(&mut self, mode: Mode) -> Option<RunStatus> {
        self.run_turns(mode)
    }
    fn pass_us(&mut self, us: u64) {
        self.close_turn();
        self.clock_ns += us * 1_000;
    }
}
