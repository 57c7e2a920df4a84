//! Where the files of `/proc` lie, so that tests can lay their own.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// More than 52 numbers and a name take.
const SHORT_BYTES: usize = 2048;

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

    /// The bytes of a file about a process that is short, as `stat` is: by one read, where
    /// [`ProcFs::read`] takes seven system calls more, as the kernel tells no length of such files.
    pub(super) fn read_short(&self, pid: u32, file: &str) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.path(pid, file))?;
        let mut bytes = vec![0; SHORT_BYTES];
        let length = file.read(&mut bytes)?;
        bytes.truncate(length);
        if length == SHORT_BYTES {
            file.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
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
