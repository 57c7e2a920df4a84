//! What Node printed on an earlier day, for where there is none.
//!
//! ```text
//! ==== 0x1f seed of the first program, then its exit status 0
//! ---- main.js
//! its text
//! ---- output
//! what it printed
//! ==== ...
//! ```

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::run::{Folder, Outcome, Status};
use super::tree::{HELPERS, Program};

const PROGRAM: &str = "==== ";
const FILE: &str = "---- ";
const OUTPUT: &str = "output";

/// A program and what Node made of it.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) seed: String,
    /// Name and text, the main one first.
    files: Vec<(String, String)>,
    pub(crate) expected: Outcome,
}

/// Where the recordings are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/recorded")
}

impl Recorded {
    pub(crate) fn main(&self) -> &str {
        &self.files[0].0
    }

    /// Writes the program where it can be run.
    pub(crate) fn write(&self, to: &Folder) {
        let helpers =
            std::fs::read_to_string(folder().join(HELPERS)).expect("the helpers are there");
        to.write(self.files.iter().cloned().chain([(HELPERS.to_owned(), helpers)]));
    }
}

/// The line of a program in a recording.
pub(crate) fn line(seed: u64, program: &Program, node: &Outcome) -> String {
    let mut text = format!("{PROGRAM}{seed:#x} {}\n", node.status);
    for file in program.files.iter().filter(|file| file.name != HELPERS) {
        let _ = write!(text, "{FILE}{}\n{}", file.name, file.text());
    }
    let _ = write!(text, "{FILE}{OUTPUT}\n{}", node.stdout);
    text
}

/// Reads a recording.
pub(crate) fn parse(text: &str) -> Vec<Recorded> {
    text.split(PROGRAM).skip(1).map(parse_program).collect()
}

fn parse_program(text: &str) -> Recorded {
    let (head, rest) = text.split_once('\n').expect("a head");
    let (seed, status) = head.split_once(' ').expect("seed and status");
    let mut files: Vec<(String, String)> = rest
        .split(FILE)
        .skip(1)
        .map(|part| part.split_once('\n').expect("a name"))
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    let (_, stdout) = files.pop().expect("an output");
    let status = Status::Code(status.parse().expect("a number"));
    let expected = Outcome { stdout, stderr: String::new(), status };
    Recorded { seed: seed.to_owned(), files, expected }
}

#[test]
fn what_was_recorded_is_read() {
    let text = "==== 0x1 3\n---- main.js\nlog('a');\n---- m.mjs\n---- output\na\nb\n";
    let all = parse(text);
    let one = &all[0];
    assert_eq!((one.seed.as_str(), one.main(), one.files.len()), ("0x1", "main.js", 2));
    assert_eq!((one.expected.stdout.as_str(), one.expected.status), ("a\nb\n", Status::Code(3)));
}
