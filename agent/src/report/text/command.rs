//! How the command that was observed ended, and what is missing of it.

use std::io::{self, Write};

use super::write_heading;
use crate::layout;
use crate::report::CommandRun;
use crate::terminal::{Terminal, printable};

pub(super) fn write(
    command: &CommandRun,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let words = command.arguments.iter().map(|word| printable(word));
    let line = words.collect::<Vec<_>>().join(" ");
    write_heading("Command", &format!("{line}, {}", ending(command)), terminal, out)?;
    for note in &command.notes {
        for (number, line) in layout::wrap(&printable(note), terminal.width - 4).iter().enumerate()
        {
            let indent = if number == 0 { "  - " } else { "    " };
            writeln!(out, "{indent}{line}")?;
        }
    }
    Ok(())
}

/// How it ended.
pub(in crate::report) fn ending(command: &CommandRun) -> String {
    let end = match (command.status, command.signal) {
        (Some(status), _) => format!("exit status {status}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => "still running".to_owned(),
    };
    let why = if command.timed_out { ", its time was up" } else { "" };
    format!("{end}{why}")
}
