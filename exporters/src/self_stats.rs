//! What the agent knows of itself and a snapshot doesn't tell.

use std::collections::{BTreeMap, BTreeSet};

use loop_core::snapshot::{Events, LoopSnapshot};

use crate::Compat;

/// Plain figures about the agent, passed to every exporter.
///
/// The keys of the maps are `&'static str` on purpose: they become label values, and a reason that
/// is written in the code can't make the number of series grow without bound, as an error's text
/// could.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SelfStats {
    /// What was built.
    pub build: Build,
    /// Targets by state now.
    pub targets: TargetCounts,
    /// Processes that can't be looked at, so that nobody knows whether they are targets; `None`:
    /// nobody looks for any.
    pub unseen: Option<u64>,
    /// Failed attempts to attach since the start, by reason.
    pub attach_errors: BTreeMap<&'static str, u64>,
    /// Events since the start by source (see [`loop_core::snapshot::Source::name`]).
    pub events: BTreeMap<&'static str, Events>,
    /// Failed exports since the start, by exporter and reason.
    pub export_failures: BTreeMap<(&'static str, &'static str), u64>,
    /// What was given up unsent since the start, by exporter and reason.
    pub export_dropped: BTreeMap<(&'static str, &'static str), u64>,
    /// Short windows at tier *full* since the start; `None`: none are ever opened.
    pub windows: Option<u64>,
    /// Windows that were wanted and not opened since the start, by reason.
    pub windows_refused: BTreeMap<&'static str, u64>,
    /// Who shares one place; `None`: whoever is the oldest where there are too many.
    pub folded: Option<Folded>,
    /// When the observation began, in nanoseconds since the Unix epoch: where every counter was 0.
    /// `None` where that isn't known.
    pub start_unix_ns: Option<u64>,
    /// The agent's own process.
    pub process: ProcessStats,
    /// The names of others under which metrics are exported, too.
    pub compat: Compat,
}

/// Processes whose loops are told as one, for lack of room for series of their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folded {
    /// Those that are in the snapshot. Their loops there are not told.
    pub pids: BTreeSet<u32>,
    /// What is told of them, and of those that are in it no longer, together: no total falls, and
    /// what was told in a place of their own is not in it.
    pub other: Option<LoopSnapshot>,
    /// What was told last of those that had a place of their own before, as loops that have ended.
    pub last: Vec<LoopSnapshot>,
}

/// What the kernel tells of the agent's process; `None` where it doesn't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessStats {
    /// CPU time, in nanoseconds.
    pub cpu_ns: Option<u64>,
    /// Memory that is in RAM.
    pub resident_bytes: Option<u64>,
    /// Address space.
    pub virtual_bytes: Option<u64>,
    /// Open file descriptors.
    pub open_fds: Option<u64>,
    /// The most file descriptors that it may open.
    pub max_fds: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
    /// When it was started, in nanoseconds since the Unix epoch.
    pub start_unix_ns: Option<u64>,
}

/// What was built, and by what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// Version of the program.
    pub version: &'static str,
    /// Revision of the source; empty where it isn't known.
    pub revision: &'static str,
    /// Version of the compiler; empty where it isn't known.
    pub rustc: &'static str,
}

/// How many targets are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetCounts {
    /// Observed.
    pub attached: u64,
    /// Found, but can't be observed.
    pub failed: u64,
    /// Found, not attached yet.
    pub pending: u64,
}
