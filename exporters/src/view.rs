//! A snapshot as exporters see it: one entry for each set of labels.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use loop_core::snapshot::{LoopSnapshot, Snapshot, Target};

use crate::limits::OTHER;
use crate::{SelfStats, label, limits};

/// A snapshot with the labels of its loops worked out.
///
/// **Invariant**: no two entries have the same labels, else a series would be written twice, and
/// Prometheus refuses such a page. Loops that share a process and a thread name (workers folded
/// into `other`) are merged.
///
/// **Invariant**: no more than [`limits::AGENT_LOOPS_MAX`] entries, and one for all before them. No
/// total is left out.
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
    /// Its process, where it is known.
    pub target: Option<&'a Target>,
    /// Whether names of others have room beside ours, once that has been counted.
    pub(crate) has_room: OnceCell<bool>,
}

impl LoopView<'_> {
    /// Whether it is one loop and not several that share a place: only then process and thread
    /// are those of each stall.
    pub fn is_one(&self) -> bool {
        matches!(self.data, Cow::Borrowed(_))
    }
}

impl<'a> View<'a> {
    /// Works out the labels. Cost: one lookup a loop; copies a loop only to merge it.
    pub fn new(snapshot: &'a Snapshot, stats: &'a SelfStats) -> Self {
        let key = |data: &'a LoopSnapshot| (data.pid, thread(&data.thread));
        let own = own(snapshot, stats);
        let mut loops: BTreeMap<(u32, Cow<'a, str>), Cow<'a, LoopSnapshot>> = BTreeMap::new();
        let mut add = |key, data: Cow<'a, LoopSnapshot>| match loops.entry(key) {
            Entry::Vacant(entry) => drop(entry.insert(data)),
            Entry::Occupied(mut entry) => entry.get_mut().to_mut().merge(&data),
        };
        let other = || (0, Cow::Borrowed(OTHER));
        for data in &snapshot.loops {
            let of = key(data);
            match own(data, &of) {
                true => add(of, Cow::Borrowed(data)),
                false if stats.folded.is_none() => add(other(), Cow::Borrowed(data)),
                // It is a part of what follows.
                false => {}
            }
        }
        if let Some(folded) = &stats.folded {
            folded.last.iter().for_each(|data| add(key(data), Cow::Borrowed(data)));
            // Several, also where one alone is told by now.
            folded.other.iter().for_each(|data| add(other(), Cow::Owned(data.clone())));
        }
        let loops = loops.into_iter().map(|((pid, thread), data)| {
            let target = snapshot.targets.iter().find(|target| target.pid == pid);
            let labels = labels(target, pid, thread);
            LoopView { data, labels, target, has_room: OnceCell::new() }
        });
        View { snapshot, stats, loops: loops.collect() }
    }
}

/// Whether a loop has a place of its own.
fn own<'a>(
    snapshot: &'a Snapshot,
    stats: &'a SelfStats,
) -> impl Fn(&LoopSnapshot, &(u32, Cow<'a, str>)) -> bool {
    let mut newest: BTreeSet<(u32, Cow<'a, str>)> = BTreeSet::new();
    if stats.folded.is_none() {
        // What ended first stands first.
        for data in snapshot.loops.iter().rev() {
            if newest.len() < limits::AGENT_LOOPS_MAX {
                newest.insert((data.pid, thread(&data.thread)));
            }
        }
    }
    move |data, key| match &stats.folded {
        Some(folded) => !folded.pids.contains(&data.pid),
        None => newest.contains(key),
    }
}

/// The thread, as its label has it: a process may have any number of workers.
fn thread(name: &str) -> Cow<'_, str> {
    if limits::shares_a_place(name) { Cow::Borrowed(OTHER) } else { label::value(name) }
}

fn labels<'a>(
    target: Option<&'a Target>,
    pid: u32,
    thread: Cow<'a, str>,
) -> Vec<(&'static str, Cow<'a, str>)> {
    let name = target.map(|target| ("target", label::value(&target.name)));
    let runtime = target.map(|target| ("runtime", Cow::Borrowed(target.runtime.name())));
    let pid = (pid != 0).then(|| ("pid", Cow::Owned(pid.to_string())));
    name.into_iter().chain(pid).chain([("thread", thread)]).chain(runtime).collect()
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

    #[test]
    fn workers_beyond_the_eighth_share_a_place() {
        let mut snapshot = Snapshot::empty(ClockKind::Real);
        snapshot.loops = (1..=20).map(|n| worker(n, &format!("worker-{n}"), 1)).collect();
        let stats = SelfStats::default();
        let view = View::new(&snapshot, &stats);
        assert_eq!(view.loops.len(), 9);
        let other = view.loops.iter().find(|of| of.data.turns == Some(12)).unwrap();
        assert!(other.labels.contains(&("thread", Cow::Borrowed("other"))), "{:?}", other.labels);
    }

    #[test]
    fn an_agent_has_so_many_series_and_all_totals() {
        let mut snapshot = Snapshot::empty(ClockKind::Real);
        let process = |pid| LoopSnapshot { pid, ..worker(pid, "main", 1) };
        snapshot.loops = (1..=200).map(process).collect();
        let stats = SelfStats::default();
        let view = View::new(&snapshot, &stats);
        assert_eq!(view.loops.len(), limits::AGENT_LOOPS_MAX + 1);
        let turns: u64 = view.loops.iter().filter_map(|of| of.data.turns).sum();
        assert_eq!(turns, 200);
        let is_newest = |of: &LoopView<'_>| of.data.pid == 200 && of.data.turns == Some(1);
        assert!(view.loops.iter().any(is_newest));
        let pids = view.loops.iter().filter(|of| of.labels.iter().any(|(name, _)| *name == "pid"));
        assert_eq!(pids.count(), limits::AGENT_LOOPS_MAX);
    }
}
