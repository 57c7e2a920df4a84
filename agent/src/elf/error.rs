//! Why an image could not be read.

use std::{fmt, io};

/// Why an ELF file, or a part of it, could not be read. Nothing is kept of such a file.
#[derive(Debug)]
#[non_exhaustive]
pub enum ElfError {
    /// The file could not be read, or became shorter while it was.
    Io(io::Error),
    /// It does not begin as an ELF file does.
    NotElf,
    /// It is an ELF file, but none for 64-bit x86 on Linux.
    Machine {
        /// `e_machine` of its header.
        machine: u16,
    },
    /// A table or a part of it lies outside of the file, or is not what it is said to be.
    Damaged {
        /// What was read.
        what: &'static str,
    },
    /// A table is larger than any that is read.
    TooLarge {
        /// What was to be read.
        what: &'static str,
        /// Its size as the file tells it.
        bytes: u64,
    },
}

impl fmt::Display for ElfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "it can't be read: {error}"),
            Self::NotElf => f.write_str("it is no ELF file"),
            Self::Machine { machine } => {
                write!(f, "it is for machine {machine}; only x86-64 (62) is understood")
            }
            Self::Damaged { what } => write!(f, "the file is damaged: {what}"),
            Self::TooLarge { what, bytes } => {
                write!(f, "the file is damaged: {what} of {bytes} bytes")
            }
        }
    }
}

impl std::error::Error for ElfError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for ElfError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
