//! `report FILE`: what a recording tells.

use std::fs;
use std::path::Path;

use super::output::Output;
use super::ways::Told;
use crate::cli::ReportArgs;
use crate::exit::{Exit, Failure};
use crate::recording::{self, Recording};
use crate::report::CommandRun;
use crate::terminal::tell;

pub(super) fn execute(args: &ReportArgs) -> Result<Exit, Failure> {
    let recording = recording::read(&args.file).map_err(Failure::usage)?;
    let written = [("--output", &args.output), ("--profile", &args.profile)];
    for (option, path) in written {
        keep(&args.file, option, path.as_deref())?;
    }
    let output = Output::open(args.output.as_deref(), Output::Stdout)?;
    let told = Told::again(args.report, output, args.profile.as_deref())?;
    recording.notes().iter().for_each(|note| tell(note));
    told.tell(&recording.snapshot, command(&recording).as_ref())?;
    Ok(Exit::Ok)
}

/// The recording itself is not written over.
fn keep(recording: &Path, option: &str, path: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    match (fs::canonicalize(recording), fs::canonicalize(path)) {
        (Ok(recording), Ok(other)) if recording == other => Err(Failure::usage(format!(
            "{} is the recording itself; choose another {option}",
            path.display()
        ))),
        _ => Ok(()),
    }
}

/// The command that was recorded, if its end was.
fn command(recording: &Recording) -> Option<CommandRun> {
    let end = recording.end.as_ref().filter(|_| !recording.head.command.is_empty())?;
    Some(CommandRun {
        arguments: recording.head.command.clone(),
        status: end.status,
        signal: end.signal,
        timed_out: end.timed_out,
        notes: end.notes.clone(),
    })
}
