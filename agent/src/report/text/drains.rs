//! Drains of Node's two queues: how many jobs at a time, and for how long.

use std::io::{self, Write};

use loop_core::snapshot::{Histogram, LoopSnapshot, Queue};
use loop_core::units::{format_count, format_ns};

use super::reasons::{Figure, Reasons};
use super::times::{Row, write_rows};
use super::write_heading;
use crate::terminal::Terminal;

pub(super) fn write(
    observed: &LoopSnapshot,
    reasons: &Reasons,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rows = [
        lengths("microtasks a drain", &observed.microtask_drain_length),
        times("  time a microtask drain", &observed.microtask_drain_ns),
        lengths("nextTicks a drain", &observed.tick_drain_length),
        times("  time a nextTick drain", &observed.tick_drain_ns),
    ];
    write_heading("Drains", &remark(observed), terminal, out)?;
    write_rows(&rows, reasons, terminal, out)
}

fn lengths<'a>(name: &'static str, histogram: &'a Option<Histogram>) -> Row<'a> {
    let histogram = histogram.as_ref();
    Row { name, histogram, figure: Figure::Other, format: format_count, counted: true }
}

fn times<'a>(name: &'static str, histogram: &'a Option<Histogram>) -> Row<'a> {
    let histogram = histogram.as_ref();
    Row { name, histogram, figure: Figure::Duration, format: format_ns, counted: true }
}

fn remark(observed: &LoopSnapshot) -> String {
    let count = |jobs: Option<u64>, name| match jobs {
        Some(jobs) => format!("{} {name}", format_count(jobs)),
        None => format!("{name} not counted"),
    };
    let (microtasks, ticks) = (observed.microtasks, observed.ticks);
    let mut text = format!("{}, {}", count(microtasks, "microtasks"), count(ticks, "nextTicks"));
    if let Some(drain) = observed.open.and_then(|open| open.drain) {
        let queue = match drain.queue {
            Queue::Microtask => "microtasks",
            Queue::NextTick => "nextTicks",
        };
        let jobs = format_count(drain.jobs);
        text.push_str(&format!("; still draining {queue}: {jobs} so far"));
    }
    text
}
