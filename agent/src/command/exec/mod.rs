//! `exec`: starts a command under observation, from its first instruction on.
//!
//! ```text
//! Ways, Observer ready ──> Gate waits ──> attach(pid) ──> Gate opens: the command runs
//!   ──> it ends, or its time is up ──> the observer reads the rest ──> report ──> its status
//! ```
//!
//! **Invariant**: the command behaves as without us. Its files and signals are its own, and so is
//! the exit status.

mod gate;
mod running;
mod signals;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use loop_core::snapshot::Tier;
use rustix::process::Signal;

use super::cannot_start;
use super::output::Output;
use super::ways::{Told, Ways};
use crate::cli::{ExecArgs, ReportForm, SourceChoice, TierChoice};
use crate::diagnosis::diagnose;
use crate::exit::{Exit, Failure};
use crate::report::{CommandRun, Report};
use crate::source::{LiveCommand, LiveOptions, Observe, Observer, V8Trace, probes_can_be_set};
use crate::supervise::{self, Event, Outcome};
use crate::terminal::tell;
use gate::Gate;
pub(super) use gate::pass as pass_gate;
use running::Running;
use signals::{Signals, Status};

/// How long a command may take to end when its time is up. Then it is killed.
const END_MAX: Duration = Duration::from_secs(2);

/// Statuses of a shell for what it can't run.
const NOT_FOUND: u8 = 127;
const NOT_RUNNABLE: u8 = 126;

pub(super) fn execute(args: &ExecArgs) -> Result<Exit, Failure> {
    let ways = Ways::open(&args.observe, Output::Stderr)?;
    let observer = observer(args)?;
    let gate = Gate::start(&args.command, observer.environment()).map_err(cannot_start)?;
    // Only now, so that the command ignores what we were started to ignore.
    let signals = Signals::catch().map_err(cannot_start)?;
    let observed = match observer.attach(gate.pid(), &program(&args.command)) {
        Ok(observed) => ways.observed(observed),
        Err(failure) => {
            gate.close();
            return Err(failure);
        }
    };
    let (told, background) = ways.start(&observed, None)?;
    let child = match gate.open() {
        Ok(child) => child,
        Err(error) => {
            observer.ended();
            return Err(not_run(&args.command, &error));
        }
    };
    let (sender, events) = channel();
    let running = Running::watch(child, sender).map_err(cannot_start)?;
    let status = Status::new();
    signals.pass_on(running.clone(), status.clone()).map_err(cannot_start)?;
    let end = wait(args, &events, &running, observer.as_ref())?;
    let notes = observer.ended();
    status.set(end.exit().code());
    if let Err(failure) = report(args, &end, notes, &observed, told) {
        // The status is the command's: it has run.
        tell(&failure.message);
    }
    background.stop();
    Ok(end.exit())
}

/// Who observes.
fn observer(args: &ExecArgs) -> Result<Box<dyn Observer>, Failure> {
    match args.source.source {
        SourceChoice::Ebpf => Ok(Box::new(LiveCommand::new(live_options(args)))),
        SourceChoice::Auto if probes_can_be_set() => {
            Ok(Box::new(LiveCommand::new(live_options(args))))
        }
        SourceChoice::V8Trace if args.source.source_maps => {
            Err(Failure::usage("v8-trace tells no functions; leave --source-maps out"))
        }
        SourceChoice::Auto | SourceChoice::V8Trace => match args.tier {
            None | Some(TierChoice::Full) => {
                Ok(Box::new(V8Trace::new(&args.command, args.observe.stall_threshold_ns)?))
            }
            Some(TierChoice::Passive | TierChoice::Turn) => {
                Err(Failure::usage("v8-trace has the tier full alone; leave --tier out"))
            }
        },
    }
}

fn live_options(args: &ExecArgs) -> LiveOptions {
    LiveOptions {
        stall_threshold_ns: args.observe.stall_threshold_ns,
        tier: args.tier.map_or(Tier::Full, Tier::from),
        least: match args.tier {
            Some(TierChoice::Passive) => Tier::Passive,
            _ => Tier::Turn,
        },
        children: true,
        budget_ratio: args.source.overhead_budget / 100.0,
        windows_ratio: None,
        source_maps: args.source.source_maps,
    }
}

/// How the command has ended.
struct End {
    status: ExitStatus,
    timed_out: bool,
}

impl End {
    fn exit(&self) -> Exit {
        if self.timed_out {
            return Exit::TimedOut;
        }
        let signal = self.status.signal().map(|signal| 128 + signal);
        let code = self.status.code().or(signal).unwrap_or_default();
        Exit::Program(code.to_le_bytes()[0])
    }
}

/// Waits until the command has ended; makes it end when its time is up.
fn wait(
    args: &ExecArgs,
    events: &Receiver<Event<ExitStatus>>,
    running: &Running,
    observer: &dyn Observer,
) -> Result<End, Failure> {
    let deadline = supervise::deadline(args.observe.timeout_ns);
    let mut outcome = supervise::wait(events, deadline, || {});
    let timed_out = matches!(outcome, Outcome::TimedOut);
    if timed_out {
        observer.ending();
        running.send_to_all(Signal::TERM);
        // One that is stopped would not hear of it.
        running.send_to_all(Signal::CONT);
        let grace = u64::try_from(END_MAX.as_nanos()).ok();
        outcome = supervise::wait(events, supervise::deadline(grace), || {});
        if matches!(outcome, Outcome::TimedOut) {
            running.send_to_all(Signal::KILL);
            outcome = supervise::wait(events, None, || {});
        }
    }
    match outcome {
        Outcome::Ended(Ok(status)) => Ok(End { status, timed_out }),
        Outcome::Ended(Err(error)) => Err(lost(&error)),
        Outcome::Interrupted(_) | Outcome::TimedOut => Err(lost(&io::ErrorKind::TimedOut.into())),
    }
}

fn lost(error: &io::Error) -> Failure {
    Failure::run(format!("how the command has ended can't be found out ({error}); run it again"))
}

fn report(
    args: &ExecArgs,
    end: &End,
    notes: Vec<String>,
    observed: &Arc<dyn Observe>,
    told: Told,
) -> Result<(), Failure> {
    let snapshot = observed.snapshot();
    let nothing = snapshot.loops.is_empty();
    if args.observe.report != ReportForm::Text || nothing {
        notes.iter().for_each(|note| tell(note));
    }
    let diagnoses = diagnose(&snapshot);
    let words = args.command.iter().map(|word| word.to_string_lossy().into_owned());
    let command = CommandRun {
        arguments: words.collect(),
        status: end.status.code().map(|code| code.to_le_bytes()[0]),
        signal: end.status.signal(),
        timed_out: end.timed_out,
        notes,
    };
    let report = Report {
        snapshot: &snapshot,
        diagnoses: &diagnoses,
        workload: None,
        script: None,
        command: Some(&command),
    };
    // A report of nothing is no answer in words; the notes have said why.
    if nothing && args.observe.report == ReportForm::Text {
        return told.write_files(&report);
    }
    told.write(&report)
}

/// Why the command was not run: the status is the one that a shell has for it.
fn not_run(command: &[OsString], error: &io::Error) -> Failure {
    let name = command.first().map_or(OsStr::new(""), OsString::as_os_str).to_string_lossy();
    let (code, message) = match error.kind() {
        io::ErrorKind::NotFound => {
            (NOT_FOUND, format!("`{name}` is not found; check its name, and PATH"))
        }
        io::ErrorKind::PermissionDenied => {
            (NOT_RUNNABLE, format!("`{name}` is no program that you may run; see `ls -l {name}`"))
        }
        _ => (NOT_RUNNABLE, format!("`{name}` can't be run ({error}); check what it is")),
    };
    Failure { exit: Exit::Program(code), message }
}

/// The file that will be run, as the search path has it; the name alone where it has none.
fn program(command: &[OsString]) -> PathBuf {
    let name = Path::new(command.first().map_or(OsStr::new(""), OsString::as_os_str));
    let runnable = |file: &PathBuf| {
        fs::metadata(file)
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    let folders = std::env::var_os("PATH").filter(|_| name.components().count() == 1);
    let folders = folders.iter().flat_map(std::env::split_paths);
    folders.map(|folder| folder.join(name)).find(runnable).unwrap_or_else(|| name.to_owned())
}
