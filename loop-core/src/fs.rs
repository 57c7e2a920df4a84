//! Files, through the thread pool: libuv's `uv_fs_*`.
//!
//! Each function queues one job and returns its name, by which [`Loop::cancel_work`] cancels it
//! while it waits: its callback gets `ECANCELED`. Callbacks run in the poll phase. Errors read as
//! Node's: `ENOENT: no such file or directory, open '/x'`. Under a virtual clock a job is done
//! where it is queued.
//!
//! Cost: a job of the pool, and the system's call.

use std::ffi::OsString;
use std::fs::{self, FileType, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{About, SysError};
use crate::event_loop::Loop;
use crate::pool::{JobId, JobKind};
use crate::recorder::Record;

/// An open file.
///
/// Its descriptor is closed when the file is dropped or [`Loop::fs_close`]d, and no job on it is
/// left.
#[derive(Debug)]
pub struct File(Arc<fs::File>);

impl From<fs::File> for File {
    fn from(file: fs::File) -> File {
        File(Arc::new(file))
    }
}

/// Where in a file to read or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// So many bytes behind its beginning. The file's own position stays where it is.
    Offset(u64),
    /// At the file's own position, which moves on.
    Position,
}

/// A name in a directory.
#[derive(Clone, Debug)]
pub struct DirEntry {
    /// The name alone, without the directory's.
    pub name: OsString,
    /// What it names. A symbolic link is one, whatever it leads to.
    pub file_type: FileType,
}

impl<R: Record> Loop<R> {
    /// Opens a file.
    pub fn fs_open(
        &mut self,
        path: impl AsRef<Path>,
        options: &OpenOptions,
        on_open: impl FnOnce(&mut Self, Result<File, SysError>) + 'static,
    ) -> JobId {
        let options = options.clone();
        self.on_path("open", path, move |path| options.open(path).map(File::from), on_open)
    }

    /// Reads at most `length` bytes with one call; fewer at the end of the file, none behind it,
    /// and no more than 2 GiB. Of memory it takes what the file may fill, or 1 MiB at a time of
    /// something that is no regular file.
    pub fn fs_read(
        &mut self,
        file: &File,
        at: At,
        length: usize,
        on_read: impl FnOnce(&mut Self, Result<Vec<u8>, SysError>) + 'static,
    ) -> JobId {
        let read = move |file: &fs::File| {
            let length = length.min(readable(file, at)?);
            let mut bytes = Vec::new();
            bytes.try_reserve_exact(length)?;
            bytes.resize(length, 0);
            let read = retried(|| match at {
                At::Offset(offset) => file.read_at(&mut bytes, offset),
                At::Position => (&*file).read(&mut bytes),
            })?;
            bytes.truncate(read);
            Ok(bytes)
        };
        self.on_file("read", file, read, on_read)
    }

    /// Writes with one call. Tells how many bytes the kernel has taken, which may be fewer.
    pub fn fs_write(
        &mut self,
        file: &File,
        at: At,
        bytes: impl Into<Vec<u8>>,
        on_written: impl FnOnce(&mut Self, Result<usize, SysError>) + 'static,
    ) -> JobId {
        let bytes = bytes.into();
        let write = move |file: &fs::File| {
            retried(|| match at {
                At::Offset(offset) => file.write_at(&bytes, offset),
                At::Position => (&*file).write(&bytes),
            })
        };
        self.on_file("write", file, write, on_written)
    }

    /// Waits until the device has what was written.
    pub fn fs_sync(
        &mut self,
        file: &File,
        on_synced: impl FnOnce(&mut Self, Result<(), SysError>) + 'static,
    ) -> JobId {
        self.on_file("fsync", file, fs::File::sync_all, on_synced)
    }

    /// Closes a file on a thread of the pool; a close that has to wait for a device does so there.
    /// The system's own errors of closing are not told: [`Loop::fs_sync`] tells them before.
    pub fn fs_close(
        &mut self,
        file: File,
        on_closed: impl FnOnce(&mut Self, Result<(), SysError>) + 'static,
    ) -> JobId {
        let close = move || {
            drop(file);
            Ok(())
        };
        self.queue_call(JobKind::Quick, "close", About::File, close, on_closed)
    }

    /// What the system knows of a path, which is followed where it is a symbolic link.
    pub fn fs_stat(
        &mut self,
        path: impl AsRef<Path>,
        on_stat: impl FnOnce(&mut Self, Result<Metadata, SysError>) + 'static,
    ) -> JobId {
        self.on_path("stat", path, |path| fs::metadata(path), on_stat)
    }

    /// What the system knows of an open file.
    pub fn fs_fstat(
        &mut self,
        file: &File,
        on_stat: impl FnOnce(&mut Self, Result<Metadata, SysError>) + 'static,
    ) -> JobId {
        self.on_file("fstat", file, fs::File::metadata, on_stat)
    }

    /// The names in a directory, in their order as bytes, without `.` and `..`.
    pub fn fs_readdir(
        &mut self,
        path: impl AsRef<Path>,
        on_entries: impl FnOnce(&mut Self, Result<Vec<DirEntry>, SysError>) + 'static,
    ) -> JobId {
        self.on_path("scandir", path, entries, on_entries)
    }

    /// Removes a file.
    pub fn fs_unlink(
        &mut self,
        path: impl AsRef<Path>,
        on_removed: impl FnOnce(&mut Self, Result<(), SysError>) + 'static,
    ) -> JobId {
        self.on_path("unlink", path, |path| fs::remove_file(path), on_removed)
    }

    /// Makes a directory.
    pub fn fs_mkdir(
        &mut self,
        path: impl AsRef<Path>,
        on_made: impl FnOnce(&mut Self, Result<(), SysError>) + 'static,
    ) -> JobId {
        self.on_path("mkdir", path, |path| fs::create_dir(path), on_made)
    }

    /// Gives a file another name; one that has it already is replaced.
    pub fn fs_rename(
        &mut self,
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
        on_renamed: impl FnOnce(&mut Self, Result<(), SysError>) + 'static,
    ) -> JobId {
        let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
        let about = About::Paths(from.clone(), to.clone());
        let failure = about.clone();
        let rename = move || {
            fs::rename(from, to).map_err(|error| SysError::new("rename", error).about(failure))
        };
        self.queue_call(JobKind::Quick, "rename", about, rename, on_renamed)
    }

    /// Reads a whole file, in one job. It should be known to fit into memory.
    pub fn fs_read_file(
        &mut self,
        path: impl AsRef<Path>,
        on_read: impl FnOnce(&mut Self, Result<Vec<u8>, SysError>) + 'static,
    ) -> JobId {
        let read = |path: PathBuf| {
            let mut file = fs::File::open(&path).map_err(failed_at("open", path))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(failed("read"))?;
            Ok(bytes)
        };
        self.on_whole_file(path, read, on_read)
    }

    /// Writes a whole file, in one job: makes it, or replaces what is in it.
    pub fn fs_write_file(
        &mut self,
        path: impl AsRef<Path>,
        bytes: impl Into<Vec<u8>>,
        on_written: impl FnOnce(&mut Self, Result<(), SysError>) + 'static,
    ) -> JobId {
        let bytes = bytes.into();
        let write = move |path: PathBuf| {
            let mut file = fs::File::create(&path).map_err(failed_at("open", path))?;
            file.write_all(&bytes).map_err(failed("write"))
        };
        self.on_whole_file(path, write, on_written)
    }

    fn on_whole_file<T: Send + 'static>(
        &mut self,
        path: impl AsRef<Path>,
        work: impl FnOnce(PathBuf) -> Result<T, SysError> + Send + 'static,
        after: impl FnOnce(&mut Self, Result<T, SysError>) + 'static,
    ) -> JobId {
        let path = path.as_ref().to_owned();
        let about = About::Path(path.clone());
        self.queue_call(JobKind::Quick, "open", about, move || work(path), after)
    }

    fn on_path<T: Send + 'static>(
        &mut self,
        call: &'static str,
        path: impl AsRef<Path>,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
        after: impl FnOnce(&mut Self, Result<T, SysError>) + 'static,
    ) -> JobId {
        let path = path.as_ref().to_owned();
        let about = About::Path(path.clone());
        let work = move || work(&path).map_err(failed_at(call, path));
        self.queue_call(JobKind::Quick, call, about, work, after)
    }

    fn on_file<T: Send + 'static>(
        &mut self,
        call: &'static str,
        file: &File,
        work: impl FnOnce(&fs::File) -> io::Result<T> + Send + 'static,
        after: impl FnOnce(&mut Self, Result<T, SysError>) + 'static,
    ) -> JobId {
        let file = file.0.clone();
        let work = move || work(&file).map_err(failed(call));
        self.queue_call(JobKind::Quick, call, About::File, work, after)
    }
}

fn failed(call: &'static str) -> impl FnOnce(io::Error) -> SysError {
    move |error| SysError::new(call, error).about(About::File)
}

fn failed_at(call: &'static str, path: PathBuf) -> impl FnOnce(io::Error) -> SysError {
    move |error| SysError::new(call, error).about(About::Path(path))
}

/// Calls again when a signal has ended the call.
/// The most that one read of a file may be good for. The size of a regular file is known; for what
/// it grows by meanwhile, and for devices, there is a little more.
fn readable(file: &fs::File, at: At) -> io::Result<usize> {
    const SPARE: u64 = 1 << 20;
    /// What the kernel reads with one call.
    const ONE_CALL: u64 = 0x7fff_f000;
    let metadata = file.metadata()?;
    let from = if let At::Offset(offset) = at { offset } else { 0 };
    let left = if metadata.is_file() { metadata.len().saturating_sub(from) } else { 0 };
    Ok(left.saturating_add(SPARE).min(ONE_CALL) as usize)
}

fn retried(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn entries(path: &Path) -> io::Result<Vec<DirEntry>> {
    let entry = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok(DirEntry { name: entry.file_name(), file_type: entry.file_type()? })
    };
    let mut entries: Vec<DirEntry> = fs::read_dir(path)?.map(entry).collect::<io::Result<_>>()?;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}
