//! The file that a recording goes into, found good before anything has begun.
//!
//! **Invariant**: what is no recording is never written over. A recording that is there is kept
//! until a new one begins, and nobody else's that is being written is touched.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::block;
use super::store::{FileStore, is_at, open_beside};

/// How often a file may be replaced while it is opened.
const TRIES: usize = 8;

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
    /// No file can be made beside it.
    Folder(PathBuf, io::Error),
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
            PlaceError::Folder(path, error) => write!(
                f,
                "no file can be made beside {} ({error}), as is done when it is full; choose a -o \
                 in a folder that you may write into",
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
        for _ in 0..TRIES {
            let mut place = Place::at(path).map_err(io)?;
            if !place.is_ours().map_err(io)? {
                // Whoever has it made it, or has found it first.
                place.is_new = false;
                return Err(PlaceError::Busy(path.to_owned()));
            }
            // Whoever had it before may have put another file in its place.
            if place.is_there().map_err(io)? {
                place.check(path)?;
                return Ok(place);
            }
        }
        Err(PlaceError::Busy(path.to_owned()))
    }

    fn at(path: &Path) -> io::Result<Place> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let (file, is_new) = match options.clone().create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                (options.open(path)?, false)
            }
            other => (other?, true),
        };
        // From now on one that is new goes away with what follows.
        Ok(Place { path: fs::canonicalize(path)?, file: Some(file), is_new })
    }

    fn is_ours(&self) -> io::Result<bool> {
        self.file.as_ref().map_or(Ok(false), is_free)
    }

    fn is_there(&self) -> io::Result<bool> {
        self.file.as_ref().map_or(Ok(false), |file| is_at(file, &self.path))
    }

    fn check(&self, path: &Path) -> Result<(), PlaceError> {
        let Some(mut file) = self.file.as_ref() else { return Ok(()) };
        let mut begin = Vec::new();
        let read = file.by_ref().take(block::START_BYTES as u64).read_to_end(&mut begin);
        read.map_err(|error| PlaceError::Io(path.to_owned(), error))?;
        if !begin.is_empty() && !block::is_recording(&begin) {
            return Err(PlaceError::Foreign(path.to_owned()));
        }
        // When the recording is full, hours from now, it is too late to find that out.
        let removed = open_beside(&self.path).and_then(|(beside, _)| fs::remove_file(beside));
        removed.map_err(|error| PlaceError::Folder(path.to_owned(), error))
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
        if self.is_new && self.is_there().unwrap_or(false) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("loopscope-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("the folder can be made");
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("it is there").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_another_recorder_has_made_is_left_alone() {
        let folder = folder("busy");
        let path = folder.join("a.loopscope");
        let first = Place::open(&path).expect("it can be written");
        // As when both find nothing there, and the other one is the first to keep it.
        let mut second = Place::at(&path).expect("it can be opened");
        second.is_new = true;
        assert!(!second.is_ours().expect("it can be asked for"));
        assert!(matches!(Place::open(&path), Err(PlaceError::Busy(_))));
        assert_eq!(names(&folder), ["a.loopscope"]);
        drop(first);
        assert!(names(&folder).is_empty());
        // Its file has gone: neither is what another one puts there removed.
        fs::write(&path, "").expect("it can be written");
        assert!(!second.is_there().expect("it can be looked at"));
        drop(second);
        assert_eq!(names(&folder), ["a.loopscope"]);
        fs::remove_dir_all(&folder).expect("it can be removed");
    }

    #[test]
    fn nothing_is_left_beside_a_file_that_was_found_good() {
        let folder = folder("beside");
        let path = folder.join("a.loopscope");
        let left = folder.join(format!("a.loopscope.{}.new", std::process::id()));
        fs::write(&left, "of one that was killed").expect("it can be written");
        let place = Place::open(&path).expect("it can be written");
        assert_eq!(names(&folder), ["a.loopscope"]);
        drop(place);
        // A folder by that name is in the way for good, as is one that can't be written into.
        fs::create_dir(&left).expect("it can be made");
        let refused = Place::open(&path).expect_err("there is no room beside it");
        assert!(matches!(refused, PlaceError::Folder(..)), "{refused}");
        assert!(refused.to_string().starts_with("no file can be made beside "), "{refused}");
        assert!(!path.exists());
        fs::remove_dir_all(&folder).expect("it can be removed");
    }
}
