//! What of the page needs no script: what was observed, what is wrong, and tables of the rest.

use std::fmt::Write;

use loop_core::snapshot::{ClockKind, LoopSnapshot, Snapshot, Stall, Target};
use loop_core::units::{format_count, format_ns};

use super::limits::{DIAGNOSES_MAX, PLAIN_STALLS_MAX};
use super::wall;
use crate::diagnosis::{Diagnosis, Id};
use crate::layout::percent;
use crate::page::escape;
use crate::report::{InvocationRun, Report, TruthRow, text};

/// What was observed, in a few words.
pub(super) fn title(report: &Report<'_>) -> String {
    let words = |first: &str, rest: &[String]| {
        let words = std::iter::once(first).chain(rest.iter().map(String::as_str));
        words.collect::<Vec<_>>().join(" ")
    };
    if let Some(command) = report.command {
        return words("", &command.arguments).trim_start().to_owned();
    }
    if let Some(script) = report.script {
        return words(&script.file, &script.arguments);
    }
    match (report.workload, report.snapshot.targets.as_slice()) {
        (Some(workload), _) => workload.name.clone(),
        (None, []) => "nothing was observed".to_owned(),
        (None, [target]) => target.name.clone(),
        (None, targets) => format!("{} processes", targets.len()),
    }
}

/// The header and the verdicts.
pub(super) fn top(report: &Report<'_>) -> String {
    let mut out = String::from("<header><p class=\"by\">loopscope report</p>\n");
    let _ = writeln!(out, "<h1>{}</h1>", escape(&title(report)));
    facts(report, &mut out);
    out.push_str("</header>\n<main>\n");
    verdicts(report, &mut out);
    out
}

/// What stands below the figures, and the tables for who has no script.
pub(super) fn bottom(report: &Report<'_>) -> String {
    let mut out = String::new();
    if let Some(rows) = truth(report).filter(|rows| !rows.is_empty()) {
        truths(rows, &mut out);
    }
    if let Some(invocations) = report.script.and_then(|script| script.invocations.as_ref()) {
        told_invocations(invocations, &mut out);
    }
    unseen(report.snapshot, &mut out);
    plain(report.snapshot, &mut out);
    out + "</main>\n"
}

fn facts(report: &Report<'_>, out: &mut String) {
    let snapshot = report.snapshot;
    let clock = match snapshot.clock {
        ClockKind::Real => "real",
        ClockKind::Virtual => "virtual",
    };
    let events = snapshot.events;
    let overwritten = match events.dropped {
        0 => String::new(),
        dropped => format!(", details of {} overwritten", format_count(dropped)),
    };
    let mut rows = vec![
        ("observed", format!("{} on the {clock} clock", format_ns(snapshot.wall_ns))),
        ("loops", format_count(snapshot.loops.len() as u64)),
        ("stalls ended", format!("{}{overwritten}", format_count(events.seen))),
    ];
    match snapshot.targets.as_slice() {
        [target] => rows.extend(of_target(target)),
        targets => rows.push(("processes", format_count(targets.len() as u64))),
    }
    if let Some(command) = report.command {
        rows.push(("ended", text::ending(command)));
    }
    let parameters = report.workload.iter().flat_map(|workload| &workload.params);
    let parameters: Vec<String> =
        parameters.map(|(name, value)| format!("{name} {value}")).collect();
    if !parameters.is_empty() {
        rows.push(("parameters", parameters.join(", ")));
    }
    out.push_str("<dl class=\"facts\">");
    for (name, value) in rows {
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(&value));
    }
    out.push_str("</dl>\n");
    for note in report.command.iter().flat_map(|command| &command.notes) {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", escape(note));
    }
    let limits: usize = snapshot.targets.iter().map(|target| target.limits.len()).sum();
    if limits > 0 {
        let things = if limits == 1 { "thing" } else { "things" };
        let _ = writeln!(
            out,
            "<p class=\"note\"><a href=\"#unseen\">{limits} {things} could not be seen</a></p>"
        );
    }
}

fn of_target(target: &Target) -> Vec<(&'static str, String)> {
    let sampled = if target.sampled { ", a part of the time only" } else { "" };
    let overhead = target.overhead_ratio.map_or_else(|| "not measured".to_owned(), percent);
    vec![
        ("process", format!("{}, pid {}", target.name, target.pid)),
        ("runtime", format!("{} {}", target.runtime.name(), target.runtime_version)),
        ("source", format!("{}, tier {}{sampled}", target.source.name(), target.tier.name())),
        ("overhead", overhead),
    ]
}

fn verdicts(report: &Report<'_>, out: &mut String) {
    out.push_str("<section aria-labelledby=\"verdicts\"><h2 id=\"verdicts\">Verdicts</h2>\n");
    let name_loops = report.snapshot.loops.len() > 1;
    for (rank, diagnosis) in report.diagnoses.iter().take(DIAGNOSES_MAX).enumerate() {
        verdict(diagnosis, rank == 0, name_loops, out);
    }
    let left_out = report.diagnoses.len().saturating_sub(DIAGNOSES_MAX);
    if left_out > 0 {
        let _ = writeln!(out, "<p class=\"faint\">and {left_out} more</p>");
    }
    out.push_str("</section>\n");
}

/// A verdict; of one that is closed, what happened is told.
fn verdict(diagnosis: &Diagnosis, is_open: bool, name_loops: bool, out: &mut String) {
    let open = if is_open { " open" } else { "" };
    let is_healthy = diagnosis.id == Id::Healthy.name();
    let (class, mark) = if is_healthy { (" healthy", "✓") } else { ("", "✗") };
    let place = match name_loops && !is_healthy {
        true => format!(" · {} of {}", diagnosis.thread, diagnosis.pid),
        false => String::new(),
    };
    let sure = format!("{} confidence{place}", diagnosis.confidence.name());
    let _ = writeln!(
        out,
        "<details class=\"diagnosis{class}\"{open}><summary><h3>{mark} {} <small>{}</small></h3>\n\
         <p class=\"told\">{}</p></summary>\n<div class=\"why\"><div><ul>",
        diagnosis.id,
        escape(&sure),
        escape(&diagnosis.summary)
    );
    let culprit = diagnosis.culprit.as_ref().map(text::culprit);
    for line in culprit.iter().chain(&diagnosis.evidence) {
        let _ = writeln!(out, "<li>{}</li>", escape(line));
    }
    out.push_str("</ul></div>");
    if !is_healthy {
        let _ = write!(out, "<div><h4>What to do</h4><p>{}</p>", prose(&diagnosis.advice));
        if let Some(example) = &diagnosis.example {
            let _ = write!(out, "<pre tabindex=\"0\">{}</pre>", escape(example));
        }
        let _ = write!(
            out,
            "<p class=\"faint\">more: <code>loopscope diagnoses {}</code></p></div>",
            diagnosis.id
        );
    }
    out.push_str("</div></details>\n");
}

/// A text in which backticks stand round code.
fn prose(text: &str) -> String {
    let mut out = String::new();
    let parts: Vec<&str> = text.split('`').collect();
    for (number, part) in parts.iter().enumerate() {
        let is_code = number % 2 == 1 && number + 1 < parts.len();
        let (begin, end) = if is_code { ("<code>", "</code>") } else { ("", "") };
        let _ = write!(out, "{begin}{}{end}", escape(part));
    }
    out
}

fn truth<'a>(report: &Report<'a>) -> Option<&'a [TruthRow]> {
    let of_workload = report.workload.and_then(|workload| workload.truth.as_deref());
    of_workload.or(report.script.and_then(|script| script.truth.as_deref()))
}

fn truths(rows: &[TruthRow], out: &mut String) {
    out.push_str(
        "<section aria-labelledby=\"truth\"><h2 id=\"truth\">Truth \
         <small>what must have been observed</small></h2>\n\
         <div class=\"wide\" tabindex=\"0\"><table>\
         <thead><tr><th><th>what<th>expected<th>observed</thead>\n",
    );
    for row in rows {
        let (class, mark) = if row.holds { ("holds", "✓") } else { ("fails", "✗") };
        let _ = writeln!(
            out,
            "<tr class=\"{class}\"><td>{mark}<td>{}<td>{}<td>{}</tr>",
            escape(&row.what),
            escape(&row.expected),
            escape(&row.observed)
        );
    }
    out.push_str("</table></div></section>\n");
}

fn told_invocations(invocations: &[InvocationRun], out: &mut String) {
    out.push_str(
        "<section aria-labelledby=\"invocations\"><h2 id=\"invocations\">Invocations</h2>\n\
         <div class=\"wide\" tabindex=\"0\"><table>\
         <thead><tr><th class=\"n\">number<th class=\"n\">time<th>end<th>left pending</thead>\n",
    );
    for of in invocations {
        let end = match (&of.result, &of.error) {
            (Some(result), _) => format!("result {result}"),
            (None, Some(error)) => format!("error {error}"),
            (None, None) => "no result: the loop was empty before".to_owned(),
        };
        let pending =
            of.pending.iter().map(|left| format!("{}, made by {}", left.what, left.made_at));
        let pending = pending.collect::<Vec<_>>().join("; ");
        let _ = writeln!(
            out,
            "<tr><td class=\"n\">{}<td class=\"n\">{}<td>{}<td>{}</tr>",
            of.number,
            format_ns(of.duration_ns),
            escape(&end),
            escape(&pending)
        );
    }
    out.push_str("</table></div></section>\n");
}

/// How each process was observed, and what is not seen of it.
fn unseen(snapshot: &Snapshot, out: &mut String) {
    if snapshot.targets.is_empty() {
        return;
    }
    out.push_str(
        "<section aria-labelledby=\"unseen\"><h2 id=\"unseen\">Measured \
         <small>how, and what could not be seen</small></h2>\n\
         <div class=\"wide\" tabindex=\"0\"><table>\
         <thead><tr><th>process<th>runtime<th>source<th>overhead<th>not seen, and why</thead>\n",
    );
    for target in &snapshot.targets {
        out.push_str("<tr>");
        for (_, value) in of_target(target) {
            let _ = write!(out, "<td>{}", escape(&value));
        }
        let limits = target.limits.iter();
        let limits = limits.map(|limit| {
            format!("{} <small>({})</small>", escape(&limit.what), escape(&limit.why))
        });
        let limits = limits.collect::<Vec<_>>().join("<br>");
        let _ = writeln!(out, "<td class=\"limits\">{limits}</tr>");
    }
    out.push_str("</table></div></section>\n");
}

/// Loops and stalls as tables, shown where the script does not run.
fn plain(snapshot: &Snapshot, out: &mut String) {
    out.push_str(
        "<noscript><style>.scripted { display: none }</style><h2>Loops</h2>\n\
         <div class=\"wide\"><table>\
         <tr><th>process<th>thread<th>turns<th>utilisation<th>stalls<th>stalled</tr>\n",
    );
    for of in &snapshot.loops {
        let _ = writeln!(
            out,
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
            of.pid,
            escape(&of.thread),
            of.turns.map_or_else(|| "-".to_owned(), format_count),
            of.utilization.map_or_else(|| "-".to_owned(), percent),
            format_count(of.stall_totals.total_count()),
            format_ns(wall::stalled_ns(of)),
        );
    }
    out.push_str(
        "</table></div><h2>Stalls</h2>\n<div class=\"wide\"><table>\
         <tr><th>thread<th>stall<th>in</tr>\n",
    );
    let all = snapshot.loops.iter().flat_map(|of| of.stalls.iter().map(move |one| (of, one)));
    let mut stalls: Vec<(&LoopSnapshot, &Stall)> = all.collect();
    stalls.sort_by_key(|(_, stall)| std::cmp::Reverse(stall.duration_ns));
    for (of, stall) in stalls.iter().take(PLAIN_STALLS_MAX) {
        let culprit = stall.culprit.as_ref().map(text::culprit).unwrap_or_default();
        let _ = writeln!(
            out,
            "<tr><td>{}<td>{}<td>{}</tr>",
            escape(&format!("{} of {}", of.thread, of.pid)),
            escape(&text::head(stall, snapshot.clock)),
            escape(&culprit)
        );
    }
    out.push_str("</table></div></noscript>\n");
}
