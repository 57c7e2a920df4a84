//! The last line that a program has written to standard output: scripts tell there what must have
//! been seen of them, for whoever holds it against what was.
//!
//! Cost: a lock that nobody else wants while the program runs, and a copy of each last line.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// As much of a line as is kept, in bytes.
const LINE_BYTES_MAX: usize = 64 << 10;

/// See the module. Clones are one and the same.
#[derive(Clone, Default)]
pub struct LastLine(Arc<Mutex<Line>>);

#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    /// Whether what comes next begins another.
    ended: bool,
}

impl LastLine {
    /// The line without its end, whether that has come or not; `None` where nothing was written.
    pub fn text(&self) -> Option<String> {
        let line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let written = line.ended || !line.bytes.is_empty();
        written.then(|| String::from_utf8_lossy(&line.bytes).into_owned())
    }

    /// Takes note of what was written.
    pub(crate) fn note(&self, written: &[u8]) {
        if written.is_empty() {
            return;
        }
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = written.strip_suffix(b"\n");
        let rest = inner.unwrap_or(written);
        let start = rest.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
        if line.ended || start.is_some() {
            line.bytes.clear();
        }
        let room = LINE_BYTES_MAX - line.bytes.len();
        line.bytes.extend(rest[start.unwrap_or(0)..].iter().take(room));
        line.ended = inner.is_some();
    }
}

impl fmt::Debug for LastLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LastLine").field(&self.text()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_a_line_is_written_the_last_is_kept() {
        let check = |written: &[&str], want: Option<&str>| {
            let line = LastLine::default();
            written.iter().for_each(|text| line.note(text.as_bytes()));
            assert_eq!(line.text().as_deref(), want, "{written:?}");
        };
        check(&[], None);
        check(&[""], None);
        check(&["a"], Some("a"));
        check(&["a\n"], Some("a"));
        check(&["a\n", "b"], Some("b"));
        check(&["a\nb\n", "c", "d\n"], Some("cd"));
        check(&["a", "\n"], Some("a"));
        check(&["a\n", "\n"], Some(""));
        check(&["a", "b\nc", "d"], Some("cd"));
        let long = "x".repeat(LINE_BYTES_MAX + 9);
        check(&[&long, "y"], Some(&long[..LINE_BYTES_MAX]));
    }
}
