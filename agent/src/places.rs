//! Which processes of a host have series of their own, where there are more than fit.
//!
//! ```text
//!  processes, oldest first ──fit──> series of their own
//!                          └─────> one place for all others: pid="", thread="other"
//! ```
//!
//! Who has a place keeps it until its end. A loop that only its memory tells of has some 40 series,
//! one that probes have been set into up to 600: so there is room for either more or for fewer.
//!
//! **Invariant**: no total of the others falls when one of them ends.

use std::collections::{BTreeMap, BTreeSet};

use loop_core::snapshot::{LoopSnapshot, Snapshot, Target};
use loopscope_exporters::limits::{AGENT_SERIES_MAX, LOOP_SERIES_MAX, WORKERS_MAX};
use loopscope_exporters::{Compat, Folded, metrics};

/// The loops of a process that have series of their own: the main thread's, those of workers, and
/// one for all other workers.
const LOOPS_MAX: usize = WORKERS_MAX + 2;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Who has a place, in the order in which they came.
    own: Vec<u32>,
    /// What was seen last of each that has none.
    others: BTreeMap<u32, LoopSnapshot>,
    /// Those of them that have ended, together.
    gone: Option<LoopSnapshot>,
    series: usize,
    /// Of when the newest snapshot is that was taken note of.
    wall_ns: u64,
}

impl Places {
    /// Takes what is there now, and the names of others under which it is told, too.
    pub(crate) fn note(&mut self, snapshot: &Snapshot, compat: Compat) {
        if snapshot.wall_ns < self.wall_ns {
            // Who reads at the same time was quicker: those that have ended are no newcomers.
            return;
        }
        self.wall_ns = snapshot.wall_ns;
        let targets: BTreeMap<u32, &Target> =
            snapshot.targets.iter().map(|target| (target.pid, target)).collect();
        let mut sizes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for of in &snapshot.loops {
            let target = targets.get(&of.pid).copied();
            sizes.entry(of.pid).or_default().push(metrics::series_of(of, target, compat));
        }
        let size = |pid: &u32| {
            let mut loops = sizes.get(pid).cloned().unwrap_or_default();
            loops.sort_unstable_by(|a, b| b.cmp(a));
            loops.iter().take(LOOPS_MAX).sum::<usize>()
        };
        self.own.retain(|pid| sizes.contains_key(pid));
        self.series = self.own.iter().map(size).sum();
        // Where those with a place have grown, the newest give theirs up.
        while self.series + LOOP_SERIES_MAX > AGENT_SERIES_MAX
            && let Some(newest) = self.own.pop()
        {
            self.series -= size(&newest);
        }
        for pid in snapshot.targets.iter().map(|target| target.pid) {
            let fits = self.series + size(&pid) + LOOP_SERIES_MAX <= AGENT_SERIES_MAX;
            if !self.own.contains(&pid) && !self.others.contains_key(&pid) && fits {
                self.series += size(&pid);
                self.own.push(pid);
            }
        }
        self.note_others(snapshot);
    }

    fn note_others(&mut self, snapshot: &Snapshot) {
        let own: BTreeSet<u32> = self.own.iter().copied().collect();
        let before = std::mem::take(&mut self.others);
        for of in snapshot.loops.iter().filter(|of| !own.contains(&of.pid)) {
            let of = LoopSnapshot { stalls: Vec::new(), open: None, ..of.clone() };
            match self.others.get_mut(&of.pid) {
                Some(known) => known.merge(&of),
                None => drop(self.others.insert(of.pid, of)),
            }
        }
        for (pid, ended) in before {
            if !self.others.contains_key(&pid) {
                match &mut self.gone {
                    Some(gone) => gone.merge(&ended),
                    None => self.gone = Some(ended),
                }
            }
        }
    }

    /// What exporters are to put together.
    pub(crate) fn folded(&self) -> Folded {
        Folded { pids: self.others.keys().copied().collect(), gone: self.gone.clone() }
    }

    /// For how many more loops there is room for all that probes show.
    pub(crate) fn room(&self) -> usize {
        AGENT_SERIES_MAX.saturating_sub(self.series) / LOOP_SERIES_MAX
    }
}

#[cfg(test)]
mod tests {
    use loop_core::snapshot::{ClockKind, Runtime, Source, Tier};

    use super::*;

    fn target(pid: u32) -> Target {
        Target {
            pid,
            name: format!("service-{pid}"),
            runtime: Runtime::NodeJs,
            runtime_version: "26.10.0".to_owned(),
            source: Source::Ebpf,
            tier: Tier::Passive,
            overhead_ratio: None,
            sampled: false,
            limits: Vec::new(),
        }
    }

    /// Processes of these numbers, with one loop each.
    fn host(pids: impl Iterator<Item = u32>) -> Snapshot {
        let mut snapshot = Snapshot::empty(ClockKind::Real);
        for pid in pids {
            let thread = "main".to_owned();
            let of =
                LoopSnapshot { pid, tid: pid, thread, turns: Some(1), ..LoopSnapshot::default() };
            snapshot.loops.push(of);
            snapshot.targets.push(target(pid));
        }
        snapshot
    }

    fn others_turns(places: &Places) -> u64 {
        let there = places.others.values().filter_map(|of| of.turns).sum::<u64>();
        there + places.gone.as_ref().and_then(|of| of.turns).unwrap_or(0)
    }

    #[test]
    fn who_came_first_keeps_its_place_and_no_total_of_the_others_falls() {
        let one = metrics::series_of(&host(1..=1).loops[0], None, Compat::default());
        let fit = ((AGENT_SERIES_MAX - LOOP_SERIES_MAX) / one) as u32;
        let mut places = Places::default();
        places.note(&host(1..=fit + 10), Compat::default());
        assert_eq!((places.own.len() as u32, places.others.len()), (fit, 10));
        assert_eq!(others_turns(&places), 10);
        // Some of either end, and others come.
        places.note(&host((5..=fit + 5).chain(fit + 11..=fit + 20)), Compat::default());
        assert!(places.own.contains(&5) && places.own.contains(&(fit + 11)));
        assert_eq!(others_turns(&places), 10 + 6, "5 that have ended, 5 that have not, 6 new ones");
        assert!(places.folded().pids.contains(&(fit + 1)), "it does not change places");
        assert!(places.own.len() as u32 <= fit);
    }

    #[test]
    fn there_is_room_for_windows_until_it_is_full() {
        let mut places = Places::default();
        places.note(&host(1..=4), Compat::default());
        assert!((30..=33).contains(&places.room()), "{}", places.room());
        places.note(&host(1..=10_000), Compat::default());
        assert!(places.room() <= 1);
    }
}
