//! A stall, where its time went, and who is to blame.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Counters, Profile};
use crate::phase::Phase;

/// A turn that held up its loop for at least the stall threshold.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Stall {
    /// When it began, in nanoseconds since the Unix epoch; nanoseconds of virtual time where the
    /// clock is virtual.
    pub start_unix_ns: u64,
    /// How long it lasted, or has lasted so far.
    pub duration_ns: u64,
    /// Whether it was still going on when the snapshot was taken.
    pub running: bool,
    /// The phase in which most of it was spent. `None`: outside of any phase, as in a main script.
    pub phase: Option<Phase>,
    /// Callbacks that ran in that phase; `None` where they aren't counted and while it goes on.
    pub callbacks: Option<u64>,
    /// Microtasks that ran in it; `None` where they aren't counted.
    pub microtasks: Option<u64>,
    /// Whose callbacks came and went all the time, where samples tell and callbacks aren't counted.
    #[serde(skip)]
    pub repeated: Option<Repeated>,
    /// Where the time went.
    pub ledger_ns: Ledger,
    /// What the kernel counted for the loop's thread in it, and up to a millisecond before.
    pub counters: Counters,
    /// The function to look at, where it is known.
    pub culprit: Option<Culprit>,
    /// What the thread was seen waiting for, longest first; `None` where that isn't looked at.
    pub waits: Option<Vec<Wait>>,
    /// The longest drain of microtasks in it; `None` where that isn't counted, or there was none.
    pub drain: Option<LongestDrain>,
    /// The stack most often seen, outermost caller last; `None` where stacks aren't taken.
    pub stack: Option<Vec<String>>,
    /// Its samples, for profiles; `None` where stacks aren't taken. No part of the report.
    #[serde(skip)]
    pub profile: Option<Arc<Profile>>,
}

impl Stall {
    /// Whether hardly anything was seen of where its time went. Then a phase that is missing was
    /// not seen, either.
    pub fn is_dark(&self) -> bool {
        let unknown_ns = self.ledger_ns.get(LedgerKey::Unknown).unwrap_or(0);
        unknown_ns > 0 && self.ledger_ns.cause() == LedgerKey::Unknown
    }
}

/// The function that holds up the loop.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Culprit {
    /// Name of the function.
    pub function: String,
    /// File or URL it is in.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Share of the stall's samples that have it on the stack, 0 to 1.
    pub share: f64,
    /// How many samples those are a share of; `None` where that isn't counted.
    #[serde(skip)]
    pub samples: Option<u64>,
    /// The anonymous or native function below it in which the time was spent.
    pub hot_leaf: Option<String>,
}

/// A drain of microtasks.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct LongestDrain {
    /// How many ran in it.
    pub jobs: u64,
    /// How many of them waited when it began; the others were queued while it ran. `None`: not
    /// known.
    pub queued: Option<u64>,
    /// The most that were seen waiting at once. `None`: not known.
    pub waiting_max: Option<u64>,
    /// Whether the queue grew while the drain ran, so that what ran grew with its square.
    #[serde(skip)]
    pub is_square: bool,
    /// Where its time went by the samples, most first.
    pub reactions: Vec<Reaction>,
}

/// A function that ran as a microtask: a reaction of a promise, the rest of an async function, or
/// what `queueMicrotask` was given.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Reaction {
    /// Its name; empty for one that has none.
    pub function: String,
    /// The file it is in.
    pub file: String,
    /// The line where it begins, or where it was seen, from 1.
    pub line: u32,
    /// Its share of the samples in drains, 0 to 1.
    pub share: f64,
}

/// Of which kind callbacks are that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Repeated {
    /// Those of `process.nextTick`.
    Ticks,
    /// Timers.
    Timers,
    /// Events: of sockets, files, the thread pool.
    Events,
    /// Immediates.
    Immediates,
}

/// What a thread was waiting for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Wait {
    /// The system call, by its name, or why it could not run.
    pub call: String,
    /// The file, socket or child, where that is known.
    pub subject: Option<String>,
    /// For how long, as far as it was seen, in nanoseconds.
    pub duration_ns: u64,
}

/// What a loop's time can go to. A moment belongs to the first key that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum LedgerKey {
    /// The whole process was stopped or suspended.
    Frozen,
    /// The CPU quota was used up.
    Throttled,
    /// Runnable, but the CPU was given to others.
    RunQueue,
    /// Waiting in a synchronous system call. On the embedded loop any wait, also for a lock, and
    /// the time in which a signal had stopped the process: the kernel tells them not apart.
    SyncIo,
    /// Waiting for a lock.
    LockWait,
    /// Garbage collection.
    Gc,
    /// Promise reactions and `queueMicrotask` callbacks.
    Microtasks,
    /// `process.nextTick` callbacks.
    Ticks,
    /// Native code in a callback.
    Native,
    /// JavaScript in a callback.
    Javascript,
    /// What no key accounts for.
    Unknown,
}

/// How many keys a ledger has.
const KEYS: usize = 11;

impl LedgerKey {
    /// Every key, in order of precedence.
    pub const ALL: [LedgerKey; KEYS] = [
        LedgerKey::Frozen,
        LedgerKey::Throttled,
        LedgerKey::RunQueue,
        LedgerKey::SyncIo,
        LedgerKey::LockWait,
        LedgerKey::Gc,
        LedgerKey::Microtasks,
        LedgerKey::Ticks,
        LedgerKey::Native,
        LedgerKey::Javascript,
        LedgerKey::Unknown,
    ];

    /// The name in labels and in the report.
    pub const fn name(self) -> &'static str {
        match self {
            LedgerKey::Frozen => "frozen",
            LedgerKey::Throttled => "throttled",
            LedgerKey::RunQueue => "run_queue",
            LedgerKey::SyncIo => "sync_io",
            LedgerKey::LockWait => "lock_wait",
            LedgerKey::Gc => "gc",
            LedgerKey::Microtasks => "microtasks",
            LedgerKey::Ticks => "ticks",
            LedgerKey::Native => "native",
            LedgerKey::Javascript => "javascript",
            LedgerKey::Unknown => "unknown",
        }
    }
}

/// Where a stall's time went: disjoint parts that sum to its duration. `None`: not told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger([Option<u64>; KEYS]);

impl Ledger {
    /// Sets one part, in nanoseconds.
    #[must_use]
    pub fn with(mut self, key: LedgerKey, ns: u64) -> Self {
        self.0[key as usize] = Some(ns);
        self
    }

    /// One part, in nanoseconds.
    pub fn get(&self, key: LedgerKey) -> Option<u64> {
        self.0[key as usize]
    }

    /// The sum of all known parts, in nanoseconds.
    pub fn total_ns(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    /// The largest part; on a tie the one of higher precedence. `Unknown` where nothing is known.
    pub fn cause(&self) -> LedgerKey {
        let known = LedgerKey::ALL.into_iter().filter_map(|key| Some((key, self.get(key)?)));
        let largest = known.reduce(|best, next| if next.1 > best.1 { next } else { best });
        largest.map_or(LedgerKey::Unknown, |(key, _)| key)
    }

    /// Each key with its part.
    pub fn iter(&self) -> impl Iterator<Item = (LedgerKey, Option<u64>)> {
        LedgerKey::ALL.into_iter().zip(self.0)
    }
}

impl Serialize for Ledger {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(KEYS))?;
        for (key, ns) in self.iter() {
            map.serialize_entry(key.name(), &ns)?;
        }
        map.end()
    }
}

/// Completed stalls by cause since the observation began: how many, and how long together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CauseTotals([(u64, u64); KEYS]);

impl CauseTotals {
    /// Counts one stall of this cause and duration.
    pub fn add(&mut self, cause: LedgerKey, duration_ns: u64) {
        self.set(cause, self.count(cause) + 1, self.duration_ns(cause) + duration_ns);
    }

    /// Sets the totals of one cause.
    pub fn set(&mut self, cause: LedgerKey, count: u64, duration_ns: u64) {
        self.0[cause as usize] = (count, duration_ns);
    }

    /// How many stalls had this cause.
    pub fn count(&self, cause: LedgerKey) -> u64 {
        self.0[cause as usize].0
    }

    /// How long stalls of this cause lasted together, in nanoseconds.
    pub fn duration_ns(&self, cause: LedgerKey) -> u64 {
        self.0[cause as usize].1
    }

    /// All stalls.
    pub fn total_count(&self) -> u64 {
        self.0.iter().map(|(count, _)| count).sum()
    }

    /// Adds the totals of another loop.
    pub fn merge(&mut self, other: &CauseTotals) {
        for (ours, theirs) in self.0.iter_mut().zip(&other.0) {
            *ours = (ours.0 + theirs.0, ours.1 + theirs.1);
        }
    }

    pub(super) fn since(&self, earlier: &CauseTotals) -> CauseTotals {
        let sub = |i: usize| {
            let (now, then) = (self.0[i], earlier.0[i]);
            (now.0.saturating_sub(then.0), now.1.saturating_sub(then.1))
        };
        CauseTotals(std::array::from_fn(sub))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_part_is_the_cause_and_precedence_breaks_ties() {
        let ledger = Ledger::default().with(LedgerKey::Native, 5).with(LedgerKey::Microtasks, 5);
        assert_eq!(ledger.cause(), LedgerKey::Microtasks);
        assert_eq!(ledger.with(LedgerKey::Native, 6).cause(), LedgerKey::Native);
        assert_eq!(Ledger::default().cause(), LedgerKey::Unknown);
    }

    #[test]
    fn a_ledger_names_every_key_and_leaves_the_unseen_null() {
        let json = serde_json::to_value(Ledger::default().with(LedgerKey::Ticks, 7)).unwrap();
        assert_eq!(json.as_object().unwrap().len(), KEYS);
        assert_eq!(json["ticks"], 7);
        assert!(json["gc"].is_null());
    }
}
