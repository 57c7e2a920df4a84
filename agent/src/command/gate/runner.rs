//! Runs commands one at a time, each under observation, and makes a sample of each run.
//!
//! Cost: what `exec` costs to start and to end, some 100 ms a run.
//!
//! **Invariant**: of a run that is cut short no process is left, and its output was in a file
//! without a name. What a command that ends by itself leaves running is told, and is no run.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::ExitStatusExt;
use std::process::{self, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use loop_core::snapshot::Snapshot;

use super::command_line::CommandLine;
use crate::background::{Background, Tasks};
use crate::cli::{SourceArgs, SourceChoice, TierChoice};
use crate::command::cannot_start;
use crate::command::exec::{self, Gate, Running, Watch};
use crate::exit::{Exit, Failure};
use crate::gate::sample::TRACE_EVERY_NS;
use crate::gate::{Made, Sample};
use crate::recording::End;
use crate::source::{Observer, V8Trace, probes_can_be_set};
use crate::supervise::{self, Event, Outcome};

/// How much of the end of a command's output is shown when it fails.
const SHOWN_BYTES: u64 = 4 * 1024;
const SHOWN_LINES: usize = 40;

/// How long after a command's end the Ctrl-C that has ended it may be heard of.
const INTERRUPT_MAX: Duration = Duration::from_millis(200);

/// By as much the gate knows how many turns are the trace's own.
const _: () = assert!(V8Trace::ASKS_EVERY.as_nanos() >= TRACE_EVERY_NS as u128);

/// How commands are observed.
#[derive(Debug)]
pub struct Watched {
    /// By what.
    pub source: SourceArgs,
    /// How much of them; `None` is as much as can be.
    pub tier: Option<TierChoice>,
    /// A turn that lasts this long is a stall.
    pub stall_threshold_ns: u64,
    /// When to give up; `None` is never.
    pub timeout_ns: Option<u64>,
}

/// Runs commands.
#[derive(Debug)]
pub struct Runner {
    watched: Watched,
    sender: Sender<Event<ExitStatus>>,
    events: Receiver<Event<ExitStatus>>,
    deadline: Option<Instant>,
    background: Background,
}

/// A run that ended well.
#[derive(Debug)]
pub struct Run {
    /// What it showed.
    pub sample: Sample,
    /// The snapshot that tells so.
    pub snapshot: Snapshot,
    /// When it began, in nanoseconds since the Unix epoch.
    pub began_unix_ns: u64,
    /// How it ended.
    pub end: End,
    /// Node.js processes that had ended before they could be observed. Nothing is known of them.
    pub missed: u64,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ran {
    /// By itself, well.
    Done(Box<Run>),
    /// By itself, and not well.
    Failed {
        /// Its status, as people say it.
        status: String,
        /// The end of what it has written.
        output: String,
        /// What it has left running, and what else is to be known of it.
        notes: Vec<String>,
    },
    /// By a signal to us, or because the time was up.
    CutShort(Exit),
}

impl Runner {
    /// Makes ready to run commands. Signals that ask for an end are caught from now on. The way of
    /// observing is chosen here, once for all runs.
    ///
    /// # Errors
    /// When signals can't be caught.
    pub fn new(mut watched: Watched) -> Result<Runner, Failure> {
        if watched.source.source == SourceChoice::Auto {
            watched.source.source =
                if probes_can_be_set() { SourceChoice::Ebpf } else { SourceChoice::V8Trace };
        }
        let (sender, events) = channel();
        let interrupt = sender.clone();
        let on_interrupt = Box::new(move |by| interrupt.send(Event::Interrupted(by)).is_ok());
        let tasks = Tasks { on_interrupt: Some(on_interrupt), ..Tasks::default() };
        let background = Background::start(tasks).map_err(cannot_start)?;
        let deadline = supervise::deadline(watched.timeout_ns);
        Ok(Runner { watched, sender, events, deadline, background })
    }

    /// Runs a command once.
    ///
    /// # Errors
    /// When it can't be observed, or not be started.
    pub fn run(&self, command: &CommandLine) -> Result<Ran, Failure> {
        self.run_with(command, self.watched.stall_threshold_ns)
    }

    /// A turn that lasts this long is a stall.
    pub(super) fn stall_threshold_ns(&self) -> u64 {
        self.watched.stall_threshold_ns
    }

    /// The same with another threshold of stalls, in nanoseconds.
    ///
    /// # Errors
    /// As of [`Runner::run`].
    pub fn run_with(&self, command: &CommandLine, stall_threshold_ns: u64) -> Result<Ran, Failure> {
        // Ctrl-C reaches a process that waits to become the command as well.
        self.run_once(command, stall_threshold_ns)
            .or_else(|failure| self.cut_short().ok_or(failure))
    }

    fn run_once(&self, command: &CommandLine, stall_threshold_ns: u64) -> Result<Ran, Failure> {
        let Watched { source, tier, .. } = &self.watched;
        let own = command.variables().filter(|(name, _)| *name == "NODE_OPTIONS");
        let node_options = own.last().map(|(_, value)| value);
        let watch = Watch { source, tier: *tier, stall_threshold_ns, node_options };
        let observer = exec::observer(command.words(), &watch)?;
        let mut output = unnamed_file().map_err(|error| no_room(&error))?;
        let streams = output.try_clone().and_then(|out| Ok((out, output.try_clone()?)));
        let (stdout, stderr) = streams.map_err(|error| no_room(&error))?;
        let gate = Gate::prepared(command.words(), |gate| {
            gate.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
            gate.envs(command.variables()).envs(observer.environment());
        });
        let gate = gate.map_err(cannot_start)?;
        let pid = gate.pid();
        let observed = match observer.attach(pid, &command.program()) {
            Ok(observed) => observed,
            Err(failure) => {
                gate.close();
                return Err(failure);
            }
        };
        let began_unix_ns = unix_ns();
        let child = gate.open().map_err(|error| {
            observer.ended();
            Failure::run(exec::not_run(command.words(), &error).message)
        })?;
        let running = Running::watch(child, self.sender.clone()).map_err(cannot_start)?;
        let status = match self.wait(&running, observer.as_ref())? {
            Ok(status) => status,
            Err(exit) => {
                observer.ended();
                return Ok(Ran::CutShort(exit));
            }
        };
        let (notes, missed) = (observer.ended(), observer.missed());
        if !status.success() {
            return self.failed(status, &mut output, notes);
        }
        let snapshot = observed.snapshot();
        let is_alone = is_alone(&snapshot, pid);
        let cpu_ns = running.cpu_ns().filter(|_| is_alone);
        let is_seen = snapshot.targets.iter().any(|target| target.pid == pid);
        let first_turn = is_seen && observer.sees_first_turn();
        let from_start = is_alone && first_turn;
        let losses = notes.clone();
        let made = Made { cpu_ns, stall_threshold_ns, from_start, first_turn, losses };
        let sample = Sample::of(&snapshot, made);
        let status = Some(0);
        let end = End {
            unix_ns: unix_ns(),
            status,
            notes,
            cpu_ns,
            from_start,
            first_turn,
            ..End::default()
        };
        Ok(Ran::Done(Box::new(Run { sample, snapshot, began_unix_ns, end, missed })))
    }

    /// Ends: signals are no longer caught.
    pub fn stop(self) {
        self.background.stop();
    }

    /// Waits for the end of a command; makes it end when its time is up, or we are asked to.
    fn wait(
        &self,
        running: &Running,
        observer: &dyn Observer,
    ) -> Result<Result<ExitStatus, Exit>, Failure> {
        let cut_short = match supervise::wait(&self.events, self.deadline, || {}) {
            Outcome::Ended(Ok(status)) => return Ok(Ok(status)),
            Outcome::Ended(Err(error)) => return Err(exec::lost(&error)),
            Outcome::TimedOut => Exit::TimedOut,
            Outcome::Interrupted(by) => Exit::Interrupted(by),
        };
        exec::make_end(&self.events, running, observer);
        Ok(Err(cut_short))
    }

    /// What ended by itself has not, if it was Ctrl-C that has ended it.
    fn cut_short(&self) -> Option<Ran> {
        match self.events.recv_timeout(INTERRUPT_MAX) {
            Ok(Event::Interrupted(by)) => Some(Ran::CutShort(Exit::Interrupted(by))),
            _ => None,
        }
    }

    fn failed(
        &self,
        status: ExitStatus,
        output: &mut File,
        notes: Vec<String>,
    ) -> Result<Ran, Failure> {
        // Ctrl-C reaches the command as well, and it may have been faster than we.
        if let Some(cut_short) = self.cut_short() {
            return Ok(cut_short);
        }
        let output = last_lines(output).map_err(|error| no_room(&error))?;
        let status = match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "an unknown status".to_owned(),
        };
        Ok(Ran::Failed { status, output, notes })
    }
}

/// Whether the command itself is all that was observed.
fn is_alone(snapshot: &Snapshot, pid: u32) -> bool {
    matches!(snapshot.targets.as_slice(), [target] if target.pid == pid)
}

fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// A file that goes when it is closed.
fn unnamed_file() -> io::Result<File> {
    let nanos = unix_ns();
    let path = std::env::temp_dir().join(format!("loopscope-run-{}-{nanos}", process::id()));
    let file = OpenOptions::new().read(true).append(true).create_new(true).open(&path)?;
    fs::remove_file(path)?;
    Ok(file)
}

fn last_lines(file: &mut File) -> io::Result<String> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(SHOWN_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(SHOWN_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n"))
}

fn no_room(error: &io::Error) -> Failure {
    let folder = std::env::temp_dir();
    Failure::run(format!(
        "the command's output can't be kept in {} ({error}); set TMPDIR to a folder where it can",
        folder.display()
    ))
}
