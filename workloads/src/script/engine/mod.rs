//! What the host needs of a JavaScript engine, and the one that it has.
//!
//! The contract:
//!
//! 1. The engine keeps its own queue of jobs, first in, first out: the reactions of promises, and
//!    what `queueMicrotask` is given. It runs one only when told to.
//! 2. It compiles the library ([`crate::script::library`]) when it is made, and gives it the native
//!    functions. Of what the library returns it keeps the functions named by [`Entry`].
//! 3. Nothing that JavaScript throws leaves it as a panic.
//!
//! **Invariant**: no other module of the host knows which engine this is.

mod quickjs;

use std::cell::Cell;
use std::rc::Rc;

pub(crate) use quickjs::QuickJs;

use super::value::{Arguments, Thrown, Value};

/// A function of the library that the host calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// `(path)`: runs the main program.
    Main,
    /// `(id)`: a timer is due.
    Timer,
    /// `(id)`: an immediate is due.
    Immediate,
    /// Runs one tick.
    Tick,
    /// `(id, ...)`: a request or handle has something to tell.
    Event,
    /// Tells of promises that nobody handles. Returns whether it ran anything.
    Rejections,
    /// Before the program ends for want of work.
    BeforeExit,
    /// `(unfinished)`: the program ends. Returns its exit status.
    Exit,
    /// `(error, trace, entry)`: nobody has caught what an entry has thrown, or a job without one.
    Uncaught,
    /// `(number, event)`: an invocation of the exported handler.
    Invoke,
    /// What the invocations have left: a list of `[what, line, invocation]`.
    Pending,
}

impl Entry {
    pub(crate) const ALL: [Entry; 11] = [
        Entry::Main,
        Entry::Timer,
        Entry::Immediate,
        Entry::Tick,
        Entry::Event,
        Entry::Rejections,
        Entry::BeforeExit,
        Entry::Exit,
        Entry::Uncaught,
        Entry::Invoke,
        Entry::Pending,
    ];

    /// Whether it lets pass what the program throws, for `Uncaught`.
    pub(crate) fn runs_program(self) -> bool {
        use Entry::{Event, Immediate, Main, Tick, Timer};
        matches!(self, Main | Timer | Immediate | Tick | Event)
    }

    /// Its name in the object that the library returns.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Entry::Main => "main",
            Entry::Timer => "timer",
            Entry::Immediate => "immediate",
            Entry::Tick => "tick",
            Entry::Event => "event",
            Entry::Rejections => "rejections",
            Entry::BeforeExit => "beforeExit",
            Entry::Exit => "exit",
            Entry::Uncaught => "uncaught",
            Entry::Invoke => "invoke",
            Entry::Pending => "pending",
        }
    }
}

/// What became of one job, and whether another waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) ran: bool,
    pub(crate) more: bool,
}

/// JavaScript can't go on: the program has called for its end, was interrupted, or the library has
/// thrown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Halted {
    /// What the library has thrown: something that it needs was replaced by the program.
    pub(crate) fault: Option<String>,
}

/// A native function's body.
pub(crate) type Native = Box<dyn Fn(Arguments) -> Result<Value, Thrown>>;

/// A bound to the engine's memory.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    /// The most that scripts may use, with the library, in bytes.
    pub(crate) bytes_max: u64,
    /// Whether they have asked for more. JavaScript ends soon after.
    pub(crate) is_full: Rc<Cell<bool>>,
}

/// Is told how long a collection of garbage has taken, in nanoseconds.
pub(crate) type Collected = Box<dyn Fn(u64)>;

/// What the engine asks of its host while JavaScript runs.
pub(crate) trait Watch {
    /// Called every few microseconds to milliseconds of JavaScript. Whether it is to end.
    fn interrupt(&self, stack: &mut dyn FnMut() -> String) -> bool;

    /// A native function that may take long is called. Returns the time, in nanoseconds, for
    /// [`Watch::returned`].
    fn entered(&self) -> u64;

    /// It has returned; until then nothing could look at JavaScript. `None`: its result shows that
    /// it took long, but nobody knows when it was called.
    fn returned(&self, entered: Option<u64>, stack: &mut dyn FnMut() -> String);
}

/// See the module.
pub(crate) trait Engine: Sized {
    /// Makes an engine with the library in it.
    ///
    /// # Errors
    /// When the library can't be compiled, as with too little memory.
    fn new(
        memory: Option<Memory>,
        natives: Vec<(&'static str, Native)>,
        watch: Box<dyn Watch>,
        collected: Collected,
    ) -> Result<Self, String>;

    /// Whether a job waits.
    fn has_jobs(&self) -> bool;

    /// Runs the job that waits longest. What it throws the library is told.
    fn run_job(&self) -> Job;

    /// Calls a function of the library.
    fn call<const N: usize>(&self, entry: Entry, arguments: [Value; N]) -> Result<Value, Halted>;
}
