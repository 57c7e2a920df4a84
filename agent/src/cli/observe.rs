//! The options of every command that observes loops for a while.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use loopscope_exporters::Compat;

use super::{ReportForm, SourceChoice, values};

/// Where it is told what was observed, and what of it is told.
#[derive(Debug, Args)]
pub struct ObserveArgs {
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
    /// Tell metrics under the names of others, too: `otel`, `prom-client`, or both as
    /// `otel,prom-client`. A service that exports them itself would be counted twice
    #[arg(long, env = "LOOPSCOPE_COMPAT", value_name = "NAMES", value_parser = values::compat)]
    pub compat: Option<Compat>,
    /// TLS, passwords and tokens for what is served: a file in the format of Prometheus'
    /// exporter-toolkit, read again when it changes
    #[arg(long = "web.config.file", env = "LOOPSCOPE_WEB_CONFIG_FILE", value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,
    /// Write the samples of stalls to this file: `.cpuprofile`, `.collapsed` (or `.folded`), or
    /// `.trace.json` for Perfetto
    #[arg(long, env = "LOOPSCOPE_PROFILE", value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Write the report to this file as one page for a browser, too: timeline, ledgers, histograms
    /// and a flame graph of the stalls
    #[arg(long, env = "LOOPSCOPE_HTML", value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Tell the observed program's names of functions, files, processes and of what it waited for
    /// as hashes, which are others in each run
    #[arg(long, env = "LOOPSCOPE_REDACT", value_parser = values::yes)]
    pub redact: bool,
    /// Give up after this much time; still reports, and exits with 124
    #[arg(long = "timeout", env = "LOOPSCOPE_TIMEOUT", value_name = "DURATION",
          value_parser = values::timeout_ns)]
    pub timeout_ns: Option<u64>,
}

/// How another process is observed.
#[derive(Clone, Debug, Args)]
pub struct SourceArgs {
    /// How to observe; `auto` takes the best that this machine allows
    #[arg(long, env = "LOOPSCOPE_SOURCE", value_name = "SOURCE", default_value = "auto")]
    pub source: SourceChoice,
    /// The most that observing may cost a loop's thread, in percent of its time; a tier is given up
    /// for it
    #[arg(long = "overhead-budget", env = "LOOPSCOPE_OVERHEAD_BUDGET", value_name = "PERCENT",
          default_value = "15", value_parser = values::percent)]
    pub overhead_budget: f64,
    /// Tell functions of compiled scripts (TypeScript, bundles) by their sources, where the file of
    /// the script names a source map
    #[arg(long = "source-maps", env = "LOOPSCOPE_SOURCE_MAPS", value_parser = values::yes)]
    pub source_maps: bool,
}
