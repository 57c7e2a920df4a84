//! The newest snapshot with the stalls of the whole recording.
//!
//! A snapshot lists the newest stalls of each loop alone; the others were written when they were.

use std::cmp::Reverse;
use std::collections::HashMap;

use loop_core::snapshot::{LoopSnapshot, Snapshot};
use loop_core::units::format_count;

use super::{RecordedStall, Recording, Whose};

/// So many stalls are told beside those that the newest snapshot lists: a page of a MB or two.
pub const STALLS_TOLD_MAX: usize = 2_048;

impl Recording {
    /// The newest snapshot with all stalls that are left of its loops, oldest first; beside those
    /// that it lists anyway the [`STALLS_TOLD_MAX`] longest. What else there is to know, a line
    /// each.
    ///
    /// Cost: a copy of the snapshot and of each stall, and their order.
    pub fn told(&self) -> (Snapshot, Vec<String>) {
        self.told_within(STALLS_TOLD_MAX)
    }

    /// The same with so many others.
    pub(super) fn told_within(&self, most: usize) -> (Snapshot, Vec<String>) {
        let mut snapshot = self.snapshot.clone();
        let places: HashMap<Whose, usize> =
            snapshot.loops.iter().enumerate().map(|(place, of)| (Whose::of(of), place)).collect();
        let is_listed = |of: &LoopSnapshot, other: &RecordedStall| {
            of.stalls.iter().any(|stall| stall.start_unix_ns == other.stall.start_unix_ns)
        };
        let mut others: Vec<(Option<usize>, &RecordedStall)> = self
            .stalls
            .iter()
            .map(|stall| (places.get(&stall.whose).copied(), stall))
            .filter(|(place, stall)| {
                place.is_none_or(|place| !is_listed(&snapshot.loops[place], stall))
            })
            .collect();
        others.sort_by_key(|(_, of)| Reverse(of.stall.duration_ns));
        let all = others.len();
        let of_loops = others.iter().filter_map(|(place, of)| Some(((*place)?, *of)));
        let told: Vec<(usize, &RecordedStall)> = of_loops.take(most).collect();
        let left_out = all - told.len();
        for (place, of) in &told {
            snapshot.loops[*place].stalls.push(of.stall.clone());
        }
        for (place, _) in &told {
            let stalls = &mut snapshot.loops[*place].stalls;
            stalls.sort_by_key(|stall| (stall.running, stall.start_unix_ns));
        }
        let events = &mut snapshot.events;
        events.kept = events.kept.saturating_add(told.len() as u64);
        events.dropped = events.dropped.saturating_sub(told.len() as u64);
        let note = format!(
            "{} more stalls are in the recording than are told: shorter ones, or of loops that \
             were gone long before its end",
            format_count(left_out as u64)
        );
        (snapshot, (left_out > 0).then_some(note).into_iter().collect())
    }
}
