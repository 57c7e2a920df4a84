//! The loop that is tested, as a [`Host`].

use std::time::Duration;

use loop_core::{
    HandleId, ImmediateId, Loop, LoopError, Promise, Reason, Record, Resolver, RunMode, RunStatus,
    TimerId, Waker,
};

use super::host::{Host, Many, Once};
use super::program::{Mode, Watched};

/// A promise, and what settles it unless something else does.
type Settling<R> = (Promise<(), R>, Option<Resolver<(), R>>);

impl<R: Record> Host for Loop<R> {
    type Timer = TimerId;
    type Immediate = ImmediateId;
    type Handle = HandleId;
    type Promise = Settling<R>;
    type Waker = Waker;

    fn busy_us(&mut self, us: u64) {
        self.busy(Duration::from_micros(us));
    }
    fn update_time(&mut self) {
        Loop::update_time(self);
    }
    fn now_ms(&self) -> u64 {
        Loop::now_ms(self)
    }
    fn is_alive(&self) -> bool {
        Loop::is_alive(self)
    }

    fn set_timeout(&mut self, ms: u64, run: Once<Self>) -> TimerId {
        Loop::set_timeout(self, ms, run)
    }
    fn set_interval(&mut self, ms: u64, run: Many<Self>) -> TimerId {
        Loop::set_interval(self, ms, run)
    }
    fn clear_timer(&mut self, timer: TimerId) {
        Loop::clear_timer(self, timer);
    }
    fn refresh_timer(&mut self, timer: TimerId) {
        self.timer_refresh(timer);
    }
    fn ref_timer(&mut self, timer: TimerId, on: bool) {
        if on { self.timer_ref(timer) } else { self.timer_unref(timer) }
    }
    fn timer_has_ref(&self, timer: TimerId) -> Option<bool> {
        Loop::timer_has_ref(self, timer)
    }

    fn set_immediate(&mut self, run: Once<Self>) -> ImmediateId {
        Loop::set_immediate(self, run)
    }
    fn clear_immediate(&mut self, immediate: ImmediateId) {
        Loop::clear_immediate(self, immediate);
    }
    fn ref_immediate(&mut self, immediate: ImmediateId, on: bool) {
        if on { self.immediate_ref(immediate) } else { self.immediate_unref(immediate) }
    }

    fn next_tick(&mut self, run: Once<Self>) {
        Loop::next_tick(self, run);
    }
    fn queue_microtask(&mut self, run: Once<Self>) {
        Loop::queue_microtask(self, run);
    }

    fn promise(&mut self) -> Settling<R> {
        let (promise, resolver) = Promise::pending();
        (promise, Some(resolver))
    }
    fn then(&mut self, promise: &Settling<R>, run: Once<Self>) -> Settling<R> {
        (promise.0.then(self, |lp, ()| run(lp)), None)
    }
    fn catch(&mut self, promise: &Settling<R>, run: Once<Self>) -> Settling<R> {
        (promise.0.catch(self, |lp, _| run(lp)), None)
    }
    fn resolve(&mut self, promise: &Settling<R>) {
        if let Some(resolver) = &promise.1 {
            resolver.resolve(self, ());
        }
    }
    fn reject(&mut self, promise: &Settling<R>) {
        if let Some(resolver) = &promise.1 {
            resolver.reject(self, Reason::new("rejected by the program"));
        }
    }
    fn follow(&mut self, promise: &Settling<R>, other: &Settling<R>) {
        if let Some(resolver) = &promise.1 {
            resolver.resolve_with(self, other.0.clone());
        }
    }
    fn all(&mut self, promises: &[Settling<R>], run: Once<Self>) -> Settling<R> {
        let promises: Vec<_> = promises.iter().map(|promise| promise.0.clone()).collect();
        (Promise::all(self, &promises).then(self, |lp, _| run(lp)), None)
    }
    fn race(&mut self, promises: &[Settling<R>]) -> Settling<R> {
        let promises: Vec<_> = promises.iter().map(|promise| promise.0.clone()).collect();
        (Promise::race(self, &promises), None)
    }
    fn on_unhandled_rejection(&mut self, mut run: Many<Self>) {
        Loop::on_unhandled_rejection(self, move |lp, _| run(lp));
    }

    fn watch(&mut self, what: Watched, run: Many<Self>) -> HandleId {
        match what {
            Watched::Idle => self.idle_start(run),
            Watched::Prepare => self.prepare_start(run),
            Watched::Check => self.check_start(run),
        }
    }
    fn stop_watching(&mut self, handle: HandleId) {
        self.watcher_stop(handle);
    }
    fn watch_again(&mut self, handle: HandleId) {
        self.watcher_restart(handle);
    }
    fn start_timer(&mut self, ms: u64, repeat_ms: u64, run: Many<Self>) -> HandleId {
        self.timer_start(ms, repeat_ms, run)
    }
    fn stop_timer(&mut self, handle: HandleId) {
        self.timer_stop(handle);
    }
    fn timer_again(&mut self, handle: HandleId) {
        Loop::timer_again(self, handle);
    }
    fn due_in_ms(&self, handle: HandleId) -> Option<u64> {
        self.timer_due_in_ms(handle)
    }
    fn waker(&mut self, run: Many<Self>) -> (Waker, HandleId) {
        let waker = Loop::waker(self, run);
        let handle = waker.handle();
        (waker, handle)
    }
    fn wake(&mut self, waker: &Waker) {
        waker.wake();
    }
    fn close(&mut self, handle: HandleId, run: Once<Self>) {
        self.close_with(handle, run);
    }
    fn ref_handle(&mut self, handle: HandleId, on: bool) {
        if on { self.handle_ref(handle) } else { self.handle_unref(handle) }
    }
    fn is_active(&self, handle: HandleId) -> bool {
        Loop::is_active(self, handle)
    }

    fn job(&mut self, run: Once<Self>) {
        self.queue_work(
            || (),
            |lp, result| {
                if result.is_ok() {
                    run(lp)
                }
            },
        );
    }
    fn stop(&mut self) {
        Loop::stop(self);
    }
    fn freeze(&mut self) {
        Loop::freeze(self);
    }

    fn enter(&mut self, main: Once<Self>) {
        Loop::enter(self, main);
    }
    fn run(&mut self, mode: Mode) -> Option<RunStatus> {
        let mode = match mode {
            Mode::Default => RunMode::Default,
            Mode::Once => RunMode::Once,
            Mode::NoWait => RunMode::NoWait,
        };
        match Loop::run(self, mode) {
            Ok(status) => Some(status),
            Err(LoopError::UnhandledRejection(_)) => None,
            Err(error) => panic!("{error}"),
        }
    }
    fn pass_us(&mut self, us: u64) {
        self.pass(Duration::from_micros(us));
    }
}
