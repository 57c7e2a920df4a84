//! What a loop is made with, how it is run, and how a run ends.

use std::fmt;
use std::io;

use crate::clock::Clock;
use crate::promise::Reason;

/// How long [`Loop::run`](crate::Loop::run) goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunMode {
    /// Until nothing keeps the loop alive.
    Default,
    /// One turn, waiting for events if there is nothing to do.
    Once,
    /// One turn, without waiting.
    NoWait,
}

/// Why [`Loop::run`](crate::Loop::run) has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// Nothing keeps the loop alive.
    Done,
    /// [`Loop::stop`](crate::Loop::stop) was called.
    Stopped,
    /// One turn was asked for, and there is more to do.
    Alive,
    /// [`Loop::freeze`](crate::Loop::freeze) was called.
    Frozen,
}

/// Why a loop could not go on.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoopError {
    /// The kernel refused to wait for events. The loop can be run again.
    Poll(io::Error),
    /// A promise was rejected and nobody had set a handler. The loop can be run again; the
    /// rejection is forgotten.
    UnhandledRejection(Reason),
    /// [`Loop::run`](crate::Loop::run) was called from a callback. Nothing has changed: the loop
    /// runs on.
    Nested,
}

impl fmt::Display for LoopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoopError::Poll(error) => write!(f, "waiting for events failed: {error}"),
            LoopError::UnhandledRejection(reason) => {
                write!(f, "unhandled promise rejection: {reason}; add a `catch` or a handler")
            }
            LoopError::Nested => f.write_str("a callback can't run the loop that runs it"),
        }
    }
}

impl std::error::Error for LoopError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LoopError::Poll(error) => Some(error),
            LoopError::UnhandledRejection(_) | LoopError::Nested => None,
        }
    }
}

/// What a loop is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The clock. Under a virtual one a run is exactly repeatable.
    pub clock: Clock,
    /// From how long on a turn is a stall, in nanoseconds. 50 ms by default.
    pub stall_threshold_ns: u64,
    /// Whether single callbacks and short drains are timed: two clock readings each.
    pub detail: bool,
    /// Threads for blocking work, 1 to 1024. `None`: by `UV_THREADPOOL_SIZE`, else 4.
    pub thread_pool_size: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            clock: Clock::real(),
            stall_threshold_ns: 50_000_000,
            detail: false,
            thread_pool_size: None,
        }
    }
}
