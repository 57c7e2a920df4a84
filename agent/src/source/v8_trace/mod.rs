//! V8's own trace events, of each Node.js process of a command that we start.
//!
//! ```text
//! NODE_OPTIONS ──> each process ──> PID-N.json ──> Reader ──> Pieces ──> Event ──> Turns
//!                                   (Folder)                             ──> LoopSnapshot
//! ```
//!
//! No rights are needed, and nothing in the program changes. Turns, drains, pauses for garbage
//! collection, the check and the timers phase are exact, to the microsecond. When the poll stops to
//! wait is not traced, so there is no duration of turns and none of waits, and no utilization; a
//! stall in the poll's callbacks is known by its CPU time. Node keeps its trace in memory: it is
//! asked for once a second, which takes one callback of the main thread's loop. Meanwhile worker
//! threads are not traced, and the process is told to be sampled.
//!
//! Cost for the program: `loopscope-bench`'s `v8_trace` measures it; see `agent/docs/v8-trace.md`.
//!
//! **Invariant**: nothing is written to the program's output, and the folder is removed when the
//! observation ends, however it ends.

mod delays;
mod event;
mod folder;
mod part;
mod pieces;
mod process;
mod reader;
mod turns;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use loop_core::snapshot::{ClockKind, Events, Snapshot};

use super::{Observe, Observer};
use crate::exit::Failure;
use folder::Folder;
use process::{Process, Scales, Thread};
use reader::{ASK_EVERY, Reader, Seen, TICK, lock, monotonic_ns, unix_ns};

/// The name of the thread that reads traces, as `top -H` shows it.
const THREAD_NAME: &str = "loopscope-trace";

/// Observes a command by V8's trace events.
#[derive(Debug)]
pub struct V8Trace {
    options: OsString,
    command: String,
    seen: Arc<Mutex<Seen>>,
    reader: Mutex<Reading>,
}

/// Who has the reader.
#[derive(Debug)]
enum Reading {
    Idle(Option<Reader>),
    Runs(Sender<Ask>, JoinHandle<Reader>),
}

/// What the reader's thread is asked for. It answers when it has done it.
#[derive(Debug)]
struct Ask {
    answer: Sender<()>,
}

/// What was seen until now.
#[derive(Debug)]
struct Observed {
    seen: Arc<Mutex<Seen>>,
    started: Instant,
}

impl V8Trace {
    /// A process is asked for its trace no more often, and first when so much time has gone by.
    pub const ASKS_EVERY: Duration = ASK_EVERY;

    /// Makes ready to observe `command`, which is to have the options `own` of Node.js. A turn of
    /// `stall_threshold_ns` is a stall.
    ///
    /// # Errors
    /// When there is no place for traces.
    pub fn new(
        command: &[OsString],
        own: &OsStr,
        stall_threshold_ns: u64,
    ) -> Result<V8Trace, Failure> {
        let folder = Folder::make().map_err(|error| no_room(&error))?;
        let before = own.to_str().ok_or_else(|| {
            Failure::usage("NODE_OPTIONS is not valid UTF-8; v8-trace adds its own options to it")
        })?;
        let hands_over = !is_confined(command, before);
        let options = folder.node_options(before, hands_over).ok_or_else(|| {
            let invalid = io::Error::new(io::ErrorKind::InvalidFilename, "it is not UTF-8");
            no_room(&invalid)
        })?;
        let unix_offset_ns = unix_ns().saturating_sub(monotonic_ns());
        let seen = Arc::default();
        let scales = Scales { stall_threshold_ns, unix_offset_ns };
        let reader = Reader::new(folder, Arc::clone(&seen), scales);
        let program = command.first().map(|program| program.to_string_lossy().into_owned());
        Ok(V8Trace {
            options: options.into(),
            command: program.unwrap_or_default(),
            seen,
            reader: Mutex::new(Reading::Idle(Some(reader))),
        })
    }

    fn notes(&self) -> Vec<String> {
        let seen = lock(&self.seen);
        let mut notes: Vec<String> = seen.processes.values().filter_map(note).collect();
        if !seen.processes.values().any(Process::is_node) {
            notes.push(format!(
                "no trace came from `{}`: is it Node.js? What clears NODE_OPTIONS, or has its own \
                 trace options, can't be observed by v8-trace",
                self.command
            ));
        }
        if seen.left_out > 0 {
            notes.push(format!("{} more Node.js processes were left out", seen.left_out));
        }
        notes
    }
}

/// What is missing of a process.
fn note(process: &Process) -> Option<String> {
    let pid = process.pid;
    let ended = match process::main_thread(pid) {
        Thread::Gone if process.closed => None,
        Thread::Gone => Some(format!(
            "process {pid} was killed: what it did in its last {} s or less is not in the report",
            ASK_EVERY.as_secs()
        )),
        _ => Some(format!("process {pid} still runs; the report ends here")),
    };
    let lost = match process.lost() {
        0 => None,
        1 => Some(format!("1 trace event of process {pid} can't be read or lacks an end")),
        lost => Some(format!("{lost} trace events of process {pid} can't be read or lack an end")),
    };
    let gaps = process.has_gaps().then(|| {
        format!("workers of process {pid} were not traced while it handed its trace over")
    });
    let notes: Vec<String> = ended.into_iter().chain(gaps).chain(lost).collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

impl Observer for V8Trace {
    fn environment(&self) -> Vec<(&'static str, OsString)> {
        vec![("NODE_OPTIONS", self.options.clone())]
    }

    fn attach(&self, _pid: u32, _program: &Path) -> Result<Arc<dyn Observe>, Failure> {
        let mut reading = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Reading::Idle(reader) = &mut *reading
            && let Some(reader) = reader.take()
        {
            let (asks, asked) = channel();
            let thread = thread::Builder::new().name(THREAD_NAME.to_owned());
            let thread = thread
                .spawn(move || follow(reader, &asked))
                .map_err(|error| Failure::run(format!("no thread can be made ({error})")))?;
            *reading = Reading::Runs(asks, thread);
        }
        Ok(Arc::new(Observed { seen: Arc::clone(&self.seen), started: Instant::now() }))
    }

    /// Each process writes its trace from its beginning on.
    fn sees_first_turn(&self) -> bool {
        true
    }

    fn ending(&self) {
        let reading = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Reading::Runs(asks, _) = &*reading {
            let (answer, answered) = channel();
            if asks.send(Ask { answer }).is_ok() {
                // An error means that the thread is gone, and with it what could be waited for.
                let _ = answered.recv();
            }
        }
    }

    fn ended(&self) -> Vec<String> {
        lock(&self.seen).ended = Some(Instant::now());
        let mut reading = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = std::mem::replace(&mut *reading, Reading::Idle(None));
        let reader = match reading {
            Reading::Runs(asks, thread) => {
                // The thread ends when nobody can ask it any more.
                drop(asks);
                thread.join().ok()
            }
            Reading::Idle(reader) => reader,
        };
        let left = reader.and_then(|mut reader| {
            reader.gather();
            reader.folder.leave().then(|| reader.folder.path().display().to_string())
        });
        lock(&self.seen).processes.values_mut().for_each(Process::end);
        let mut notes = self.notes();
        notes.extend(left.map(|folder| {
            format!("what the command has left running needs {folder}; remove it when it has ended")
        }));
        notes
    }
}

/// The body of the reader's thread.
fn follow(mut reader: Reader, asked: &Receiver<Ask>) -> Reader {
    loop {
        match asked.recv_timeout(TICK) {
            Err(RecvTimeoutError::Timeout) => reader.tick(),
            Ok(Ask { answer }) => {
                reader.gather();
                // Who has asked may have gone.
                let _ = answer.send(());
            }
            Err(RecvTimeoutError::Disconnected) => return reader,
        }
    }
}

impl Observe for Observed {
    fn snapshot(&self) -> Snapshot {
        let seen = lock(&self.seen);
        let end = seen.ended.unwrap_or_else(Instant::now);
        let wall = end.saturating_duration_since(self.started);
        let known = || seen.processes.values().filter(|process| process.is_node());
        let loops: Vec<_> = known().flat_map(Process::loops).collect();
        let stalls: u64 = loops.iter().map(|of| of.stall_totals.total_count()).sum();
        let dropped = known().map(Process::dropped).sum();
        Snapshot {
            wall_ns: u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX),
            clock: ClockKind::Real,
            events: Events { seen: stalls, kept: stalls.saturating_sub(dropped), dropped },
            targets: known().map(Process::target).collect(),
            loops,
        }
    }
}

/// Whether Node's permission model is on: what we have loaded first could not be read, and the
/// program would not start. Its trace comes when it ends.
fn is_confined(command: &[OsString], node_options: &str) -> bool {
    let confines = |word: &OsStr| word == "--permission" || word == "--experimental-permission";
    let words = node_options.split_ascii_whitespace().map(OsStr::new);
    command.iter().map(OsString::as_os_str).chain(words).any(confines)
}

fn no_room(error: &io::Error) -> Failure {
    let folder = std::env::temp_dir();
    Failure::run(format!(
        "no folder for traces can be made in {} ({error}); set TMPDIR to one where it can",
        folder.display()
    ))
}
