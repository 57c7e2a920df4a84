//! The lock on disk: read whole, replaced whole.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::{Lock, LockError};

/// A lock has some 20 lines a section; one that is larger than this is another file.
const LOCK_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Why a lock can't be read or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// There is none.
    Missing(PathBuf),
    /// It can't be read.
    Read(PathBuf, io::Error),
    /// It is no lock.
    Parse(PathBuf, LockError),
    /// It can't be written. The old one is untouched.
    Write(PathBuf, io::Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Missing(path) => write!(
                f,
                "there is no lock {0}; \
                 write one with `loopscope gate accept --lock {0} -- NAME...`",
                path.display()
            ),
            StoreError::Read(path, error) => {
                write!(f, "{} can't be read ({error}); check --lock", path.display())
            }
            StoreError::Parse(path, error) => write!(
                f,
                "{} is no lock: {error}; mend it, or remove the file and write it anew with \
                 `loopscope gate accept`",
                path.display()
            ),
            StoreError::Write(path, error) => write!(
                f,
                "{} can't be written ({error}); check the folder and its rights",
                path.display()
            ),
        }
    }
}

impl std::error::Error for StoreError {}

/// Reads the lock.
///
/// # Errors
/// [`StoreError`], all but `Write`.
pub fn read(path: &Path) -> Result<Lock, StoreError> {
    let error = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => StoreError::Missing(path.to_owned()),
        _ => StoreError::Read(path.to_owned(), error),
    };
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(LOCK_BYTES_MAX).read_to_string(&mut text))
        .map_err(error)?;
    Lock::parse(&text).map_err(|error| StoreError::Parse(path.to_owned(), error))
}

/// Puts the lock in the place of the old one: whoever reads sees the old or the new, never a part.
///
/// # Errors
/// [`StoreError::Write`]; the old lock is untouched, and nothing is left beside it.
pub fn write(path: &Path, lock: &Lock) -> Result<(), StoreError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let replace = || {
        let mut file = File::create(&beside)?;
        file.write_all(lock.to_string().as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    replace().map_err(|error| {
        // It may not even be there; the error to tell is the first one.
        let _ = fs::remove_file(&beside);
        StoreError::Write(path.to_owned(), error)
    })
}
