//! Delays: how long turns held the loop, and what events and timers made of it.

use std::io::{self, Write};

use loop_core::snapshot::{Histogram, LoopSnapshot};
use loop_core::units::{format_count, format_ns};

use super::reasons::{Figure, Reasons};
use super::write_heading;
use crate::layout::{table, wrap};
use crate::terminal::Terminal;

/// One line of a table of histograms.
pub(super) struct Row<'a> {
    pub(super) name: &'static str,
    pub(super) histogram: Option<&'a Histogram>,
    pub(super) figure: Figure,
    pub(super) format: fn(u64) -> String,
    /// Whether the number of values tells the reader anything.
    pub(super) counted: bool,
}

/// From what age on an open turn is told: a shorter one is how any turn looks from outside.
const TOLD_OPEN_NS: u64 = 1_000_000;

pub(super) fn write(
    observed: &LoopSnapshot,
    reasons: &Reasons,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    // Arrivals are one for each microsecond observed, so that their number is no finding.
    let arrival = Row {
        name: "arrival of an event",
        histogram: observed.arrival_delay_ns.as_ref(),
        figure: Figure::Duration,
        format: format_ns,
        counted: false,
    };
    let callbacks = observed.callback_ns();
    let pauses = observed.gc_pause_ns();
    let rows = [
        row("active turn", &observed.turn_ns, Figure::Duration),
        arrival,
        row("timer lateness", &observed.timer_lateness_ns, Figure::Other),
        row("wait in the poll", &observed.poll_wait_ns, Figure::Other),
        row("callback", &callbacks, Figure::Callback),
        row("gc pause", &pauses, Figure::GcPause),
        row("pool queue", &observed.thread_pool.queue_ns, Figure::Duration),
        row("pool job", &observed.thread_pool.run_ns, Figure::Duration),
    ];
    write_heading("Delays", &remark(observed), terminal, out)?;
    write_rows(&rows, reasons, terminal, out)
}

/// A turn that has not ended is in no histogram, and may be all that matters.
fn remark(observed: &LoopSnapshot) -> String {
    match observed.open {
        Some(open) if open.age_ns >= TOLD_OPEN_NS => {
            format!("without the turn that is still open, for {} so far", format_ns(open.age_ns))
        }
        _ => "an event that arrives at a random instant waits for the rest of the open turn".into(),
    }
}

fn row<'a>(name: &'static str, histogram: &'a Option<Histogram>, figure: Figure) -> Row<'a> {
    Row { name, histogram: histogram.as_ref(), figure, format: format_ns, counted: true }
}

/// A table of what was seen, then what was measured and did not happen, then what was not measured.
pub(super) fn write_rows(
    rows: &[Row<'_>],
    reasons: &Reasons,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut cells = vec![["", "count", "p50", "p90", "p99", "max"].map(str::to_owned).to_vec()];
    let (mut none, mut unseen) = (Vec::new(), Vec::new());
    for row in rows {
        match row.histogram {
            Some(histogram) if histogram.is_empty() => none.push(row.name.trim_start()),
            Some(histogram) => cells.push(figures(row, histogram)),
            None => unseen.push((row.name.trim_start(), row.figure)),
        }
    }
    if cells.len() > 1 {
        for line in table(&cells) {
            writeln!(out, "  {line}")?;
        }
    }
    if !none.is_empty() {
        let text = format!("none seen: {}", none.join(", "));
        for line in wrap(&text, terminal.width - 2) {
            writeln!(out, "  {line}")?;
        }
    }
    reasons.write(&unseen, terminal, out)
}

fn figures(row: &Row<'_>, histogram: &Histogram) -> Vec<String> {
    let summary = histogram.summary();
    let count = if row.counted { format_count(summary.count) } else { String::new() };
    let values = [summary.p50, summary.p90, summary.p99, summary.max];
    let values = values.map(|value| value.map_or_else(|| "-".to_owned(), row.format));
    [row.name.to_owned(), count].into_iter().chain(values).collect()
}

#[cfg(test)]
mod tests {
    use loop_core::buckets::Scale;

    use super::*;

    #[test]
    fn what_was_not_seen_is_broken_into_lines() {
        let none = Some(Histogram::new(Scale::Time));
        let rows: Vec<Row<'_>> =
            (0..12).map(|_| row("some figure", &none, Figure::Other)).collect();
        let terminal = Terminal { width: 60, ..Terminal::PLAIN };
        let mut out = Vec::new();
        let reasons = Reasons::new(loop_core::snapshot::ClockKind::Real, None);
        write_rows(&rows, &reasons, &terminal, &mut out).expect("memory takes it");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.lines().count() > 2 && text.lines().all(|line| line.len() <= 60), "{text}");
    }
}
