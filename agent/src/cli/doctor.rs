//! The options of `doctor`.

use std::path::PathBuf;

use clap::Args;

use super::{ReportForm, values};

const EXAMPLES: &str = "\
Without a PID, all processes of Node.js are looked for, whatever their files are called. Nothing is
attached, stopped or written to. Exits with 5 if a process that was named can't be observed.

Tiers, by what they cost:
  passive  no probe: utilisation, microtasks run, stalls while they last, by reading memory
  turn     one probe a turn: turns and waits in the poll, exactly
  full     phases, timer lateness, microtask drains and garbage collections as well

Examples:
  loopscope doctor                                 what this host allows, and each Node.js on it
  loopscope doctor 4711                            how process 4711 would be observed
  loopscope doctor $(pgrep -f server.js) --report json";

/// Options of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArgs {
    /// The processes; without them, every Node.js is looked for
    #[arg(value_name = "PID", value_parser = values::pid)]
    pub pids: Vec<u32>,
    /// The form of the report
    #[arg(long, env = "LOOPSCOPE_REPORT", value_name = "FORM", default_value = "text")]
    pub report: ReportForm,
    /// Write the report to this file instead of standard output
    #[arg(long, env = "LOOPSCOPE_OUTPUT", value_name = "FILE")]
    pub output: Option<PathBuf>,
}
