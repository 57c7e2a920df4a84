//! The invocations of a handler: how each ended, and what it has left for the next one.

use std::io::{self, Write};

use loop_core::units::format_ns;

use super::write_heading;
use crate::report::InvocationRun;
use crate::terminal::{Ink, Terminal, printable};

pub(super) fn write(
    invocations: &[InvocationRun],
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let leaks = invocations.iter().any(|invocation| !invocation.pending.is_empty());
    let note = if leaks { "what is left pending runs in a later one, if there is one" } else { "" };
    write_heading("Invocations", note, terminal, out)?;
    for invocation in invocations {
        write_one(invocation, terminal, out)?;
    }
    if leaks {
        writeln!(out, "  await what is pending before the handler returns")?;
    }
    Ok(())
}

fn write_one(
    invocation: &InvocationRun,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let InvocationRun { number, result, error, duration_ns, pending } = invocation;
    let (ink, mark, end) = match (result, error) {
        (Some(result), _) => (Ink::Good, "✓", format!("result {}", printable(result))),
        (None, Some(error)) => (Ink::Bad, "✗", format!("error {}", printable(error))),
        (None, None) => (Ink::Bad, "✗", "no result: the loop was empty before".to_owned()),
    };
    let mark = terminal.paint(ink, mark);
    let time = format_ns(*duration_ns);
    writeln!(out, "  {mark} {number:>3}  {time:>8}  {end}")?;
    for left in pending {
        let line =
            format!("pending: {}, made by {}", printable(&left.what), printable(&left.made_at));
        let older = if left.made_in == *number {
            String::new()
        } else {
            format!(" in invocation {}", left.made_in)
        };
        writeln!(out, "                 {line}{older}")?;
    }
    Ok(())
}
