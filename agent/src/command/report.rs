//! `report FILE`: what a recording tells.

use std::collections::BTreeMap;
use std::path::Path;

use super::output::{Output, keep_recording};
use super::ways::Told;
use crate::cli::ReportArgs;
use crate::exit::{Exit, Failure};
use crate::recording::{self, Recording};
use crate::report::CommandRun;
use crate::report::html::{LoopTick, Tick, Timeline};
use crate::terminal::tell;

pub(super) fn execute(args: &ReportArgs) -> Result<Exit, Failure> {
    let recording = recording::read(&args.file).map_err(Failure::usage)?;
    let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let (profile, html) = (args.profile.as_deref(), args.html.as_deref());
    let others = [("--output", output), ("--profile", profile), ("--html", html)];
    keep_recording(&args.file, others)?;
    let output = Output::open(args.output.as_deref(), Output::Stdout)?;
    let told = Told::again(args, output, timeline(&recording))?;
    let (command, notes) = (command(&recording), recording.notes());
    let (snapshot, command, notes) = told.recorded(recording.snapshot, command, notes);
    notes.iter().for_each(|note| tell(note));
    told.tell(&snapshot, command.as_ref())?;
    Ok(Exit::Ok)
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

/// What its loops did between one snapshot and the next. Of a loop that is new, from its beginning.
fn timeline(recording: &Recording) -> Timeline {
    let mut before = BTreeMap::new();
    let ticks = recording.timeline.iter().map(|tick| Tick {
        at_unix_ns: tick.unix_ns,
        loops: tick.loops.iter().map(|now| since(now, before.insert(&now.whose, now))).collect(),
    });
    Timeline {
        ticks: ticks.collect(),
        began_unix_ns: Some(recording.head.began_unix_ns),
        stall_threshold_ns: Some(recording.head.stall_threshold_ns),
    }
}

fn since(now: &recording::LoopTick, then: Option<&recording::LoopTick>) -> LoopTick {
    let turns_then = then.and_then(|then| then.turns).unwrap_or(0);
    LoopTick {
        pid: now.whose.pid,
        thread: now.whose.thread.to_string(),
        utilization: now.utilization,
        turns: now.turns.map(|turns| turns.saturating_sub(turns_then)),
        stall_ns: now.stall_ns.saturating_sub(then.map_or(0, |then| then.stall_ns)),
    }
}
