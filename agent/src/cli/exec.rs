//! The options of `exec`.

use std::ffi::OsString;

use clap::Args;

use super::{ObserveArgs, SourceArgs, TierChoice};

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
#[command(
    override_usage = USAGE,
    after_help = EXAMPLES,
    mut_arg("output", |output| {
        output.help("Write the report to this file instead of standard error")
    }),
    mut_arg("timeout_ns", |timeout| {
        timeout.help("End the command after this much time; still reports, and exits with 124")
    })
)]
pub struct ExecArgs {
    /// Where to tell what is observed.
    #[command(flatten)]
    pub observe: ObserveArgs,
    /// How the command is observed.
    #[command(flatten)]
    pub source: SourceArgs,
    /// How much is observed, and with it what it costs; by default as much as can be
    #[arg(long, env = "LOOPSCOPE_TIER", value_name = "TIER")]
    pub tier: Option<TierChoice>,
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
