//! What a source that looks for processes by itself knows of them.

use std::collections::BTreeMap;

use loop_core::snapshot::Events;

/// Why nobody was looked at.
pub(super) const PROC_UNLISTED: &str = "proc_unlisted";

/// See the module. All but `failed`, `pending`, `unseen` and `ended` only ever grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// How often all processes were looked at.
    pub looks: u64,
    /// Nodes that can't be observed now.
    pub failed: u64,
    /// Nodes that were found and not looked into yet.
    pub pending: u64,
    /// Processes that can't even be looked at, for lack of rights.
    pub unseen: u64,
    /// Processes that have ended and are told still.
    pub ended: u64,
    /// Why processes could not be observed, and how many.
    pub errors: BTreeMap<&'static str, u64>,
    /// Short windows at tier *full* that a stall has opened.
    pub windows: u64,
    /// Those that were wanted and not opened, and why.
    pub windows_refused: BTreeMap<&'static str, u64>,
    /// Stalls of processes that have ended and are told no longer.
    pub gone: Events,
}

impl Census {
    /// Each reason for which something may go wrong, none of which has been: a counter that is told
    /// from the start rises with the first one.
    pub(super) fn none_yet() -> Census {
        let none = |reasons: &[&'static str]| reasons.iter().map(|&reason| (reason, 0)).collect();
        Census {
            errors: none(&["ended", "no_rights", "unreadable", PROC_UNLISTED]),
            windows_refused: none(&["budget", "room", "process", "kernel"]),
            ..Census::default()
        }
    }
}
