//! Where a recording's bytes are kept: appended, and now and then replaced by a part of them.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Bytes that are copied at once.
const COPY_BYTES: usize = 256 << 10;

/// Keeps the bytes of a recording.
pub trait Store: fmt::Debug + Send {
    /// Adds these at the end; all of them, or none.
    ///
    /// # Errors
    /// Why they can't be added.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Keeps these parts of what there is, in this order, and these bytes behind them. Whoever
    /// reads meanwhile sees the old or the new whole, never a part.
    ///
    /// # Errors
    /// Why that can't be done. All is as it was.
    fn keep(&mut self, parts: &[Range<u64>], tail: &[u8]) -> io::Result<()>;
}

/// A file.
#[derive(Debug)]
pub struct FileStore {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl FileStore {
    /// A file that is empty from now on.
    ///
    /// # Errors
    /// When it can't be made empty.
    pub(super) fn empty(path: PathBuf, file: File) -> io::Result<FileStore> {
        file.set_len(0)?;
        Ok(FileStore { path, file, bytes: 0 })
    }

    /// Whether the file is still where it was.
    fn is_in_its_place(&self) -> io::Result<bool> {
        let (ours, there) = (self.file.metadata()?, fs::metadata(&self.path)?);
        Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino()))
    }

    fn copy(&self, parts: &[Range<u64>], to: &File) -> io::Result<u64> {
        let mut buffer = vec![0; COPY_BYTES];
        let mut end = 0;
        for part in parts {
            let mut at = part.start;
            while at < part.end {
                let left = usize::try_from(part.end - at).unwrap_or(COPY_BYTES);
                let piece = &mut buffer[..left.min(COPY_BYTES)];
                self.file.read_exact_at(piece, at)?;
                to.write_all_at(piece, end)?;
                at += piece.len() as u64;
                end += piece.len() as u64;
            }
        }
        Ok(end)
    }
}

impl Store for FileStore {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.file.write_all_at(bytes, self.bytes);
        if let Err(error) = written {
            // What stands there is no whole block; a disk without room has room to cut.
            let _ = self.file.set_len(self.bytes);
            return Err(error);
        }
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn keep(&mut self, parts: &[Range<u64>], tail: &[u8]) -> io::Result<()> {
        if !self.is_in_its_place()? {
            return Err(io::Error::other("it was moved or replaced meanwhile"));
        }
        let beside = beside(&self.path);
        let made = OpenOptions::new().read(true).write(true).create_new(true).open(&beside)?;
        let replace = || {
            made.set_permissions(self.file.metadata()?.permissions())?;
            let bytes = self.copy(parts, &made)?;
            made.write_all_at(tail, bytes)?;
            super::place::lock(&made)?;
            fs::rename(&beside, &self.path)?;
            Ok(bytes + tail.len() as u64)
        };
        match replace() {
            Ok(bytes) => {
                (self.file, self.bytes) = (made, bytes);
                Ok(())
            }
            Err(error) => {
                // The error to tell is the first one.
                let _ = fs::remove_file(&beside);
                Err(error)
            }
        }
    }
}

/// A name beside a file that nobody else uses.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

/// In memory.
impl Store for Vec<u8> {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn keep(&mut self, parts: &[Range<u64>], tail: &[u8]) -> io::Result<()> {
        let place = |at: u64| usize::try_from(at).map_err(io::Error::other);
        let mut kept = Vec::new();
        for part in parts {
            let part = self.get(place(part.start)?..place(part.end)?);
            kept.extend_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        }
        kept.extend_from_slice(tail);
        *self = kept;
        Ok(())
    }
}
