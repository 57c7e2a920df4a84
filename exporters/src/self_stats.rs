//! What the agent knows of itself and a snapshot doesn't tell.

use std::collections::BTreeMap;

use loop_core::snapshot::Events;

/// Plain figures about the agent, passed to every exporter.
///
/// The keys of the maps are `&'static str` on purpose: they become label values, and a reason that
/// is written in the code can't make the number of series grow without bound, as an error's text
/// could.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelfStats {
    /// What was built.
    pub build: Build,
    /// Targets by state now.
    pub targets: TargetCounts,
    /// Failed attempts to attach since the start, by reason.
    pub attach_errors: BTreeMap<&'static str, u64>,
    /// Events since the start by source (see [`loop_core::snapshot::Source::name`]).
    pub events: BTreeMap<&'static str, Events>,
    /// Failed exports since the start, by exporter and reason.
    pub export_failures: BTreeMap<(&'static str, &'static str), u64>,
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
