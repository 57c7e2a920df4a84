//! Recordings: an observation as a file that is read later, elsewhere, or again.
//!
//! ```text
//! Snapshot, once a second ──> Writer ──> file: [head][stall][samples][snapshot][stall] ... [end]
//! file ──> read ──> Recording { head, snapshot, timeline, stalls, end } ──> report, profile, gate
//! ```
//!
//! `agent/docs/recording.md` draws the bytes. `block` frames them, `wire` says what they mean.
//!
//! A stall is written once, and again only if it has changed. The newest snapshot tells everything
//! since the beginning, so the end of the file is the report. When the file is as long as it may
//! be, `thin` says what of it goes, and it is written anew in the place of the old one.
//!
//! Cost: some 5 KB a second and loop, and up to 50 KB a stall with its samples.
//!
//! **Invariant**: a file that was cut at any byte behind its first 16 opens, and what is whole of
//! it is read. Bytes that were damaged lose their block alone.
//!
//! **Invariant**: what is read is equal to what was written, field by field.

mod block;
mod details;
mod error;
pub mod limits;
mod machine;
mod notes;
mod place;
mod reader;
mod store;
mod thin;
mod told;
mod wire;
mod writer;

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use loop_core::snapshot::{Snapshot, Stall};

pub use error::{NotRead, ReadError, cure};
pub use machine::{machine, quota_percent};
pub use place::{Place, PlaceError};
pub use reader::{parse, read};
pub use store::{FileStore, Store};
pub use told::STALLS_TOLD_MAX;
pub use writer::{Size, Writer};

/// The version of the format that is written, and the newest that is read.
pub const FORMAT_VERSION: u16 = 1;

/// What a recording tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// What was known before anything was observed.
    pub head: Head,
    /// The newest snapshot that is whole; an empty one where there is none. [`Recording::told`] has
    /// the stalls that it no longer lists, too.
    pub snapshot: Snapshot,
    /// What each snapshot that is left tells of its loops, oldest first.
    pub timeline: Vec<Tick>,
    /// The completed stalls that are left, oldest first, also those that the newest snapshot no
    /// longer lists.
    pub stalls: Vec<RecordedStall>,
    /// How it has ended; `None`: the recording was cut, or whoever made it was killed.
    pub end: Option<End>,
    /// What whoever made it had to leave out.
    pub dropped: Dropped,
    /// What could not be read of it.
    pub lost: Lost,
}

/// What is known before anything is observed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The version of loopscope that has made it.
    pub version: String,
    /// When the observation began, in nanoseconds since the Unix epoch.
    pub began_unix_ns: u64,
    /// The command that was observed; empty where processes were.
    pub command: Vec<String>,
    /// The processes that were observed; empty where a command was.
    pub pids: Vec<u32>,
    /// How long a turn had to last to be a stall.
    pub stall_threshold_ns: u64,
    /// What the machine is like: see [`machine`].
    pub machine: BTreeMap<String, String>,
    /// Whether names are hashes.
    pub redacted: bool,
    /// How often the gate had judged before it made this run of more pairs; 0 for all others.
    pub looks: u32,
}

/// One moment of the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// When, in nanoseconds since the Unix epoch, by a clock that may have been set meanwhile.
    pub unix_ns: u64,
    /// When, in nanoseconds since the observation began.
    pub wall_ns: u64,
    /// Each loop.
    pub loops: Vec<LoopTick>,
}

/// A loop at one moment. Counts and times are since the observation began.
#[derive(Clone, Debug, PartialEq)]
pub struct LoopTick {
    /// Which loop.
    pub whose: Whose,
    /// Completed turns.
    pub turns: Option<u64>,
    /// Microtasks run.
    pub microtasks: Option<u64>,
    /// Time in turns.
    pub active_ns: Option<u64>,
    /// Time waiting in the poll.
    pub idle_ns: Option<u64>,
    /// Active time as a share of active and idle time since the tick before, 0 to 1; `None` where
    /// that isn't known, or was none.
    pub utilization: Option<f64>,
    /// The age of its unfinished turn; 0 while it waits.
    pub open_turn_ns: u64,
    /// Completed stalls.
    pub stalls: u64,
    /// How long they lasted together.
    pub stall_ns: u64,
}

/// Which loop something is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Whose {
    /// Process id.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// `main`, `worker-N` or `other`.
    pub thread: Arc<str>,
}

/// A stall and its loop.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedStall {
    /// Which loop.
    pub whose: Whose,
    /// The stall.
    pub stall: Stall,
}

/// How an observation has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// When, in nanoseconds since the Unix epoch.
    pub unix_ns: u64,
    /// What loopscope exits with.
    pub exit_code: u8,
    /// The exit status of the command; `None` where there was none, or a signal has ended it.
    pub status: Option<u8>,
    /// The signal that has ended the command.
    pub signal: Option<i32>,
    /// Whether the command was made to end, as its time was up.
    pub timed_out: bool,
    /// What is to be known of how it was observed, a line each.
    pub notes: Vec<String>,
    /// Time of the command's main thread on a CPU, in nanoseconds; `None` where that wasn't asked
    /// for, as only the gate does.
    pub cpu_ns: Option<u64>,
    /// Whether the command was all that was observed, and from its first turn on; `false` where
    /// that wasn't asked for, as only the gate does.
    pub from_start: bool,
    /// Whether the command itself was observed from its first turn on, whatever it started;
    /// `false` where that wasn't asked for, as only the gate does.
    pub first_turn: bool,
}

/// What was observed and is not in the recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Snapshots that the timeline no longer has.
    pub snapshots: u64,
    /// Completed stalls for which there was no room.
    pub stalls: u64,
    /// Stalls for whose samples there was no room.
    pub samples: u64,
    /// Loops beyond those that one snapshot may have, in the snapshot that has most.
    pub loops: u64,
    /// Snapshots that could not be written.
    pub failed: u64,
    /// Processes beyond those that one snapshot may have, in the snapshot that has most.
    pub targets: u64,
    /// Lines of what is not seen of processes, beyond those that one may have, all processes of a
    /// snapshot together, in the snapshot that has most.
    pub limits: u64,
}

/// What of a recording could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Bytes at the end that are no whole block.
    pub cut_bytes: u64,
    /// Bytes in blocks that were damaged.
    pub damaged_bytes: u64,
    /// Blocks that were damaged, or say what can't be.
    pub damaged_blocks: u64,
    /// Blocks of kinds that this version does not know.
    pub unknown_blocks: u64,
    /// Stalls of the newest snapshot that are not there.
    pub stalls: u64,
    /// Stalls whose samples are not there.
    pub samples: u64,
    /// Ticks of the timeline that were too many.
    pub ticks: u64,
    /// The oldest stalls, which memory is not meant for.
    pub old_stalls: u64,
    /// The oldest stalls' samples, which memory is not meant for.
    pub old_samples: u64,
}

impl Whose {
    /// Whose this loop's are.
    pub fn of(of: &loop_core::snapshot::LoopSnapshot) -> Whose {
        Whose { pid: of.pid, tid: of.tid, thread: of.thread.as_str().into() }
    }
}

impl Dropped {
    /// Whether nothing is missing but moments of the timeline.
    pub fn is_whole(&self) -> bool {
        let Dropped { snapshots: _, stalls, samples, loops, failed, targets, limits } = *self;
        // Whoever has damaged a recording may have made them any numbers.
        [stalls, samples, loops, failed, targets, limits] == [0; 6]
    }
}
