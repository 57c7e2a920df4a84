//! The loop: libuv's phases in libuv's order, Node's queues above them.
//!
//! ```text
//!   timers ──┐ (once, before the first turn)
//!            v
//!     ┌─> pending ─> idle ─> prepare ─> poll ─> check ─> close ─> timers ─┐
//!     └───────────────────────────────────────────────────────────────────┘
//!   after every callback: all nextTicks, then all microtasks, again until both are empty
//! ```
//!
//! The order is that of libuv since 1.45 (Node 20): timers at the end of each turn, and once before
//! the first.
//!
//! Cost: an empty turn is one system call and a few nanoseconds (`goals` in `bench` prints it).
//!
//! **Invariant**: the clock is read when the poll returns and, where the loop is measured, after
//! every phase that ran something; an empty phase costs no reading. The order of events is the same
//! whether a loop is measured or not.

mod drain;
mod freeze;
mod immediates;
mod node_timers;
mod options;
mod poll;
mod time;
mod watchers;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::clock::LoopClock;
use crate::handle::{Handle, HandleId, Handles};
use crate::io::Io;
use crate::limits::PENDING_PASSES;
use crate::phase::Phase;
use crate::pool::Pool;
use crate::promise::Rejections;
use crate::recorder::{Blame, NoRecord, Reader, Record, Recorder};
use crate::task::{Task, TaskRing};
use crate::timers::{NodeTimers, Place, TimerHeap};
pub use immediates::ImmediateId;
use immediates::Immediates;
pub use options::{LoopError, Options, RunMode, RunStatus};
use poll::PollScratch;
use watchers::Watchers;

/// An event loop. It belongs to the thread that made it; callbacks get it as `&mut Loop`.
///
/// `R` says whether it is measured: [`Recorder`] (the default) or [`NoRecord`].
pub struct Loop<R: Record = Recorder> {
    pub(crate) record: R,
    reader: Option<Reader>,
    clock: LoopClock,
    /// When the clock was read last.
    now_ns: u64,
    /// The time by which timers are set.
    loop_ns: u64,
    /// Whether something has run since `now_ns` was taken.
    stale: bool,
    turn_open: bool,
    running: bool,
    stopped: bool,
    freezing: bool,
    frozen_since_ns: Option<u64>,

    pub(crate) handles: Handles<R>,
    pub(crate) watchers: [Watchers<R>; 3],
    pub(crate) pending: VecDeque<Task<Loop<R>>>,
    /// Callbacks that are run one after the other, now.
    pub(crate) owed: VecDeque<Task<Loop<R>>>,
    pub(crate) closing: Vec<HandleId>,
    /// Those that the close phase has taken and not run yet. They don't keep the loop alive.
    closing_now: Vec<HandleId>,
    pub(crate) timer_heap: TimerHeap,
    node_timer: Option<Place>,
    node_timers: NodeTimers<Loop<R>>,

    ticks: TaskRing<Loop<R>>,
    microtasks: TaskRing<Loop<R>>,
    /// Whether what ran last was interrupted.
    interrupted: bool,
    /// Whether a drain has to look at more than its queues: something was interrupted or left, or
    /// a rejection waits or is fatal.
    pub(crate) exceptional: bool,
    /// What is run where the next drain begins.
    left: Option<Task<Loop<R>>>,
    immediates: Immediates<R>,
    pub(crate) rejections: Rejections<R>,

    pub(crate) io: Io,
    poll_scratch: PollScratch,
    pub(crate) pool: Pool<R>,
}

impl Loop<Recorder> {
    /// A measured loop.
    ///
    /// # Errors
    /// When the kernel grants no more descriptors (one for the poll, one to be woken by).
    pub fn new(options: Options) -> io::Result<Loop> {
        let Options { clock, stall_threshold_ns, detail, .. } = options.clone();
        let (record, reader) = Recorder::new(clock, stall_threshold_ns, detail);
        let mut lp = Loop::with_recorder(options, record)?;
        lp.reader = Some(reader.with_pool(lp.pool.gauge()));
        Ok(lp)
    }

    /// The loop runs JavaScript, and `blame` knows of it: time in callbacks is that of JavaScript,
    /// and stalls have the culprits that `blame` tells. Who was named first stays.
    pub fn blame_by(&mut self, blame: Box<dyn Blame>) {
        self.reader().blame_by(blame);
    }

    /// The garbage collector of the JavaScript that the loop runs has stopped this thread for so
    /// long, until now.
    pub fn gc_paused(&mut self, pause_ns: u64) {
        self.record.gc_pause(pause_ns);
    }

    /// Reads what the loop does, from any thread.
    pub fn reader(&self) -> Reader {
        self.reader.clone().expect("a measured loop is made with a reader")
    }
}

impl Loop<NoRecord> {
    /// A loop that isn't measured.
    ///
    /// # Errors
    /// As [`Loop::new`].
    pub fn unmeasured(options: Options) -> io::Result<Loop<NoRecord>> {
        Loop::with_recorder(options, NoRecord)
    }
}

impl<R: Record> Loop<R> {
    fn with_recorder(options: Options, record: R) -> io::Result<Self> {
        let clock = LoopClock::new(options.clock);
        let io = Io::new()?;
        let pool = Pool::new(options.thread_pool_size, io.inbox(), clock.is_virtual());
        Ok(Loop {
            record,
            reader: None,
            clock,
            now_ns: 0,
            loop_ns: 0,
            stale: true,
            turn_open: false,
            running: false,
            stopped: false,
            freezing: false,
            frozen_since_ns: None,
            handles: Handles::new(),
            watchers: std::array::from_fn(|_| Watchers::new()),
            pending: VecDeque::new(),
            owed: VecDeque::new(),
            closing: Vec::new(),
            closing_now: Vec::new(),
            timer_heap: TimerHeap::new(),
            node_timer: None,
            node_timers: NodeTimers::new(),
            ticks: TaskRing::new(),
            microtasks: TaskRing::new(),
            interrupted: false,
            exceptional: false,
            left: None,
            immediates: Immediates::new(),
            rejections: Rejections::new(),
            io,
            poll_scratch: PollScratch::default(),
            pool,
        })
    }

    /// Runs a main program: what it queues is drained when it returns, what it starts is run by
    /// [`Loop::run`], which should follow at once: the turn that begins here stays open until the
    /// loop polls. Its time is outside of any phase. Called from a callback, it runs as a part of
    /// that.
    pub fn enter(&mut self, main: impl FnOnce(&mut Self)) {
        if self.running {
            main(self);
            return;
        }
        self.thaw();
        self.open_turn();
        self.callback(main);
    }

    /// Runs the loop. A panic of a callback ends the run and is passed on. The loop can be run
    /// again, without what that callback was to do: everything else that was ready runs then. A
    /// callback that would have run many times, as that of a socket, is gone; its handle can only
    /// be closed.
    ///
    /// # Errors
    /// See [`LoopError`].
    pub fn run(&mut self, mode: RunMode) -> Result<RunStatus, LoopError> {
        if std::mem::replace(&mut self.running, true) {
            return Err(LoopError::Nested);
        }
        self.thaw();
        self.open_turn();
        let result = catch_unwind(AssertUnwindSafe(|| self.run_turns(mode)));
        self.close_turn();
        self.running = false;
        let stopped = std::mem::take(&mut self.stopped);
        let freezing = std::mem::take(&mut self.freezing);
        let alive = result.unwrap_or_else(|panic| {
            self.recover();
            resume_unwind(panic)
        })?;
        if freezing {
            self.begin_freeze();
            return Ok(RunStatus::Frozen);
        }
        Ok(match (stopped, alive) {
            (true, _) => RunStatus::Stopped,
            (false, true) => RunStatus::Alive,
            (false, false) => RunStatus::Done,
        })
    }

    fn run_turns(&mut self, mode: RunMode) -> Result<bool, LoopError> {
        self.keep_closing();
        // What was queued since the last run waits for this one; what was left, for a callback.
        if self.left.is_none() {
            let _ = self.drain_if_needed();
        }
        self.check_rejection()?;
        let mut alive = self.is_alive();
        if mode == RunMode::Default && alive && self.may_go_on() {
            self.run_timers();
        }
        while alive && self.may_go_on() {
            alive = self.turn(mode)?;
            if mode != RunMode::Default {
                break;
            }
        }
        self.check_rejection()?;
        Ok(alive)
    }

    /// One turn, phase by phase. Returns whether something keeps the loop alive.
    ///
    /// It is inlined into the loop over turns, and the poll down to its system call into it: the
    /// kernel's defences against speculation leave the CPU's stack of return addresses useless, so
    /// that each return from a function in which the call was made is mispredicted. One function
    /// between here and the call makes an empty turn a sixth slower.
    #[inline(always)]
    fn turn(&mut self, mode: RunMode) -> Result<bool, LoopError> {
        let can_sleep = self.pending.is_empty() && self.idle_is_empty();
        self.run_pending();
        self.run_idle();
        self.run_prepare();

        let wait = mode == RunMode::Default || (mode == RunMode::Once && can_sleep);
        let timeout_ms = if wait { self.backend_timeout_ms() } else { Some(0) };
        self.poll(timeout_ms).map_err(LoopError::Poll)?;
        self.run_pending_passes();
        self.run_check();
        self.run_closing();
        self.run_timers();
        Ok(self.is_alive())
    }

    /// Whether something keeps the loop alive: a handle or timer that is active and referenced,
    /// an immediate, work in the pool, or callbacks that wait.
    pub fn is_alive(&self) -> bool {
        self.has_work() || !self.pending.is_empty() || !self.closing.is_empty()
    }

    fn has_work(&self) -> bool {
        self.handles.holding() > 0
            || self.immediates.referenced() > 0
            || self.node_timers.referenced() > 0
            || self.pool.outstanding() > 0
    }

    /// Lets [`Loop::run`] return at the end of this turn, or at once when it is called next.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    fn may_go_on(&self) -> bool {
        !self.stopped && !self.freezing && !self.rejections.fatal()
    }

    fn check_rejection(&mut self) -> Result<(), LoopError> {
        match self.rejections.take_fatal() {
            Some(reason) => Err(LoopError::UnhandledRejection(reason)),
            None => Ok(()),
        }
    }

    #[inline]
    fn run_pending(&mut self) {
        if !self.pending.is_empty() {
            self.in_phase(Phase::Pending, Self::run_pending_pass);
        }
    }

    #[inline]
    fn run_pending_passes(&mut self) {
        if !self.pending.is_empty() {
            self.in_phase(Phase::Pending, |lp| {
                (0..PENDING_PASSES).for_each(|_| lp.run_pending_pass());
            });
        }
    }

    fn run_pending_pass(&mut self) {
        // Those that are put off while these run belong to the next pass.
        for _ in 0..self.pending.len() {
            if self.rejections.fatal() {
                break;
            }
            if let Some(task) = self.pending.pop_front() {
                self.callback(|lp| task.run(lp));
            }
        }
    }

    /// Runs close callbacks, the handle closed last first, as libuv does.
    fn run_closing(&mut self) {
        if self.closing.is_empty() {
            return;
        }
        self.in_phase(Phase::Close, |lp| {
            // Taken as a whole, as in libuv: those that are left don't keep the loop alive, and
            // those that are closed meanwhile wait for the next turn.
            std::mem::swap(&mut lp.closing, &mut lp.closing_now);
            while !lp.rejections.fatal()
                && let Some(id) = lp.closing_now.pop()
            {
                lp.finish_closing(id);
            }
            lp.keep_closing();
        });
    }

    /// What an exception or a panic has left of those that were taken is for the next close phase.
    fn keep_closing(&mut self) {
        if !self.closing_now.is_empty() {
            self.closing_now.append(&mut self.closing);
            std::mem::swap(&mut self.closing, &mut self.closing_now);
        }
    }

    /// Forgets a handle, with its descriptor, and then runs every callback that it still owes.
    fn finish_closing(&mut self, id: HandleId) {
        let Some(Handle { kind, on_close, .. }) = self.handles.remove(id) else { return };
        for (callback, result) in kind.into_owed() {
            self.owe(move |lp| callback(lp, result));
        }
        self.owed.extend(on_close);
        self.run_owed();
    }

    /// Has a callback run by the next [`Loop::run_owed`].
    pub(crate) fn owe(&mut self, callback: impl FnOnce(&mut Self) + 'static) {
        self.owed.push_back(Task::new(callback));
    }

    /// Runs the callbacks that something has come to owe at once. What a fatal rejection leaves is
    /// put off.
    pub(crate) fn run_owed(&mut self) {
        while !self.rejections.fatal()
            && let Some(task) = self.owed.pop_front()
        {
            self.callback(|lp| task.run(lp));
        }
        self.pending.append(&mut self.owed);
    }

    /// A callback has panicked: what stood behind it is to run when the loop is run again.
    fn recover(&mut self) {
        self.settle_all_watchers();
        self.recover_node_timers();
        self.recover_letters();
        self.pending.append(&mut self.owed);
    }

    /// Runs what a phase has to run, and notes how long it took.
    #[inline]
    fn in_phase(&mut self, phase: Phase, run: impl FnOnce(&mut Self)) {
        if !R::ON {
            run(self);
            return;
        }
        let start_ns = self.fresh_now_ns();
        self.record.enter_phase(phase);
        run(self);
        let end_ns = self.fresh_now_ns();
        self.record.leave_phase(phase, end_ns - start_ns);
    }

    /// Runs one callback, and then everything it has queued.
    #[inline]
    pub(crate) fn callback(&mut self, callback: impl FnOnce(&mut Self)) {
        self.callback_alone(callback);
        // Whether the loop may go on is asked before the next callback.
        if self.needs_drain() {
            let _ = self.drain();
            self.interrupted = false;
        }
    }

    /// Runs one callback. What it has queued is drained by the caller, before the next one.
    #[inline]
    fn callback_alone(&mut self, callback: impl FnOnce(&mut Self)) {
        self.timed_in_detail(callback);
        self.record.callbacks(1);
    }

    /// Runs something, and notes how long it took where that is wanted.
    #[inline]
    fn timed_in_detail<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let start_ns = if R::ON && self.record.detail() { Some(self.take_time()) } else { None };
        let result = run(self);
        if let Some(start_ns) = start_ns {
            let end_ns = self.take_time();
            self.record.callback_time(end_ns - start_ns);
        }
        self.stale = true;
        result
    }

    fn open_turn(&mut self) {
        if !self.turn_open {
            self.turn_open = true;
            self.update_time();
            self.record.start(self.now_ns);
            self.record.open_turn(self.now_ns);
        }
    }

    fn close_turn(&mut self) {
        self.turn_open = false;
        let now_ns = self.fresh_now_ns();
        self.record.close_turn(now_ns);
        self.record.stop(now_ns);
    }
}

impl<R: Record> fmt::Debug for Loop<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loop")
            .field("now_ns", &self.now_ns)
            .field("alive", &self.is_alive())
            .finish_non_exhaustive()
    }
}
