//! What is observed, written into a recording once a second by a thread of its own.
//!
//! **Invariant**: a disk that is slow or full holds up nobody who waits for the end of an
//! observation, until the last snapshot is written.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use loop_core::snapshot::Snapshot;
use loop_core::units::{format_count, format_ns};

use super::cannot_start;
use super::output::Output;
use crate::cli::ObserveArgs;
use crate::exit::Failure;
use crate::recording::{End, Head, Place, Size, Writer, cure, machine};
use crate::source::Observe;
use crate::terminal::tell;

/// The name of the thread, as `top -H` shows it.
const THREAD_NAME: &str = "loopscope-rec";

/// How much of an observation is lost with a loopscope that is killed.
const EVERY: Duration = Duration::from_secs(1);

/// A file that was found good to record into.
pub(super) struct Blank {
    /// As it was named.
    path: PathBuf,
    place: Place,
    max_bytes: u64,
}

/// Where a report goes, as the options say. Of what is recorded `--output` is the recording, and
/// the report goes to `default`.
pub(super) fn output(
    args: &ObserveArgs,
    blank: Option<&Blank>,
    default: Output,
) -> Result<Output, Failure> {
    let path = args.output.as_deref().filter(|_| blank.is_none());
    Output::open(path, default)
}

/// A recording that is being made.
pub(super) struct Tape {
    path: PathBuf,
    stop: Sender<()>,
    thread: JoinHandle<Writer>,
}

impl Blank {
    /// Looks at the file now, so that an hour of observation does not end with nowhere to write to.
    pub(super) fn open(path: &Path, max_bytes: u64) -> Result<Blank, Failure> {
        let place = Place::open(path).map_err(Failure::usage)?;
        Ok(Blank { path: path.to_owned(), place, max_bytes })
    }

    /// Begins, in the place of a recording that was there. `head` lacks what is known here.
    pub(super) fn start(self, head: Head, observed: &Arc<dyn Observe>) -> Result<Tape, Failure> {
        let head = Head {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            began_unix_ns: now_unix_ns().saturating_sub(observed.snapshot().wall_ns),
            machine: machine(),
            ..head
        };
        let Blank { path, place, max_bytes } = self;
        let created = Writer::create(place, &head, max_bytes);
        let writer = created.map_err(|error| {
            let (path, cure) = (path.display(), cure(&error));
            Failure::run(format!("{path} can't be written ({error}); {cure}"))
        })?;
        let (stop, stopped) = channel();
        let (observed, name) = (Arc::clone(observed), path.clone());
        let body = move || record(writer, observed.as_ref(), &name, &stopped);
        let thread = thread::Builder::new().name(THREAD_NAME.to_owned()).spawn(body);
        Ok(Tape { path, stop, thread: thread.map_err(cannot_start)? })
    }
}

/// The body of the thread.
fn record(
    mut writer: Writer,
    observed: &dyn Observe,
    path: &Path,
    stopped: &Receiver<()>,
) -> Writer {
    let mut is_told = false;
    loop {
        let added = writer.add(now_unix_ns(), &observed.snapshot());
        if let Err(error) = added
            && !std::mem::replace(&mut is_told, true)
        {
            let (path, cure) = (path.display(), cure(&error));
            tell(&format!("{path} can't be written now ({error}); {cure}"));
        }
        match stopped.recv_timeout(EVERY) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return writer,
        }
    }
}

impl Tape {
    /// Writes the last snapshot and how it has ended, and tells what was recorded.
    pub(super) fn finish(self, end: End, snapshot: &Snapshot) -> Result<(), Failure> {
        // An error means that the thread has gone, which the next line tells.
        let _ = self.stop.send(());
        let Ok(writer) = self.thread.join() else {
            return Err(Failure::run("what was observed is no longer recorded; record it again"));
        };
        let end = End { unix_ns: now_unix_ns(), ..end };
        let path = self.path.display();
        let finished = writer.finish(&end, snapshot).map_err(|error| {
            Failure::run(format!(
                "{path} can't be written ({error}); it has what was recorded before"
            ))
        });
        let (size, _) = finished?;
        tell(&format!("{path} has {}; `loopscope report {path}` tells it", told(size, snapshot)));
        for line in size.dropped.lines() {
            tell(&line);
        }
        Ok(())
    }
}

/// What is in it, and how long it is.
fn told(size: Size, snapshot: &Snapshot) -> String {
    let stalls: u64 = snapshot.loops.iter().map(|of| of.stall_totals.total_count()).sum();
    let stalls = match stalls {
        1 => "1 stall".to_owned(),
        count => format!("{} stalls", format_count(count)),
    };
    let kib = format_count(size.bytes.div_ceil(1 << 10));
    format!("{} and {stalls} in {kib} KiB", format_ns(snapshot.wall_ns))
}

fn now_unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
