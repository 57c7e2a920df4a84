//! `/proc/PID/maps` as values.
//!
//! ```text
//! 00b72000-025fe000 r-xp 00772000 fe:00 1050      /usr/bin/node
//! start    end      perm offset   dev   inode     path, `\n` as \012, and ` (deleted)` behind it
//! ```

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// A stretch of a process' address space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its first address.
    pub start: u64,
    /// The address behind its last.
    pub end: u64,
    /// Where in the file it begins.
    pub offset: u64,
    /// It can be read.
    pub readable: bool,
    /// It can be written.
    pub writable: bool,
    /// It can be executed.
    pub executable: bool,
    /// The device of the file, major and minor; 0, 0 without a file. On btrfs and overlayfs it is
    /// not always the one that `stat` tells of the same file.
    pub dev: (u32, u32),
    /// The file on that device; 0 without a file.
    pub inode: u64,
    /// The path as the process saw it, without the mark of a deleted file; `[heap]`, `[stack]` and
    /// such; or empty.
    pub path: PathBuf,
    /// The file is no longer where it was: removed, or another was put in its place.
    pub deleted: bool,
}

impl Mapping {
    /// Whether a file is mapped there that can be looked for.
    pub fn has_file(&self) -> bool {
        self.inode != 0 && self.path.is_absolute()
    }

    /// The address of a byte of the file.
    pub fn address_of_offset(&self, offset: u64) -> Option<u64> {
        let into = offset.checked_sub(self.offset)?;
        (into < self.end - self.start).then(|| self.start + into)
    }
}

/// Every line that can be read. The kernel writes none that can't.
pub(super) fn parse(bytes: &[u8]) -> Vec<Mapping> {
    bytes.split(|&byte| byte == b'\n').filter_map(line).collect()
}

fn line(bytes: &[u8]) -> Option<Mapping> {
    let mut words = Words { rest: bytes };
    let range = words.next()?;
    let permissions = words.next()?;
    let offset = words.next()?;
    let device = words.next()?;
    let inode = words.next()?.parse().ok()?;
    let (start, end) = pair(range, '-')?;
    let (major, minor) = pair(device, ':')?;
    let (path, deleted) = path(words.rest);
    (start < end).then_some(())?;
    Some(Mapping {
        start,
        end,
        offset: u64::from_str_radix(offset, 16).ok()?,
        readable: permissions.starts_with('r'),
        writable: permissions.as_bytes().get(1) == Some(&b'w'),
        executable: permissions.as_bytes().get(2) == Some(&b'x'),
        dev: (u32::try_from(major).ok()?, u32::try_from(minor).ok()?),
        inode,
        path,
        deleted,
    })
}

struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let end = self.rest.iter().position(|&byte| byte == b' ').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        (!word.is_empty()).then(|| std::str::from_utf8(word).ok())?
    }
}

fn pair(text: &str, between: char) -> Option<(u64, u64)> {
    let (first, second) = text.split_once(between)?;
    Some((u64::from_str_radix(first, 16).ok()?, u64::from_str_radix(second, 16).ok()?))
}

/// A path is padded on its left; a newline in it is written as `\012`.
fn path(bytes: &[u8]) -> (PathBuf, bool) {
    const DELETED: &[u8] = b" (deleted)";
    let begin = bytes.iter().position(|&byte| byte != b' ').unwrap_or(bytes.len());
    let bytes = &bytes[begin..];
    let (bytes, deleted) = match bytes.strip_suffix(DELETED) {
        Some(path) => (path, true),
        None => (bytes, false),
    };
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        match rest.strip_prefix(b"\\012") {
            Some(tail) => (plain.push(b'\n'), rest = tail).1,
            None => (plain.push(byte), rest = tail).1,
        }
    }
    (PathBuf::from(OsString::from_vec(plain)), deleted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_read_with_whatever_its_path_holds() {
        let text = "00400000-00b6f000 r--p 00000000 fe:00 1050     /usr/bin/my node (deleted)\n\
            b6f000-b71000 r-xp 0076f000 fe:1a 1050 /a\\012b\n\
            7ffd0000-7ffd2000 rw-p 00000000 00:00 0 [stack]\n\
            7f0000000000-7f0000001000 ---p 00000000 00:00 0\n";
        let found = parse(text.as_bytes());
        assert_eq!(found.len(), 4);
        assert_eq!(found[0].path, PathBuf::from("/usr/bin/my node"));
        assert!(found[0].deleted && found[0].readable && !found[0].executable);
        assert_eq!((found[0].dev, found[0].inode), ((0xfe, 0), 1050));
        assert_eq!(found[1].path, PathBuf::from("/a\nb"));
        assert!(found[1].executable && found[1].has_file() && !found[1].deleted);
        assert_eq!((found[1].dev, found[1].offset), ((0xfe, 0x1a), 0x76_f000));
        assert!(found[2].writable && !found[2].has_file());
        assert_eq!(found[3].path, PathBuf::new());
        assert_eq!(found[1].address_of_offset(0x77_0fff), Some(0xb7_0fff));
        assert_eq!(found[1].address_of_offset(0x77_1000), None);
        assert_eq!(found[1].address_of_offset(0x76_efff), None);
    }

    #[test]
    fn every_line_of_this_process_is_read() {
        let text = std::fs::read("/proc/self/maps").expect("it can be read");
        let lines = text.iter().filter(|&&byte| byte == b'\n').count();
        assert_eq!(parse(&text).len(), lines);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            parse(&bytes);
        }
    }
}
