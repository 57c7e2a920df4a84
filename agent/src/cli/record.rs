//! The options of `record`.

use std::ffi::OsString;

use clap::Args;

use super::{AttachArgs, ExecArgs, ObserveArgs, SourceArgs, TierChoice, values};

const USAGE: &str = "loopscope record -o <FILE> [OPTIONS] (<PID>... | -- <CMD> [ARGS]...)";

const EXAMPLES: &str = "\
With PIDs it observes as `loopscope attach` does, with a command as `loopscope exec`, and ends with
the same exit status. What is seen is in the file within a second, also of a loopscope that is
killed; `loopscope report` reads it, whole or cut. A recording that is there is replaced, any other
file is not.

Examples:
  loopscope record -o app.loopscope 4711           30 s of a running Node.js
  loopscope record -o app.loopscope --duration 8h --max-size 256MiB 4711
                                                   a night; older moments are told more coarsely
  loopscope record -o app.loopscope -- npm test    a command, from its first turn to its end
  loopscope record -o app.loopscope --redact 4711  for others: without the program's names
  loopscope report app.loopscope                   what it tells";

/// Options of `record`.
#[derive(Debug, Args)]
#[command(
    override_usage = USAGE,
    after_help = EXAMPLES,
    mut_arg("output", |output| {
        output.short('o').required(true).help("The file to record into, as in app.loopscope")
    }),
    mut_arg("report", |report| {
        report.default_value("none").help("The form of a report that is told at the end, too")
    }),
    mut_arg("timeout_ns", |timeout| {
        timeout.help("Give up after this much time, or end the command; exits with 124")
    })
)]
pub struct RecordArgs {
    /// The processes to observe
    #[arg(required_unless_present = "command", conflicts_with = "command", value_name = "PID",
          value_parser = values::pid)]
    pub pids: Vec<u32>,
    /// For how long to observe processes; Ctrl-C, SIGTERM and SIGHUP end it earlier
    #[arg(long = "duration", env = "LOOPSCOPE_DURATION", value_name = "DURATION",
          default_value = "30s", conflicts_with = "command", value_parser = values::duration_ns)]
    pub duration_ns: u64,
    /// Observe the Node.js processes that they have started, or start, as well
    #[arg(long, env = "LOOPSCOPE_CHILDREN", conflicts_with = "command",
          value_parser = values::yes)]
    pub children: bool,
    /// The most that the file may grow to, from 1MiB to 1GiB. What it has of the past is told more
    /// coarsely then, and details of short stalls are dropped and counted
    #[arg(long = "max-size", env = "LOOPSCOPE_MAX_SIZE", value_name = "SIZE",
          default_value = "64MiB", value_parser = values::recording_bytes)]
    pub max_size_bytes: u64,
    /// Where to tell what is observed.
    #[command(flatten)]
    pub observe: ObserveArgs,
    /// How to observe.
    #[command(flatten)]
    pub source: SourceArgs,
    /// The most to be seen; by default as much as can be
    #[arg(long, env = "LOOPSCOPE_TIER", value_name = "TIER")]
    pub tier: Option<TierChoice>,
    /// The command to observe, and its arguments
    #[arg(last = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// What is recorded.
#[derive(Debug)]
pub enum Recorded {
    /// Processes that run.
    Processes(AttachArgs),
    /// A command.
    Command(ExecArgs),
}

impl From<RecordArgs> for Recorded {
    fn from(args: RecordArgs) -> Recorded {
        let RecordArgs {
            pids,
            duration_ns,
            children,
            max_size_bytes: _,
            observe,
            source,
            tier,
            command,
        } = args;
        if command.is_empty() {
            let tier = tier.unwrap_or(TierChoice::Full);
            let attach = AttachArgs { pids, duration_ns, children, observe, source, tier };
            return Recorded::Processes(attach);
        }
        Recorded::Command(ExecArgs { observe, source, tier, command })
    }
}
