//! The options of `report`.

use std::path::PathBuf;

use clap::Args;

use super::{ReportForm, values};

const USAGE: &str = "loopscope report <FILE> [OPTIONS]";

const EXAMPLES: &str = "\
The report is the one that `loopscope attach` or `loopscope exec` would have told. Of a recording
that was cut, or whose recorder was killed, it is the one of the last moment that is whole; what is
missing is told on standard error. No rights are needed, nor the machine that was recorded on.

Examples:
  loopscope record -o app.loopscope 4711           makes a recording
  loopscope report app.loopscope
  loopscope report app.loopscope --report json | jq '.diagnoses[0].id'
  loopscope report app.loopscope --redact          for those who may not see the names in it
  loopscope report app.loopscope --profile stalls.cpuprofile
  loopscope report app.loopscope --html app.html   a page for a browser, with the loops over time";

/// Options of `report`.
#[derive(Debug, Args)]
#[command(override_usage = USAGE, after_help = EXAMPLES)]
pub struct ReportArgs {
    /// The recording
    pub file: PathBuf,
    /// The form of the report
    #[arg(long, env = "LOOPSCOPE_REPORT", value_name = "FORM", default_value = "text")]
    pub report: ReportForm,
    /// Tell the observed program's names of functions, files, processes and of what it waited for
    /// as hashes, which are others in each run; the recording keeps its own
    #[arg(long, env = "LOOPSCOPE_REDACT", value_parser = values::yes)]
    pub redact: bool,
    /// Write the report to this file instead of standard output
    #[arg(long, env = "LOOPSCOPE_OUTPUT", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the samples of stalls to this file: `.cpuprofile`, `.collapsed` (or `.folded`), or
    /// `.trace.json` for Perfetto
    #[arg(long, env = "LOOPSCOPE_PROFILE", value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Write the report as one page for a browser to this file, with what loops did over time
    #[arg(long, env = "LOOPSCOPE_HTML", value_name = "FILE")]
    pub html: Option<PathBuf>,
}
