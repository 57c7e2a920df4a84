//! The recorder: what a loop notes of itself while it runs, for readers on other threads.
//!
//! ```text
//!  Loop ──> Recorder (this thread) ──flush──> Shared (atomics) <──reads── Reader (any thread)
//!            rows of ≤ 64 turns                histograms, totals,
//!                                              the open turn, stall ring
//! ```
//!
//! [`Record`] is what the loop calls. [`Recorder`] notes it; [`NoRecord`] has the same calls with
//! empty bodies, so a loop that isn't measured is compiled as if measuring did not exist.
//!
//! Cost: 1 to 2 ns a value (`goals` in `bench`); nothing is locked, allocated or waited for, and no
//! instruction is a locked read-modify-write.
//!
//! **Invariant**: the start of the open turn and of the open drain are stored at once, so that a
//! loop which never comes back is seen by every reader.

mod blame;
mod counted;
mod histogram;
mod ledger;
mod reader;
mod shared;
mod single;
mod stalls;
mod sync;
mod turns;
mod writer;

pub use blame::{Blame, Blamed};
pub use reader::Reader;
pub(crate) use shared::PoolGauge;
pub use single::{HistogramReader, HistogramWriter};
pub use writer::Recorder;

use crate::phase::Phase;
use crate::snapshot::Queue;

/// What a loop tells about itself. Times are nanoseconds of the loop's clock.
pub trait Record: 'static {
    /// Whether anything is noted; where it is not, the loop leaves out the clock readings, too.
    const ON: bool;

    /// Whether single callbacks and short drains are timed.
    fn detail(&self) -> bool;
    /// The loop runs, from now on.
    fn start(&mut self, now_ns: u64);
    /// The loop has come to rest, between two turns. Everything noted becomes visible.
    fn stop(&mut self, now_ns: u64);
    /// A turn begins: the poll has returned, or the loop starts.
    fn open_turn(&mut self, now_ns: u64);
    /// The turn ends: the loop is about to poll, or has nothing left to do.
    fn close_turn(&mut self, now_ns: u64);
    /// The loop waits in the poll, from now on. Everything noted becomes visible: it may be gone
    /// for a while.
    fn open_wait(&mut self, now_ns: u64);
    /// The poll has returned after waiting for so long.
    fn close_wait(&mut self, now_ns: u64, wait_ns: u64);
    /// The loop has passed through a poll that did not wait.
    fn passed_poll(&mut self, poll_ns: u64);
    /// A phase that has something to run begins.
    fn enter_phase(&mut self, phase: Phase);
    /// It has ended.
    fn leave_phase(&mut self, phase: Phase, duration_ns: u64);
    /// So many callbacks of the current phase have run.
    fn callbacks(&mut self, count: u64);
    /// One of them took so long; with detail only.
    fn callback_time(&mut self, duration_ns: u64);
    /// A timer has fired so much after it was due.
    fn timer(&mut self, lateness_ns: u64);
    /// So many immediates have run.
    fn immediates(&mut self, count: u64);
    /// A queue that is not empty begins to be drained.
    fn open_drain(&mut self, queue: Queue, now_ns: u64);
    /// So many jobs of the open drain have run.
    fn drain_progress(&mut self, jobs: u64);
    /// The drain is over.
    fn close_drain(&mut self, queue: Queue, jobs: u64, duration_ns: u64);
    /// JavaScript's garbage collector has stopped the loop for so long, until now.
    fn gc_pause(&mut self, pause_ns: u64);
    /// A job of the thread pool is done.
    fn pool_job(&mut self, queue_ns: u64, run_ns: u64);
    /// The loop is frozen, from now on.
    fn open_freeze(&mut self, now_ns: u64);
    /// It is thawed.
    fn close_freeze(&mut self, gap_ns: u64);
    /// The workload has declared a cost, so durations mean something under a virtual clock.
    fn cost_declared(&mut self);
}

/// Notes nothing, at no cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRecord;

#[rustfmt::skip]
impl Record for NoRecord {
    const ON: bool = false;
    #[inline(always)] fn detail(&self) -> bool { false }
    #[inline(always)] fn start(&mut self, _: u64) {}
    #[inline(always)] fn stop(&mut self, _: u64) {}
    #[inline(always)] fn open_turn(&mut self, _: u64) {}
    #[inline(always)] fn close_turn(&mut self, _: u64) {}
    #[inline(always)] fn open_wait(&mut self, _: u64) {}
    #[inline(always)] fn close_wait(&mut self, _: u64, _: u64) {}
    #[inline(always)] fn passed_poll(&mut self, _: u64) {}
    #[inline(always)] fn enter_phase(&mut self, _: Phase) {}
    #[inline(always)] fn leave_phase(&mut self, _: Phase, _: u64) {}
    #[inline(always)] fn callbacks(&mut self, _: u64) {}
    #[inline(always)] fn callback_time(&mut self, _: u64) {}
    #[inline(always)] fn timer(&mut self, _: u64) {}
    #[inline(always)] fn immediates(&mut self, _: u64) {}
    #[inline(always)] fn open_drain(&mut self, _: Queue, _: u64) {}
    #[inline(always)] fn drain_progress(&mut self, _: u64) {}
    #[inline(always)] fn close_drain(&mut self, _: Queue, _: u64, _: u64) {}
    #[inline(always)] fn gc_pause(&mut self, _: u64) {}
    #[inline(always)] fn pool_job(&mut self, _: u64, _: u64) {}
    #[inline(always)] fn open_freeze(&mut self, _: u64) {}
    #[inline(always)] fn close_freeze(&mut self, _: u64) {}
    #[inline(always)] fn cost_declared(&mut self) {}
}
