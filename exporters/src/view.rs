//! A snapshot as exporters see it: one entry for each set of labels.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use loop_core::snapshot::{LoopSnapshot, Snapshot};

use crate::{SelfStats, label};

/// A snapshot with the labels of its loops worked out.
///
/// **Invariant**: no two entries have the same labels, else a series would be written twice, and
/// Prometheus refuses such a page. Loops that share a process and a thread name (workers folded
/// into `other`) are merged.
#[derive(Debug)]
pub struct View<'a> {
    /// What was observed.
    pub snapshot: &'a Snapshot,
    /// What the agent knows of itself.
    pub stats: &'a SelfStats,
    /// The loops, by process and thread.
    pub loops: Vec<LoopView<'a>>,
}

/// One loop and its labels.
#[derive(Debug)]
pub struct LoopView<'a> {
    /// What it did.
    pub data: Cow<'a, LoopSnapshot>,
    /// Name and value of `target`, `pid`, `thread` and `runtime`; what isn't known is left out.
    pub labels: Vec<(&'static str, Cow<'a, str>)>,
}

impl<'a> View<'a> {
    /// Works out the labels. Cost: one lookup a loop; copies a loop only to merge it.
    pub fn new(snapshot: &'a Snapshot, stats: &'a SelfStats) -> Self {
        let mut loops: BTreeMap<(u32, Cow<'a, str>), Cow<'a, LoopSnapshot>> = BTreeMap::new();
        for data in &snapshot.loops {
            match loops.entry((data.pid, label::value(&data.thread))) {
                Entry::Vacant(entry) => drop(entry.insert(Cow::Borrowed(data))),
                Entry::Occupied(mut entry) => entry.get_mut().to_mut().merge(data),
            }
        }
        let loops = loops
            .into_iter()
            .map(|((pid, thread), data)| LoopView { data, labels: labels(snapshot, pid, thread) });
        View { snapshot, stats, loops: loops.collect() }
    }
}

fn labels<'a>(
    snapshot: &'a Snapshot,
    pid: u32,
    thread: Cow<'a, str>,
) -> Vec<(&'static str, Cow<'a, str>)> {
    let target = snapshot.targets.iter().find(|target| target.pid == pid);
    let name = target.map(|target| ("target", label::value(&target.name)));
    let runtime = target.map(|target| ("runtime", Cow::Borrowed(target.runtime.name())));
    let loop_labels = [("pid", Cow::Owned(pid.to_string())), ("thread", thread)];
    name.into_iter().chain(loop_labels).chain(runtime).collect()
}

#[cfg(test)]
mod tests {
    use loop_core::snapshot::ClockKind;

    use super::*;

    fn worker(tid: u32, thread: &str, turns: u64) -> LoopSnapshot {
        LoopSnapshot {
            pid: 7,
            tid,
            thread: thread.to_owned(),
            turns: Some(turns),
            ..LoopSnapshot::default()
        }
    }

    #[test]
    fn loops_with_the_same_labels_are_merged() {
        let mut snapshot = Snapshot::empty(ClockKind::Real);
        snapshot.loops = vec![worker(9, "other", 2), worker(7, "main", 1), worker(8, "other", 3)];
        let stats = SelfStats::default();
        let view = View::new(&snapshot, &stats);
        let turns: Vec<_> =
            view.loops.iter().map(|l| (l.data.thread.as_str(), l.data.turns)).collect();
        assert_eq!(turns, [("main", Some(1)), ("other", Some(5))]);
    }

    #[test]
    fn a_loop_of_an_unknown_target_has_no_invented_name() {
        let mut snapshot = Snapshot::empty(ClockKind::Real);
        snapshot.loops = vec![worker(7, "main", 1)];
        let stats = SelfStats::default();
        let view = View::new(&snapshot, &stats);
        let names: Vec<_> = view.loops[0].labels.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["pid", "thread"]);
    }
}
