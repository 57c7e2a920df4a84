//! Files by their paths as the process sees them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2};

use super::Process;

impl Process {
    /// Opens the regular file that has this path in its root and mount namespace. Links lead
    /// nowhere out of those, and nothing but a regular file is touched.
    ///
    /// # Errors
    /// There is none, it can't be read, or the process is no longer the same.
    pub fn open_file(&self, path: &Path) -> io::Result<File> {
        let found = self.look_up(path)?;
        if FileType::from_raw_mode(fstat(&found)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        // One of this very file, to be read.
        File::open(format!("/proc/self/fd/{}", found.as_raw_fd()))
    }

    /// What kind of file has this path there. It is not opened.
    pub(super) fn file_type(&self, path: &Path) -> io::Result<FileType> {
        Ok(FileType::from_raw_mode(fstat(&self.look_up(path)?)?.st_mode))
    }

    /// What has this path there, not to be read.
    fn look_up(&self, path: &Path) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let root = openat(CWD, self.path("root"), flags | OFlags::DIRECTORY, Mode::empty())?;
        self.confirm()?;
        Ok(openat2(&root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)?)
    }

    /// A path that is told from its working folder, as one from its root.
    pub(super) fn rooted(&self, path: &Path) -> io::Result<PathBuf> {
        if path.is_absolute() {
            return Ok(path.to_owned());
        }
        let [folder, root] = ["cwd", "root"].map(|link| std::fs::read_link(self.path(link)));
        let folder = folder?;
        let inside = folder.strip_prefix(root?);
        let outside = |_| io::Error::new(io::ErrorKind::NotFound, "it works outside of its root");
        Ok(Path::new("/").join(inside.map_err(outside)?).join(path))
    }

    /// The whole of such a file.
    ///
    /// # Errors
    /// As there, or it has more bytes than that.
    pub fn read_file(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = self.open_file(path)?;
        file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > bytes_max {
            true => Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large")),
            false => Ok(bytes),
        }
    }
}

/// The last lines of a file, so many bytes at most.
///
/// # Errors
/// It can't be read.
pub fn last_lines(mut file: &File, bytes_max: u64) -> io::Result<Vec<u8>> {
    let begin = file.metadata()?.len().saturating_sub(bytes_max);
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.take(bytes_max).read_to_end(&mut bytes)?;
    if begin > 0 {
        // The first one has begun before.
        let line = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
        bytes.drain(..line);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_read_as_the_process_sees_it_and_within_bounds() {
        let process = Process::open(std::process::id()).expect("that is this one");
        let folder = std::env::temp_dir().join(format!("loopscope-root-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("it can be made");
        let (file, link) = (folder.join("file"), folder.join("link"));
        fs::write(&file, "one\ntwo\nthree\n").expect("it can be written");
        symlink(&file, &link).expect("it can be made");
        assert_eq!(process.read_file(&link, 14).expect("it is there"), b"one\ntwo\nthree\n");
        let error = process.read_file(&file, 13).expect_err("it is larger");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(process.open_file(&folder).is_err(), "a folder");
        assert!(process.open_file(Path::new("/dev/null")).is_err(), "a device");
        assert!(process.open_file(&folder.join("none")).is_err());
        assert_eq!(process.file_type(&link).expect("it is there"), FileType::RegularFile);
        assert_eq!(process.file_type(&folder).expect("it is there"), FileType::Directory);
        let here = process.rooted(Path::new("Cargo.toml")).expect("it has a folder");
        assert_eq!(here, std::env::current_dir().expect("there is one").join("Cargo.toml"));
        let opened = process.open_file(&file).expect("it is there");
        assert_eq!(last_lines(&opened, 8).expect("it can be read"), b"\nthree\n");
        assert_eq!(last_lines(&opened, 99).expect("it can be read"), b"one\ntwo\nthree\n");
        fs::remove_dir_all(&folder).expect("it was made here");
    }
}
