//! What observes a command that we start, from its first instruction on.
//!
//! ```text
//! environment() -> the command's process is made, and waits -> attach(pid) -> it becomes the
//! program -> it runs ... -> ending(), if it is made to end -> ended()
//! ```

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use super::Observe;
use crate::exit::Failure;

/// Observes one command.
pub trait Observer: Send + Sync {
    /// Variables that the command must be started with, besides ours.
    fn environment(&self) -> Vec<(&'static str, OsString)> {
        Vec::new()
    }

    /// Begins. The process `pid` waits, and is about to become `program`.
    ///
    /// # Errors
    /// When the command can't be observed; it is not started then.
    fn attach(&self, pid: u32, program: &Path) -> Result<Arc<dyn Observe>, Failure>;

    /// Whether the process that was attached to is observed from its first turn on. Where it
    /// becomes Node.js later, as `env` does, or starts it, that is found some milliseconds later.
    fn sees_first_turn(&self) -> bool {
        false
    }

    /// The command is about to be made to end. May take some 100 ms.
    fn ending(&self) {}

    /// The command has ended. What is observed stands still from now on. Returns what a reader of
    /// the report must know of how it was observed, a line each.
    fn ended(&self) -> Vec<String> {
        Vec::new()
    }

    /// Node.js processes that had ended before they could be observed, as far as the source knows.
    fn missed(&self) -> u64 {
        0
    }
}
