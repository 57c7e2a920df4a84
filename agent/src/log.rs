//! The log of a program that runs for long: lines with a time, a level, and what they are about as
//! keys and values, or as JSON.
//!
//! Where it is on, [`tell`](crate::terminal::tell) writes here, too.

use std::io;
use std::sync::OnceLock;

use clap::ValueEnum;
use tracing::Level;
use tracing_subscriber::fmt;

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum LogLevel {
    /// What goes wrong and needs somebody.
    Error,
    /// What goes wrong and mends itself.
    Warn,
    /// Who comes and goes, and stalls.
    Info,
    /// More.
    Debug,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// `key=value`, a line each.
    Text,
    /// An object a line.
    Json,
}

static IS_ON: OnceLock<()> = OnceLock::new();

/// Turns it on for the whole process, to standard error. Once: later calls change nothing.
pub fn start(level: LogLevel, format: LogFormat) {
    let level = match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
    };
    if IS_ON.set(()).is_err() {
        return;
    }
    let lines = fmt()
        .with_max_level(level)
        .with_target(false)
        .with_writer(io::stderr)
        // Where standard error is gone there is nobody to tell, and it goes on.
        .log_internal_errors(false);
    // It fails where a log is on, and there is none.
    let _ = match format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}

/// Whether it is on.
pub fn is_on() -> bool {
    IS_ON.get().is_some()
}
