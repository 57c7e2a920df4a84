//! Reads of the file under an image: never beyond its end, never more than a limit.

use std::{fs::File, os::unix::fs::FileExt};

use super::{ElfError, limits};

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// The file, and how long it was when it was opened.
///
/// **Invariant**: memory is taken only for what lies within that length.
#[derive(Debug)]
pub(super) struct Source {
    file: File,
    length: u64,
}

impl Source {
    pub(super) fn new(file: File) -> Result<Self, ElfError> {
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }

    /// Whether all of it lies within the file.
    pub(super) fn holds(&self, part: Extent) -> bool {
        part.offset.checked_add(part.size).is_some_and(|end| end <= self.length)
    }

    /// All of a part, for which memory is taken.
    pub(super) fn read(&self, part: Extent, what: &'static str) -> Result<Vec<u8>, ElfError> {
        if !self.holds(part) {
            return Err(ElfError::Damaged { what });
        }
        if part.size > limits::TABLE_BYTES_MAX {
            return Err(ElfError::TooLarge { what, bytes: part.size });
        }
        let mut bytes = vec![0; part.size as usize];
        self.file.read_exact_at(&mut bytes, part.offset)?;
        Ok(bytes)
    }

    /// Passes a part on in chunks, each with where in the part it begins. The last `overlap` bytes
    /// of a chunk come again in the next.
    pub(super) fn stream(
        &self,
        part: Extent,
        overlap: usize,
        what: &'static str,
        mut each: impl FnMut(u64, &[u8]) -> Result<(), ElfError>,
    ) -> Result<(), ElfError> {
        if !self.holds(part) {
            return Err(ElfError::Damaged { what });
        }
        let mut buffer = vec![0; (limits::CHUNK_BYTES + overlap).min(part.size as usize)];
        let mut at = 0;
        while at < part.size {
            let size = buffer.len().min((part.size - at) as usize);
            let chunk = &mut buffer[..size];
            self.file.read_exact_at(chunk, part.offset + at)?;
            each(at, chunk)?;
            if at + size as u64 == part.size {
                break;
            }
            at += (size - overlap) as u64;
        }
        Ok(())
    }
}

/// Where a byte stands first. The search itself is the standard library's, compiled with
/// optimisation in every build: this runs over all the code of a program.
pub(super) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    let passed = std::io::BufRead::skip_until(&mut rest, byte).ok()?;
    passed.checked_sub(1).filter(|&at| bytes[at] == byte)
}
