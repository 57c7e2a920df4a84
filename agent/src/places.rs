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
//! **Invariant**: no total of the others falls when one of them ends, and what was told in a place
//! of its own is not told with the others, too.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use loop_core::snapshot::{LoopSnapshot, Snapshot, Target};
use loopscope_exporters::limits::{AGENT_SERIES_MAX, LOOP_SERIES_MAX, WORKERS_MAX};
use loopscope_exporters::{Compat, Folded, metrics};

/// The loops of a process that have series of their own: the main thread's, those of workers, and
/// one for all other workers.
const LOOPS_MAX: usize = WORKERS_MAX + 2;

/// For how long those that gave up their place are told as they were then.
const LAST_NS: u64 = 120_000_000_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Who has a place, in the order in which they came.
    own: Vec<u32>,
    /// Those that have none.
    others: BTreeMap<u32, Other>,
    /// Those of them that have ended, together.
    gone: Option<LoopSnapshot>,
    /// Those that gave up their place, oldest first.
    last: VecDeque<Last>,
    series: usize,
    /// Of when the newest snapshot is that was taken note of.
    wall_ns: u64,
}

/// One that has no place.
#[derive(Clone, Debug, Default)]
struct Other {
    /// What was seen of it last.
    seen: LoopSnapshot,
    /// What was told of it in a place of its own, if it had one: the others begin behind that.
    before: Option<LoopSnapshot>,
}

/// What was told last in a place that was given up.
#[derive(Clone, Debug)]
struct Last {
    since_ns: u64,
    series: usize,
    loops: Vec<LoopSnapshot>,
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
            self.give_up(newest, size(&newest), snapshot);
        }
        self.let_go();
        for pid in snapshot.targets.iter().map(|target| target.pid) {
            let taken = self.series + self.last_series();
            let fits = taken + size(&pid) + LOOP_SERIES_MAX <= AGENT_SERIES_MAX;
            if !self.own.contains(&pid) && !self.others.contains_key(&pid) && fits {
                self.series += size(&pid);
                self.own.push(pid);
            }
        }
        self.note_others(snapshot);
    }

    /// One gives up its place: it is told in it once more to each reader, as it is now, and what
    /// comes then is told with the others. So nothing is counted twice, and nothing is lost.
    fn give_up(&mut self, pid: u32, series: usize, snapshot: &Snapshot) {
        let loops: Vec<_> = of_pid(snapshot, pid).collect();
        let before = together(loops.iter().cloned());
        let loops = loops.into_iter().map(|of| LoopSnapshot { open: None, ..of }).collect();
        self.last.push_back(Last { since_ns: self.wall_ns, series, loops });
        self.others.insert(pid, Other { seen: LoopSnapshot::default(), before });
    }

    /// Lets go of what was told for long enough, and before that where there is no room.
    fn let_go(&mut self) {
        while self.last.front().is_some_and(|last| self.wall_ns - last.since_ns > LAST_NS)
            || self.series + self.last_series() > AGENT_SERIES_MAX
        {
            if self.last.pop_front().is_none() {
                return;
            }
        }
    }

    fn last_series(&self) -> usize {
        self.last.iter().map(|last| last.series).sum()
    }

    fn note_others(&mut self, snapshot: &Snapshot) {
        let own: BTreeSet<u32> = self.own.iter().copied().collect();
        let there = snapshot.loops.iter().map(|of| of.pid).filter(|pid| !own.contains(pid));
        let there: BTreeSet<u32> = there.collect();
        let mut before = std::mem::take(&mut self.others);
        for &pid in &there {
            let known = before.remove(&pid).unwrap_or_default();
            let seen = together(of_pid(snapshot, pid)).unwrap_or_default();
            self.others.insert(pid, Other { seen, ..known });
        }
        for ended in before.into_values() {
            let ended = LoopSnapshot { open: None, ..ended.told() };
            match &mut self.gone {
                Some(gone) => gone.merge(&ended),
                None => self.gone = Some(ended),
            }
        }
    }

    /// What exporters are to tell of those without a place.
    pub(crate) fn folded(&self) -> Folded {
        let told = self.others.values().map(Other::told).chain(self.gone.clone());
        let other = together(told).map(|other| LoopSnapshot { ended_ns: None, ..other });
        let last = self.last.iter().flat_map(|last| {
            let ended_ns = Some(self.wall_ns - last.since_ns);
            last.loops.iter().map(move |of| LoopSnapshot { ended_ns, ..of.clone() })
        });
        Folded { pids: self.others.keys().copied().collect(), other, last: last.collect() }
    }

    /// For how many more loops there is room for all that probes show.
    pub(crate) fn room(&self) -> usize {
        let taken = self.series + self.last_series();
        AGENT_SERIES_MAX.saturating_sub(taken) / LOOP_SERIES_MAX
    }
}

impl Other {
    /// What is told of it with the others.
    fn told(&self) -> LoopSnapshot {
        self.before.as_ref().map_or_else(|| self.seen.clone(), |before| self.seen.since(before))
    }
}

/// The loops of a process. Of stalls of several together there are sums only.
fn of_pid(snapshot: &Snapshot, pid: u32) -> impl Iterator<Item = LoopSnapshot> {
    let loops = snapshot.loops.iter().filter(move |of| of.pid == pid);
    loops.map(|of| LoopSnapshot { stalls: Vec::new(), ..of.clone() })
}

fn together(loops: impl Iterator<Item = LoopSnapshot>) -> Option<LoopSnapshot> {
    loops.reduce(|mut all, of| {
        all.merge(&of);
        all
    })
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
        places.folded().other.and_then(|of| of.turns).unwrap_or(0)
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

    /// So many loops of each, which have made so many turns.
    fn grown(pids: u32, loops: u32, turns: u64, wall_ns: u64) -> Snapshot {
        let mut snapshot = host(1..=pids);
        snapshot.wall_ns = wall_ns;
        let main = snapshot.loops.clone();
        snapshot.loops = main
            .iter()
            .flat_map(|of| {
                let of = LoopSnapshot { turns: Some(turns), ..of.clone() };
                let worker = |number: u32| {
                    let thread = format!("worker-{number}");
                    LoopSnapshot { thread, tid: of.tid * 100 + number, ..of.clone() }
                };
                (1..loops).map(worker).chain([of.clone()]).collect::<Vec<_>>()
            })
            .collect();
        snapshot
    }

    #[test]
    fn who_gives_up_its_place_is_counted_once() {
        let one = metrics::series_of(&host(1..=1).loops[0], None, Compat::default());
        let fit = ((AGENT_SERIES_MAX - LOOP_SERIES_MAX) / one) as u32;
        let (mut places, second) = (Places::default(), 1_000_000_000);
        places.note(&grown(fit, 1, 100, second), Compat::default());
        assert_eq!((places.folded().pids.len(), others_turns(&places)), (0, 0));
        // Each has another loop now: half of them give up their places.
        places.note(&grown(fit, 2, 150, 2 * second), Compat::default());
        let folded = places.folded();
        let given_up = folded.pids.len() as u64;
        assert!(given_up > 10, "{given_up}");
        assert_eq!(others_turns(&places), 0, "what was told in a place of its own stays there");
        assert!(folded.last.iter().all(|of| of.turns == Some(150) && of.ended_ns == Some(0)));
        let told: BTreeSet<u32> = folded.last.iter().map(|of| of.pid).collect();
        assert!(told.len() > 1 && told.is_subset(&folded.pids), "as long as there is room");
        assert!(places.series + places.last_series() <= AGENT_SERIES_MAX);
        places.note(&grown(fit, 2, 157, 3 * second), Compat::default());
        assert_eq!(others_turns(&places), given_up * 2 * 7);
        // All of them end.
        places.note(&grown(1, 1, 200, 4 * second), Compat::default());
        assert_eq!(others_turns(&places), given_up * 2 * 7, "no total falls");
        places.note(&grown(1, 1, 200, 4 * second + LAST_NS), Compat::default());
        assert!(places.folded().last.is_empty());
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
