//! Bars: how the active time divides into the loop's phases.

use std::io::{self, Write};

use loop_core::Phase;
use loop_core::snapshot::{Histogram, LoopSnapshot};
use loop_core::units::{format_count, format_ns};

use super::times::write_unseen;
use super::write_heading;
use crate::layout::{BAR_COLUMNS, bar, pad_right, percent, table};
use crate::report::reasons::{Figure, Reasons};
use crate::terminal::Terminal;

/// A remainder outside of all phases is shown from this share on.
const OUTSIDE_SHARE_MIN: f64 = 0.01;

pub(super) fn write(
    observed: &LoopSnapshot,
    reasons: &Reasons,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_heading("Phases", &remark(observed), terminal, out)?;
    let whole_ns = whole_ns(observed);
    // Without it there is nothing to have a share of.
    let timed = observed.turn_ns.is_some();
    let mut rows = vec![header()];
    let (mut quiet, mut unseen) = (Vec::new(), Vec::new());
    let mut phases_ns = 0;
    for (phase, histogram) in observed.phases.iter() {
        let open_ns = open_ns(observed, phase);
        match histogram {
            None => unseen.push((phase.name(), Figure::Duration)),
            Some(histogram) if histogram.is_empty() && open_ns == 0 => quiet.push(phase.name()),
            Some(histogram) => {
                let time_ns = (histogram.sum + u128::from(open_ns)).min(whole_ns);
                phases_ns += time_ns;
                let share = time_ns as f64 / whole_ns.max(1) as f64;
                rows.push(row(phase.name(), timed.then_some(share), histogram));
            }
        }
    }
    let outside = whole_ns.saturating_sub(phases_ns) as f64 / whole_ns.max(1) as f64;
    if timed && outside >= OUTSIDE_SHARE_MIN && unseen.len() < observed.phases.0.len() {
        let name = "outside of phases".to_owned();
        rows.push(vec![name, format!("{} {:>7}", bar(outside), percent(outside))]);
    }
    if rows.len() > 1 {
        for line in table(&rows) {
            writeln!(out, "  {line}")?;
        }
    }
    if !quiet.is_empty() {
        writeln!(out, "  nothing ran in: {}", quiet.join(", "))?;
    }
    write_unseen(&unseen, reasons, terminal, out)
}

fn remark(observed: &LoopSnapshot) -> String {
    let turns = match observed.turns {
        None => "turns not counted".to_owned(),
        Some(1) => "1 turn".to_owned(),
        Some(turns) => format!("{} turns", format_count(turns)),
    };
    let busy = observed.utilization.map(|ratio| format!(", loop busy {}", percent(ratio)));
    let open = observed.open.map(|open| {
        let phase = open.phase.map_or(String::new(), |phase| format!(" in {}", phase.name()));
        format!(", a turn of {} still open{phase}", format_ns(open.age_ns))
    });
    format!("{turns}{}{}", busy.unwrap_or_default(), open.unwrap_or_default())
}

fn header() -> Vec<String> {
    let share = pad_right("share of active time", BAR_COLUMNS + 8);
    ["", &share, "runs", "p50", "p99", "max"].map(str::to_owned).to_vec()
}

fn row(name: &str, share: Option<f64>, histogram: &Histogram) -> Vec<String> {
    let summary = histogram.summary();
    let time = |ns: Option<u64>| ns.map_or_else(|| "-".to_owned(), format_ns);
    let unknown = || pad_right("-", BAR_COLUMNS + 8);
    vec![
        name.to_owned(),
        share.map_or_else(unknown, |share| format!("{} {:>7}", bar(share), percent(share))),
        format_count(summary.count),
        time(summary.p50),
        time(summary.p99),
        time(summary.max),
    ]
}

/// Time in turns, the open one included.
fn whole_ns(observed: &LoopSnapshot) -> u128 {
    let ended = observed.turn_ns.as_ref().map_or(0, |turns| turns.sum);
    ended + u128::from(observed.current_turn_ns())
}

/// The part of the open turn that is known to belong to this phase: no more than the open drain
/// where there is one, for earlier phases of the turn are counted already.
fn open_ns(observed: &LoopSnapshot, phase: Phase) -> u64 {
    let open = observed.open.filter(|open| open.phase == Some(phase));
    open.map_or(0, |open| open.drain.map_or(open.age_ns, |drain| drain.age_ns))
}
