//! What is wrong, at a glance, and what to do about it.

use std::io::{self, Write};

use loop_core::units::format_count;

use crate::diagnosis::{Confidence, Diagnosis, Id};
use crate::layout;
use crate::terminal::{Ink, Terminal};

pub(super) fn write(
    diagnoses: &[Diagnosis],
    name_loops: bool,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    for diagnosis in diagnoses {
        let healthy = diagnosis.id == Id::Healthy.name();
        let (mark, ink) = if healthy { ("✓", Ink::Good) } else { ("✗", Ink::Bad) };
        let place = if name_loops && !healthy {
            format!(" on {} of {}", diagnosis.thread, diagnosis.pid)
        } else {
            String::new()
        };
        let id = format!("{mark} {}{place}", diagnosis.id);
        let sure = sure(diagnosis, healthy);
        writeln!(out, "\n{}{}", terminal.paint(ink, &id), terminal.paint(Ink::Faint, &sure))?;
        write_wrapped(&diagnosis.summary, "  ", "  ", terminal, out)?;
        for evidence in &diagnosis.evidence {
            write_wrapped(evidence, "  - ", "    ", terminal, out)?;
        }
        if let Some(culprit) = &diagnosis.culprit {
            let share = layout::percent(culprit.share);
            let of = culprit.samples.map_or_else(|| "the".to_owned(), format_count);
            let leaf =
                culprit.hot_leaf.as_ref().map_or_else(String::new, |leaf| format!(", in {leaf}"));
            let (function, file, line) = (&culprit.function, &culprit.file, culprit.line);
            writeln!(out, "  - in {function} ({file}:{line}), {share} of {of} samples{leaf}")?;
        }
        if !healthy {
            write_advice(&diagnosis.advice, terminal, out)?;
            let more = format!("more: loopscope diagnoses {}", diagnosis.id);
            writeln!(out, "  {}", terminal.paint(Ink::Faint, &more))?;
        }
    }
    Ok(())
}

/// How sure the diagnosis is; of health only where it is not.
fn sure(diagnosis: &Diagnosis, healthy: bool) -> String {
    match diagnosis.confidence {
        Confidence::High if healthy => String::new(),
        confidence => format!("  {} confidence", confidence.name()),
    }
}

/// The first line is prose and is wrapped; the others are code and stay as they are.
fn write_advice(advice: &str, terminal: &Terminal, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = advice.lines();
    let prose = lines.next().unwrap_or_default();
    writeln!(out, "\n{}", terminal.paint(Ink::Strong, "What to do"))?;
    write_wrapped(prose, "  ", "  ", terminal, out)?;
    for code in lines {
        writeln!(out, "      {}", terminal.paint(Ink::Faint, code))?;
    }
    Ok(())
}

fn write_wrapped(
    text: &str,
    first: &str,
    rest: &str,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (number, line) in layout::wrap(text, terminal.width - rest.len()).iter().enumerate() {
        let indent = if number == 0 { first } else { rest };
        writeln!(out, "{indent}{line}")?;
    }
    Ok(())
}
