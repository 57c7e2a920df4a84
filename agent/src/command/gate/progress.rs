//! How far the runs are, on a terminal.

use std::io::{self, Write};
use std::time::Instant;

use crate::terminal::Terminal;

/// One line on standard error that is written over.
#[derive(Debug)]
pub(super) struct Progress {
    terminal: Terminal,
    started: Instant,
    shown: bool,
}

impl Progress {
    pub(super) fn new(started: Instant) -> Progress {
        Progress { terminal: Terminal::stderr(), started, shown: false }
    }

    /// Shows what goes on. Where no line can be written over, nothing.
    pub(super) fn show(&mut self, what: &str) {
        if self.terminal.rewrites {
            let seconds = self.started.elapsed().as_secs();
            let line = format!("gate  {what}, {seconds} s");
            let line: String = line.chars().take(self.terminal.width).collect();
            let _ = write!(io::stderr(), "\r\x1b[2K{line}");
            self.shown = true;
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr(), "\r\x1b[2K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
