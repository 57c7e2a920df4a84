//! The lock file: text, made to be read in a diff and merged by hand.
//!
//! ```text
//! # any line that begins with # is a comment
//! format = 1
//!
//! [sync-promises --count 1000 (fixed)]
//! callbacks.check = 10
//! microtasks = 2000
//! param.count = 1000
//! ```
//!
//! Sections and keys are sorted, one `key = value` a line.
//!
//! **Invariant**: what is read and written again is the same, but for comments and blank lines.
//! Reading never panics, whatever the bytes.

use std::collections::BTreeMap;
use std::fmt;

/// The format that is written, and the only one there has been.
const FORMAT: &str = "1";

const HEADER: &str = "\
# Counts of workloads under virtual time. `loopscope gate` fails where they differ from this file;
# `loopscope gate accept` writes it. A change here is a change of behaviour: review it.
";

/// What is locked: a section for each workload and variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// Sections by name.
    pub sections: BTreeMap<String, Section>,
}

/// What is locked of one workload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Values by key.
    pub values: BTreeMap<String, String>,
}

/// Why a text is no lock. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockError {
    /// The line.
    pub line: usize,
    /// What is wrong with it.
    pub problem: LockProblem,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockProblem {
    /// It is neither a section, nor `key = value`, nor a comment.
    NoPair,
    /// A section's name is empty or its bracket is not closed.
    BadSection,
    /// A section of this name stands further up.
    SectionAgain(String),
    /// The key stands further up in its section.
    KeyAgain(String),
    /// The file does not begin with its format.
    NoFormat,
    /// The format is another one than is known.
    OtherFormat(String),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.problem {
            LockProblem::NoPair => f.write_str("neither `key = value` nor `[section]`"),
            LockProblem::BadSection => f.write_str("a section is written `[name]`"),
            LockProblem::SectionAgain(name) => write!(f, "section [{name}] is there twice"),
            LockProblem::KeyAgain(key) => write!(f, "`{key}` is there twice in its section"),
            LockProblem::NoFormat => write!(f, "`format = {FORMAT}` must stand before all else"),
            LockProblem::OtherFormat(format) => {
                write!(f, "format {format} is not known to this version, which reads {FORMAT}")
            }
        }
    }
}

impl std::error::Error for LockError {}

impl Lock {
    /// Reads a lock.
    ///
    /// # Errors
    /// [`LockError`] for the first line that is wrong.
    pub fn parse(text: &str) -> Result<Lock, LockError> {
        let mut lock = Lock::default();
        let mut format_seen = false;
        let mut current: Option<String> = None;
        for (index, line) in text.lines().enumerate() {
            let error = |problem| LockError { line: index + 1, problem };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if !format_seen {
                check_format(line).map_err(error)?;
                format_seen = true;
            } else if line.starts_with('[') {
                let name = section_name(line).ok_or(error(LockProblem::BadSection))?;
                if lock.sections.insert(name.clone(), Section::default()).is_some() {
                    return Err(error(LockProblem::SectionAgain(name)));
                }
                current = Some(name);
            } else {
                let pair = pair(line).ok_or(error(LockProblem::NoPair))?;
                let section = current.as_ref().and_then(|name| lock.sections.get_mut(name));
                let section = section.ok_or(error(LockProblem::BadSection))?;
                if section.values.insert(pair.0.clone(), pair.1).is_some() {
                    return Err(error(LockProblem::KeyAgain(pair.0)));
                }
            }
        }
        let end = LockError { line: text.lines().count().max(1), problem: LockProblem::NoFormat };
        if format_seen { Ok(lock) } else { Err(end) }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}format = {FORMAT}")?;
        for (name, section) in &self.sections {
            write!(f, "\n[{name}]\n")?;
            for (key, value) in &section.values {
                writeln!(f, "{key} = {value}")?;
            }
        }
        Ok(())
    }
}

fn check_format(line: &str) -> Result<(), LockProblem> {
    match pair(line) {
        Some((key, value)) if key == "format" => {
            if value == FORMAT {
                Ok(())
            } else {
                Err(LockProblem::OtherFormat(value))
            }
        }
        _ => Err(LockProblem::NoFormat),
    }
}

fn section_name(line: &str) -> Option<String> {
    let name = line.strip_prefix('[')?.strip_suffix(']')?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

fn pair(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.trim());
    (!key.is_empty() && !value.is_empty()).then(|| (key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# by hand\n\nformat = 1\n[a (fixed)]\n  turns = 3\n\
                        drains.microtask = 2 x 1 + 1 x 60000\n# note\n\n[ b ]\nturns=4\n";

    #[test]
    fn a_lock_is_read_and_written_sorted() {
        let lock = Lock::parse(TEXT).unwrap();
        assert_eq!(lock.sections["b"].values["turns"], "4");
        let written = lock.to_string();
        assert!(written.ends_with(
            "format = 1\n\n[a (fixed)]\ndrains.microtask = 2 x 1 + 1 x 60000\nturns = 3\n\n\
             [b]\nturns = 4\n"
        ));
        assert_eq!(Lock::parse(&written), Ok(lock));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let check = |text: &str, want: &str| {
            assert_eq!(Lock::parse(text).unwrap_err().to_string(), want, "{text}");
        };
        check("", "line 1: `format = 1` must stand before all else");
        check("# only\n# comments", "line 2: `format = 1` must stand before all else");
        check("[a]\nx = 1", "line 1: `format = 1` must stand before all else");
        check("format = 2", "line 1: format 2 is not known to this version, which reads 1");
        check("format = 1\n[a\n", "line 2: a section is written `[name]`");
        check("format = 1\n[]\n", "line 2: a section is written `[name]`");
        check("format = 1\nturns = 3", "line 2: a section is written `[name]`");
        check("format = 1\n[a]\nturns 3", "line 3: neither `key = value` nor `[section]`");
        check("format = 1\n[a]\n\n[a]", "line 4: section [a] is there twice");
        check("format = 1\n[a]\nx = 1\nx = 1", "line 4: `x` is there twice in its section");
    }
}
