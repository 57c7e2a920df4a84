//! What a run was, as a plain value: in which turn and phase each callback ran, what was queued
//! behind it, and which line had asked for it.

use serde::Serialize;

/// A recorded run.
///
/// **Invariant**: events stand in the order in which they happened, and refer to earlier ones only.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Timeline {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Every drain of a queue, in order.
    pub drains: Vec<Drain>,
    /// How many turns of the loop have begun.
    pub turns: u64,
    /// Events that had no place any more.
    pub events_dropped: u64,
    /// Drains that had no place any more.
    pub drains_dropped: u64,
    /// Calls of functions that had no place any more, or were too deep, where those are walked.
    pub calls_dropped: u64,
    /// Files into which the walk of the call stack does not see.
    pub files_unseen: Vec<String>,
}

impl Timeline {
    /// Every line that is named, in the order of the events.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.events.iter().flat_map(|event| {
            let frames = event.stack.iter().map(|frame| &frame.place);
            let function = match &event.what {
                What::Made { function, .. } => function.place.as_ref(),
                What::Task { function, .. } => function.as_ref().and_then(|f| f.place.as_ref()),
                _ => None,
            };
            frames.chain(function)
        })
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// The turn of the loop, from 1; 0 before the first.
    pub turn: u64,
    /// Where in the turn.
    pub phase: Stage,
    /// When, in nanoseconds of the loop's clock since the start.
    pub at_ns: u64,
    /// What.
    #[serde(flatten)]
    pub what: What,
    /// The program's own frames then, innermost first; empty where it wasn't running.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<Frame>,
}

/// Where in a turn something is: the loop's phases, and what runs outside of any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The main program.
    #[default]
    Main,
    /// Due timers.
    Timers,
    /// Callbacks that an earlier turn put off.
    Pending,
    /// Callbacks of what the poll found ready.
    Poll,
    /// Immediates.
    Check,
    /// Close callbacks.
    Close,
    /// Handlers of `beforeExit`.
    BeforeExit,
    /// Handlers of `exit`.
    Exit,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// A turn of the loop begins.
    Turn,
    /// The loop calls the program.
    Callback {
        /// What for.
        callback: Callback,
        /// Its number among those of its kind; `None` where there is but one.
        id: Option<u64>,
        /// The event that asked for it, by its place in the list.
        made: Option<usize>,
        /// What the loop's clock showed, in whole milliseconds.
        loop_ms: u64,
    },
    /// The program asks for something to be run later.
    Made {
        /// What.
        made: Made,
        /// Its number among those of its kind.
        id: u64,
        /// What is to be run.
        function: Function,
        /// The function of Node's API that was called, where one was.
        via: Option<String>,
        /// The duration that was asked for, in milliseconds; `None` where it is no number.
        asked_ms: Option<f64>,
        /// The duration that it has, in milliseconds.
        ms: Option<u64>,
        /// When it is due, on the clock of `loop_ms`.
        due_ms: Option<u64>,
    },
    /// A queue is drained.
    Drain {
        /// Which, by its place in [`Timeline::drains`]; `None` where that has none for it.
        drain: Option<usize>,
        /// The queue.
        queue: Queue,
    },
    /// One tick or job.
    Task {
        /// Its queue.
        queue: Queue,
        /// What it is; `None` where nothing has told.
        task: Option<Made>,
        /// The event that asked for it, by its place in the list.
        made: Option<usize>,
        /// The function that runs, as far as it showed itself.
        function: Option<Function>,
    },
    /// A function of the program begins, or goes on: the one frame of the stack. Only where the
    /// call stack is walked.
    Begins {
        /// Whether it has begun earlier: an async function or a generator.
        goes_on: bool,
    },
    /// It ends, or waits.
    Ends,
    /// The program prints.
    Output {
        /// Whether to standard error.
        stderr: bool,
        /// What, with the end of its line.
        text: String,
    },
    /// The program is told of promises that nobody handles.
    Rejections,
    /// An error that nobody has caught.
    Uncaught {
        /// Its message.
        message: String,
    },
}

/// Why the loop calls the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Callback {
    /// To run its main file.
    Main,
    /// A timer is due.
    Timer,
    /// An immediate.
    Immediate,
    /// A request or handle has something to tell.
    Event,
    /// Nothing is left to do.
    BeforeExit,
    /// The program ends.
    Exit,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// `setTimeout`.
    Timeout,
    /// `setInterval`.
    Interval,
    /// `setImmediate`.
    Immediate,
    /// `process.nextTick`.
    Tick,
    /// `queueMicrotask`.
    Microtask,
    /// `then`, `catch` or `finally` of a promise.
    Reaction,
    /// A file, a socket: something that the system is asked for.
    Request,
}

/// Node's two queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Queue {
    /// `process.nextTick`.
    NextTick,
    /// Promises and `queueMicrotask`.
    Microtask,
}

/// One drain of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Drain {
    /// The turn of the loop, from 1; 0 before the first.
    pub turn: u64,
    /// Behind a callback of which phase.
    pub phase: Stage,
    /// The queue.
    pub queue: Queue,
    /// How many ticks or jobs it ran. Telling the program of rejections ends a drain, as in V8.
    pub length: u64,
}

/// A function of the program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Function {
    /// Its name; empty where it has none.
    pub name: String,
    /// Where it is written; `None` for the engine's own.
    pub place: Option<Place>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1; 0 where it isn't known.
    pub column: u64,
}

/// A function that is being run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// Its name; empty where it has none.
    pub name: String,
    /// Where it is.
    pub place: Place,
}
