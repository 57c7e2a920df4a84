//! The options of `agent`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use loopscope_exporters::Compat;

use super::{TierChoice, values};
use crate::log::{LogFormat, LogLevel};

const USAGE: &str = "loopscope agent [--config <FILE>] [OPTIONS]";

const EXAMPLES: &str = "\
Every Node.js process of the host is found as it comes, named, and watched by reading its memory:
no probe. A process that stalls gets probes for 10 s, so that the cause
is on record; --overhead-budget bounds what that costs on the average.

A process is called by the first of these: the file's [[target]], OTEL_SERVICE_NAME, its systemd
unit, its container, its pod, the name in its package.json or of its script.

SIGHUP reads the file again; SIGTERM ends the agent, and leaves nothing in any process.

The file has the long options as keys, and rules (patterns with * and ?):
  stall_threshold = \"20ms\"
  [[include]]                  # several: any of them; none: every Node.js
  folder = \"/srv/*\"
  [[exclude]]                  # name, executable, folder, cgroup, user, and of containers
                               # namespace, pod, container: all that are given
  name = \"*-test\"
  [[target]]
  name = \"checkout\"
  match = { folder = \"/srv/checkout*\" }

Examples:
  loopscope agent                                  serves http://127.0.0.1:9797/metrics
  loopscope agent --listen 0.0.0.0:9797 --config /etc/loopscope/agent.toml
  loopscope check config /etc/loopscope/agent.toml
  OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 loopscope agent";

/// Options of `agent`. What is not given is what the file says, or the default.
#[derive(Debug, Default, Args)]
#[command(override_usage = USAGE, after_help = EXAMPLES)]
pub struct AgentArgs {
    /// The TOML file; an option outranks it
    #[arg(long, env = "LOOPSCOPE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Serve /metrics here; `:9797` is port 9797 of the loopback interface [default: :9797]
    #[arg(long, env = "LOOPSCOPE_LISTEN", value_name = "ADDR", value_parser = values::listen)]
    pub listen: Option<SocketAddr>,
    /// Append each stall, and all metrics once a minute, to this file as lines of JSON; SIGHUP
    /// opens it again
    #[arg(long, env = "LOOPSCOPE_OUTPUT", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// TLS, passwords and tokens for what is served: a file in the format of Prometheus'
    /// exporter-toolkit, read again when it changes
    #[arg(long = "web.config.file", env = "LOOPSCOPE_WEB_CONFIG_FILE", value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,
    /// A turn that lasts this long is a stall [default: 50ms]
    #[arg(long = "stall-threshold", env = "LOOPSCOPE_STALL_THRESHOLD", value_name = "DURATION",
          value_parser = values::threshold_ns)]
    pub stall_threshold_ns: Option<u64>,
    /// What is seen at all times; at `passive`, stalls open windows at `full` [default: passive]
    #[arg(long, env = "LOOPSCOPE_TIER", value_name = "TIER")]
    pub tier: Option<TierChoice>,
    /// The most that observing may cost a loop's thread, on the average, in percent of its time
    /// [default: 1]
    #[arg(long = "overhead-budget", env = "LOOPSCOPE_OVERHEAD_BUDGET", value_name = "PERCENT",
          value_parser = values::percent)]
    pub overhead_budget: Option<f64>,
    /// How often new processes are looked for [default: 1s]
    #[arg(long = "discovery-interval", env = "LOOPSCOPE_DISCOVERY_INTERVAL",
          value_name = "DURATION", value_parser = values::duration_ns)]
    pub discovery_interval_ns: Option<u64>,
    /// Tell functions of compiled scripts (TypeScript, bundles) by their sources
    #[arg(long = "source-maps", env = "LOOPSCOPE_SOURCE_MAPS", value_name = "YES",
          num_args = 0..=1, default_missing_value = "1", value_parser = values::yes)]
    pub source_maps: Option<bool>,
    /// Tell the observed programs' names as hashes, which are others in each run
    #[arg(long, env = "LOOPSCOPE_REDACT", value_name = "YES", num_args = 0..=1,
          default_missing_value = "1", value_parser = values::yes)]
    pub redact: Option<bool>,
    /// Tell metrics under the names of others, too: `otel`, `prom-client`, or both as
    /// `otel,prom-client`. A service that exports them itself would be counted twice
    #[arg(long, env = "LOOPSCOPE_COMPAT", value_name = "NAMES", value_parser = values::compat)]
    pub compat: Option<Compat>,
    /// How much is logged [default: info]
    #[arg(long = "log.level", env = "LOOPSCOPE_LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,
    /// The form of the log [default: text]
    #[arg(long = "log.format", env = "LOOPSCOPE_LOG_FORMAT", value_name = "FORM")]
    pub log_format: Option<LogFormat>,
}

const CHECK_EXAMPLES: &str = "\
Says what is wrong with the file, or with the web_config_file that it names, with its line, and
exits with 2; or what it comes to, and exits with 0. Nothing is observed.

Examples:
  loopscope check config /etc/loopscope/agent.toml && systemctl reload loopscope";

/// Options of `check`.
#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub struct CheckArgs {
    /// What to check.
    #[command(subcommand)]
    pub what: CheckWhat,
}

/// What can be checked.
#[derive(Debug, clap::Subcommand)]
pub enum CheckWhat {
    /// The agent's file
    Config {
        /// The TOML file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}
