//! Lets the agent open as many files as it may: each watched process takes several, and the usual
//! soft limit of 1,024 is there for programs that use `select`.
//!
//! **Invariant**: only `agent` does it, which starts no other program: nobody inherits the limit.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit of open files to the hard one. Returns what it is now; `None`: no limit.
///
/// # Errors
/// The kernel does not let us; the limit is then as it was.
pub fn raise_open_files() -> io::Result<Option<u64>> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    }
    Ok(limit.maximum)
}
