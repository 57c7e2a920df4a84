//! `run FILE`: a JavaScript program. Standard output is its own, and its exit status is ours.

use std::io::{self, IsTerminal};
use std::path::Path;

use loop_core::Loop;
use loop_core::snapshot::Snapshot;
use loopscope_workloads::{Rounds, Script};

use super::{Ways, options, write_report};
use crate::cli::RunArgs;
use crate::command::output::Output;
use crate::diagnosis::diagnose;
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::report::Report;
use crate::supervise::Outcome;
use crate::terminal::{Terminal, tell};

pub(super) fn execute(args: &RunArgs) -> Result<Exit, Failure> {
    refuse_options_of_workloads(args)?;
    let script = Script {
        file: args.name.clone().into(),
        source: None,
        arguments: args.script_args.clone(),
        memory_bytes: args.max_memory_bytes,
    };
    let ways = Ways::open(args, Output::Stderr)?;
    let options = options(args);
    let clock = options.clock.clone();
    let name = file_name(&args.name);
    let body = move |lp: &mut Loop| script.run(lp, clock);
    let run = super::run(args, &name, options, body, ways, progress(args, &name))?;
    if let Err(failure) = report(args, &run.snapshot, run.output) {
        // The status is the program's: it has run.
        tell(&failure.message);
    }
    run.background.stop();
    match run.outcome {
        Outcome::Ended(Ok(status)) => Ok(Exit::Program(seen_by_parent(status))),
        Outcome::TimedOut => Ok(Exit::TimedOut),
        Outcome::Interrupted => Ok(Exit::Interrupted),
        Outcome::Ended(Err(error)) => Err(Failure::run(format!("{} failed: {error}", args.name))),
    }
}

fn refuse_options_of_workloads(args: &RunArgs) -> Result<(), Failure> {
    let wrong = [
        ("--repeat", args.repeat != Rounds::Times(1)),
        ("--pause", args.pause_ns != 0),
        ("--fixed", args.fixed),
    ];
    match wrong.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => Err(Failure::usage(format!(
            "{option} is for workloads and {} is a file, which is run once; leave it out",
            args.name
        ))),
    }
}

/// What the target is called: the last part of the path.
fn file_name(path: &str) -> String {
    let name = Path::new(path).file_name();
    name.map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}

/// A pipe or a file holds what the program writes, and nothing between. On a terminal the program
/// may be in the middle of a line, so that none is written over where it writes there, too.
fn progress(args: &RunArgs, name: &str) -> Option<Progress> {
    let terminal = Terminal::stderr();
    let alone = !io::stdout().is_terminal();
    let terminal = Terminal { rewrites: terminal.rewrites && alone, ..terminal };
    io::stderr().is_terminal().then(|| Progress::new(name, args.stall_threshold_ns, terminal))
}

/// A status as the system passes it on: its last eight bits.
fn seen_by_parent(status: i32) -> u8 {
    status.to_le_bytes()[0]
}

fn report(args: &RunArgs, snapshot: &Snapshot, output: Output) -> Result<(), Failure> {
    let diagnoses = diagnose(snapshot);
    write_report(args, &Report { snapshot, diagnoses: &diagnoses, workload: None }, output)
}
