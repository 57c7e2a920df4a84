//! Where a report goes: a file that is opened before the run begins, or standard output.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::unwritable_stdout;
use crate::exit::Failure;
use crate::terminal::{Terminal, forgive_closed_pipe, print};

/// Where a report goes.
pub(super) enum Output {
    Stdout,
    Stderr,
    File(PathBuf, File),
}

impl Output {
    /// Opens the file now, so that a run of an hour does not end with nowhere to write to. What is
    /// in it stays there until there is a report to put in its place. `-` is standard output, and
    /// without a path the report goes to `default`.
    pub(super) fn open(path: Option<&Path>, default: Output) -> Result<Output, Failure> {
        match path {
            None => Ok(default),
            Some(path) if path == Path::new("-") => Ok(Output::Stdout),
            Some(path) => Output::file(path, "--output"),
        }
    }

    /// Opens the file that this option names.
    pub(super) fn file(path: &Path, option: &str) -> Result<Output, Failure> {
        let mut options = OpenOptions::new();
        let file = options.create(true).write(true).truncate(false).open(path);
        file.map(|file| Output::File(path.to_owned(), file)).map_err(|error| {
            let path = path.display();
            Failure::usage(format!("{path} can't be written ({error}); choose another {option}"))
        })
    }

    /// What the report may look like there.
    pub(super) fn terminal(&self) -> Terminal {
        match self {
            Output::Stdout => Terminal::stdout(),
            Output::Stderr => Terminal::stderr(),
            Output::File(..) => Terminal::PLAIN,
        }
    }

    /// Writes the report.
    pub(super) fn write(self, report: &[u8]) -> Result<(), Failure> {
        match self {
            Output::Stdout => print(report).map_err(|error| unwritable_stdout(&error)),
            Output::Stderr => {
                forgive_closed_pipe(io::stderr().write_all(report)).map_err(|error| {
                    Failure::run(format!(
                        "standard error can't be written ({error}); use --output FILE"
                    ))
                })
            }
            Output::File(path, file) => replace(file, report).map_err(|error| {
                let cure = match error.kind() {
                    io::ErrorKind::FileTooLarge => "raise the limit on files (`ulimit -f`)",
                    _ => "free some space",
                };
                Failure::run(format!("{} can't be written ({error}); {cure}", path.display()))
            }),
        }
    }
}

/// The recording is not written over, whatever name it is given by.
pub(super) fn keep_recording(
    recording: &Path,
    others: [(&str, Option<&Path>); 3],
) -> Result<(), Failure> {
    let id = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let Some(ours) = id(recording) else { return Ok(()) };
    let same = others.into_iter().find_map(|(option, path)| {
        Some((option, path?)).filter(|(_, path)| id(path) == Some(ours))
    });
    match same {
        None => Ok(()),
        Some((option, path)) => Err(Failure::usage(format!(
            "{} is the recording itself; choose another {option}",
            path.display()
        ))),
    }
}

fn replace(mut file: File, report: &[u8]) -> io::Result<()> {
    // A pipe or a device has no length to set.
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    file.write_all(report)?;
    file.flush()
}
