//! What was seen of a stall: the function to look at, what its thread waited for, and the stack.
//!
//! Names and paths are of the program that is observed: what in them would move the cursor is
//! written out, and what is too long for a line loses its middle, never its end.

use std::io::{self, Write};

use loop_core::snapshot::{Culprit, Stall, Wait};
use loop_core::units::format_ns;

use crate::layout::{percent, shorten, wrap};
use crate::terminal::{Ink, Terminal, printable};

/// Waits that are told; JSON has them all.
const WAITS_TOLD: usize = 3;

/// Frames that are told; JSON has more.
const FRAMES_TOLD: usize = 8;

/// A wait is told from this part of its stall on: what is shorter explains nothing.
const WAIT_PARTS: u64 = 100;

/// How Node's own code is named on a stack.
const INTERNAL: &str = "(node:";

/// Writes the function to look at.
pub(super) fn write_culprit(
    stall: &Stall,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some(culprit) = &stall.culprit else { return Ok(()) };
    let told = line(culprit);
    let place = format!("in {}", place(culprit));
    let columns = terminal.width - INDENT.len();
    for (number, line) in wrap(&told, columns).iter().enumerate() {
        let line = shorten(line, columns - 2 * usize::from(number > 0));
        let (strong, rest) = match line.strip_prefix(&place) {
            Some(rest) => (terminal.paint(Ink::Strong, &place), rest),
            None => (String::new(), line.as_str()),
        };
        let indent = if number > 0 { "  " } else { "" };
        writeln!(out, "{INDENT}{indent}{strong}{rest}")?;
    }
    Ok(())
}

const INDENT: &str = "    ";

/// `render (/srv/app/view.js:17)`.
fn place(culprit: &Culprit) -> String {
    let Culprit { function, file, line, .. } = culprit;
    format!("{} ({}:{line})", printable(function), printable(file))
}

/// The function to look at, with its share of what was seen and what it was in.
pub(in crate::report) fn line(culprit: &Culprit) -> String {
    let share = percent(culprit.share);
    let of = match culprit.samples {
        Some(samples) => format!("{} samples", loop_core::units::format_count(samples)),
        None => "its time".to_owned(),
    };
    let leaf = culprit.hot_leaf.as_ref().map(|leaf| format!(", in {}", printable(leaf)));
    format!("in {}, {share} of {of}{}", place(culprit), leaf.unwrap_or_default())
}

/// Writes what the thread waited for, longest first.
pub(super) fn write_waits(
    stall: &Stall,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let waits: Vec<&Wait> = stall.waits.iter().flatten().collect();
    let least_ns = stall.duration_ns / WAIT_PARTS;
    let long = waits.iter().filter(|wait| wait.duration_ns >= least_ns);
    let told: Vec<String> = long.take(WAITS_TOLD).map(|wait| wait_text(wait)).collect();
    for wait in &told {
        let columns = terminal.width - INDENT.len() - "waited ".len();
        writeln!(
            out,
            "{INDENT}{} {}",
            terminal.paint(Ink::Faint, "waited"),
            shorten(wait, columns)
        )?;
    }
    let rest = &waits[told.len()..];
    if !told.is_empty() && !rest.is_empty() {
        let ns = rest.iter().map(|wait| wait.duration_ns).fold(0, u64::saturating_add);
        let line = format!("and {} in {} others", format_ns(ns), rest.len());
        writeln!(out, "{INDENT}{}", terminal.paint(Ink::Faint, &line))?;
    }
    Ok(())
}

/// `openat /tmp/fifo, 102 ms`.
fn wait_text(wait: &Wait) -> String {
    let subject = wait.subject.as_ref().map(|subject| format!(" {}", printable(subject)));
    let (call, time) = (printable(&wait.call), format_ns(wait.duration_ns));
    format!("{call}{}, {time}", subject.unwrap_or_default())
}

/// Writes the innermost frames of a stack. Of those in a row that are not of the program, which may
/// be ten, the innermost is told, and how many it is called by.
pub(super) fn write_stack(
    stack: &[String],
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let columns = terminal.width - INDENT.len() - "at ".len();
    let mut left = stack;
    for _ in 0..FRAMES_TOLD {
        let Some(frame) = left.first() else { return Ok(()) };
        let foreign = left.iter().take_while(|frame| is_foreign(frame)).count().max(1);
        let more = if foreign > 1 { format!(", and {} more", foreign - 1) } else { String::new() };
        let frame = shorten(&printable(frame), columns - more.len());
        let more = terminal.paint(Ink::Faint, &more);
        writeln!(out, "{INDENT}{} {frame}{more}", terminal.paint(Ink::Faint, "at"))?;
        left = &left[foreign..];
    }
    if !left.is_empty() {
        let line = format!("and {} more", left.len());
        writeln!(out, "{INDENT}{}", terminal.paint(Ink::Faint, &line))?;
    }
    Ok(())
}

/// Whether a frame is native code, or Node's own.
fn is_foreign(frame: &str) -> bool {
    frame.ends_with("(native)") || frame.contains(INTERNAL)
}

#[cfg(test)]
mod tests {
    use loop_core::snapshot::{Counters, Ledger};

    use super::*;

    fn stall(waits: Vec<Wait>) -> Stall {
        Stall {
            start_unix_ns: 0,
            duration_ns: 1_000_000_000,
            running: false,
            phase: None,
            callbacks: None,
            microtasks: None,
            repeated: None,
            ledger_ns: Ledger::default(),
            counters: Counters::default(),
            culprit: Some(Culprit {
                function: "load".into(),
                file: format!("/srv/{}/app.js", "deep/".repeat(30)),
                line: 7,
                share: 0.93,
                samples: None,
                hot_leaf: Some("readFileSync (node:fs:441)".into()),
            }),
            profile: None,
            waits: Some(waits),
            drain: None,
            stack: None,
        }
    }

    fn text(write: impl FnOnce(&Terminal, &mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        let terminal = Terminal { width: 80, ..Terminal::PLAIN };
        write(&terminal, &mut out).expect("memory takes it");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        text
    }

    #[test]
    fn waits_are_bounded_and_harmless() {
        let wait = |call: &str, subject: Option<&str>, ms: u64| Wait {
            call: call.into(),
            subject: subject.map(str::to_owned),
            duration_ns: ms * 1_000_000,
        };
        let waits = vec![
            wait("openat", Some("/tmp/\x1b[2Jfifo"), 102),
            wait("wait4", Some("sleep (123)"), 90),
            wait("read", Some(&"/long".repeat(40)), 80),
            wait("futex", None, 70),
            wait("futex", None, 1),
        ];
        let stall = stall(waits);
        let told = text(|terminal, out| write_waits(&stall, terminal, out));
        let lines: Vec<&str> = told.lines().map(str::trim_start).collect();
        assert_eq!(lines[0], "waited openat /tmp/\\u{1b}[2Jfifo, 102 ms");
        assert_eq!(lines[1], "waited wait4 sleep (123), 90.0 ms");
        assert!(lines[2].ends_with("long, 80.0 ms"), "{told}");
        assert_eq!(lines[3..], ["and 71.0 ms in 2 others"]);
        assert_eq!(text(|terminal, out| write_waits(&self::stall(vec![]), terminal, out)), "");
    }

    #[test]
    fn a_long_path_loses_its_middle() {
        let told = text(|terminal, out| write_culprit(&stall(vec![]), terminal, out));
        assert!(told.contains("in load") && told.contains("app.js:7)"), "{told}");
        assert!(told.contains("93.0 % of its time, in readFileSync (node:fs:441)"), "{told}");
    }

    #[test]
    fn a_stack_is_bounded_and_nodes_own_frames_are_folded() {
        let frames = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let mut stack: Vec<String> = frames(&["parse (native)", "a (node:fs:1)", "b (native)"]);
        stack.extend((0..20).map(|line| format!("work (/srv/app.js:{line})")));
        let told = text(|terminal, out| write_stack(&stack, terminal, out));
        let lines: Vec<&str> = told.lines().map(str::trim_start).collect();
        assert_eq!(lines[..2], ["at parse (native), and 2 more", "at work (/srv/app.js:0)"]);
        assert_eq!(lines[7..], ["at work (/srv/app.js:6)", "and 13 more"]);
        assert_eq!(text(|terminal, out| write_stack(&[], terminal, out)), "");
    }
}
