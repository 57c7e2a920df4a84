//! A process whose probes were taken away, as they cost too much. Its memory tells from then on.
//!
//! ```text
//! probes ───────────────┐ the fall
//! memory (now and then) ┴──────────── memory (all the time) ──>
//!        told so far               +  what has come since
//! ```
//!
//! **Invariant**: no total falls; a stall is counted once, by whoever tells of it first.

use loop_core::snapshot::{Events, LoopSnapshot, Tier};

use super::{Probed, Target};
use crate::source::live::clock::monotonic_ns;
use crate::source::live::thread_names::OTHER;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Fallen {
    /// What probes and memory had told by then.
    told: Vec<LoopSnapshot>,
    events: Events,
    /// What memory showed then, which is a part of it.
    memory: Vec<LoopSnapshot>,
    /// How many stalls memory had seen by then, with those that it was told of.
    seen: u64,
}

impl Target {
    /// Takes probes away where they cost more than they may.
    pub(super) fn govern(&mut self, now_ns: u64) {
        let Some(tier) = self.probed.as_mut().and_then(Probed::falls_to) else { return };
        // A turn that goes on now is seen to, before there is nothing that would see its end.
        let is_told_by_memory = self.windows.is_none() && tier == Tier::Passive;
        if is_told_by_memory {
            self.passive.look(now_ns);
        }
        if let Some(probed) = &mut self.probed {
            probed.fall(tier);
        }
        let tier = self.tier();
        if self.windows.is_none() && tier == Tier::Passive {
            self.fallen = Some(self.fall_to_memory());
            self.probed.iter_mut().for_each(Probed::forget);
        }
    }

    /// Reads of its memory that failed, so that what they were for is in no count.
    pub(in crate::source::live) fn unread(&self) -> u64 {
        self.probed.as_ref().map_or(0, |probed| probed.missed().unread())
    }

    fn fall_to_memory(&mut self) -> Fallen {
        let mut told = self.with_probes();
        for of in &mut told {
            // What goes on is told by memory.
            of.open = None;
            of.stalls.retain(|stall| !stall.running);
        }
        let events = self.probed.as_ref().map(|probed| self.events_with_probes(probed));
        // It counts none of them again.
        for of in &told {
            of.stalls.iter().for_each(|stall| self.passive.add(of.tid, stall.clone()));
        }
        let (known, seen) = (self.passive.loops(), self.passive.events().seen);
        self.passive.look(monotonic_ns());
        let memory = base(self.passive.loops(), known);
        Fallen::new(told, events.unwrap_or_default(), memory, seen)
    }
}

/// What memory shows now, but for the stalls, which are those that it had told.
fn base(mut now: Vec<LoopSnapshot>, told: Vec<LoopSnapshot>) -> Vec<LoopSnapshot> {
    for of in &mut now {
        let before = told.iter().find(|before| is_same(before, of)).cloned().unwrap_or_default();
        (of.stalls, of.stall_totals) = (before.stalls, before.stall_totals);
    }
    now
}

/// Memory numbers the loops, so that of two on threads of one number it is known which is which.
fn is_same(a: &LoopSnapshot, b: &LoopSnapshot) -> bool {
    (a.tid, &a.thread) == (b.tid, &b.thread)
}

fn ended(of: &LoopSnapshot) -> u64 {
    of.stalls.iter().filter(|stall| !stall.running).count() as u64
}

impl Fallen {
    fn new(
        mut told: Vec<LoopSnapshot>,
        events: Events,
        memory: Vec<LoopSnapshot>,
        seen: u64,
    ) -> Fallen {
        // V8 has gone on counting where no probe did.
        for known in &mut told {
            let of = memory.iter().find(|of| of.tid != 0 && of.tid == known.tid);
            known.microtasks = known.microtasks.max(of.and_then(|of| of.microtasks));
        }
        Fallen { told, events, memory, seen }
    }

    /// All that was told, and what memory has shown since.
    pub(super) fn with(&self, memory: &[LoopSnapshot]) -> Vec<LoopSnapshot> {
        let (gone, mut told): (Vec<_>, Vec<_>) =
            self.told.iter().cloned().partition(|known| self.is_gone(known.tid, memory));
        let gone = gone.into_iter().map(|known| LoopSnapshot {
            tid: 0,
            thread: OTHER.to_owned(),
            stalls: Vec::new(),
            ..known
        });
        for of in gone.chain(memory.iter().map(|of| self.since(of, memory))) {
            match told.iter_mut().rev().find(|known| known.tid == of.tid) {
                Some(known) => known.merge(&of),
                None => told.push(of),
            }
        }
        told
    }

    /// Completed stalls, of which memory has seen so many by now.
    pub(super) fn events(&self, now: Events, memory: &[LoopSnapshot]) -> Events {
        let seen = self.events.seen + now.seen.saturating_sub(self.seen);
        let told = self.told.iter().filter(|known| !self.is_gone(known.tid, memory)).map(ended);
        let new = memory.iter().map(|of| ended(&self.since(of, memory)));
        let kept = told.chain(new).sum::<u64>().min(seen);
        Events { seen, kept, dropped: seen - kept }
    }

    /// Whether memory told of this loop by itself, and tells of it together with others by now.
    fn is_gone(&self, tid: u32, memory: &[LoopSnapshot]) -> bool {
        let of_tid = |of: &&LoopSnapshot| tid != 0 && of.tid == tid;
        self.memory.iter().any(|of| of_tid(&of)) && !memory.iter().any(|of| of_tid(&of))
    }

    /// What memory shows of this loop that is new.
    fn since(&self, of: &LoopSnapshot, memory: &[LoopSnapshot]) -> LoopSnapshot {
        let then = |then: &&LoopSnapshot| {
            is_same(then, of) || of.tid == 0 && !memory.iter().any(|now| is_same(now, then))
        };
        let mut all: Option<LoopSnapshot> = None;
        for then in self.memory.iter().filter(then) {
            match &mut all {
                Some(all) => all.merge(then),
                None => all = Some(then.clone()),
            }
        }
        all.map_or_else(|| of.clone(), |then| of.since(&then))
    }
}

#[cfg(test)]
mod tests {
    use loop_core::snapshot::{CauseTotals, LedgerKey, Stall};

    use super::*;

    /// A loop with so many turns, and stalls that began then; all lasted 10.
    fn of(tid: u32, turns: u64, starts: &[u64]) -> LoopSnapshot {
        let mut stall_totals = CauseTotals::default();
        starts.iter().for_each(|_| stall_totals.add(LedgerKey::Unknown, 10));
        let stall =
            |&start_unix_ns: &u64| Stall { start_unix_ns, duration_ns: 10, ..Stall::default() };
        LoopSnapshot {
            tid,
            turns: Some(turns),
            active_ns: Some(turns * 3),
            idle_ns: Some(turns),
            thread: format!("thread of {tid}"),
            stalls: starts.iter().map(stall).collect(),
            stall_totals,
            ..LoopSnapshot::default()
        }
    }

    fn fallen() -> Fallen {
        // Worker 8 ended before memory found it. Of 7 memory knows less: it had not looked.
        let told = vec![of(7, 1_000, &[100, 200]), of(8, 50, &[150]), of(9, 20, &[])];
        let events = Events { seen: 3, kept: 3, dropped: 0 };
        Fallen::new(told, events, vec![of(7, 900, &[100, 200]), of(9, 15, &[])], 2)
    }

    fn turns(all: &[LoopSnapshot], tid: u32) -> Option<u64> {
        all.iter().find(|of| of.tid == tid).and_then(|of| of.turns)
    }

    fn counted(all: &[LoopSnapshot]) -> (u64, u64) {
        let stalls = all.iter().map(|of| of.stall_totals.total_count());
        (stalls.sum(), all.iter().filter_map(|of| of.turns).sum())
    }

    #[test]
    fn what_memory_shows_comes_to_what_was_told() {
        let memory = [of(7, 900, &[100, 200]), of(9, 15, &[])];
        let told = fallen().with(&memory);
        assert_eq!([7, 8, 9].map(|tid| turns(&told, tid)), [Some(1_000), Some(50), Some(20)]);
        assert_eq!(counted(&told), (3, 1_070), "nothing has come since");
        let seen = |seen| Events { seen, kept: 0, dropped: 0 };
        let same = Events { seen: 3, kept: 3, dropped: 0 };
        assert_eq!(fallen().events(seen(2), &memory), same);

        let memory = [of(7, 905, &[100, 200, 300]), of(9, 15, &[]), of(10, 4, &[310])];
        let told = fallen().with(&memory);
        assert_eq!([7, 8, 10].map(|tid| turns(&told, tid)), [Some(1_005), Some(50), Some(4)]);
        assert_eq!(counted(&told), (5, 1_079));
        let starts: Vec<u64> = told[0].stalls.iter().map(|stall| stall.start_unix_ns).collect();
        assert_eq!(starts, [100, 200, 300], "each once");
        assert_eq!((told[0].active_ns, told[0].idle_ns), (Some(3_015), Some(1_005)));
        let all = Events { seen: 5, kept: 5, dropped: 0 };
        assert_eq!(fallen().events(seen(4), &memory), all);
    }

    #[test]
    fn loops_that_memory_tells_together_are_told_together_and_no_total_falls() {
        // 7 has run 30 turns more and had a stall more when it was put to the others.
        let other = LoopSnapshot { stalls: Vec::new(), ..of(0, 930, &[1, 2, 3]) };
        let memory = [other, of(9, 16, &[])];
        let told = fallen().with(&memory);
        assert_eq!([0, 7, 8].map(|tid| turns(&told, tid)), [Some(1_030), None, Some(50)]);
        assert_eq!(counted(&told), (4, 1_101));
        let events = fallen().events(Events { seen: 3, kept: 0, dropped: 3 }, &memory);
        assert_eq!(events, Events { seen: 4, kept: 1, dropped: 3 });
    }

    #[test]
    fn stalls_that_memory_had_not_told_at_the_fall_are_new() {
        let now = vec![of(7, 910, &[100, 200, 300])];
        let memory = base(now.clone(), vec![of(7, 900, &[100, 200])]);
        assert_eq!((memory[0].turns, memory[0].stalls.len()), (Some(910), 2));
        let events = Events { seen: 2, kept: 2, dropped: 0 };
        let fallen = Fallen::new(vec![of(7, 1_000, &[100, 200])], events, memory, 2);
        let told = fallen.with(&now);
        assert_eq!((turns(&told, 7), counted(&told).0), (Some(1_000), 3));
    }

    #[test]
    fn microtasks_that_v8_has_counted_are_not_lost_where_no_probe_did() {
        let told = LoopSnapshot { microtasks: Some(40), ..of(7, 9, &[]) };
        let at = |microtasks| LoopSnapshot { microtasks: Some(microtasks), ..of(7, 9, &[]) };
        let fallen = Fallen::new(vec![told], Events::default(), vec![at(60)], 0);
        assert_eq!(fallen.with(&[at(61)])[0].microtasks, Some(61));
    }
}
