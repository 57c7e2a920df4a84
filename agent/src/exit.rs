//! How the process ends: every exit code in one enum, and a failure as an exit code with one line.

use std::fmt;
use std::process::ExitCode;

/// The exit codes of the binary. They are a contract: scripts and CI jobs branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All went well.
    Ok = 0,
    /// The gate found a difference.
    GateFailed = 1,
    /// Wrong usage or bad input.
    Usage = 2,
    /// The gate could not decide.
    Inconclusive = 3,
    /// The run itself failed.
    RunFailed = 4,
    /// Refused for lack of rights or support.
    Refused = 5,
    /// `--timeout` ran out.
    TimedOut = 124,
    /// Ctrl-C, or a request to terminate.
    Interrupted = 130,
}

impl Exit {
    /// The number that the parent process sees.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
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
