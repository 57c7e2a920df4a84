//! The waist of the system: a plain value that says what loops did, whatever source observed them.
//!
//! ```text
//! source -> recorder -> Snapshot -> exporters, diagnosis, report, gate
//! ```
//!
//! Everything downstream takes `&Snapshot`. It has public fields, does no I/O and reads no clock.
//! It serializes as the body of the JSON report (`targets`, `loops`, `events`, `wall_ns`, `clock`).
//!
//! Cost: about 8 KB a histogram, 18 histograms a loop.
//!
//! **Invariant**: what a source can't see is `None` (JSON `null`), never zero.

mod arrival;
mod counters;
mod histogram;
mod loops;
mod observed;
mod profile;
mod stall;
mod summary;
mod target;

pub use arrival::arrival_delay;
pub use counters::Counters;
pub use histogram::Histogram;
pub use loops::{
    Drain, LoopSnapshot, OpenTurn, Queue, Stopped, StoppedBy, ThreadCpu, ThreadPoolSnapshot,
};
pub use observed::Observed;
pub use profile::{Profile, ProfileFrame, Sample, SampleState};
pub use stall::{
    CauseTotals, Culprit, Ledger, LedgerKey, LongestDrain, Reaction, Repeated, Stall, Wait,
};
pub use summary::Summary;
pub use target::{Limit, Runtime, Source, Target, Tier};

use serde::Serialize;

/// What all observed loops did between the start of the observation and one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// How long the observation has lasted, in nanoseconds of `clock`.
    pub wall_ns: u64,
    /// The clock behind every time in this snapshot.
    pub clock: ClockKind,
    /// How many events the sources saw, kept and dropped.
    pub events: Events,
    /// The observed processes.
    pub targets: Vec<Target>,
    /// The observed loops.
    pub loops: Vec<LoopSnapshot>,
}

impl Snapshot {
    /// A snapshot in which nothing has been observed yet.
    pub fn empty(clock: ClockKind) -> Self {
        Snapshot {
            wall_ns: 0,
            clock,
            events: Events::default(),
            targets: Vec::new(),
            loops: Vec::new(),
        }
    }

    /// Adds what `other` observed: loops of the same process and thread are merged, others are
    /// appended. Associative, and commutative but for the order of loops and targets.
    pub fn merge(&mut self, other: &Snapshot) {
        self.wall_ns = self.wall_ns.max(other.wall_ns);
        self.events.merge(other.events);
        for target in &other.targets {
            if !self.targets.iter().any(|t| t.pid == target.pid) {
                self.targets.push(target.clone());
            }
        }
        for theirs in &other.loops {
            match self.loops.iter_mut().find(|ours| ours.same_loop(theirs)) {
                Some(ours) => ours.merge(theirs),
                None => self.loops.push(theirs.clone()),
            }
        }
    }

    /// What happened after `earlier`, an older snapshot of the same observation. Loops that
    /// `earlier` does not know are taken whole.
    pub fn since(&self, earlier: &Snapshot) -> Snapshot {
        let loops = self.loops.iter().map(|now| {
            earlier
                .loops
                .iter()
                .find(|then| then.same_loop(now))
                .map_or_else(|| now.clone(), |then| now.since(then))
        });
        Snapshot {
            wall_ns: self.wall_ns.saturating_sub(earlier.wall_ns),
            clock: self.clock,
            events: self.events.since(earlier.events),
            targets: self.targets.clone(),
            loops: loops.collect(),
        }
    }
}

/// Which clock stands behind the times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockKind {
    /// The machine's monotonic clock.
    Real,
    /// A clock that moves only when the loop waits or a workload declares a cost.
    Virtual,
}

/// Events (completed stalls) that sources saw. `seen == kept + dropped` always holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Events {
    /// All of them.
    pub seen: u64,
    /// Those whose details are in the snapshot.
    pub kept: u64,
    /// Those whose details were overwritten by newer ones. Counters and histograms hold them.
    pub dropped: u64,
}

impl Events {
    /// Adds the counts of another source.
    pub fn merge(&mut self, other: Events) {
        self.seen += other.seen;
        self.kept += other.kept;
        self.dropped += other.dropped;
    }

    fn since(self, earlier: Events) -> Events {
        let seen = self.seen.saturating_sub(earlier.seen);
        let dropped = self.dropped.saturating_sub(earlier.dropped).min(seen);
        Events { seen, dropped, kept: seen - dropped }
    }
}
