//! The sources of the program, for the lines of those who are blamed.
//!
//! Cost: a file is read and scanned when a line of it is first told, on the thread that asks; the
//! loop's thread never does.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use loop_core::stacks::Lines;

use super::limits::{FILE_BYTES_MAX, FILES_MAX};
use crate::script::calls::Calls;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// The main file, where its source is not in it.
    own: Option<(PathBuf, &'static str)>,
    known: Mutex<HashMap<String, Option<Calls>>>,
}

impl Sources {
    pub(super) fn new(own: Option<(PathBuf, &'static str)>) -> Sources {
        Sources { own, known: Mutex::default() }
    }

    fn read(&self, file: &str) -> Option<String> {
        let own = self.own.as_ref().filter(|(path, _)| path.as_os_str() == file);
        if let Some((_, source)) = own {
            return Some((*source).to_owned());
        }
        let bytes = std::fs::metadata(file).ok()?.len();
        (bytes <= FILE_BYTES_MAX).then(|| std::fs::read_to_string(file).ok())?
    }
}

impl Lines for Sources {
    /// The line on which a call of `callee` begins that the engine takes to be at this place: it
    /// means the last argument. Where there is no such call, the line of the place.
    fn line(&self, file: &str, (line, column): (u32, u32), callee: &str) -> u32 {
        let file = file.strip_prefix("file://").unwrap_or(file);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(file) && known.len() < FILES_MAX {
            known.insert(file.to_owned(), self.read(file).map(Calls::of));
        }
        let calls = known.get(file).and_then(Option::as_ref);
        let begin = calls.and_then(|calls| calls.begin(line.into(), column.into(), callee));
        begin.and_then(|(line, _)| u32::try_from(line).ok()).unwrap_or(line)
    }
}
