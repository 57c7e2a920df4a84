//! Why a file can't be read as a recording.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use super::FORMAT_VERSION;
use super::limits::READ_BYTES_MAX;

/// What to do about a recording that can't be written.
pub fn cure(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space",
        ErrorKind::FileTooLarge => "raise the limit on files (`ulimit -f`)",
        _ => "put that right, or record again",
    }
}

/// Why bytes are no recording that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotRead {
    /// There are none.
    Empty,
    /// They begin otherwise than a recording does.
    NoRecording,
    /// They are cut before anything was recorded.
    NoStart,
    /// The bytes that say which version it is are damaged.
    DamagedStart,
    /// It is of a format that this version of loopscope does not know.
    Newer {
        /// The version of the format.
        version: u16,
    },
}

/// `<what was wrong>; <what to do>`.
impl fmt::Display for NotRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotRead::Empty => f.write_str("is empty; record again, until the first snapshot"),
            NotRead::NoRecording => {
                f.write_str("is no recording; `loopscope record -o FILE PID` makes one")
            }
            NotRead::NoStart => {
                f.write_str("was cut before anything was recorded in it; record again")
            }
            NotRead::DamagedStart => {
                f.write_str("is a recording whose first bytes are damaged; get it anew")
            }
            NotRead::Newer { version } => write!(
                f,
                "is a recording of format {version}, and this loopscope reads {FORMAT_VERSION}; \
                 use a newer one"
            ),
        }
    }
}

impl std::error::Error for NotRead {}

/// Why a file can't be read as a recording. Its text is one line.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// It can't be opened or read.
    Io(PathBuf, io::Error),
    /// It is a folder, a pipe or a device.
    NoFile(PathBuf),
    /// It is longer than any recording.
    TooLong(PathBuf),
    /// It is no recording.
    NotRead(PathBuf, NotRead),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Io(path, error) => {
                write!(f, "{} can't be read ({error}); check its name and rights", path.display())
            }
            ReadError::NoFile(path) => {
                write!(f, "{} is no file; name the file that was recorded", path.display())
            }
            ReadError::TooLong(path) => write!(
                f,
                "{} is longer than any recording, {} GiB; name the file that was recorded",
                path.display(),
                READ_BYTES_MAX >> 30
            ),
            ReadError::NotRead(path, why) => write!(f, "{} {why}", path.display()),
        }
    }
}

impl std::error::Error for ReadError {}
