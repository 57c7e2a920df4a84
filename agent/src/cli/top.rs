//! The options of `top`.

use clap::Args;

use super::{TierChoice, values};

const USAGE: &str = "loopscope top [<PID>...] [OPTIONS]";

const EXAMPLES: &str = "\
Every loop, a running stall first, with its function; then the newest stalls, with where their time
went. Without a PID, of all Node.js processes of this host; they get probes only for 10 s where one
stalls, within --overhead-budget.

In a pipe: a line for each loop at each look, with tabs between columns, and one that begins with
`#` for each stall.

Keys: q or Esc ends; up and down choose a loop; Enter shows the stack; / filters; p pauses.

Examples:
  loopscope top                                    this host
  loopscope top $(pgrep -x node) --tier full
  loopscope top --duration 10s | grep '^#'         the stalls of ten seconds";

/// Options of `top`.
#[derive(Debug, Args)]
#[command(override_usage = USAGE, after_help = EXAMPLES)]
pub struct TopArgs {
    /// The processes to show; without any, every Node.js process of the host
    #[arg(value_name = "PID", value_parser = values::pid)]
    pub pids: Vec<u32>,
    /// How often to look
    #[arg(long = "interval", env = "LOOPSCOPE_INTERVAL", value_name = "DURATION",
          default_value = "1s", value_parser = values::duration_ns)]
    pub interval_ns: u64,
    /// End after this time
    #[arg(long = "duration", env = "LOOPSCOPE_DURATION", value_name = "DURATION",
          value_parser = values::duration_ns)]
    pub duration_ns: Option<u64>,
    /// A turn that lasts this long is a stall
    #[arg(long = "stall-threshold", env = "LOOPSCOPE_STALL_THRESHOLD", value_name = "DURATION",
          default_value = "50ms", value_parser = values::threshold_ns)]
    pub stall_threshold_ns: u64,
    /// What is seen at all times
    #[arg(long, env = "LOOPSCOPE_TIER", value_name = "TIER", default_value = "passive")]
    pub tier: TierChoice,
    /// The most that observing may cost a loop's thread, on the average, in percent of its time
    #[arg(long = "overhead-budget", env = "LOOPSCOPE_OVERHEAD_BUDGET", value_name = "PERCENT",
          default_value = "1", value_parser = values::percent)]
    pub overhead_budget: f64,
    /// Tell functions of compiled scripts (TypeScript, bundles) by their sources
    #[arg(long = "source-maps", env = "LOOPSCOPE_SOURCE_MAPS", value_parser = values::yes)]
    pub source_maps: bool,
    /// Tell the observed programs' names as hashes, which are others in each run
    #[arg(long, env = "LOOPSCOPE_REDACT", value_parser = values::yes)]
    pub redact: bool,
}
