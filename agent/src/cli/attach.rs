//! The options of `attach`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;
use loop_core::units::parse_duration_ns;

use super::{ReportForm, SourceChoice, TierChoice, values};

const USAGE: &str = "loopscope attach <PID>... [OPTIONS]";

const EXAMPLES: &str = "\
The process needs no flag and no restart. It is not stopped, not written to, and gets no signal;
nothing is left behind. What can't be seen of it is null in the report, with the reason.

Tiers, by what they show and cost:
  passive  no probe: utilisation, microtasks run, stalls while they last, by reading memory
  turn     one probe a turn: turns and waits in the poll, exactly
  full     phases, timer lateness, microtask drains and garbage collections as well

Examples:
  loopscope attach 4711                            30 s, then the report
  loopscope attach 4711 --duration 4s --report json
  loopscope attach $(pgrep -x node) --listen :9797 --duration 1h
                                                   scrape http://127.0.0.1:9797/metrics meanwhile
  loopscope attach 4711 --children                 the workers of a cluster, too
  loopscope doctor 4711                            what could be seen of it, and what is missing";

/// Options of `attach`.
#[derive(Debug, Args)]
#[command(override_usage = USAGE, after_help = EXAMPLES)]
pub struct AttachArgs {
    /// The processes to observe
    #[arg(required = true, value_name = "PID", value_parser = values::pid)]
    pub pids: Vec<u32>,
    /// For how long to observe; Ctrl-C ends earlier, and reports
    #[arg(long = "duration", env = "LOOPSCOPE_DURATION", value_name = "DURATION",
          default_value = "30s", value_parser = values::duration_ns)]
    pub duration_ns: u64,
    /// Observe the Node.js processes that they have started, or start, as well
    #[arg(long, env = "LOOPSCOPE_CHILDREN", value_parser = BoolishValueParser::new())]
    pub children: bool,
    /// The form of the report
    #[arg(long, env = "LOOPSCOPE_REPORT", value_name = "FORM", default_value = "text")]
    pub report: ReportForm,
    /// Write the report to this file instead of standard output
    #[arg(long, env = "LOOPSCOPE_OUTPUT", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// A turn that lasts this long is a stall
    #[arg(long = "stall-threshold", env = "LOOPSCOPE_STALL_THRESHOLD", value_name = "DURATION",
          default_value = "50ms", value_parser = values::threshold_ns)]
    pub stall_threshold_ns: u64,
    /// Serve /metrics here meanwhile; `:9797` is port 9797 of the loopback interface
    #[arg(long, env = "LOOPSCOPE_LISTEN", value_name = "ADDR", value_parser = values::listen)]
    pub listen: Option<SocketAddr>,
    /// How to observe; `auto` takes the best that this machine allows
    #[arg(long, env = "LOOPSCOPE_SOURCE", value_name = "SOURCE", default_value = "auto")]
    pub source: SourceChoice,
    /// The most to be seen; less is, where the machine or the process does not allow it
    #[arg(long, env = "LOOPSCOPE_TIER", value_name = "TIER", default_value = "full")]
    pub tier: TierChoice,
    /// The most that observing may cost a loop's thread, in percent of its time; a tier is given up
    /// for it
    #[arg(long = "overhead-budget", env = "LOOPSCOPE_OVERHEAD_BUDGET", value_name = "PERCENT",
          default_value = "15", value_parser = values::percent)]
    pub overhead_budget: f64,
    /// Give up after this much time; still reports, and exits with 124
    #[arg(long = "timeout", env = "LOOPSCOPE_TIMEOUT", value_name = "DURATION",
          value_parser = parse_duration_ns)]
    pub timeout_ns: Option<u64>,
}
