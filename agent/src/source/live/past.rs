//! Targets that have ended: the newest each for itself, those before them together. A service may
//! start processes for ever.
//!
//! **Invariant**: no total falls, and what is not told of each by itself is counted.

use std::collections::VecDeque;

use loop_core::snapshot::{Events, Limit, LoopSnapshot, Target as Described};

/// How many are kept each for itself.
const KEPT: usize = 256;

/// What those before them are called. They have no number.
const OTHERS: &str = "ended before";

/// The name of their loops, together.
const OTHER: &str = "other";

/// What was observed of one process, or of several together.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) target: Described,
    pub(super) loops: Vec<LoopSnapshot>,
    pub(super) events: Events,
    /// Reads of its memory that failed: what they were for is in no count.
    pub(super) unread: u64,
}

/// Those that have ended.
#[derive(Debug, Default)]
pub(super) struct Past {
    newest: VecDeque<Told>,
    others: Option<Told>,
    others_count: u64,
}

impl Past {
    /// Adds one that has ended.
    pub(super) fn add(&mut self, told: Told) {
        self.newest.push_back(told);
        if self.newest.len() > KEPT
            && let Some(oldest) = self.newest.pop_front()
        {
            self.fold(oldest);
        }
    }

    fn fold(&mut self, oldest: Told) {
        let Told { target, loops, events, unread } = oldest;
        let others = self.others.get_or_insert_with(|| Told {
            target: Described { pid: 0, name: OTHERS.to_owned(), ..target },
            loops: Vec::new(),
            events: Events::default(),
            unread: 0,
        });
        others.unread += unread;
        self.others_count += 1;
        others.target.limits = vec![Limit {
            what: format!("each of {} processes by itself", self.others_count),
            why: format!("the newest {KEPT} that have ended are told, those before them together"),
        }];
        others.events.merge(events);
        for seen in loops {
            // Of their stalls there are sums only.
            let told = seen.stalls.iter().filter(|stall| !stall.running).count() as u64;
            let told = told.min(others.events.kept);
            others.events.kept -= told;
            others.events.dropped += told;
            let (thread, stalls) = (OTHER.to_owned(), Vec::new());
            let seen = LoopSnapshot { pid: 0, tid: 0, thread, stalls, open: None, ..seen };
            match others.loops.first_mut() {
                Some(all) => all.merge(&seen),
                None => others.loops.push(seen),
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.newest.is_empty()
    }

    /// All of them, oldest first.
    pub(super) fn told(&self) -> impl Iterator<Item = &Told> {
        self.others.iter().chain(&self.newest)
    }
}

/// All that is told, oldest first: one target for each number, and one loop for each of its
/// threads.
pub(super) fn together(
    all: impl Iterator<Item = Told>,
) -> (Events, Vec<Described>, Vec<LoopSnapshot>) {
    let (mut events, mut targets, mut loops) = (Events::default(), Vec::new(), Vec::new());
    for told in all {
        events.merge(told.events);
        let before =
            targets.iter_mut().find(|known: &&mut (Described, u64)| known.0.pid == told.target.pid);
        match before {
            None => {
                targets.push((told.target, 1));
                loops.extend(told.loops);
            }
            Some((target, programs)) => {
                (*target, *programs) = (told.target, *programs + 1);
                told.loops.into_iter().for_each(|seen| add_loop(&mut loops, seen));
            }
        }
    }
    let targets = targets.into_iter().map(|(mut target, programs)| {
        target.limits.extend((programs > 1).then(|| Limit {
            what: "each of its programs by itself".to_owned(),
            why: format!("it has executed {programs} of them, and they are told together"),
        }));
        target
    });
    (events, targets.collect(), loops)
}

/// What is newer is told as it is now, with the sums of both.
fn add_loop(loops: &mut Vec<LoopSnapshot>, mut newer: LoopSnapshot) {
    match loops.iter_mut().find(|older| older.same_loop(&newer)) {
        Some(older) => {
            newer.merge(older);
            *older = newer;
        }
        None => loops.push(newer),
    }
}

#[cfg(test)]
mod tests {
    use loop_core::snapshot::{CauseTotals, Ledger, LedgerKey, Runtime, Source, Stall, Tier};

    use super::*;

    fn stall() -> Stall {
        Stall {
            start_unix_ns: 1,
            duration_ns: 5,
            ledger_ns: Ledger::default().with(LedgerKey::Unknown, 5),
            ..Stall::default()
        }
    }

    fn told(pid: u32, name: &str, microtasks: u64) -> Told {
        let target = Described {
            pid,
            name: name.to_owned(),
            runtime: Runtime::NodeJs,
            runtime_version: "26.10.0".to_owned(),
            source: Source::Ebpf,
            tier: Tier::Full,
            overhead_ratio: Some(0.0),
            sampled: false,
            limits: Vec::new(),
        };
        let mut stall_totals = CauseTotals::default();
        stall_totals.add(LedgerKey::Unknown, 5);
        let seen = LoopSnapshot {
            pid,
            tid: pid,
            thread: "main".to_owned(),
            microtasks: Some(microtasks),
            stalls: vec![stall()],
            stall_totals,
            ..LoopSnapshot::default()
        };
        let events = Events { seen: 1, kept: 1, dropped: 0 };
        Told { target, loops: vec![seen], events, unread: 1 }
    }

    #[test]
    fn the_newest_are_kept_and_the_totals_of_all() {
        let mut past = Past::default();
        let count = KEPT as u32 + 100;
        (1..=count).for_each(|pid| past.add(told(pid, "x", u64::from(pid))));
        let (events, targets, loops) = together(past.told().cloned());
        assert_eq!((targets.len(), loops.len()), (KEPT + 1, KEPT + 1));
        let all = u64::from(count);
        assert_eq!(events, Events { seen: all, kept: KEPT as u64, dropped: 100 });
        let microtasks: u64 = loops.iter().filter_map(|seen| seen.microtasks).sum();
        assert_eq!(microtasks, all * (all + 1) / 2);
        let stalls: u64 = loops.iter().map(|seen| seen.stall_totals.total_count()).sum();
        assert_eq!(stalls, all);
        let others = targets.iter().find(|target| target.pid == 0).unwrap();
        assert!(others.limits[0].what.contains("100 processes"), "{others:?}");
        assert!(targets.iter().any(|target| target.pid == count));
    }

    #[test]
    fn a_process_that_executes_another_program_is_told_once() {
        let all = [told(7, "first", 5), told(8, "x", 1), told(7, "second", 6)];
        let (events, targets, loops) = together(all.into_iter());
        assert_eq!(events.seen, 3);
        let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        assert_eq!(names, ["second", "x"]);
        assert!(targets[0].limits[0].why.contains("2 of them") && targets[1].limits.is_empty());
        let microtasks: Vec<_> = loops.iter().map(|seen| (seen.pid, seen.microtasks)).collect();
        assert_eq!(microtasks, [(7, Some(11)), (8, Some(1))]);
    }
}
