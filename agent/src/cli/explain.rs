//! The options of `explain`.

use std::path::PathBuf;

use clap::Args;
use loop_core::units::parse_size_bytes;

use super::{ClockChoice, ReportForm, values};

const USAGE: &str = "loopscope explain <FILE> [OPTIONS] [-- <ARGS>...]";

const EXAMPLES: &str = "\
What the program prints stands in the timeline, where it was printed.

Examples:
  loopscope explain server.js --timeout 5s
  loopscope explain seeds/first --clock virtual    the order puzzle, the same each time
  loopscope explain seeds/call-stack-main-work --stack
  loopscope explain puzzle.mjs --html puzzle.html  and a picture for a browser";

/// Options of `explain`.
#[derive(Debug, Args)]
#[command(override_usage = USAGE, after_help = EXAMPLES)]
pub struct ExplainArgs {
    /// The JavaScript file, or the name of a script of the catalogue
    pub file: String,
    /// Explain the healthy twin of the script
    #[arg(long, env = "LOOPSCOPE_FIXED", value_parser = values::yes)]
    pub fixed: bool,
    /// Show each step of the call stack: every function of the program that begins or ends
    #[arg(long, env = "LOOPSCOPE_STACK", value_parser = values::yes)]
    pub stack: bool,
    /// The form of the timeline
    #[arg(long, env = "LOOPSCOPE_REPORT", value_name = "FORM", default_value = "text")]
    pub report: ReportForm,
    /// Write the timeline to this file instead of standard output
    #[arg(long, env = "LOOPSCOPE_OUTPUT", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write a picture for a browser to this file, too
    #[arg(long, env = "LOOPSCOPE_HTML", value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Under the virtual clock waiting takes no time and a run is exactly repeatable
    #[arg(long, env = "LOOPSCOPE_CLOCK", value_name = "CLOCK", default_value = "real")]
    pub clock: ClockChoice,
    /// Stop after this much real time; still explains, and exits with 124
    #[arg(long = "timeout", env = "LOOPSCOPE_TIMEOUT", value_name = "DURATION",
          value_parser = values::timeout_ns)]
    pub timeout_ns: Option<u64>,
    /// The most memory that the script may use, as in 256MiB
    #[arg(long = "max-memory", env = "LOOPSCOPE_MAX_MEMORY", value_name = "SIZE",
          value_parser = parse_size_bytes)]
    pub max_memory_bytes: Option<u64>,
    /// The most events that are kept, and as many calls with --stack
    #[arg(long = "max-events", env = "LOOPSCOPE_MAX_EVENTS", value_name = "COUNT",
          default_value = "20000", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_events: u32,
    /// What the program finds in `process.argv`, behind `--`
    #[arg(last = true, value_name = "ARGS")]
    pub script_args: Vec<String>,
}
