//! What a script is and how it ended, and what its source says that is not so.

use std::io::{self, Write};

use super::write_heading;
use crate::layout;
use crate::report::ScriptRun;
use crate::terminal::{Ink, Terminal, printable};

pub(super) fn write(
    script: &ScriptRun,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let words = [&script.file].into_iter().chain(&script.arguments);
    let line = words.map(|word| printable(word)).collect::<Vec<_>>().join(" ");
    let end = match script.status {
        Some(status) => format!("exit status {status}"),
        None => "cut short".to_owned(),
    };
    write_heading("Script", &format!("{line}, {end}"), terminal, out)?;
    let Some(about) = &script.about else { return Ok(()) };
    for line in layout::wrap(&printable(&about.title), terminal.width - 2) {
        writeln!(out, "  {line}")?;
    }
    if about.claims.is_empty() {
        return Ok(());
    }
    write_heading("Claims", "what its source says, and what is so", terminal, out)?;
    for claim in &about.claims {
        let mark = terminal.paint(Ink::Bad, "✗");
        write_row(&mark, "claim", &claim.claim, terminal, out)?;
        write_row(" ", "fact", &claim.fact, terminal, out)?;
        write_row(" ", "since", &claim.since, terminal, out)?;
    }
    Ok(())
}

/// A word in a column of its own, and a text behind it.
fn write_row(
    mark: &str,
    name: &str,
    text: &str,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines = layout::wrap(&printable(text), terminal.width - 11);
    for (number, line) in lines.iter().enumerate() {
        match number {
            0 => writeln!(out, "  {mark} {name:<5}  {line}")?,
            _ => writeln!(out, "           {line}")?,
        }
    }
    Ok(())
}
