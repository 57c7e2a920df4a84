//! The host: JavaScript's callbacks on the loop, and Node's queues behind each.
//!
//! ```text
//!  loop callback ──> Entry (library) ──> script
//!        └──> checkpoint: ticks ──> jobs ──> rejections, again until all are empty
//! ```
//!
//! Ticks stand in the library, jobs in the engine. The loop gets one closure for each tick and each
//! job at the time when it is its turn, so its drains, their lengths and their order are the loop's
//! own, as it records them for Rust.
//!
//! What throws and is caught by nobody ends the drain in which it does, as in Node: the ticks
//! behind it wait for the next callback.
//!
//! Cost: some 6 ns a microtask beside the engine's own (`javascript` in `bench`); a tick takes
//! 0.5 us, an immediate 1.3 us and a timeout 1.8 us, most of it in the library.

mod current;

use std::cell::{Cell, OnceCell, RefCell};
use std::io::{self, Write};
use std::rc::{Rc, Weak};

use loop_core::Loop;

use super::engine::{Engine, Entry, Memory, QuickJs, Watch};
use super::lambda::Answer;
use super::natives;
use super::trace::Trace;
use super::trace::timeline::{Callback, Queue};
use super::value::Value;
use current::Current;

/// What the native functions know: everything but the engine, which owns them.
#[derive(Debug)]
pub(crate) struct Shared {
    current: Current,
    host: OnceCell<Weak<Host>>,
    /// Whether ticks wait in the library.
    pub(crate) ticks: Cell<bool>,
    /// Whether rejected promises wait to be told of.
    pub(crate) rejections: Cell<bool>,
    /// The program's exit status, once it has ended.
    pub(crate) status: Cell<Option<i32>>,
    /// Whether it has asked for more memory than it may have.
    pub(crate) memory_is_full: Rc<Cell<bool>>,
    /// What an invocation has answered.
    pub(crate) answer: RefCell<Option<Answer>>,
    /// Where what happens is recorded.
    pub(crate) trace: Option<Trace>,
}

impl Shared {
    /// Uses the loop. `None` where JavaScript isn't run by a callback of it.
    pub(crate) fn with_loop<T>(&self, run: impl FnOnce(&mut Loop) -> T) -> Option<T> {
        self.current.with(run)
    }

    /// Something that calls the library when it is run by the loop.
    pub(crate) fn caller(&self) -> Caller {
        Caller(self.host.get().cloned().unwrap_or_default())
    }
}

/// Calls the library from the loop, as long as the host is there.
#[derive(Clone, Debug)]
pub(crate) struct Caller(Weak<Host>);

impl Caller {
    /// Calls an entry as a callback of the loop.
    pub(crate) fn call<const N: usize>(&self, lp: &mut Loop, entry: Entry, arguments: [Value; N]) {
        if let Some(host) = self.0.upgrade() {
            host.callback(lp, entry, arguments);
        }
    }
}

/// See the module.
pub(crate) struct Host {
    pub(crate) shared: Rc<Shared>,
    engine: QuickJs,
    /// Whether the loop has a tick or job of ours that it has not run.
    queued: Cell<bool>,
}

/// How an entry of the library has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Called {
    Returned,
    /// Something was thrown that nobody has caught but a handler of such things.
    Failed,
    /// The program has ended.
    Ended,
}

impl Host {
    /// Makes an engine with Node's API, whose main program is `arguments[1]`.
    ///
    /// # Errors
    /// When there is too little memory.
    pub(crate) fn new(
        program: &natives::Program,
        memory_bytes: Option<u64>,
        watch: Box<dyn Watch>,
    ) -> Result<Rc<Host>, String> {
        let shared = Rc::new(Shared {
            current: Current::new(),
            host: OnceCell::new(),
            ticks: Cell::new(false),
            rejections: Cell::new(false),
            status: Cell::new(None),
            memory_is_full: Rc::default(),
            answer: RefCell::new(None),
            trace: program.trace.clone(),
        });
        let is_full = Rc::clone(&shared.memory_is_full);
        let memory = memory_bytes.map(|bytes_max| Memory { bytes_max, is_full });
        let told = Rc::clone(&shared);
        // JavaScript runs then, so the loop is lent.
        let collected = Box::new(move |pause_ns| {
            told.with_loop(|lp| lp.gc_paused(pause_ns));
        });
        let engine = QuickJs::new(memory, natives::all(&shared, program), watch, collected)?;
        let host = Rc::new(Host { shared, engine, queued: Cell::new(false) });
        // Set once, here.
        let _ = host.shared.host.set(Rc::downgrade(&host));
        Ok(host)
    }

    /// The program's exit status, once it has ended.
    pub(crate) fn status(&self) -> Option<i32> {
        let status = self.shared.status.get();
        if status.is_none() && self.shared.memory_is_full.get() {
            self.halt_unasked(OUT_OF_MEMORY);
        }
        self.shared.status.get()
    }

    /// Calls the library from a callback of the loop, and has what that queues run behind it.
    pub(crate) fn callback<const N: usize>(
        self: &Rc<Self>,
        lp: &mut Loop,
        entry: Entry,
        arguments: [Value; N],
    ) {
        match self.call(lp, entry, arguments) {
            Called::Returned => self.checkpoint(lp),
            Called::Failed => self.interrupt(lp),
            Called::Ended => lp.stop(),
        }
    }

    /// The same for handlers of `exit`: behind one that throws nothing is run, as in Node.
    pub(crate) fn exit(self: &Rc<Self>, lp: &mut Loop) {
        match self.call(lp, Entry::Exit, []) {
            Called::Returned => self.checkpoint(lp),
            Called::Failed => {}
            Called::Ended => lp.stop(),
        }
    }

    /// Calls the library, and returns what it does; `None` once the program has ended.
    pub(crate) fn ask<const N: usize>(
        &self,
        lp: &mut Loop,
        entry: Entry,
        arguments: [Value; N],
    ) -> Option<Value> {
        if self.status().is_some() {
            return None;
        }
        if let Some(trace) = &self.shared.trace {
            note(trace, lp, entry, &arguments);
        }
        let engine = &self.engine;
        let halted = match self.shared.current.lend(lp, || engine.call(entry, arguments)) {
            Ok(value) => return Some(value),
            Err(halted) => halted,
        };
        if let Some(fault) = halted.fault
            && self.status().is_none()
        {
            self.halt_unasked(&format!(
                "the program has changed what its surroundings are made of: {fault}"
            ));
        }
        None
    }

    /// Entries return whether they have failed.
    fn call<const N: usize>(&self, lp: &mut Loop, entry: Entry, arguments: [Value; N]) -> Called {
        let returned = self.ask(lp, entry, arguments);
        match (self.status(), returned) {
            (Some(_), _) => Called::Ended,
            (None, Some(Value::Bool(true))) => Called::Failed,
            (None, Some(_)) => Called::Returned,
            (None, None) => self.halt_unasked(OUT_OF_MEMORY),
        }
    }

    /// JavaScript was ended, but not by the program.
    fn halt_unasked(&self, why: &str) -> Called {
        // A closed standard error is no reason to go on.
        let _ = writeln!(io::stderr(), "FATAL ERROR: {why}");
        self.shared.status.set(Some(STATUS_OF_ABORT));
        Called::Ended
    }

    /// Has the loop run what waits: ticks first, then jobs, and then tells of rejections.
    pub(crate) fn checkpoint(self: &Rc<Self>, lp: &mut Loop) {
        // A callback behind one that has thrown may have asked for this already.
        if self.queued.get() {
            return;
        }
        let has_jobs = !self.shared.ticks.get() && self.engine.has_jobs();
        Rc::clone(self).go_on(lp, has_jobs);
    }

    /// Hands itself on to the next job or tick.
    #[inline]
    fn go_on(self: Rc<Self>, lp: &mut Loop, has_jobs: bool) {
        if self.status().is_some() {
            lp.stop();
        } else if has_jobs {
            self.queued.set(true);
            lp.queue_microtask(move |lp| self.run_job(lp));
        } else if self.shared.ticks.get() {
            self.queued.set(true);
            lp.next_tick(move |lp| self.run_tick(lp));
        } else if self.shared.rejections.take() {
            self.tell_rejections(lp);
        }
    }

    fn run_tick(self: Rc<Self>, lp: &mut Loop) {
        self.queued.set(false);
        let Some(Value::Number(state)) = self.ask(lp, Entry::Tick, []) else {
            return lp.stop();
        };
        let state = state as u8;
        let more = state & TICK_MORE != 0;
        self.shared.ticks.set(more);
        if state & TICK_FAILED != 0 {
            self.interrupt(lp);
        } else if more {
            self.go_on(lp, false);
        } else {
            self.checkpoint(lp);
        }
    }

    #[inline]
    fn run_job(self: Rc<Self>, lp: &mut Loop) {
        self.queued.set(false);
        if self.status().is_some() {
            return;
        }
        if let Some(trace) = &self.shared.trace {
            trace.task(Queue::Microtask);
        }
        let engine = &self.engine;
        let more = self.shared.current.lend(lp, || engine.run_job().more);
        self.go_on(lp, more);
    }

    fn tell_rejections(self: &Rc<Self>, lp: &mut Loop) {
        match self.call(lp, Entry::Rejections, []) {
            Called::Returned => self.checkpoint(lp),
            Called::Failed => self.interrupt(lp),
            Called::Ended => lp.stop(),
        }
    }

    /// What was thrown has left goes on where Node looks at its queues next.
    fn interrupt(self: &Rc<Self>, lp: &mut Loop) {
        let host = Rc::clone(self);
        lp.interrupt(move |lp| host.checkpoint(lp));
    }
}

/// Records that the library is called.
fn note(trace: &Trace, lp: &Loop, entry: Entry, arguments: &[Value]) {
    let id = match arguments.first() {
        Some(Value::Number(id)) => Some(*id as u64),
        _ => None,
    };
    let callback = match entry {
        Entry::Tick => return trace.task(Queue::NextTick),
        Entry::Rejections => return trace.rejections(),
        Entry::Uncaught | Entry::Pending => return,
        Entry::Main => Callback::Main,
        Entry::Timer => Callback::Timer,
        Entry::Immediate => Callback::Immediate,
        Entry::Event | Entry::Invoke => Callback::Event,
        Entry::BeforeExit => Callback::BeforeExit,
        Entry::Exit => Callback::Exit,
    };
    trace.callback(lp, callback, id);
}

/// What the library says of a tick that it has run: whether another waits, and whether it threw.
const TICK_MORE: u8 = 1;
const TICK_FAILED: u8 = 2;

/// Memory was short where nothing could be thrown.
const OUT_OF_MEMORY: &str = "JavaScript heap out of memory; see --max-memory";

/// As a Node that was aborted has: 128 and SIGABRT.
const STATUS_OF_ABORT: i32 = 134;

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("shared", &self.shared).finish_non_exhaustive()
    }
}
