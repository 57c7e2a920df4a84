//! Real JavaScript on the loop: scripts run by an embedded engine, with the part of Node's API that
//! schedules, in the order of Node 20.
//!
//! ```text
//!  script ──> library (JavaScript) ──> natives (Rust) ──> loop_core::Loop
//!    ^            │  ^                                         │
//!    └────────────┘  └── Entry: a timer, a tick, an event <────┘
//!  jobs of promises stand in the engine; the host steps them, one by one, behind each callback
//! ```
//!
//! It is a measuring instrument, not a second Node: what does not bear on scheduling is left out,
//! and says so. Scripts have the rights of the user who runs them, as with Node.

mod calls;
mod engine;
mod host;
mod imports;
mod lambda;
mod last_line;
mod library;
mod natives;
mod samples;
mod trace;
mod value;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use loop_core::{Clock, Loop, LoopError, RunMode};

use engine::Entry;
use host::Host;
pub use lambda::{Invocation, Lambda, Pending};
pub use last_line::LastLine;
use natives::Program;
use samples::{Sampler, Samples};
pub use trace::{Trace, timeline};
use value::Value;

/// A JavaScript program to be run.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Its file.
    pub file: PathBuf,
    /// Its source, where it is one of ours and needs no file.
    pub source: Option<&'static str>,
    /// What `process.argv` holds behind the file.
    pub arguments: Vec<String>,
    /// The most memory it may use, in bytes; `None` for no limit.
    pub memory_bytes: Option<u64>,
    /// What it has written to standard output last; begins empty.
    pub last_line: LastLine,
}

/// Why a script could not be run to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum ScriptError {
    /// The engine can't be made.
    Engine(String),
    /// The loop could not go on.
    Loop(LoopError),
}

impl std::fmt::Display for ScriptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ScriptError::Engine(why) => f.write_str(why),
            ScriptError::Loop(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ScriptError {}

impl From<LoopError> for ScriptError {
    fn from(error: LoopError) -> Self {
        ScriptError::Loop(error)
    }
}

impl Script {
    /// Runs the script on a loop with this clock, until nothing keeps that alive or the script ends
    /// itself. Returns its exit status, which is Node's: 1 after an error that nobody caught, 13
    /// when a top-level `await` has not ended.
    ///
    /// # Errors
    /// [`ScriptError`]; what the script itself does wrong is no error, but its exit status.
    pub fn run(&self, lp: &mut Loop, clock: Clock) -> Result<i32, ScriptError> {
        self.begin(lp, clock)?.to_the_end(lp)
    }

    /// Runs the main program, and leaves what that begins to [`Running::go_on`].
    ///
    /// # Errors
    /// [`ScriptError::Engine`].
    pub fn begin(&self, lp: &mut Loop, clock: Clock) -> Result<Running, ScriptError> {
        let host = self.host(lp, clock, false, None)?;
        lp.enter(|lp| host.callback(lp, Entry::Main, []));
        Ok(Running(host))
    }

    /// As [`Script::run`], with all that it does recorded. What it prints is a part of that, and
    /// isn't printed.
    ///
    /// # Errors
    /// As for [`Script::run`].
    pub fn explain(&self, lp: &mut Loop, clock: Clock, trace: &Trace) -> Result<i32, ScriptError> {
        let host = self.host(lp, clock, false, Some(trace.clone()))?;
        trace.count_turns(lp);
        lp.enter(|lp| host.callback(lp, Entry::Main, []));
        let status = Running(host).to_the_end(lp);
        trace.ended();
        status
    }

    fn host(
        &self,
        lp: &mut Loop,
        clock: Clock,
        lambda: bool,
        trace: Option<Trace>,
    ) -> Result<Rc<Host>, ScriptError> {
        let program = Program {
            file: self.file.clone(),
            source: self.source,
            arguments: self.arguments.clone(),
            clock,
            lambda,
            last_line: self.last_line.clone(),
            trace,
        };
        let own = self.source.map(|source| (self.file.clone(), source));
        let samples = Samples::new(own);
        let sampler = Sampler::new(samples.clone(), lp.reader());
        lp.blame_by(Box::new(samples));
        Host::new(&program, self.memory_bytes, Box::new(sampler)).map_err(ScriptError::Engine)
    }
}

/// A script whose main program has run.
#[derive(Debug)]
pub struct Running(Rc<Host>);

impl Running {
    fn to_the_end(&self, lp: &mut Loop) -> Result<i32, ScriptError> {
        loop {
            if let Some(status) = self.go_on(lp)? {
                return Ok(status);
            }
        }
    }

    /// Runs the loop until nothing keeps it alive, and tells handlers of `beforeExit`. `None` where
    /// those have begun something; else the script has ended, with this exit status.
    ///
    /// # Errors
    /// [`ScriptError::Loop`].
    pub fn go_on(&self, lp: &mut Loop) -> Result<Option<i32>, ScriptError> {
        let host = &self.0;
        lp.run(RunMode::Default)?;
        if let Some(status) = host.status() {
            return Ok(Some(status));
        }
        lp.enter(|lp| host.callback(lp, Entry::BeforeExit, []));
        if host.status().is_some() || lp.is_alive() {
            return Ok(None);
        }
        // What handlers of `exit` have put into the queue of microtasks is run; ticks aren't.
        lp.enter(|lp| host.exit(lp));
        // Nothing follows: this closes the turn.
        lp.pass(Duration::ZERO);
        // Those microtasks may have set the status, too.
        let status = host.ask(lp, Entry::Exit, []);
        Ok(Some(match (host.status(), status) {
            (Some(status), _) => status,
            (None, Some(Value::Number(status))) => status as i32,
            (None, _) => 0,
        }))
    }
}
