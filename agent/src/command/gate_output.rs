//! Where it is told what came of a comparison: report, files, GitHub.
//!
//! ```text
//! GateOutputArgs ──> Targets::open (before the runs) ──> Targets::write (behind the last one)
//! ```

use std::env;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::output::Output;
use crate::cli::{GateOutputArgs, GithubChoice, ReportForm};
use crate::exit::Failure;
use crate::gate::comparison::Comparison;
use crate::gate::output;
use crate::terminal::tell;

/// Set to `true` in every job of GitHub Actions.
const ACTIONS: &str = "GITHUB_ACTIONS";

/// The file that a step's summary is appended to.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Where the repository is checked out.
const WORKSPACE: &str = "GITHUB_WORKSPACE";

/// All places that are written to, open.
pub struct Targets {
    report: ReportForm,
    output: Output,
    json: Option<Output>,
    junit: Option<Output>,
    smaller: Option<Output>,
    github: Option<Github>,
}

impl fmt::Debug for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Targets").field("report", &self.report).finish_non_exhaustive()
    }
}

/// What GitHub is told besides annotations.
struct Github {
    summary: Option<(PathBuf, File)>,
    root: Option<String>,
}

impl Targets {
    /// Opens every file now, so that runs of minutes do not end with nowhere to write to. What is
    /// in a file stays there until there is something to put in its place.
    ///
    /// # Errors
    /// [`Failure`] of kind usage where a file can't be written, or is named twice.
    pub fn open(args: &GateOutputArgs) -> Result<Targets, Failure> {
        refuse_twice(args)?;
        let file = |path: &Option<PathBuf>, option: &str| match path {
            None => Ok(None),
            Some(path) if path == Path::new("-") => Err(Failure::usage(format!(
                "{option} needs the name of a file; standard output is for the report (--output -)"
            ))),
            Some(path) => Output::file(path, option).map(Some),
        };
        Ok(Targets {
            report: args.report,
            output: Output::open(args.output.as_deref(), Output::Stdout)?,
            json: file(&args.json, "--json")?,
            junit: file(&args.junit, "--junit")?,
            smaller: file(&args.smaller, "--smaller")?,
            github: Github::open(args.github)?,
        })
    }

    /// Writes every form to its place. One that can't be written keeps no other from it.
    ///
    /// # Errors
    /// The first [`Failure`] to write.
    pub fn write(self, comparison: &Comparison) -> Result<(), Failure> {
        // A reader of JSON takes no line besides.
        let is_taken = self.report == ReportForm::Json && matches!(self.output, Output::Stdout);
        let beside = if is_taken { Output::Stderr } else { Output::Stdout };
        let written = [
            write_report(self.report, self.output, comparison),
            write_form(self.json, || output::json(comparison)),
            write_form(self.junit, || Ok(output::junit(comparison))),
            write_form(self.smaller, || output::smaller(comparison)),
            self.github.map_or(Ok(()), |github| github.write(comparison, beside)),
        ];
        written.into_iter().collect()
    }
}

/// Of two forms in one file only one would be left.
fn refuse_twice(args: &GateOutputArgs) -> Result<(), Failure> {
    let files: Vec<_> = args.files().collect();
    for (number, (option, path)) in files.iter().enumerate() {
        if let Some((other, _)) = files[..number].iter().find(|(_, other)| other == path) {
            return Err(Failure::usage(format!(
                "{} is named by {other} and by {option}; choose another file for one of them",
                path.display()
            )));
        }
    }
    Ok(())
}

fn write_report(form: ReportForm, output: Output, comparison: &Comparison) -> Result<(), Failure> {
    let bytes = match form {
        ReportForm::None => return Ok(()),
        ReportForm::Json => output::json(comparison).map_err(unwritable)?.into_bytes(),
        ReportForm::Text => {
            let mut bytes = Vec::new();
            let written = output::table(comparison, &output.terminal(), &mut bytes);
            written.map_err(|error| Failure::run(format!("no report can be made ({error})")))?;
            bytes
        }
    };
    output.write(&bytes)
}

fn write_form(
    output: Option<Output>,
    make: impl FnOnce() -> serde_json::Result<String>,
) -> Result<(), Failure> {
    let Some(output) = output else { return Ok(()) };
    output.write(make().map_err(unwritable)?.as_bytes())
}

fn unwritable(error: serde_json::Error) -> Failure {
    Failure::run(format!("the comparison can't be written as JSON ({error}); use --report text"))
}

impl Github {
    fn open(choice: GithubChoice) -> Result<Option<Github>, Failure> {
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let is_job = set(ACTIONS).is_some_and(|value| value == "true");
        match choice {
            GithubChoice::Never => return Ok(None),
            GithubChoice::Auto if !is_job => return Ok(None),
            GithubChoice::Auto | GithubChoice::Always => {}
        }
        let summary = match set(STEP_SUMMARY).map(PathBuf::from).map(open_summary) {
            Some(Err(failure)) if choice == GithubChoice::Auto => {
                tell(&failure.message);
                None
            }
            summary => summary.transpose()?,
        };
        Ok(Some(Github { summary, root: set(WORKSPACE) }))
    }

    fn write(self, comparison: &Comparison, beside: Output) -> Result<(), Failure> {
        let annotations = output::annotations(comparison, self.root.as_deref());
        let told = beside.write(annotations.as_bytes());
        let summarized = self.summary.map_or(Ok(()), |(path, mut file)| {
            file.write_all(output::summary(comparison).as_bytes()).map_err(|error| {
                let path = path.display();
                Failure::run(format!("{path} can't be written ({error}); use --github=never"))
            })
        });
        told.and(summarized)
    }
}

/// Other steps' commands have written to it before.
fn open_summary(path: PathBuf) -> Result<(PathBuf, File), Failure> {
    match OpenOptions::new().create(true).append(true).open(&path) {
        Ok(file) => Ok((path, file)),
        Err(error) => Err(Failure::usage(format!(
            "{} can't be written ({error}); set {STEP_SUMMARY} to a file, or use --github=never",
            path.display()
        ))),
    }
}
