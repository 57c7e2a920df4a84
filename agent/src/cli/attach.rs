//! The options of `attach`.

use clap::Args;

use super::{ObserveArgs, SourceArgs, TierChoice, values};

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
    /// For how long to observe; Ctrl-C, SIGTERM and SIGHUP end it earlier, and report
    #[arg(long = "duration", env = "LOOPSCOPE_DURATION", value_name = "DURATION",
          default_value = "30s", value_parser = values::duration_ns)]
    pub duration_ns: u64,
    /// Observe the Node.js processes that they have started, or start, as well
    #[arg(long, env = "LOOPSCOPE_CHILDREN", value_parser = values::yes)]
    pub children: bool,
    /// Where to tell what is observed.
    #[command(flatten)]
    pub observe: ObserveArgs,
    /// How to observe.
    #[command(flatten)]
    pub source: SourceArgs,
    /// The most to be seen; less is, where the machine or the process does not allow it
    #[arg(long, env = "LOOPSCOPE_TIER", value_name = "TIER", default_value = "full")]
    pub tier: TierChoice,
}
