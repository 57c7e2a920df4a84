//! The agent: runs workloads, observes loops, explains, serves, pushes and gates.
//!
//! ```text
//! source ──> Snapshot ──┬──> diagnosis ──> report (text, JSON, HTML)
//!                       ├──> serve (/metrics), push (OTLP)
//!                       └──> gate (lock file)
//! cli ──> command: puts the others together
//! ```
//!
//! **Invariant**: data flows one way. No module names one that stands downstream of it.

pub mod background;
pub mod cli;
pub mod command;
#[cfg(target_os = "linux")]
pub mod daemon;
pub mod diagnosis;
pub mod doctor;
#[cfg(target_os = "linux")]
pub mod elf;
pub mod exit;
pub mod explain;
pub mod gate;
mod layout;
pub mod log;
pub mod monitor;
pub mod now;
mod page;
mod places;
#[cfg(target_os = "linux")]
pub mod plan;
#[cfg(target_os = "linux")]
pub mod process;
pub mod progress;
pub mod push;
mod readers;
pub mod recording;
pub mod redact;
pub mod report;
pub mod serve;
pub mod source;
#[cfg(target_os = "linux")]
pub mod sourcemap;
pub mod supervise;
pub mod terminal;
pub mod top;
mod url;
#[cfg(target_os = "linux")]
pub mod v8;
