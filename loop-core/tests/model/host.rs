//! What a program needs of a loop: implemented by the real one and by the model.

use loop_core::RunStatus;

use super::program::{Mode, Watched};

pub(crate) type Once<H> = Box<dyn FnOnce(&mut H)>;
pub(crate) type Many<H> = Box<dyn FnMut(&mut H)>;

/// See the module. The methods are those of `Loop` of about the same names.
pub(crate) trait Host: Sized + 'static {
    type Timer: Copy + 'static;
    type Immediate: Copy + 'static;
    type Handle: Copy + 'static;
    type Promise: Clone + 'static;
    type Waker: Clone + 'static;

    fn busy_us(&mut self, us: u64);
    fn update_time(&mut self);
    fn now_ms(&self) -> u64;
    fn is_alive(&self) -> bool;

    fn set_timeout(&mut self, ms: u64, run: Once<Self>) -> Self::Timer;
    fn set_interval(&mut self, ms: u64, run: Many<Self>) -> Self::Timer;
    fn clear_timer(&mut self, timer: Self::Timer);
    fn refresh_timer(&mut self, timer: Self::Timer);
    fn ref_timer(&mut self, timer: Self::Timer, on: bool);
    fn timer_has_ref(&self, timer: Self::Timer) -> Option<bool>;

    fn set_immediate(&mut self, run: Once<Self>) -> Self::Immediate;
    fn clear_immediate(&mut self, immediate: Self::Immediate);
    fn ref_immediate(&mut self, immediate: Self::Immediate, on: bool);

    fn next_tick(&mut self, run: Once<Self>);
    fn queue_microtask(&mut self, run: Once<Self>);

    fn promise(&mut self) -> Self::Promise;
    fn then(&mut self, promise: &Self::Promise, run: Once<Self>) -> Self::Promise;
    fn catch(&mut self, promise: &Self::Promise, run: Once<Self>) -> Self::Promise;
    /// Resolving, rejecting, following: only what `promise` has made, others are left alone.
    fn resolve(&mut self, promise: &Self::Promise);
    fn reject(&mut self, promise: &Self::Promise);
    fn follow(&mut self, promise: &Self::Promise, other: &Self::Promise);
    /// `Promise.all`, and a reaction to it.
    fn all(&mut self, promises: &[Self::Promise], run: Once<Self>) -> Self::Promise;
    fn race(&mut self, promises: &[Self::Promise]) -> Self::Promise;
    fn on_unhandled_rejection(&mut self, run: Many<Self>);

    fn watch(&mut self, what: Watched, run: Many<Self>) -> Self::Handle;
    fn stop_watching(&mut self, handle: Self::Handle);
    fn watch_again(&mut self, handle: Self::Handle);
    fn start_timer(&mut self, ms: u64, repeat_ms: u64, run: Many<Self>) -> Self::Handle;
    fn stop_timer(&mut self, handle: Self::Handle);
    fn timer_again(&mut self, handle: Self::Handle);
    fn due_in_ms(&self, handle: Self::Handle) -> Option<u64>;
    fn waker(&mut self, run: Many<Self>) -> (Self::Waker, Self::Handle);
    fn wake(&mut self, waker: &Self::Waker);
    fn close(&mut self, handle: Self::Handle, run: Once<Self>);
    fn ref_handle(&mut self, handle: Self::Handle, on: bool);
    fn is_active(&self, handle: Self::Handle) -> bool;

    fn job(&mut self, run: Once<Self>);
    fn stop(&mut self);
    fn freeze(&mut self);

    fn enter(&mut self, main: Once<Self>);
    /// `None` when a rejection that nobody handles has ended the run.
    fn run(&mut self, mode: Mode) -> Option<RunStatus>;
    fn pass_us(&mut self, us: u64);
}
