//! Programs that processes have begun to execute, as the kernel side tells them.
//!
//! Cost: a system call for each, and one to learn that there are no more.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::{Kernel, Link, system};

/// As in `shared.h`.
const ANCESTORS: usize = 7;
const FILE_BYTES: usize = 96;
const FILE_AT: usize = 12 + 4 * ANCESTORS;
const BYTES: usize = FILE_AT + FILE_BYTES;

/// Where the kernel tells of executions.
const TRACEPOINT: &std::ffi::CStr = c"sched_process_exec";

/// A program that a process has begun to execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Executed {
    /// By the monotonic clock.
    pub(crate) at_ns: u64,
    pub(crate) pid: u32,
    /// Who has started it, the nearest first. 0: one that we have no number of.
    pub(crate) ancestors: [u32; ANCESTORS],
    /// The file, or the program that interprets it; cut off where the name is long.
    pub(crate) file: PathBuf,
}

impl Executed {
    fn read(bytes: &[u8; BYTES]) -> Executed {
        let number = |at: usize| u32::from_ne_bytes(std::array::from_fn(|byte| bytes[at + byte]));
        let name = bytes[FILE_AT..].split(|&byte| byte == 0).next().unwrap_or_default();
        Executed {
            at_ns: u64::from_ne_bytes(std::array::from_fn(|byte| bytes[byte])),
            pid: number(8),
            ancestors: std::array::from_fn(|index| number(12 + 4 * index)),
            file: PathBuf::from(OsStr::from_bytes(name)),
        }
    }
}

impl Kernel {
    /// Lets the kernel tell of executions on the whole machine, until the link is dropped.
    ///
    /// # Errors
    /// The kernel does not let us.
    pub(crate) fn watch_executions(&self) -> io::Result<Link> {
        system::link_tracepoint(self.loaded.exec(), TRACEPOINT).map(Link)
    }

    /// The oldest execution that was not taken yet.
    pub(crate) fn take_executed(&self) -> Option<Executed> {
        let mut bytes = [0; BYTES];
        system::pop(self.loaded.map("executions").as_fd(), &mut bytes).ok()?;
        Some(Executed::read(&bytes))
    }
}

/// The sizes and offsets that the kernel side must have, in bytes.
#[cfg(test)]
pub(super) fn layout() -> [usize; 2] {
    [BYTES, FILE_AT]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_is_read() {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&7_u64.to_ne_bytes());
        bytes[8..12].copy_from_slice(&11_u32.to_ne_bytes());
        bytes[12..16].copy_from_slice(&10_u32.to_ne_bytes());
        bytes[36..40].copy_from_slice(&1_u32.to_ne_bytes());
        bytes[40..48].copy_from_slice(b"/bin/sh\0");
        let file = PathBuf::from("/bin/sh");
        let ancestors = [10, 0, 0, 0, 0, 0, 1];
        assert_eq!(Executed::read(&bytes), Executed { at_ns: 7, pid: 11, ancestors, file });
    }
}
