//! Passes signals on to the command.
//!
//! A terminal sends its signals (Ctrl-C, Ctrl-\, Ctrl-Z, a new size) to all processes in its
//! foreground, so that the command has got them already; the kernel says so. What a process has
//! sent to us alone is passed on.
//!
//! | signal | from the terminal | from a process |
//! |---|---|---|
//! | INT, QUIT, HUP, WINCH | | passed on |
//! | TERM, USR1, USR2, CONT | | passed on |
//! | TSTP | | passed on |
//!
//! Behind a TSTP we stop when the command has.
//!
//! **Invariant**: none of them ends us while the command runs.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

use rustix::process::Signal;
use signal_hook::consts::signal::{
    SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SIGWINCH,
};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::Cause;

use super::running::Running;

const PASSED_ON: [i32; 9] =
    [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT];

/// The status to exit with, once nothing but the report is left to do.
#[derive(Clone, Debug)]
pub(super) struct Status(Arc<AtomicI32>);

/// That it is not known yet.
const UNKNOWN: i32 = -1;

impl Status {
    pub(super) fn new() -> Status {
        Status(Arc::new(AtomicI32::new(UNKNOWN)))
    }

    pub(super) fn set(&self, code: u8) {
        self.0.store(i32::from(code), Ordering::SeqCst);
    }

    fn get(&self) -> Option<i32> {
        Some(self.0.load(Ordering::SeqCst)).filter(|&code| code != UNKNOWN)
    }
}

/// Signals that were caught before there was a command to pass them on to.
pub(super) struct Signals(SignalsInfo<WithOrigin>);

impl Signals {
    /// Catches them from now on.
    pub(super) fn catch() -> io::Result<Signals> {
        SignalsInfo::new(PASSED_ON).map(Signals)
    }

    /// Passes them on to the command, also those that have come meanwhile. When it has ended, a
    /// request to end ends us with its status.
    pub(super) fn pass_on(mut self, running: Running, status: Status) -> io::Result<()> {
        let body = move || {
            for origin in &mut self.0 {
                let terminal = matches!(origin.cause, Cause::Kernel);
                if let Some(code) = status.get()
                    && [SIGINT, SIGTERM, SIGQUIT].contains(&origin.signal)
                {
                    process::exit(code);
                }
                match Signal::from_named_raw(origin.signal) {
                    Some(Signal::TSTP) => running.asked_to_stop(terminal),
                    Some(signal) if !terminal => running.send(signal),
                    _ => {}
                }
            }
        };
        thread::Builder::new().name("loopscope-sig".to_owned()).spawn(body).map(drop)
    }
}
