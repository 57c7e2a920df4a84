//! What is wrong, at a glance, and what to do about it.

use std::io::{self, Write};

use super::blame;
use crate::diagnosis::{Confidence, Diagnosis, Id};
use crate::layout;
use crate::terminal::{Ink, Terminal, printable};

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
            format!(" on {} of {}", printable(&diagnosis.thread), diagnosis.pid)
        } else {
            String::new()
        };
        let id = format!("{mark} {}{place}", printable(diagnosis.id));
        let sure = sure(diagnosis, healthy);
        writeln!(out, "\n{}{}", terminal.paint(ink, &id), terminal.paint(Ink::Faint, &sure))?;
        write_wrapped(&diagnosis.summary, "  ", "  ", terminal, out)?;
        if let Some(culprit) = &diagnosis.culprit {
            write_wrapped(&blame::line(culprit), "  - ", "    ", terminal, out)?;
        }
        for evidence in &diagnosis.evidence {
            write_wrapped(evidence, "  - ", "    ", terminal, out)?;
        }
        if !healthy {
            write_advice(diagnosis, terminal, out)?;
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

/// What to do, in prose and as code.
fn write_advice(diagnosis: &Diagnosis, terminal: &Terminal, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", terminal.paint(Ink::Strong, "What to do"))?;
    write_wrapped(&diagnosis.advice, "  ", "  ", terminal, out)?;
    for code in diagnosis.example.iter().flat_map(|example| example.lines()) {
        writeln!(out, "    {}", terminal.paint(Ink::Faint, &printable(code)))?;
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
    let columns = terminal.width - rest.len();
    for (number, line) in layout::wrap(&printable(text), columns).iter().enumerate() {
        let indent = if number == 0 { first } else { rest };
        writeln!(out, "{indent}{}", layout::shorten(line, columns))?;
    }
    Ok(())
}
