//! The command line: what can be asked for, and every way of asking wrongly in one clear line.
//!
//! A workload's parameters are options too (`--work 25us`). The workload is therefore looked for
//! on the command line before it is parsed, and its parameters are added to what clap knows, so
//! that they may stand anywhere, show up in `--help`, and are suggested when misspelt.

#[cfg(target_os = "linux")]
mod agent;
#[cfg(target_os = "linux")]
mod attach;
mod doctor;
mod errors;
mod exec;
mod explain;
mod gate;
mod gate_output;
mod lambda;
mod observe;
mod pages;
mod params;
#[cfg(target_os = "linux")]
mod record;
mod report;
mod source;
#[cfg(target_os = "linux")]
mod top;
pub(crate) mod values;

use std::ffi::OsString;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use loop_core::units::{parse_duration_ns, parse_size_bytes};
use loopscope_workloads::Rounds;

use crate::exit::Failure;
#[cfg(target_os = "linux")]
pub use agent::{AgentArgs, CheckArgs, CheckWhat};
#[cfg(target_os = "linux")]
pub use attach::AttachArgs;
pub use doctor::DoctorArgs;
pub use exec::{ExecArgs, ExecGateArgs};
pub use explain::ExplainArgs;
pub use gate::{GateAction, GateArgs, LockArgs, OnInconclusive, RunsArgs};
pub use gate_output::{GateOutputArgs, GithubChoice};
pub use lambda::LambdaArgs;
pub use observe::{ObserveArgs, SourceArgs};
pub use pages::{CompletionsArgs, ManArgs};
pub use params::{Selection, SelectionError, has_script_extension, names_script};
#[cfg(target_os = "linux")]
pub use record::{RecordArgs, Recorded};
pub use report::ReportArgs;
pub use source::{SourceChoice, TierChoice};
#[cfg(target_os = "linux")]
pub use top::TopArgs;

const EXAMPLES: &str = "\
Examples:
  loopscope workloads                              what can be run, and what each shows
  loopscope run sync-promises                      60,000 microtasks in one drain, and why it hurts
  loopscope run sync-promises --fixed              the same work without the block
  loopscope run sync-promises --repeat forever --listen :9797
                                                   scrape http://127.0.0.1:9797/metrics meanwhile
  loopscope run app.js                             plain JavaScript, in Node's order of events
  loopscope attach 4711                            a running Node.js, without a restart
  loopscope agent                                  every Node.js of this host, for Prometheus
  loopscope doctor                                 each Node.js here, and how it can be observed
  loopscope exec -- node server.js                 a Node.js program, from its first turn on
  loopscope record -o app.loopscope 4711           a recording, for `loopscope report`
  loopscope diagnoses microtask-flood              what a verdict means, and how to fix it
  loopscope gate --base 'node old.js' --head 'node new.js'
                                                   fail what makes the loop slower
  loopscope gate --lock gate.lock -- sync-promises next-tick-recursion
                                                   fail when counts differ from the lock

Exit codes:
  0 fine   1 gate failed   2 usage or bad input   3 gate inconclusive   4 the run failed
  5 refused: the machine does not allow it   124 --timeout
  130 Ctrl-C   143 SIGTERM   129 SIGHUP: with the report of the time until then
  A script that was run, and a command of `exec` or `record`, end with their own.

Environment:
  Every option has a LOOPSCOPE_* variable; options win. With OTEL_EXPORTER_OTLP_ENDPOINT set,
  metrics, and stalls as logs, are pushed as OTLP over HTTP; the other OTEL_* variables hold, too.";

/// Finds out what holds up an event loop, and why.
#[derive(Debug, Parser)]
#[command(name = "loopscope", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a workload or a JavaScript file on the embedded loop, watch it, and tell what happened
    Run(RunArgs),
    /// Observe running Node.js processes from outside, and tell what holds them up
    #[cfg(target_os = "linux")]
    Attach(AttachArgs),
    /// Show every loop live, a running stall first
    #[cfg(target_os = "linux")]
    Top(TopArgs),
    /// Watch every Node.js process of this host, and serve what is seen
    #[cfg(target_os = "linux")]
    Agent(AgentArgs),
    /// Check a file before it is used
    #[cfg(target_os = "linux")]
    Check(CheckArgs),
    /// Start a command under observation, and pass its signals and its exit status on
    Exec(ExecArgs),
    /// Observe processes or a command, and keep what is seen in a file
    #[cfg(target_os = "linux")]
    Record(RecordArgs),
    /// Tell what a recording has seen
    Report(ReportArgs),
    /// Waits until it is observed, and becomes the command
    #[command(hide = true)]
    ExecGate(ExecGateArgs),
    /// Explain a script: in which turn and phase everything ran, and why there
    Explain(ExplainArgs),
    /// Tell what this host allows: how each running Node.js would be observed, and why no better
    Doctor(DoctorArgs),
    /// List the workloads: what each shows, its parameters, its fixed twin
    Workloads(WorkloadsArgs),
    /// List the diagnoses, or print the page on one: what it is, its numbers, how to fix it
    Diagnoses(DiagnosesArgs),
    /// Fail what got worse: a command against the one before, against budgets, or a lock file
    Gate(Box<GateArgs>),
    /// Print what a shell needs to complete commands and options
    Completions(CompletionsArgs),
    /// Print the manual page of the program or of a command
    Man(ManArgs),
}

const RUN_USAGE: &str = "loopscope run <NAME|FILE> [--PARAM <VALUE>]... [OPTIONS] [-- ARGS]";

const RUN_EXAMPLES: &str = "\
`loopscope run NAME --help` lists the parameters of a workload, `loopscope workloads` of all.

What a workload must show by its parameters is held against what was observed. What does not hold
is told on standard error, whatever the report, and does not change the exit code.

What has a `/` or ends in .js, .mjs or .cjs is a JavaScript program: a file, or one of js/NAME,
promises/NAME and seeds/NAME, which are compiled in. It has the rights of who runs it, its output is
on standard output, the report on standard error, and its exit status is that of loopscope, but for
124 and 130, and 4 where it could not be run.

Examples:
  loopscope run sync-promises --work 1ms           a minute in one drain; watch it grow
  loopscope run sync-promises --count 300 --work 0 --report json
  loopscope run cpu-bound-callback --timeout 2s    stops after 2 s and still reports
  loopscope run next-tick-recursion --clock virtual
  loopscope run app.js -- --port=8080              a script with its arguments
  loopscope run seeds/first                        in which order do these lines come?";

const RUN_OUTPUT: &str =
    "Write the report to this file instead of standard output (of a script: standard error)";

/// Options of `run`.
#[derive(Debug, Args)]
#[command(
    override_usage = RUN_USAGE,
    after_help = RUN_EXAMPLES,
    mut_arg("output", |output| output.help(RUN_OUTPUT)),
    mut_arg("timeout_ns", |timeout| {
        timeout.help("Stop after this much real time; still reports, and exits with 124")
    })
)]
pub struct RunArgs {
    /// The workload, or the JavaScript file
    pub name: String,
    /// What was given for the workload's parameters, as (name, value).
    #[arg(skip)]
    pub params: Vec<(String, String)>,
    /// Run the healthy twin of the workload
    #[arg(long, env = "LOOPSCOPE_FIXED", value_parser = values::yes)]
    pub fixed: bool,
    /// How many rounds to run; a script is run once
    #[arg(long, env = "LOOPSCOPE_REPEAT", value_name = "N|forever", default_value = "1",
          allow_negative_numbers = true, value_parser = values::repeat)]
    pub repeat: Rounds,
    /// How long to wait between rounds
    #[arg(long = "pause", env = "LOOPSCOPE_PAUSE", value_name = "DURATION", default_value = "0",
          value_parser = parse_duration_ns)]
    pub pause_ns: u64,
    /// Where to tell what is observed.
    #[command(flatten)]
    pub observe: ObserveArgs,
    /// Under the virtual clock waiting takes no time and a run is exactly repeatable
    #[arg(long, env = "LOOPSCOPE_CLOCK", value_name = "CLOCK", default_value = "real")]
    pub clock: ClockChoice,
    /// Time every callback and every short drain as well; costs two clock readings a callback
    #[arg(long, env = "LOOPSCOPE_DETAIL", value_parser = values::yes)]
    pub detail: bool,
    /// The most memory that a script may use, as in 256MiB
    #[arg(long = "max-memory", env = "LOOPSCOPE_MAX_MEMORY", value_name = "SIZE",
          value_parser = parse_size_bytes)]
    pub max_memory_bytes: Option<u64>,
    /// Whether the script is a handler, and how it is invoked.
    #[command(flatten)]
    pub lambda: LambdaArgs,
    /// What a script finds in `process.argv`, behind `--`
    #[arg(last = true, value_name = "ARGS")]
    pub script_args: Vec<String>,
}

/// Options of `workloads`.
#[derive(Debug, Args)]
pub struct WorkloadsArgs {
    /// The form of the list
    #[arg(long, env = "LOOPSCOPE_REPORT", value_name = "FORM", default_value = "text")]
    pub report: ReportForm,
}

/// Options of `diagnoses`.
#[derive(Debug, Args)]
pub struct DiagnosesArgs {
    /// The diagnosis; without it, all are listed
    pub id: Option<String>,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportForm {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// No report; the exit code tells whether it ran.
    None,
}

/// Which clock a run stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClockChoice {
    /// The machine's.
    Real,
    /// One that moves only when the loop waits.
    Virtual,
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Request {
    /// To do something.
    Do(Box<Command>),
    /// To see this text: help, or the version.
    Show(String),
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// [`Failure`] of kind usage, with one line that says what to write instead.
pub fn parse(argv: Vec<OsString>, colour: bool) -> Result<Request, Failure> {
    let subject = params::subject(&argv, &Cli::command());
    let command = Cli::command().mut_subcommand("run", |run| params::add_to(run, &subject));
    let command = without_empty_variables(command);
    let mut matches = match command.try_get_matches_from(&argv) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => {
            let text = error.render();
            return Ok(Request::Show(if colour {
                text.ansi().to_string()
            } else {
                text.to_string()
            }));
        }
        Err(error) => return Err(Failure::usage(errors::one_line(&error, &subject, &argv))),
    };
    let given = matches.subcommand_matches("run").map(params::given).unwrap_or_default();
    let parsed = Cli::from_arg_matches_mut(&mut matches)
        .map_err(|error| Failure::usage(errors::one_line(&error, &subject, &argv)))?;
    Ok(Request::Do(Box::new(match parsed.command {
        Command::Run(run) => Command::Run(RunArgs { params: given, ..run }),
        other => other,
    })))
}

/// A variable that is set to nothing counts as not set, as is the custom where variables come from
/// a CI system's template.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |arg: &clap::Arg| {
        arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty())
    };
    command
        .mut_args(|arg| if is_empty(&arg) { arg.env(None::<&'static str>) } else { arg })
        .mut_subcommands(without_empty_variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
        for workload in loopscope_workloads::all() {
            let subject = params::Subject::Workload(workload);
            let add = |run| params::add_to(run, &subject);
            Cli::command().mut_subcommand("run", add).debug_assert();
        }
    }

    #[test]
    fn every_option_has_a_variable() {
        fn check(command: &clap::Command) {
            let options = command.get_arguments().filter(|arg| arg.get_long().is_some());
            for option in
                options.filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()))
            {
                let long =
                    option.get_long().unwrap_or_default().to_uppercase().replace(['-', '.'], "_");
                let variable = option.get_env().map(|name| name.to_string_lossy().into_owned());
                assert_eq!(variable.as_deref(), Some(format!("LOOPSCOPE_{long}").as_str()));
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
