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
    let (snapshot, of_stalls) = recording.told();
    let notes = recording.notes().into_iter().chain(of_stalls).collect();
    let (snapshot, command, notes) = told.recorded(snapshot, command(&recording), notes);
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
///
/// The clock that a moment was written by may have been set meanwhile, so moments are told by the
/// time since the beginning. Where the head was lost, the first moment says when that was.
fn timeline(recording: &Recording) -> Timeline {
    let Recording { head, timeline, .. } = recording;
    let first = timeline.first().map(|tick| tick.unix_ns.saturating_sub(tick.wall_ns));
    let began_unix_ns = Some(head.began_unix_ns).filter(|began_ns| *began_ns > 0).or(first);
    let mut before = BTreeMap::new();
    let ticks = timeline.iter().map(|tick| Tick {
        at_unix_ns: began_unix_ns.unwrap_or(0).saturating_add(tick.wall_ns),
        loops: tick.loops.iter().map(|now| since(now, before.insert(&now.whose, now))).collect(),
    });
    Timeline {
        ticks: ticks.collect(),
        began_unix_ns,
        stall_threshold_ns: Some(head.stall_threshold_ns).filter(|threshold_ns| *threshold_ns > 0),
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

#[cfg(test)]
mod tests {
    use loop_core::snapshot::{ClockKind, Snapshot};

    use super::*;
    use crate::recording::{Head, Place, Writer};

    const SECOND_NS: u64 = 1_000_000_000;

    /// Read, with snapshots taken each second by a clock that was set an hour back in between.
    fn recorded(began_unix_ns: u64, stall_threshold_ns: u64) -> Recording {
        let name = format!("loopscope-{}-{began_unix_ns}.loopscope", std::process::id());
        let path = std::env::temp_dir().join(name);
        let head = Head { began_unix_ns, stall_threshold_ns, ..Head::default() };
        let place = Place::open(&path).expect("it can be written");
        let mut writer = Writer::create(place, &head, 1 << 20).expect("it can be written");
        for (second, unix) in [(1, 10_001), (2, 10_002), (3, 6_403)] {
            let mut snapshot = Snapshot::empty(ClockKind::Real);
            snapshot.wall_ns = second * SECOND_NS;
            writer.add(unix * SECOND_NS, &snapshot).expect("it can be written");
        }
        let recording = recording::read(&path).expect("it can be read");
        std::fs::remove_file(&path).expect("it can be removed");
        recording
    }

    #[test]
    fn moments_are_told_by_a_clock_that_nobody_sets() {
        for (began_ns, threshold_ns, known) in [(10_000 * SECOND_NS, 7, Some(7)), (0, 0, None)] {
            let timeline = timeline(&recorded(began_ns, threshold_ns));
            assert_eq!(timeline.began_unix_ns, Some(10_000 * SECOND_NS));
            assert_eq!(timeline.stall_threshold_ns, known);
            let ticks: Vec<u64> =
                timeline.ticks.iter().map(|tick| tick.at_unix_ns / SECOND_NS).collect();
            assert_eq!(ticks, [10_001, 10_002, 10_003]);
        }
        let nothing = Recording { timeline: Vec::new(), ..recorded(0, 0) };
        assert_eq!(timeline(&nothing), Timeline::default());
    }
}
