//! The report for people: the verdict first, then what to do, then the figures behind it.

mod blame;
mod command;
mod counters;
mod drains;
mod lambda;
mod phases;
mod script;
mod stalls;
mod times;
mod verdict;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

pub(super) use blame::line as culprit;
pub(super) use command::ending;
pub(super) use counters::line as counted;
pub(super) use stalls::head;

use loop_core::snapshot::{ClockKind, LoopSnapshot, Snapshot, Target};
use loop_core::units::{format_count, format_ns};

use super::reasons::Reasons;
use super::{Report, TruthRow};
use crate::layout;
use crate::terminal::{Ink, Terminal, printable};

/// Writes the report.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report<'_>, terminal: &Terminal, out: &mut dyn Write) -> io::Result<()> {
    let snapshot = report.snapshot;
    write_title(report, terminal, out)?;
    verdict::write(report.diagnoses, snapshot.loops.len() > 1, terminal, out)?;
    for observed in &snapshot.loops {
        if snapshot.loops.len() > 1 {
            let name =
                format!("\nLoop {} of process {}", printable(&observed.thread), observed.pid);
            writeln!(out, "{}", terminal.paint(Ink::Strong, &name))?;
        }
        write_loop(snapshot, observed, terminal, out)?;
    }
    if let Some(workload) = report.workload {
        write_truth(workload.truth.as_deref(), "the parameters say", terminal, out)?;
    }
    if let Some(run) = report.script {
        script::write(run, terminal, out)?;
        if let Some(invocations) = &run.invocations {
            lambda::write(invocations, terminal, out)?;
        }
        // What a script says of itself it says when it ends, if ever.
        if run.truth.is_some() {
            write_truth(run.truth.as_deref(), "it says itself", terminal, out)?;
        }
    }
    if let Some(run) = report.command {
        command::write(run, terminal, out)?;
    }
    write_method(snapshot, terminal, out)
}

fn write_loop(
    snapshot: &Snapshot,
    observed: &LoopSnapshot,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let target = snapshot.targets.iter().find(|target| target.pid == observed.pid);
    let reasons = Reasons::new(snapshot.clock, target);
    phases::write(observed, &reasons, terminal, out)?;
    times::write(observed, &reasons, terminal, out)?;
    drains::write(observed, &reasons, terminal, out)?;
    counters::write(observed, terminal, out)?;
    stalls::write(observed, snapshot.clock, terminal, out)
}

fn write_title(report: &Report<'_>, terminal: &Terminal, out: &mut dyn Write) -> io::Result<()> {
    let about = report.script.and_then(|script| script.about.as_ref());
    let variant = report.workload.map(|workload| workload.variant);
    let twin = variant.or(about.map(|about| about.variant)) == Some("fixed");
    let targets = report.snapshot.targets.iter().map(|target| describe(target, twin));
    let title = targets.collect::<Vec<_>>().join(", ");
    let title = if title.is_empty() { "nothing was observed" } else { &title };
    write!(out, "{}", terminal.paint(Ink::Strong, title))?;
    let params: Vec<String> = report
        .workload
        .iter()
        .flat_map(|workload| {
            workload.params.iter().map(|(name, value)| printable(&format!("{name} {value}")))
        })
        .collect();
    if !params.is_empty() {
        write!(out, "  {}", terminal.paint(Ink::Faint, &params.join(", ")))?;
    }
    writeln!(out)
}

fn describe(target: &Target, twin: bool) -> String {
    let (name, version) = (printable(&target.name), printable(&target.runtime_version));
    let pid = target.pid;
    let twin = if twin { " (fixed twin)" } else { "" };
    format!("{name}{twin}, pid {pid}, {} {version}", target.runtime.name())
}

/// Starts a section: a blank line, its name, and a remark that stands back.
fn write_heading(
    name: &str,
    remark: &str,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let fits = name.chars().count() + 2 + remark.chars().count() <= terminal.width;
    write!(out, "\n{}", terminal.paint(Ink::Strong, name))?;
    if remark.is_empty() || fits {
        let gap = if remark.is_empty() { "" } else { "  " };
        return writeln!(out, "{gap}{}", terminal.paint(Ink::Faint, remark));
    }
    writeln!(out)?;
    for line in layout::wrap(remark, terminal.width - 2) {
        writeln!(out, "  {}", terminal.paint(Ink::Faint, &line))?;
    }
    Ok(())
}

fn write_truth(
    truth: Option<&[TruthRow]>,
    by: &str,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some(rows) = truth else {
        return write_heading("Truth", "not checked: the run was cut short", terminal, out);
    };
    if rows.is_empty() {
        return Ok(());
    }
    write_heading("Truth", &format!("what {by} must be observed"), terminal, out)?;
    let cells = rows.iter().map(|row| {
        vec![
            printable(&row.what),
            printable(&format!("expected {}", row.expected)),
            printable(&format!("saw {}", row.observed)),
        ]
    });
    let lines = layout::left_table(&cells.collect::<Vec<_>>());
    for (row, line) in rows.iter().zip(lines) {
        let mark = match row.holds {
            true => terminal.paint(Ink::Good, "✓"),
            false => terminal.paint(Ink::Bad, "✗"),
        };
        writeln!(out, "  {mark} {line}")?;
    }
    Ok(())
}

fn write_method(snapshot: &Snapshot, terminal: &Terminal, out: &mut dyn Write) -> io::Result<()> {
    write_heading("Measured", "", terminal, out)?;
    for target in &snapshot.targets {
        let overhead = target.overhead_ratio.map_or_else(
            || "overhead not measured".to_owned(),
            |ratio| format!("overhead {:.2} %", ratio * 100.0),
        );
        let sampled = if target.sampled { ", a part of the time only" } else { "" };
        let (source, tier) = (target.source.name(), target.tier.name());
        let several = snapshot.targets.len() > 1;
        let who = if several { format!("{}: ", target.pid) } else { String::new() };
        writeln!(out, "  {who}source {source}, tier {tier}{sampled}, {overhead}")?;
        write_limits(target, terminal, out)?;
    }
    let clock = match snapshot.clock {
        ClockKind::Real => "real",
        ClockKind::Virtual => "virtual",
    };
    let events = snapshot.events;
    writeln!(
        out,
        "  {} on the {clock} clock; stalls seen {}, kept {}, dropped {}",
        format_ns(snapshot.wall_ns),
        format_count(events.seen),
        format_count(events.kept),
        format_count(events.dropped),
    )
}

/// What is not seen of a target, and why.
fn write_limits(target: &Target, terminal: &Terminal, out: &mut dyn Write) -> io::Result<()> {
    for limit in &target.limits {
        let text = printable(&format!("not seen: {} ({})", limit.what, limit.why));
        for (number, line) in layout::wrap(&text, terminal.width - 6).iter().enumerate() {
            let indent = if number == 0 { "    " } else { "      " };
            writeln!(out, "{indent}{}", terminal.paint(Ink::Faint, line))?;
        }
    }
    Ok(())
}
