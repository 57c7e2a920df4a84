//! Delays: how long turns held the loop, and what events and timers made of it.

use std::io::{self, Write};

use loop_core::snapshot::{Histogram, LoopSnapshot};
use loop_core::units::{format_count, format_ns};

use super::write_heading;
use crate::layout::{table, wrap};
use crate::report::figures::{self, Row};
use crate::report::reasons::{Figure, Reasons};
use crate::terminal::{Ink, Terminal};

/// From what age on an open turn is told: a shorter one is how any turn looks from outside.
const TOLD_OPEN_NS: u64 = 1_000_000;

pub(super) fn write(
    observed: &LoopSnapshot,
    reasons: &Reasons,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_heading("Delays", &remark(observed), terminal, out)?;
    write_rows(&figures::delays(observed), reasons, terminal, out)
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
        match row.histogram.as_deref() {
            Some(histogram) if histogram.is_empty() => none.push(row.name),
            Some(histogram) => cells.push(values(row, histogram)),
            None => unseen.push((row.name, row.figure)),
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
    write_unseen(&unseen, reasons, terminal, out)
}

/// What was not measured, and why.
pub(super) fn write_unseen(
    unseen: &[(&str, Figure)],
    reasons: &Reasons,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (why, names) in reasons.of(unseen) {
        let text = format!("not measured: {} ({why})", names.join(", "));
        for line in wrap(&text, terminal.width - 2) {
            writeln!(out, "  {}", terminal.paint(Ink::Faint, &line))?;
        }
    }
    Ok(())
}

fn values(row: &Row<'_>, histogram: &Histogram) -> Vec<String> {
    let summary = histogram.summary();
    let count = if row.counted { format_count(summary.count) } else { String::new() };
    let values = [summary.p50, summary.p90, summary.p99, summary.max];
    let values = values.map(|value| value.map_or_else(|| "-".to_owned(), |v| row.unit.format(v)));
    [row.title(), count].into_iter().chain(values).collect()
}

#[cfg(test)]
mod tests {
    use loop_core::buckets::Scale;

    use super::*;

    #[test]
    fn what_was_not_seen_is_broken_into_lines() {
        let none = Some(Histogram::new(Scale::Time));
        let rows: Vec<Row<'_>> =
            (0..12).map(|_| Row::times("some figure", none.as_ref(), Figure::Other)).collect();
        let terminal = Terminal { width: 60, ..Terminal::PLAIN };
        let mut out = Vec::new();
        let reasons = Reasons::new(loop_core::snapshot::ClockKind::Real, None);
        write_rows(&rows, &reasons, &terminal, &mut out).expect("memory takes it");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.lines().count() > 2 && text.lines().all(|line| line.len() <= 60), "{text}");
    }
}
