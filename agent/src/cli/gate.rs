//! The options of `gate`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::{GateOutputArgs, SourceArgs, TierChoice, values};

const USAGE: &str = "\
loopscope gate --base <CMD> --head <CMD> [OPTIONS]
       loopscope gate --budget <FILE> [OPTIONS] (--head <CMD> | -- <CMD> [ARGS]...)
       loopscope gate --base-from <DIR> --head-from <DIR> [OPTIONS]
       loopscope gate [accept] --lock <FILE> [--timeout <DURATION>] -- <NAME>...";

const EXAMPLES: &str = "\
With --base and --head, both commands run under observation, by turns in one job. Counts that never
vary (microtasks, lengths of drains, turns) are compared exactly; what varies is compared by
statistics, and only what is worse for sure, by 5 % or more, fails. `agent/docs/gate.md` tells how.

With --lock, workloads run under virtual time, each twice: as the pathology and as its fixed twin.
What is compared are counts (turns, callbacks, drains), never times, so a difference is a change of
behaviour and not a slow machine. A workload with parameters is one argument, in quotes.

A command in quotes is run as it is, or by `sh` where it has more than words in it.

Examples:
  loopscope gate --base 'node old/bench.js' --head 'node bench.js'
  loopscope gate --base 'node old/bench.js' --head 'node bench.js' --budget budget.txt
  loopscope gate --budget budget.txt -- node bench.js
  echo 'p99 turn < 50ms' > budget.txt              a limit a line; `#` begins a comment
  loopscope gate --base 'node old.js' --head 'node new.js' --save runs
  loopscope gate --base-from runs/base --head-from runs/head --budget budget.txt
                                                   the same runs again, by other rules
  loopscope gate accept --lock gate.lock -- sync-promises 'next-tick-recursion --count 1000'
  loopscope gate --lock gate.lock -- sync-promises 'next-tick-recursion --count 1000'

Exit codes:
  0 nothing got worse   1 a regression, or a budget is exceeded   2 usage or bad input
  3 too noisy to tell, or no times were seen (--on-inconclusive)   4 a command failed, or the runs
  can't be compared   5 refused: the machine does not allow it   124 --timeout   130 Ctrl-C";

/// Options of `gate`.
#[derive(Debug, Args)]
#[command(
    override_usage = USAGE,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    mut_arg("overhead_budget", |budget| budget.default_value("100")),
    group = ArgGroup::new("what")
        .args(["lock", "base", "head", "budget", "base_from", "head_from"]).multiple(true)
        .required(true)
)]
pub struct GateArgs {
    /// Write the lock instead of comparing with it.
    #[command(subcommand)]
    pub action: Option<GateAction>,
    /// The lock file to compare the counts of workloads with
    #[arg(long, env = "LOOPSCOPE_LOCK", value_name = "FILE")]
    pub lock: Option<PathBuf>,
    /// What is run, and how.
    #[command(flatten)]
    pub runs: RunsArgs,
    /// How it is observed.
    #[command(flatten)]
    pub source: SourceArgs,
    /// How much is observed; by default as much as can be
    #[arg(long, env = "LOOPSCOPE_TIER", value_name = "TIER")]
    pub tier: Option<TierChoice>,
    /// Where it is told.
    #[command(flatten)]
    pub output: GateOutputArgs,
    /// Give up after this much real time, with exit code 124
    #[arg(long = "timeout", env = "LOOPSCOPE_TIMEOUT", value_name = "DURATION",
          value_parser = values::timeout_ns)]
    pub timeout_ns: Option<u64>,
    /// The command that --budget is for; with --lock workloads, one with parameters in quotes:
    /// 'sync-promises --count 1000'
    #[arg(last = true, value_name = "NAME")]
    pub words: Vec<OsString>,
}

/// What else `gate` can do.
#[derive(Debug, Subcommand)]
pub enum GateAction {
    /// Write the counts as they are now into the lock file
    #[command(override_usage = "loopscope gate accept --lock <FILE> -- <NAME>...",
              after_help = EXAMPLES)]
    Accept(LockArgs),
}

/// The lock and the workloads in it.
#[derive(Debug, Args)]
pub struct LockArgs {
    /// The lock file
    #[arg(long, env = "LOOPSCOPE_LOCK", value_name = "FILE")]
    pub lock: PathBuf,
    /// Give up after this much real time, with exit code 124
    #[arg(long = "timeout", env = "LOOPSCOPE_TIMEOUT", value_name = "DURATION",
          value_parser = values::timeout_ns)]
    pub timeout_ns: Option<u64>,
    /// Workloads; one with parameters in quotes: 'sync-promises --count 1000'
    #[arg(last = true, required = true, value_name = "NAME")]
    pub names: Vec<String>,
}

/// The commands that are run, and how often.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// The command before the change
    #[arg(long, env = "LOOPSCOPE_BASE", value_name = "CMD", requires = "head")]
    pub base: Option<String>,
    /// The command after the change
    #[arg(long, env = "LOOPSCOPE_HEAD", value_name = "CMD")]
    pub head: Option<String>,
    /// Keep a recording of each run that counts in this folder, as base/001.loopscope
    #[arg(long, env = "LOOPSCOPE_SAVE", value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// The runs before the change are the recordings in this folder
    #[arg(long = "base-from", env = "LOOPSCOPE_BASE_FROM", value_name = "DIR",
          requires = "head_from", conflicts_with_all = ["base", "save"])]
    pub base_from: Option<PathBuf>,
    /// The runs after the change are the recordings in this folder
    #[arg(long = "head-from", env = "LOOPSCOPE_HEAD_FROM", value_name = "DIR",
          conflicts_with_all = ["head", "save"])]
    pub head_from: Option<PathBuf>,
    /// A file of limits that hold whatever was before, as in `p99 turn < 50ms`, one a line
    #[arg(long, env = "LOOPSCOPE_BUDGET", value_name = "FILE")]
    pub budget: Option<PathBuf>,
    /// How many pairs of runs to begin with, from 4 to 200; more follow while it is undecided
    #[arg(long, env = "LOOPSCOPE_PAIRS", value_name = "N", default_value = "10",
          value_parser = pairs)]
    pub pairs: usize,
    /// How long to go on while it is undecided
    #[arg(long = "max-time", env = "LOOPSCOPE_MAX_TIME", value_name = "DURATION",
          default_value = "10m", value_parser = values::duration_ns)]
    pub max_time_ns: u64,
    /// How many runs a budget must hold in, where there is no --base
    #[arg(long, env = "LOOPSCOPE_RUNS", value_name = "N", default_value = "3",
          value_parser = runs)]
    pub runs: usize,
    /// What to do where the machine is too noisy to tell, instead of the exit code 3
    #[arg(long = "on-inconclusive", env = "LOOPSCOPE_ON_INCONCLUSIVE", value_name = "WHAT")]
    pub on_inconclusive: Option<OnInconclusive>,
    /// How much a count that never varies may grow, in percent
    #[arg(long = "exact-tolerance", env = "LOOPSCOPE_EXACT_TOLERANCE", value_name = "PERCENT",
          default_value = "0", allow_negative_numbers = true, value_parser = tolerance)]
    pub exact_tolerance: f64,
    /// A turn that lasts this long is a stall
    #[arg(long = "stall-threshold", env = "LOOPSCOPE_STALL_THRESHOLD", value_name = "DURATION",
          default_value = "50ms", value_parser = values::threshold_ns)]
    pub stall_threshold_ns: u64,
}

/// What a gate that can't tell comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnInconclusive {
    /// Passes, with a warning.
    Pass,
    /// Fails.
    Fail,
}

fn pairs(text: &str) -> Result<usize, String> {
    use crate::gate::{PAIRS_MAX, PAIRS_MIN};
    let known = text.parse().ok().filter(|pairs| (PAIRS_MIN..=PAIRS_MAX).contains(pairs));
    known.ok_or_else(|| format!("write a number from {PAIRS_MIN} to {PAIRS_MAX}"))
}

fn runs(text: &str) -> Result<usize, String> {
    use crate::gate::PAIRS_MAX;
    let known = text.parse().ok().filter(|runs| (1..=PAIRS_MAX).contains(runs));
    known.ok_or_else(|| format!("write a number from 1 to {PAIRS_MAX}"))
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').trim_end().parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("write a number from 0 to 100".to_owned()),
    }
}
