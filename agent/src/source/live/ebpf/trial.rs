//! Whether this kernel takes our program and sets probes: by trying, on a function of our own.
//!
//! Cost: what loading the program costs, and one probe. Nothing is left in the kernel.

use std::io;

use super::{Kernel, LoadError, calibrate};

/// What the kernel said no with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its number, where a system call has failed.
    pub errno: Option<i32>,
    /// In words.
    pub said: String,
}

/// What came of trying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Loading the program.
    pub program: Result<(), Refused>,
    /// Setting a probe; `None` without a program to be run by it.
    pub probe: Option<Result<(), Refused>>,
}

/// Loads the program, sets a probe, and takes both away.
pub fn try_probes() -> Tried {
    match Kernel::load() {
        Ok(kernel) => {
            let probe = calibrate::link(&kernel).map(drop);
            Tried { program: Ok(()), probe: Some(probe.map_err(|error| refused(&error, &error))) }
        }
        Err(error) => {
            let program = match &error {
                LoadError::Map(_, cause) | LoadError::Program(cause, _) => refused(cause, &error),
                LoadError::Types(_) | LoadError::Object(_) => {
                    Refused { errno: None, said: error.to_string() }
                }
            };
            Tried { program: Err(program), probe: None }
        }
    }
}

fn refused(cause: &io::Error, error: &dyn std::error::Error) -> Refused {
    Refused { errno: cause.raw_os_error(), said: error.to_string() }
}
