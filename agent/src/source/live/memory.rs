//! Reads of another process' memory, without stopping it: `pread` on `/proc/PID/mem`.
//!
//! The descriptor is opened for reading only. The kernel ties it to the address space, not to the
//! number: when the process has ended or executes another program, every read says so, and nothing
//! of another process is ever read.
//!
//! Cost: one read of up to a page is one system call, about 1 µs. No allocation.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use crate::process::Identity;

/// The memory of one program in one process.
#[derive(Debug)]
pub struct Memory {
    file: File,
}

/// Why memory could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The process has ended, or executes another program.
    Gone,
    /// The kernel does not let us read it: needs the same user and `ptrace` rights, or
    /// `CAP_SYS_PTRACE`.
    NoRights,
    /// Nothing is mapped there.
    Unmapped,
    /// Anything else.
    Other,
}

impl Memory {
    /// Opens the memory of this process.
    ///
    /// # Errors
    /// It has ended, or the kernel does not let us; [`trouble`] tells them apart.
    pub fn open(id: Identity) -> io::Result<Memory> {
        let file = File::open(format!("/proc/{}/mem", id.pid))?;
        // The number may have been given to another one before it was opened, but not after.
        if Identity::of(id.pid)? != id {
            return Err(ErrorKind::NotFound.into());
        }
        Ok(Memory { file })
    }

    /// Reads all of `buf` at `address`. On an error what `buf` holds is undefined.
    ///
    /// # Errors
    /// Not all of it could be read; [`trouble`] says why.
    pub fn read(&self, address: u64, buf: &mut [u8]) -> io::Result<()> {
        let mut done = 0;
        while done < buf.len() {
            match self.file.read_at(&mut buf[done..], address.wrapping_add(done as u64)) {
                Ok(0) => return Err(ErrorKind::NotFound.into()),
                Ok(read) => done += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads `N` bytes at `address`.
    ///
    /// # Errors
    /// As [`Memory::read`].
    pub fn bytes<const N: usize>(&self, address: u64) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read(address, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads a number of 8 bytes at `address`.
    ///
    /// # Errors
    /// As [`Memory::read`].
    pub fn u64(&self, address: u64) -> io::Result<u64> {
        self.bytes(address).map(u64::from_le_bytes)
    }
}

/// What an error of [`Memory`] means.
pub fn trouble(error: &io::Error) -> Trouble {
    // `EIO` is the kernel's word for a page that isn't there, `EINVAL` for a negative offset.
    const EIO: i32 = 5;
    const EINVAL: i32 = 22;
    const ESRCH: i32 = 3;
    match (error.kind(), error.raw_os_error()) {
        (_, Some(EIO | EINVAL)) => Trouble::Unmapped,
        (ErrorKind::NotFound, _) | (_, Some(ESRCH)) => Trouble::Gone,
        (ErrorKind::PermissionDenied, _) => Trouble::NoRights,
        _ => Trouble::Other,
    }
}

/// The number of 8 bytes at `offset`; `None` behind the end.
pub(super) fn u64_at(bytes: &[u8], offset: u64) -> Option<u64> {
    let begin = usize::try_from(offset).ok()?;
    let word = bytes.get(begin..begin.checked_add(8)?)?;
    Some(u64::from_le_bytes(word.try_into().ok()?))
}

/// The number of 4 bytes at `offset`; `None` behind the end.
pub(super) fn u32_at(bytes: &[u8], offset: u64) -> Option<u32> {
    let begin = usize::try_from(offset).ok()?;
    let word = bytes.get(begin..begin.checked_add(4)?)?;
    Some(u32::from_le_bytes(word.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn own() -> Memory {
        Memory::open(Identity::of(std::process::id()).unwrap()).unwrap()
    }

    #[test]
    fn what_lies_there_is_read() {
        let words = [0x0123_4567_89ab_cdef_u64, 7];
        let address = words.as_ptr() as usize as u64;
        assert_eq!(own().u64(address).unwrap(), words[0]);
        assert_eq!(own().bytes::<16>(address).unwrap()[8], 7);
    }

    #[test]
    fn addresses_that_are_not_there_are_unmapped() {
        for address in [0, 8, 1 << 47, u64::MAX - 7, u64::MAX] {
            let error = own().u64(address).unwrap_err();
            assert_eq!(trouble(&error), Trouble::Unmapped, "{address:#x}: {error}");
        }
    }

    #[test]
    fn a_process_that_has_ended_is_gone_and_its_number_is_not_enough() {
        let mut child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        let id = Identity::of(child.id()).unwrap();
        let other = Identity { start_ticks: id.start_ticks + 1, ..id };
        assert_eq!(trouble(&Memory::open(other).unwrap_err()), Trouble::Gone);
        let memory = Memory::open(id).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(trouble(&memory.u64(0x1000).unwrap_err()), Trouble::Gone);
        assert_eq!(trouble(&Memory::open(id).unwrap_err()), Trouble::Gone);
    }
}
