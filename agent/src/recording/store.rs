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
    /// reads meanwhile sees the old or the new whole, never a part, but where nothing can take the
    /// place of the file.
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

    /// Refuses to write where nobody would find it.
    fn check_place(&self) -> io::Result<()> {
        if is_at(&self.file, &self.path)? {
            return Ok(());
        }
        Err(io::Error::other("it was moved, removed or replaced meanwhile"))
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

    fn keep_by(
        &mut self,
        parts: &[Range<u64>],
        tail: &[u8],
        rename: impl Fn(&Path, &Path) -> io::Result<()>,
    ) -> io::Result<()> {
        self.check_place()?;
        let (beside, made) = open_beside(&self.path)?;
        let kept = self.replace(parts, tail, &made, || rename(&beside, &self.path));
        if !matches!(kept, Ok((_, true))) {
            // The error to tell is the first one.
            let _ = fs::remove_file(&beside);
        }
        let (bytes, is_renamed) = kept?;
        self.bytes = bytes;
        if is_renamed {
            self.file = made;
        }
        Ok(())
    }

    /// Makes the new file, and puts it, or what is in it, in the place of the old one. Returns its
    /// length, and whether it is the file itself.
    fn replace(
        &self,
        parts: &[Range<u64>],
        tail: &[u8],
        made: &File,
        rename: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<(u64, bool)> {
        made.set_permissions(self.file.metadata()?.permissions())?;
        let kept = self.copy(parts, made)?;
        made.write_all_at(tail, kept)?;
        super::place::lock(made)?;
        let bytes = kept + tail.len() as u64;
        match rename() {
            Err(error) if is_fixed(&error) => {
                let made = FileStore { path: PathBuf::new(), file: made.try_clone()?, bytes };
                // First what there is room for already: whoever is killed here leaves no less.
                made.copy(std::slice::from_ref(&(0..bytes)), &self.file)?;
                self.file.set_len(bytes)?;
                Ok((bytes, false))
            }
            renamed => renamed.map(|()| (bytes, true)),
        }
    }
}

impl Store for FileStore {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.check_place()?;
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
        self.keep_by(parts, tail, |from, to| fs::rename(from, to))
    }
}

/// A file beside this one, which nobody else uses while we keep this one for ourselves.
pub(super) fn open_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    // One that had our number was killed. What can't be removed can't be made either.
    let _ = fs::remove_file(&beside);
    let made = OpenOptions::new().read(true).write(true).create_new(true).open(&beside)?;
    Ok((beside, made))
}

/// Whether this file is at this place.
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let there = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        there => there?,
    };
    let ours = file.metadata()?;
    Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino()))
}

/// Whether the error says that nothing can take the place of a file, as of one that is mounted by
/// itself.
fn is_fixed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn store(name: &str, bytes: &[u8]) -> (PathBuf, FileStore) {
        let folder = std::env::temp_dir().join(format!("loopscope-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("the folder can be made");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        let path = folder.join("a.loopscope");
        let file = options.open(&path).expect("it can be made");
        let mut store = FileStore::empty(path, file).expect("it can be written");
        store.append(bytes).expect("it can be written");
        (folder, store)
    }

    fn alone(folder: &Path) -> Vec<u8> {
        let found: Vec<_> = fs::read_dir(folder).expect("it is there").flatten().collect();
        assert_eq!(found.len(), 1, "{found:?}");
        fs::read(folder.join("a.loopscope")).expect("it is there")
    }

    #[test]
    fn what_one_that_was_killed_has_left_is_no_hindrance() {
        let (folder, mut store) = store("killed", b"0123456789");
        let left = folder.join(format!("a.loopscope.{}.new", std::process::id()));
        fs::write(left, "of one that had the same number").expect("it can be written");
        store.keep(&[2..4, 8..10], b"abc").expect("it can be replaced");
        store.append(b"!").expect("it can be written");
        assert_eq!(alone(&folder), b"2389abc!");
        fs::remove_dir_all(&folder).expect("it can be removed");
    }

    #[test]
    fn a_file_that_nothing_can_take_the_place_of_is_written_over() {
        for kind in [io::ErrorKind::ResourceBusy, io::ErrorKind::CrossesDevices] {
            let (folder, mut store) = store(&format!("fixed-{kind:?}"), b"0123456789");
            let is_it = store.file.metadata().expect("it is there").ino();
            let kept = store.keep_by(&[2..4, 8..10], b"abc", |_, _| Err(kind.into()));
            kept.expect("it can be written over");
            assert_eq!(alone(&folder), b"2389abc");
            store.append(b"!").expect("it can be written");
            assert_eq!(alone(&folder), b"2389abc!");
            let there = fs::metadata(folder.join("a.loopscope")).expect("it is there");
            assert_eq!(there.ino(), is_it);
            fs::remove_dir_all(&folder).expect("it can be removed");
        }
        let (folder, mut store) = store("refused", b"0123456789");
        let refused = || Err(io::ErrorKind::PermissionDenied.into());
        store
            .keep_by(std::slice::from_ref(&(2..4)), b"abc", |_, _| refused())
            .expect_err("it is refused");
        assert_eq!(alone(&folder), b"0123456789");
        fs::remove_dir_all(&folder).expect("it can be removed");
    }

    #[test]
    fn what_is_no_longer_in_its_place_is_not_written() {
        let (folder, mut store) = store("moved", b"0123");
        let (path, away) = (folder.join("a.loopscope"), folder.join("b"));
        fs::rename(&path, &away).expect("it can be moved");
        let refused = store.append(b"4").expect_err("nobody would find it").to_string();
        assert!(refused.contains("moved, removed or replaced"), "{refused}");
        store.keep(&[], b"").expect_err("nobody would find it");
        fs::write(&path, "another").expect("it can be written");
        store.append(b"4").expect_err("it is another one");
        fs::rename(&away, &path).expect("it can be moved");
        store.append(b"4").expect("it is there again");
        assert_eq!(alone(&folder), b"01234");
        fs::remove_dir_all(&folder).expect("it can be removed");
    }
}
