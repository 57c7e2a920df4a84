//! What the output may look like: width, colour, whether a line can be rewritten.
//!
//! **Invariant**: no escape sequence is ever written to anything but a terminal, and none that
//! colours where `NO_COLOR` is set.

use std::io::{self, IsTerminal, Write};

use crate::log;

/// The widest line that a report has.
const WIDTH_MAX: usize = 100;

/// The narrowest terminal that text is wrapped for. Tables need some 80 columns.
const WIDTH_MIN: usize = 20;

/// Where text is written to, as far as its looks are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Columns to lay the text out for.
    pub width: usize,
    /// Whether to colour it.
    pub colour: bool,
    /// Whether the last line can be written over.
    pub rewrites: bool,
}

/// What a piece of text means, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Something is wrong.
    Bad,
    /// Something is as it should be.
    Good,
    /// Stands out.
    Strong,
    /// Stands back.
    Faint,
}

impl Terminal {
    /// No terminal: a file, a pipe, a golden file.
    pub const PLAIN: Terminal = Terminal { width: WIDTH_MAX, colour: false, rewrites: false };

    /// Standard output as it is.
    pub fn stdout() -> Self {
        let columns = terminal_size::terminal_size_of(io::stdout());
        Self::detect(io::stdout().is_terminal(), columns.map(|(columns, _)| columns.0))
    }

    /// Standard error as it is.
    pub fn stderr() -> Self {
        let columns = terminal_size::terminal_size_of(io::stderr());
        Self::detect(io::stderr().is_terminal(), columns.map(|(columns, _)| columns.0))
    }

    fn detect(is_terminal: bool, columns: Option<u16>) -> Self {
        if !is_terminal {
            return Terminal::PLAIN;
        }
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_some_and(|term| term == "dumb");
        Terminal {
            width: columns.map_or(80, usize::from).clamp(WIDTH_MIN, WIDTH_MAX),
            colour: !dumb && set("NO_COLOR").is_none(),
            rewrites: !dumb,
        }
    }

    /// The text in the colour of its meaning, or as it is.
    pub fn paint(&self, ink: Ink, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Bad => "1;31",
            Ink::Good => "1;32",
            Ink::Strong => "1",
            Ink::Faint => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Tells the user something on standard error, in one line. A closed standard error is no reason to
/// stop. Where there is a log, it goes there.
pub fn tell(message: &str) {
    if log::is_on() {
        tracing::warn!("{}", printable(message));
        return;
    }
    let _ = writeln!(io::stderr(), "loopscope: {}", printable(message));
}

/// The text with control characters written out: what comes from a file or a command line must
/// not be able to move the cursor, or to look like another line.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_control() {
            true => out.extend(character.escape_default()),
            false => out.push(character),
        }
    }
    out
}

/// Writes to standard output. A reader that has gone away (`| head`) is no failure.
pub fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    forgive_closed_pipe(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Turns the failure that a closed pipe is into success.
pub fn forgive_closed_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_is_coloured() {
        assert_eq!(Terminal::PLAIN.paint(Ink::Bad, "x"), "x");
        let terminal = Terminal { colour: true, ..Terminal::PLAIN };
        assert_eq!(terminal.paint(Ink::Bad, "x"), "\x1b[1;31mx\x1b[0m");
        assert_eq!(terminal.paint(Ink::Bad, ""), "");
        assert_eq!(Terminal::detect(false, Some(200)), Terminal::PLAIN);
    }

    #[test]
    fn the_width_is_held_within_bounds() {
        assert_eq!(Terminal::detect(true, Some(500)).width, WIDTH_MAX);
        assert_eq!(Terminal::detect(true, Some(3)).width, WIDTH_MIN);
    }

    #[test]
    fn a_closed_pipe_is_forgiven_and_a_full_disk_is_not() {
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(forgive_closed_pipe(Err(closed)).is_ok());
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(forgive_closed_pipe(Err(full)).is_err());
    }
}
