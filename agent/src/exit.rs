//! How the process ends: every exit code in one enum, and a failure as an exit code with one line.

use std::fmt;
use std::process::ExitCode;

use serde::Serialize;

/// The exit codes of the binary. They are a contract: scripts and CI jobs branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well: 0.
    Ok,
    /// The gate found a difference: 1.
    GateFailed,
    /// Wrong usage or bad input: 2.
    Usage,
    /// The gate could not decide: 3.
    Inconclusive,
    /// The run itself failed: 4.
    RunFailed,
    /// Refused for lack of rights or support: 5.
    Refused,
    /// `--timeout` ran out: 124.
    TimedOut,
    /// Ctrl-C, or a request to end: 130, 143 or 129.
    Interrupted(Interrupt),
    /// The program that was run has ended with this status.
    Program(u8),
}

impl Exit {
    /// The number that the parent process sees.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::GateFailed => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::RunFailed => 4,
            Exit::Refused => 5,
            Exit::TimedOut => 124,
            Exit::Interrupted(by) => by.code(),
            Exit::Program(status) => status,
        }
    }
}

/// Who asks for an end, by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-C: SIGINT.
    CtrlC,
    /// A request to terminate, as `kill` and service managers send it: SIGTERM.
    Terminate,
    /// The terminal has gone: SIGHUP.
    HangUp,
}

impl Interrupt {
    /// 128 and the number of the signal, as a shell tells of what a signal has ended.
    pub const fn code(self) -> u8 {
        match self {
            Interrupt::CtrlC => 130,
            Interrupt::Terminate => 143,
            Interrupt::HangUp => 129,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// What stands in the way, and what takes it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// What is missing or wrong.
    pub what: String,
    /// What to do about it: a command, where there is one.
    pub cure: String,
}

impl Cause {
    /// A cause and its cure.
    pub fn new(what: impl Into<String>, cure: impl Into<String>) -> Cause {
        Cause { what: what.into(), cure: cure.into() }
    }
}

/// `<what>; <cure>`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.cure)
    }
}

/// Why a command could not do what it was asked to: what was wrong and what to do, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit code that follows.
    pub exit: Exit,
    /// `<what was wrong>; <what to do>`.
    pub message: String,
}

impl Failure {
    /// The command line, the environment or an input file is at fault.
    pub fn usage(message: impl fmt::Display) -> Self {
        Failure { exit: Exit::Usage, message: message.to_string() }
    }

    /// The machine, or its owner, does not allow what was asked for.
    pub fn refused(message: impl fmt::Display) -> Self {
        Failure { exit: Exit::Refused, message: message.to_string() }
    }

    /// The input was good, and what it asked for failed.
    pub fn run(message: impl fmt::Display) -> Self {
        Failure { exit: Exit::RunFailed, message: message.to_string() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
