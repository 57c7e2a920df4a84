//! The file that a recording goes into, found good before anything has begun.
//!
//! **Invariant**: what is no recording is never written over. A recording that is there is kept
//! until a new one begins, and nobody else's that is being written is touched.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::block;
use super::store::FileStore;

/// A file that is there, and may be recorded into.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    file: Option<File>,
    /// Whether it was not there before.
    is_new: bool,
}

/// Why nothing can be recorded into a file. Its text is one line.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlaceError {
    /// It can't be written.
    Io(PathBuf, io::Error),
    /// It is a folder, a pipe or a device.
    NoFile(PathBuf),
    /// It is there, and no recording.
    Foreign(PathBuf),
    /// Somebody records into it.
    Busy(PathBuf),
}

/// `<what was wrong>; <what to do>`.
impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlaceError::Io(path, error) => {
                write!(f, "{} can't be written ({error}); choose another -o", path.display())
            }
            PlaceError::NoFile(path) => write!(
                f,
                "{} is no file; a recording needs one, as in -o app.loopscope",
                path.display()
            ),
            PlaceError::Foreign(path) => write!(
                f,
                "{} is there and is no recording; remove it, or choose another -o",
                path.display()
            ),
            PlaceError::Busy(path) => write!(
                f,
                "{} is being recorded into by another loopscope; choose another -o",
                path.display()
            ),
        }
    }
}

impl std::error::Error for PlaceError {}

impl Place {
    /// Opens a file, or makes an empty one. A recording that it holds stays until the new one
    /// begins.
    ///
    /// # Errors
    /// [`PlaceError`]; the file is as it was.
    pub fn open(path: &Path) -> Result<Place, PlaceError> {
        let io = |error| PlaceError::Io(path.to_owned(), error);
        match fs::metadata(path) {
            Ok(there) if !there.is_file() => return Err(PlaceError::NoFile(path.to_owned())),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let (file, is_new) = match options.clone().create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                (options.open(path).map_err(io)?, false)
            }
            other => (other.map_err(io)?, true),
        };
        // From now on one that is new goes away with what follows.
        let whole = fs::canonicalize(path).map_err(io)?;
        let place = Place { path: whole, file: Some(file), is_new };
        place.check(path)?;
        Ok(place)
    }

    fn check(&self, path: &Path) -> Result<(), PlaceError> {
        let Some(file) = &self.file else { return Ok(()) };
        if !is_free(file).map_err(|error| PlaceError::Io(path.to_owned(), error))? {
            return Err(PlaceError::Busy(path.to_owned()));
        }
        let mut begin = Vec::new();
        let read = file.take(block::START_BYTES as u64).read_to_end(&mut begin);
        read.map_err(|error| PlaceError::Io(path.to_owned(), error))?;
        if !begin.is_empty() && !block::is_recording(&begin) {
            return Err(PlaceError::Foreign(path.to_owned()));
        }
        Ok(())
    }

    /// Where it is, without links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Empties it.
    pub(super) fn begin(mut self) -> io::Result<FileStore> {
        let file = self.file.take().ok_or(io::ErrorKind::NotFound)?;
        FileStore::empty(self.path.clone(), file)
    }
}

/// One that was made, and into which nothing was recorded, goes.
impl Drop for Place {
    fn drop(&mut self) {
        if self.is_new && self.file.is_some() {
            // It is in nobody's way.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Keeps a file for ourselves, for as long as it is open; `false`: somebody else has it.
#[cfg(target_os = "linux")]
fn is_free(file: &File) -> io::Result<bool> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;

    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        // A file system without locks is none to be refused.
        Err(Errno::NOTSUP | Errno::NOSYS | Errno::NOLCK | Errno::INVAL) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn is_free(_file: &File) -> io::Result<bool> {
    Ok(true)
}

/// Keeps a file that nobody else knows for ourselves.
pub(super) fn lock(file: &File) -> io::Result<()> {
    is_free(file).map(drop)
}
