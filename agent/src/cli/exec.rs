//! The options of `exec`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use loop_core::units::parse_duration_ns;

use super::{ReportForm, SourceChoice, TierChoice, values};

const USAGE: &str = "loopscope exec [OPTIONS] -- <CMD> [ARGS]...";

const EXAMPLES: &str = "\
Standard input, output and error are the command's own, and so are the signals: what loopscope gets
is passed on, and Ctrl-C reaches the command once. The report comes when the command has ended. A
Ctrl-C behind that cuts the report short.

The exit status is the command's, or 128 and the number of the signal that ended it; 127 where it
was not found, 126 where it can't be run, 124 where --timeout has ended it. 2, 4 and 5 are of
loopscope, and the command was not started.

The command may be a wrapper, as npm or a shell: every Node.js process in it is observed.

Examples:
  loopscope exec -- node server.js                 Ctrl-C ends both, and then comes the report
  loopscope exec --timeout 30s -- npm start        stops it after half a minute
  loopscope exec --report json --output r.json -- node app.js --port 8080
  loopscope exec --listen :9797 -- node server.js  scrape http://127.0.0.1:9797/metrics meanwhile";

/// Options of `exec`.
#[derive(Debug, Args)]
#[command(override_usage = USAGE, after_help = EXAMPLES)]
pub struct ExecArgs {
    /// The form of the report
    #[arg(long, env = "LOOPSCOPE_REPORT", value_name = "FORM", default_value = "text")]
    pub report: ReportForm,
    /// Write the report to this file instead of standard error
    #[arg(long, env = "LOOPSCOPE_OUTPUT", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// A turn that lasts this long is a stall
    #[arg(long = "stall-threshold", env = "LOOPSCOPE_STALL_THRESHOLD", value_name = "DURATION",
          default_value = "50ms", value_parser = values::threshold_ns)]
    pub stall_threshold_ns: u64,
    /// Serve /metrics here meanwhile; `:9797` is port 9797 of the loopback interface
    #[arg(long, env = "LOOPSCOPE_LISTEN", value_name = "ADDR", value_parser = values::listen)]
    pub listen: Option<SocketAddr>,
    /// Terminate the command after this much time; still reports, and exits with 124
    #[arg(long = "timeout", env = "LOOPSCOPE_TIMEOUT", value_name = "DURATION",
          value_parser = parse_duration_ns)]
    pub timeout_ns: Option<u64>,
    /// How the command is observed
    #[arg(long, env = "LOOPSCOPE_SOURCE", value_name = "SOURCE", default_value = "auto")]
    pub source: SourceChoice,
    /// How much is observed, and with it what it costs; by default as much as can be
    #[arg(long, env = "LOOPSCOPE_TIER", value_name = "TIER")]
    pub tier: Option<TierChoice>,
    /// The most that observing may cost a loop's thread, in percent of its time; a tier is given up
    /// for it
    #[arg(long = "overhead-budget", env = "LOOPSCOPE_OVERHEAD_BUDGET", value_name = "PERCENT",
          default_value = "15", value_parser = values::percent)]
    pub overhead_budget: f64,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// What the gate is told: see `command::exec`.
#[derive(Debug, Args)]
pub struct ExecGateArgs {
    /// The name of the socket
    pub socket: String,
    /// The command and its arguments
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}
