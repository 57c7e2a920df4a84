//! `run FILE`: a JavaScript program. Standard output is its own, and its exit status is ours.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use loop_core::Loop;
use loop_core::snapshot::Snapshot;
use loopscope_workloads::{
    KnownScript, LastLine, Rounds, Script, ScriptHeader, Variant, find_script,
};

use super::lambda::{Invocations, lambda, warns};
use super::{options, truth};
use crate::cli::{self, RunArgs};
use crate::command::output::Output;
use crate::command::ways::{Told, Ways};
use crate::diagnosis::diagnose;
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::report::{About, Claim, Report, ScriptRun};
use crate::supervise::Outcome;
use crate::terminal::{Terminal, tell};

pub(super) fn execute(args: &RunArgs) -> Result<Exit, Failure> {
    refuse_options_of_workloads(args)?;
    let chosen = Chosen::of(&args.name, args.fixed)?;
    let script = chosen.script(&args.script_args, args.max_memory_bytes);
    let last_line = script.last_line.clone();
    let ways = Ways::open(&args.observe, Output::Stderr)?;
    let options = options(args);
    let clock = options.clock.clone();
    let name = chosen.name();
    let invocations = Invocations::default();
    let (lambda, told, warns) = (lambda(&args.lambda), invocations.clone(), warns(args));
    let body = move |lp: &mut Loop| match &lambda {
        Some(lambda) => told.run(&script, lp, clock, lambda, warns),
        None => script.run(lp, clock),
    };
    let progress = progress(args, &ways.name(&name));
    let run = super::run(args, &name, options, body, ways, progress)?;
    let status = match &run.outcome {
        Outcome::Ended(Ok(status)) => Some(seen_by_parent(*status)),
        _ => None,
    };
    let ran = ScriptRun {
        file: args.name.clone(),
        arguments: args.script_args.clone(),
        status,
        about: chosen.about(),
        invocations: args.lambda.lambda.then(|| invocations.told()),
        truth: None,
    };
    if let Err(failure) = report(args, ran, &last_line, &run.snapshot, run.told) {
        // The status is the program's: it has run.
        tell(&failure.message);
    }
    run.background.stop();
    match run.outcome {
        Outcome::Ended(Ok(status)) => Ok(Exit::Program(seen_by_parent(status))),
        Outcome::TimedOut => Ok(Exit::TimedOut),
        Outcome::Interrupted(by) => Ok(Exit::Interrupted(by)),
        Outcome::Ended(Err(error)) => Err(Failure::run(format!("{} failed: {error}", args.name))),
    }
}

/// What is run.
pub(in crate::command) enum Chosen {
    File(String),
    Known(&'static KnownScript),
}

impl Chosen {
    /// A name that is known is that of a script that is compiled in, whatever files there are.
    pub(in crate::command) fn of(name: &str, fixed: bool) -> Result<Chosen, Failure> {
        let variant = if fixed { Variant::Fixed } else { Variant::Pathology };
        let path = Path::new(name);
        match find_script(name, variant) {
            Ok(known) => {
                if is_program(path) {
                    tell(&format!("`{name}` is a script of loopscope; for the file: ./{name}"));
                }
                Ok(Chosen::Known(known))
            }
            Err(unknown) if unknown.known => Err(Failure::usage(unknown)),
            Err(unknown) if may_be_on_a_shelf(name) && !is_program(path) => {
                Err(Failure::usage(format!("{unknown}; `loopscope workloads` lists them all")))
            }
            Err(_) if fixed => Err(Failure::usage(format!(
                "--fixed is for what `loopscope workloads` lists and {name} is a file; leave it out"
            ))),
            Err(_) => Ok(Chosen::File(name.to_owned())),
        }
    }

    pub(in crate::command) fn script(&self, arguments: &[String], memory: Option<u64>) -> Script {
        let (file, source) = match self {
            Chosen::File(file) => (PathBuf::from(file), None),
            Chosen::Known(known) => {
                let shelf = if known.path.contains('/') { SHELVES } else { SHELF_JS };
                (Path::new(shelf).join(known.path), Some(known.text))
            }
        };
        Script {
            file,
            source,
            arguments: arguments.to_vec(),
            memory_bytes: memory,
            last_line: LastLine::default(),
        }
    }

    /// What the target is called: the last part of a path, the whole of a name.
    fn name(&self) -> String {
        match self {
            Chosen::Known(known) => known.name(),
            Chosen::File(file) => {
                let name = Path::new(file).file_name();
                name.map_or_else(|| file.clone(), |name| name.to_string_lossy().into_owned())
            }
        }
    }

    fn about(&self) -> Option<About> {
        let Chosen::Known(known) = self else { return None };
        let ScriptHeader { title, wrong, source, claims, .. } = known.header().ok()?;
        Some(About {
            title,
            variant: match known.variant() {
                Variant::Fixed => "fixed",
                Variant::Pathology if wrong.is_some() => "pathology",
                Variant::Pathology => "story",
            },
            source,
            claims: claims.into_iter().map(Claim::from).collect(),
        })
    }
}

/// The folders that scripts without a file see themselves in.
const SHELVES: &str = "/loopscope";
const SHELF_JS: &str = "/loopscope/js";

fn may_be_on_a_shelf(name: &str) -> bool {
    let shelf = name.split_once('/').map(|(shelf, _)| shelf);
    matches!(shelf, Some("js" | "promises" | "seeds")) && !cli::has_script_extension(name)
}

/// Whether Node finds a program at a path: it may lack its extension, and be a folder.
pub(super) fn is_program(path: &Path) -> bool {
    let with_extension = Path::new(&format!("{}.js", path.display())).is_file();
    path.is_file() || with_extension || path.join("index.js").is_file()
}

fn refuse_options_of_workloads(args: &RunArgs) -> Result<(), Failure> {
    let wrong = [("--repeat", args.repeat != Rounds::Times(1)), ("--pause", args.pause_ns != 0)];
    match wrong.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => Err(Failure::usage(format!(
            "{option} is for workloads in Rust, and the script {} is run once; leave it out",
            args.name
        ))),
    }
}

/// A pipe or a file holds what the program writes, and nothing between. On a terminal the program
/// may be in the middle of a line, so that none is written over where it writes there, too.
fn progress(args: &RunArgs, name: &str) -> Option<Progress> {
    let terminal = Terminal::stderr();
    let alone = !io::stdout().is_terminal();
    let terminal = Terminal { rewrites: terminal.rewrites && alone, ..terminal };
    io::stderr()
        .is_terminal()
        .then(|| Progress::new(name, args.observe.stall_threshold_ns, terminal))
}

/// A status as the system passes it on: its last eight bits.
fn seen_by_parent(status: i32) -> u8 {
    status.to_le_bytes()[0]
}

fn report(
    args: &RunArgs,
    ran: ScriptRun,
    last_line: &LastLine,
    snapshot: &Snapshot,
    told: Told,
) -> Result<(), Failure> {
    let diagnoses = diagnose(snapshot);
    // One that has failed may have said it of work that it did not do.
    let said = if ran.status == Some(0) { last_line.text() } else { None };
    let truth = said
        .zip(snapshot.loops.first())
        .and_then(|(line, observed)| truth::of_line(&line, observed, &diagnoses));
    truth::tell_what_does_not_hold(&told.name(&args.name), truth.as_deref());
    let script = ScriptRun { truth, ..ran };
    let script = Some(&script);
    told.write(&Report { snapshot, diagnoses: &diagnoses, workload: None, script, command: None })
}
