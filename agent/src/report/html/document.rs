//! What the page's script draws.

use std::cmp::Reverse;
use std::collections::HashMap;

use loop_core::snapshot::{
    ClockKind, Culprit, Ledger, LongestDrain, LoopSnapshot, Snapshot, Stall, Target, Wait,
};
use loopscope_exporters::profile::Tree;
use serde::Serialize;

use super::Timeline;
use super::bins::Chart;
use super::columns::{Column, columns};
use super::flame::{Flame, Frame, Frames};
use super::limits::{ALL_NODES_MAX, FRAMES_MAX, LOOPS_MAX, NODES_MAX, STALL_NODES_MAX};
use super::wall::{self, Part};
use crate::report::Report;
use crate::report::figures::{self, Row};
use crate::report::reasons::Reasons;
use crate::report::text;

/// All of it. Times are nanoseconds; those of what happened are since `begin_unix_ns`.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    clock: ClockKind,
    begin_unix_ns: u64,
    /// Whether the observation is known to have begun then: else it is where the first stall did.
    begin_is_known: bool,
    length_ns: u64,
    wall_ns: u64,
    stall_threshold_ns: Option<u64>,
    loops: Vec<Loop<'a>>,
    loops_left_out: usize,
    /// Name, file, line.
    frames: Vec<Frame>,
    /// Of all stalls of the loops above; `None`: none was sampled.
    flame: Option<Flame>,
    /// Whether the functions that it begins with are loops.
    flame_has_loops: bool,
}

/// A loop that was observed.
#[derive(Debug, Serialize)]
struct Loop<'a> {
    target: &'a str,
    pid: u32,
    thread: &'a str,
    turns: Option<u64>,
    utilization: Option<f64>,
    current_turn_ns: u64,
    wall: Vec<Part>,
    /// Stalls that have ended, those that are no longer listed included, and how long they were.
    stalls_ended: u64,
    stalled_ns: u64,
    stalls: Vec<OneStall<'a>>,
    columns: Vec<Column>,
    charts: Vec<Chart>,
    /// What was measured and did not happen.
    none: Vec<&'static str>,
    /// Why, and which figures were not measured.
    unseen: Vec<(&'static str, Vec<&'static str>)>,
}

/// A stall. What is `None` was not looked at.
#[derive(Debug, Serialize)]
struct OneStall<'a> {
    at_ns: u64,
    duration_ns: u64,
    running: bool,
    phase: Option<&'static str>,
    /// Whether hardly anything was seen of where its time went.
    dark: bool,
    callbacks: Option<u64>,
    microtasks: Option<u64>,
    cause: &'static str,
    ledger_ns: Ledger,
    culprit: Option<&'a Culprit>,
    /// Of how many samples the culprit has its share; `None`: of the time.
    culprit_samples: Option<u64>,
    waits: Option<&'a [Wait]>,
    drain: Option<&'a LongestDrain>,
    stack: Option<&'a [String]>,
    /// Frames of the stack that are left out.
    stack_left_out: usize,
    counters: Option<String>,
    samples: usize,
    /// `None` where it has samples: those of longer stalls filled the page.
    flame: Option<Flame>,
}

impl<'a> Document<'a> {
    pub(super) fn of(report: &Report<'a>, timeline: &'a Timeline) -> Document<'a> {
        let snapshot = report.snapshot;
        let mut worst: Vec<&LoopSnapshot> = snapshot.loops.iter().collect();
        worst.sort_by_key(|of| (Reverse(of.current_turn_ns()), Reverse(wall::stalled_ns(of))));
        let loops_left_out = worst.len().saturating_sub(LOOPS_MAX);
        worst.truncate(LOOPS_MAX);
        let (begin_ns, end_ns) = span(snapshot, timeline);
        let mut columns = columns(timeline, begin_ns);
        let mut frames = Frames::default();
        let (flame, flame_has_loops) = of_all(&worst, &mut frames);
        let mut flames = of_each(&worst, &mut frames);
        let loops = worst.iter().enumerate().map(|(number, of)| {
            let target = snapshot.targets.iter().find(|target| target.pid == of.pid);
            let columns = columns.remove(&(of.pid, of.thread.as_str())).unwrap_or_default();
            let stalls = of.stalls.iter().enumerate().map(|(place, stall)| {
                OneStall::of(stall, begin_ns, flames.remove(&(number, place)))
            });
            Loop { columns, stalls: stalls.collect(), ..Loop::of(of, target, snapshot) }
        });
        let loops = loops.collect();
        Document {
            clock: snapshot.clock,
            begin_unix_ns: begin_ns,
            begin_is_known: begins(snapshot, timeline).is_some(),
            length_ns: end_ns.saturating_sub(begin_ns).max(1),
            wall_ns: snapshot.wall_ns,
            stall_threshold_ns: timeline.stall_threshold_ns,
            loops,
            loops_left_out,
            frames: frames.into_list(),
            flame,
            flame_has_loops,
        }
    }
}

impl<'a> Loop<'a> {
    fn of(of: &'a LoopSnapshot, target: Option<&'a Target>, snapshot: &Snapshot) -> Loop<'a> {
        let groups: [(&str, Vec<Row<'_>>); 3] = [
            ("Delays", figures::delays(of)),
            ("Drains", figures::drains(of)),
            ("Phases", figures::phases(of)),
        ];
        let charts = groups
            .iter()
            .flat_map(|(group, rows)| rows.iter().filter_map(move |row| Chart::of(row, group)));
        let rows = || groups.iter().flat_map(|(_, rows)| rows);
        let none = rows().filter(|row| row.histogram.as_ref().is_some_and(|of| of.is_empty()));
        let unseen: Vec<_> = rows()
            .filter(|row| row.histogram.is_none())
            .map(|row| (row.name, row.figure))
            .collect();
        Loop {
            target: target.map_or("", |target| &target.name),
            pid: of.pid,
            thread: &of.thread,
            turns: of.turns,
            utilization: of.utilization,
            current_turn_ns: of.current_turn_ns(),
            wall: wall::parts(of, snapshot.wall_ns),
            stalls_ended: of.stall_totals.total_count(),
            stalled_ns: wall::stalled_ns(of),
            stalls: Vec::new(),
            columns: Vec::new(),
            charts: charts.collect(),
            none: none.map(|row| row.name).collect(),
            unseen: Reasons::new(snapshot.clock, target).of(&unseen),
        }
    }
}

impl<'a> OneStall<'a> {
    fn of(stall: &'a Stall, begin_ns: u64, flame: Option<Flame>) -> OneStall<'a> {
        let stack = stall.stack.as_deref();
        let frames = stack.map_or(0, <[String]>::len);
        OneStall {
            at_ns: stall.start_unix_ns.saturating_sub(begin_ns),
            duration_ns: stall.duration_ns,
            running: stall.running,
            phase: stall.phase.map(|phase| phase.name()),
            dark: stall.is_dark(),
            callbacks: stall.callbacks,
            microtasks: stall.microtasks,
            cause: stall.ledger_ns.cause().name(),
            ledger_ns: stall.ledger_ns,
            culprit: stall.culprit.as_ref(),
            culprit_samples: stall.culprit.as_ref().and_then(|culprit| culprit.samples),
            waits: stall.waits.as_deref(),
            drain: stall.drain.as_ref(),
            stack: stack.map(|stack| &stack[..frames.min(FRAMES_MAX)]),
            stack_left_out: frames.saturating_sub(FRAMES_MAX),
            counters: text::counted(&stall.counters),
            samples: stall.profile.as_ref().map_or(0, |profile| profile.samples().len()),
            flame,
        }
    }
}

/// When the observation began, if that is known.
fn begins(snapshot: &Snapshot, timeline: &Timeline) -> Option<u64> {
    match snapshot.clock {
        ClockKind::Virtual => Some(0),
        ClockKind::Real => timeline.began_unix_ns,
    }
}

/// From when to when time is drawn: all that is known to have been observed, and every stall, also
/// one that began before.
fn span(snapshot: &Snapshot, timeline: &Timeline) -> (u64, u64) {
    let stalls = || snapshot.loops.iter().flat_map(|of| &of.stalls);
    let began_ns = begins(snapshot, timeline);
    let first_ns = stalls().map(|stall| stall.start_unix_ns).min();
    let first_tick_ns = timeline.ticks.first().map(|tick| tick.at_unix_ns);
    let starts = [began_ns, first_ns, first_tick_ns];
    let begin_ns = starts.into_iter().flatten().min().unwrap_or(0);
    let last_ns = stalls().map(|stall| stall.start_unix_ns.saturating_add(stall.duration_ns)).max();
    let last_tick_ns = timeline.ticks.last().map(|tick| tick.at_unix_ns);
    let known = began_ns.map(|began_ns| began_ns.saturating_add(snapshot.wall_ns));
    let nothing = begin_ns.saturating_add(snapshot.wall_ns);
    let ends = [known, last_ns, last_tick_ns];
    (begin_ns, ends.into_iter().flatten().max().unwrap_or(nothing))
}

/// The tree of all stalls; and whether it begins with the loops.
fn of_all(loops: &[&LoopSnapshot], frames: &mut Frames) -> (Option<Flame>, bool) {
    let is_sampled = |of: &&&LoopSnapshot| of.stalls.iter().any(|stall| samples(stall) > 0);
    let has_loops = loops.iter().filter(is_sampled).count() > 1;
    let mut tree = Tree::new("all stalls");
    for of in loops.iter().filter(is_sampled) {
        let below = match has_loops {
            true => tree.child(0, &format!("{} of {}", of.thread, of.pid), None),
            false => 0,
        };
        tree.add(below, &of.stalls);
    }
    (Flame::of(&tree, ALL_NODES_MAX, frames), has_loops)
}

/// The trees of single stalls, by the numbers of loop and stall: the longest, as far as they fit.
fn of_each(loops: &[&LoopSnapshot], frames: &mut Frames) -> HashMap<(usize, usize), Flame> {
    let of_loop = |(number, of): (usize, &&'_ LoopSnapshot)| -> Vec<(u64, (usize, usize))> {
        let sampled = of.stalls.iter().enumerate().filter(|(_, stall)| samples(stall) > 0);
        sampled.map(|(place, stall)| (stall.duration_ns, (number, place))).collect()
    };
    let mut order: Vec<(u64, (usize, usize))> =
        loops.iter().enumerate().flat_map(of_loop).collect();
    order.sort_by_key(|&(duration_ns, place)| (Reverse(duration_ns), place));
    let mut left = NODES_MAX;
    let mut flames = HashMap::new();
    for (_, (number, place)) in order {
        if left < STALL_NODES_MAX {
            break;
        }
        let mut tree = Tree::new("this stall");
        tree.add(0, [&loops[number].stalls[place]]);
        if let Some(flame) = Flame::of(&tree, STALL_NODES_MAX, frames) {
            left -= flame.len();
            flames.insert((number, place), flame);
        }
    }
    flames
}

fn samples(stall: &Stall) -> usize {
    stall.profile.as_ref().map_or(0, |profile| profile.samples().len())
}
