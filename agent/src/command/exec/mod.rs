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
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use loop_core::snapshot::Tier;
use rustix::process::Signal;

use super::cannot_start;
use super::output::Output;
use super::tape::{self, Blank};
use super::ways::Ways;
use crate::cli::{ExecArgs, SourceArgs, SourceChoice, TierChoice};
use crate::exit::{Exit, Failure};
use crate::recording::{self, Head};
use crate::report::CommandRun;
use crate::source::{LiveCommand, LiveOptions, Observer, V8Trace, probes_can_be_set};
use crate::supervise::{self, Event, Outcome};
use crate::terminal::tell;
pub(super) use gate::{Gate, pass as pass_gate};
pub(super) use running::Running;
use signals::{Signals, Status};

/// How long a command may take to end when its time is up. Then it is killed.
const END_MAX: Duration = Duration::from_secs(2);

/// Statuses of a shell for what it can't run.
const NOT_FOUND: u8 = 127;
const NOT_RUNNABLE: u8 = 126;

/// Observes, and records onto `blank`.
pub(super) fn execute(args: &ExecArgs, blank: Option<Blank>) -> Result<Exit, Failure> {
    let output = tape::output(&args.observe, blank.as_ref(), Output::Stderr)?;
    let ways = Ways::open_to(&args.observe, output)?;
    let head = head(args, &ways);
    let observer = observer(&args.command, &watch(args))?;
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
    let tape = blank.and_then(|blank| or_tell(blank.start(head, &observed)));
    let (sender, events) = channel();
    let running = Running::watch(child, sender).map_err(cannot_start)?;
    let status = Status::new();
    signals.pass_on(running.clone(), status.clone()).map_err(cannot_start)?;
    let end = wait(args, &events, &running, observer.as_ref())?;
    let run = told.command(end.run(args, observer.ended()));
    let snapshot = observed.snapshot();
    if let Some(tape) = tape {
        or_tell(tape.finish(end.recorded(run.clone()), &snapshot));
    }
    status.set(end.exit().code());
    or_tell(told.tell(&snapshot, Some(&run)));
    background.stop();
    Ok(end.exit())
}

/// Tells what has failed beside the command: the status is the command's, as it has run.
fn or_tell<T>(result: Result<T, Failure>) -> Option<T> {
    result.inspect_err(|failure| tell(&failure.message)).ok()
}

/// What a recording of it begins with.
fn head(args: &ExecArgs, ways: &Ways) -> Head {
    let words = args.command.iter().map(|word| ways.name(&word.to_string_lossy()));
    Head {
        command: words.collect(),
        stall_threshold_ns: args.observe.stall_threshold_ns,
        redacted: args.observe.redact,
        ..Head::default()
    }
}

/// How a command is observed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch<'a> {
    pub(super) source: &'a SourceArgs,
    /// `None`: as much as can be.
    pub(super) tier: Option<TierChoice>,
    pub(super) stall_threshold_ns: u64,
    /// The command's own options of Node.js; `None`: those that we were started with.
    pub(super) node_options: Option<&'a OsStr>,
}

fn watch(args: &ExecArgs) -> Watch<'_> {
    let stall_threshold_ns = args.observe.stall_threshold_ns;
    Watch { source: &args.source, tier: args.tier, stall_threshold_ns, node_options: None }
}

/// Who observes.
pub(super) fn observer(
    command: &[OsString],
    watch: &Watch<'_>,
) -> Result<Box<dyn Observer>, Failure> {
    match watch.source.source {
        SourceChoice::Ebpf => Ok(Box::new(LiveCommand::new(live_options(watch)))),
        SourceChoice::Auto if probes_can_be_set() => {
            Ok(Box::new(LiveCommand::new(live_options(watch))))
        }
        SourceChoice::V8Trace if watch.source.source_maps => {
            Err(Failure::usage("v8-trace tells no functions; leave --source-maps out"))
        }
        SourceChoice::Auto | SourceChoice::V8Trace => match watch.tier {
            None | Some(TierChoice::Full) => {
                let own = watch.node_options.map(OsStr::to_os_string);
                let own = own.or_else(|| std::env::var_os("NODE_OPTIONS")).unwrap_or_default();
                Ok(Box::new(V8Trace::new(command, &own, watch.stall_threshold_ns)?))
            }
            Some(TierChoice::Passive | TierChoice::Turn) => {
                Err(Failure::usage("v8-trace has the tier full alone; leave --tier out"))
            }
        },
    }
}

fn live_options(watch: &Watch<'_>) -> LiveOptions {
    LiveOptions {
        stall_threshold_ns: watch.stall_threshold_ns,
        tier: watch.tier.map_or(Tier::Full, Tier::from),
        least: match watch.tier {
            Some(TierChoice::Passive) => Tier::Passive,
            _ => Tier::Turn,
        },
        children: true,
        budget_ratio: watch.source.overhead_budget / 100.0,
        windows_ratio: None,
        source_maps: watch.source.source_maps,
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

    /// What is told of it, with what is to be known of how it was observed.
    fn run(&self, args: &ExecArgs, notes: Vec<String>) -> CommandRun {
        let words = args.command.iter().map(|word| word.to_string_lossy().into_owned());
        CommandRun {
            arguments: words.collect(),
            status: self.status.code().map(|code| code.to_le_bytes()[0]),
            signal: self.status.signal(),
            timed_out: self.timed_out,
            notes,
        }
    }

    /// What a recording says of it.
    fn recorded(&self, run: CommandRun) -> recording::End {
        let CommandRun { arguments: _, status, signal, timed_out, notes } = run;
        let exit_code = self.exit().code();
        recording::End { exit_code, status, signal, timed_out, notes, ..recording::End::default() }
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
        outcome = make_end(events, running, observer);
    }
    match outcome {
        Outcome::Ended(Ok(status)) => Ok(End { status, timed_out }),
        Outcome::Ended(Err(error)) => Err(lost(&error)),
        Outcome::Interrupted(_) | Outcome::TimedOut => Err(lost(&io::ErrorKind::TimedOut.into())),
    }
}

/// Makes the command end, and all processes below it.
pub(super) fn make_end(
    events: &Receiver<Event<ExitStatus>>,
    running: &Running,
    observer: &dyn Observer,
) -> Outcome<ExitStatus> {
    observer.ending();
    running.send_to_all(Signal::TERM);
    // One that is stopped would not hear of it.
    running.send_to_all(Signal::CONT);
    let grace = u64::try_from(END_MAX.as_nanos()).ok();
    if let ended @ Outcome::Ended(_) = supervise::wait(events, supervise::deadline(grace), || {}) {
        return ended;
    }
    running.send_to_all(Signal::KILL);
    loop {
        if let ended @ Outcome::Ended(_) = supervise::wait(events, None, || {}) {
            return ended;
        }
    }
}

pub(super) fn lost(error: &io::Error) -> Failure {
    Failure::run(format!("how the command has ended can't be found out ({error}); run it again"))
}

/// Why the command was not run: the status is the one that a shell has for it.
pub(super) fn not_run(command: &[OsString], error: &io::Error) -> Failure {
    let name = command.first().map_or(OsStr::new(""), OsString::as_os_str).to_string_lossy();
    let (code, message) = match error.kind() {
        io::ErrorKind::NotFound if assignment(&name).is_some() => {
            let first = command.get(1).map_or("CMD".into(), |word| word.to_string_lossy());
            let cure = format!("write `env` before it, as in `env {name} {first}`");
            (NOT_FOUND, format!("`{name}` is a variable and no program; {cure}"))
        }
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

/// `NAME=VALUE`, which a shell takes before a command.
pub(super) fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let first = name.chars().next()?;
    let is_name = name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    (is_name && !first.is_ascii_digit()).then_some((name, value))
}

/// The file that will be run, as our search path has it; the name alone where it has none.
pub(super) fn program(command: &[OsString]) -> PathBuf {
    program_on(command, std::env::var_os("PATH").as_deref())
}

/// The same of another search path.
pub(super) fn program_on(command: &[OsString], path: Option<&OsStr>) -> PathBuf {
    let name = Path::new(command.first().map_or(OsStr::new(""), OsString::as_os_str));
    let runnable = |file: &PathBuf| {
        fs::metadata(file)
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    let folders = path.filter(|_| name.components().count() == 1);
    let folders = folders.into_iter().flat_map(std::env::split_paths);
    folders.map(|folder| folder.join(name)).find(runnable).unwrap_or_else(|| name.to_owned())
}
