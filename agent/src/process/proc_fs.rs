//! Where the files of `/proc` lie, so that tests can lay their own.

use std::io;
use std::path::{Path, PathBuf};

/// A mounted `/proc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcFs {
    root: PathBuf,
}

impl Default for ProcFs {
    fn default() -> Self {
        ProcFs { root: PathBuf::from("/proc") }
    }
}

impl ProcFs {
    /// The one that is mounted at `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        ProcFs { root: root.into() }
    }

    /// Where it is mounted.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The path of a file about a process.
    pub fn path(&self, pid: u32, file: &str) -> PathBuf {
        self.root.join(pid.to_string()).join(file)
    }

    /// The bytes of a file about a process.
    pub(super) fn read(&self, pid: u32, file: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.path(pid, file))
    }

    /// The numbers among the names in a folder: of processes, or of the threads of one.
    pub(super) fn numbers(folder: &Path) -> io::Result<Vec<u32>> {
        let names = std::fs::read_dir(folder)?.filter_map(Result::ok);
        Ok(names.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
    }
}
