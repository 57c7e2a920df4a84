//! Lines of JSON in a file, for whoever ships logs: each stall, and all metrics once a minute.
//!
//! **Invariant**: a line that can't be written ends nothing. It is told once, until one can be
//! written again.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use loop_core::snapshot::Snapshot;
use loopscope_exporters::{Exporter, JsonLines, NewStalls, SelfStats};
use tracing::{info, warn};

use crate::exit::Failure;

/// How often all metrics are written.
const METRICS: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct Lines {
    path: PathBuf,
    file: File,
    due: Instant,
    fails: bool,
}

impl Lines {
    /// Opens the file, and keeps what is in it.
    pub(super) fn open(path: &Path) -> Result<Lines, Failure> {
        let file = append(path).map_err(|error| {
            let path = path.display();
            Failure::usage(format!("{path} can't be written ({error}); name another --output"))
        })?;
        Ok(Lines { path: path.to_owned(), file, due: Instant::now() + METRICS, fails: false })
    }

    /// Opens it again: it may have been moved away.
    pub(super) fn reopen(&mut self) {
        match append(&self.path) {
            Ok(file) => self.file = file,
            Err(error) => warn!("{} can't be opened again ({error})", self.path.display()),
        }
    }

    /// Writes what is new.
    pub(super) fn write(&mut self, snapshot: &Snapshot, new: &NewStalls<'_>, stats: &SelfStats) {
        let mut bytes = Vec::new();
        for stall in &new.stalls {
            // A vector takes everything.
            let _ = JsonLines::write_stall(snapshot, stall.observed, stall.stall, &mut bytes);
        }
        if Instant::now() >= self.due {
            self.due = Instant::now() + METRICS;
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let unix_ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
            let _ = JsonLines { unix_ns }.export(snapshot, stats, &mut bytes);
        }
        if bytes.is_empty() {
            return;
        }
        match (self.file.write_all(&bytes), self.fails) {
            (Ok(()), true) => {
                info!("{} can be written again", self.path.display());
                self.fails = false;
            }
            (Err(error), false) => {
                warn!("{} can't be written ({error}); its lines are lost", self.path.display());
                self.fails = true;
            }
            _ => {}
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}
