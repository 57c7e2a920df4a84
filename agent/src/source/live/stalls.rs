//! The stalls of one loop: taken from the kernel's ring as they come, and kept.
//!
//! The kernel keeps the newest [`RING`]; whoever looks ten times a second misses none, as a stall
//! lasts at least a millisecond. What was overwritten before it was seen is counted, by number and
//! by time, and its cause is unknown.

use std::collections::VecDeque;

use loop_core::Phase;
use loop_core::snapshot::{CauseTotals, Counters, Events, Ledger, LedgerKey, OpenTurn, Stall};

use super::convert::{Points, SEEN_PHASES};
use super::ebpf::{Ended, Head, Reading};

/// How many are listed, as in the recorder of the embedded loop.
const LISTED: usize = 64;

/// How far the time on a CPU of a thread that runs may be behind, in nanoseconds: the kernel counts
/// it at ticks, of which a slow one is 10 ms, and when the thread stops running.
const CPU_STALE_NS: u64 = 20_000_000;

/// The stalls of one loop.
#[derive(Clone, Debug)]
pub(super) struct Stalls {
    points: Points,
    /// What to add to the monotonic clock to have the time since the Unix epoch.
    unix_offset_ns: u64,
    listed: VecDeque<Stall>,
    totals: CauseTotals,
    /// How many the kernel has counted, and how long together.
    counted: (u64, u64),
    /// How long those were together that were seen.
    seen_ns: u64,
    /// The number of the newest that was seen.
    newest: u64,
    lost: u64,
}

impl Stalls {
    pub(super) fn new(points: Points, unix_offset_ns: u64) -> Stalls {
        Stalls {
            points,
            unix_offset_ns,
            listed: VecDeque::new(),
            totals: CauseTotals::default(),
            counted: (0, 0),
            seen_ns: 0,
            newest: 0,
            lost: 0,
        }
    }

    /// The number of the newest that was seen.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Takes those that are new.
    pub(super) fn take(&mut self, reading: &Reading) {
        for ended in &reading.stalls {
            if ended.number > self.newest {
                self.lost += ended.number - self.newest - 1;
                self.newest = ended.number;
                self.keep(ended);
            }
        }
        let totals = &reading.head.totals;
        self.counted = (totals.stalls, totals.stall_ns);
    }

    fn keep(&mut self, ended: &Ended) {
        let stall = self.stall(ended);
        self.totals.add(stall.ledger_ns.cause(), stall.duration_ns);
        self.seen_ns += stall.duration_ns;
        if self.listed.len() == LISTED {
            self.listed.pop_front();
        }
        self.listed.push_back(stall);
    }

    /// The newest, newest last.
    pub(super) fn listed(&self) -> impl Iterator<Item = &Stall> {
        self.listed.iter()
    }

    /// All of them by cause. Those that were overwritten unseen have none that is known.
    pub(super) fn totals(&self) -> CauseTotals {
        let mut totals = self.totals;
        if self.lost > 0 {
            let unseen_ns = self.counted.1.saturating_sub(self.seen_ns);
            let known = (totals.count(LedgerKey::Unknown), totals.duration_ns(LedgerKey::Unknown));
            totals.set(LedgerKey::Unknown, known.0 + self.lost, known.1 + unseen_ns);
        }
        totals
    }

    /// How many there were, and how many of them are listed.
    pub(super) fn events(&self) -> Events {
        let kept = self.listed.len() as u64;
        let seen = self.newest.max(self.counted.0);
        Events { seen, kept, dropped: seen - kept }
    }

    fn stall(&self, ended: &Ended) -> Stall {
        Stall {
            start_unix_ns: ended.start_ns + self.unix_offset_ns,
            duration_ns: ended.duration_ns,
            running: false,
            phase: self.phase(ended),
            callbacks: None,
            microtasks: self.points.drains().then_some(ended.turn.microtasks),
            ledger_ns: self.ledger(ended),
            counters: Counters {
                context_switches: Some(ended.account.switches),
                page_faults: Some(ended.account.faults),
                ..Counters::default()
            },
            culprit: None,
            stack: None,
        }
    }

    /// The phase in which most of it was spent. `None`: outside of any, as in a main program.
    fn phase(&self, ended: &Ended) -> Option<Phase> {
        let phases = ended.turn.phase_ns;
        let (index, &longest_ns) = phases.iter().enumerate().max_by_key(|(_, ns)| **ns)?;
        let outside_ns = ended.duration_ns.saturating_sub(phases.iter().sum());
        let (phase, point) = SEEN_PHASES[index];
        (longest_ns > outside_ns && self.points.has(point)).then_some(phase)
    }

    /// What is known of where the time went. The rest, on a CPU outside of drains and collections,
    /// is JavaScript or native code: which is not told apart here.
    fn ledger(&self, ended: &Ended) -> Ledger {
        let turn = &ended.turn;
        let mut left_ns = ended.duration_ns;
        let mut take = |ns: u64| {
            let ns = ns.min(left_ns);
            left_ns -= ns;
            ns
        };
        let mut ledger = Ledger::default();
        ledger = ledger.with(LedgerKey::RunQueue, take(ended.account.run_delay_ns));
        if self.points.collections() {
            ledger = ledger.with(LedgerKey::Gc, take(turn.gc_ns));
        }
        if self.points.drains() {
            let drains_ns = turn.drain_ns.saturating_sub(turn.gc_in_drain_ns);
            ledger = ledger.with(LedgerKey::Microtasks, take(drains_ns));
        }
        let off_cpu_ns = off_cpu_ns(ended);
        if off_cpu_ns > 0 {
            ledger = ledger.with(LedgerKey::SyncIo, take(off_cpu_ns));
        }
        ledger.with(LedgerKey::Unknown, left_ns)
    }

    /// A stall that goes on. Where its time goes is known when it has ended.
    pub(super) fn running(&self, head: &Head, open: OpenTurn, now_ns: u64) -> Stall {
        let start_ns = now_ns.saturating_sub(open.age_ns);
        let in_drain = open.drain.map_or(0, |drain| drain.jobs);
        Stall {
            start_unix_ns: start_ns + self.unix_offset_ns,
            duration_ns: open.age_ns,
            running: true,
            phase: open.phase,
            callbacks: None,
            microtasks: self.points.drains().then_some(head.turn.microtasks + in_drain),
            ledger_ns: self.running_ledger(head, open),
            counters: Counters::default(),
            culprit: None,
            stack: None,
        }
    }

    fn running_ledger(&self, head: &Head, open: OpenTurn) -> Ledger {
        let age_ns = open.age_ns;
        let mut ledger = Ledger::default();
        let mut known_ns = 0;
        if self.points.drains() {
            let drain_ns = open.drain.map_or(0, |drain| drain.age_ns) + head.turn.drain_ns;
            known_ns = drain_ns.min(age_ns);
            ledger = ledger.with(LedgerKey::Microtasks, known_ns);
        }
        ledger.with(LedgerKey::Unknown, age_ns - known_ns)
    }
}

/// How long the thread neither ran nor could have run: it waited. 0 where that is less than what
/// the kernel's figures may be wrong by.
fn off_cpu_ns(ended: &Ended) -> u64 {
    let on = ended.account.cpu_ns + ended.account.run_delay_ns;
    let off = ended.duration_ns.saturating_sub(on);
    if off > CPU_STALE_NS { off } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Point;
    use crate::source::live::ebpf::{Account, Turn};

    const MS: u64 = 1_000_000;

    fn all() -> Points {
        Points::of([
            Point::RunTimers,
            Point::RunIdle,
            Point::RunPrepare,
            Point::IoPoll,
            Point::RunCheck,
            Point::DrainStart,
            Point::DrainEnd,
            Point::GcStart,
            Point::GcEnd,
        ])
    }

    fn ended(number: u64) -> Ended {
        Ended {
            number,
            start_ns: number * 1_000 * MS,
            duration_ns: 100 * MS,
            turn: Turn {
                phase_ns: [90 * MS, 0, 0, 10 * MS, 0],
                microtasks: 5,
                drain_ns: 40 * MS,
                gc_ns: 20 * MS,
                gc_in_drain_ns: 15 * MS,
                nested: 0,
            },
            account: Account { cpu_ns: 60 * MS, run_delay_ns: 10 * MS, faults: 3, switches: 7 },
        }
    }

    fn reading(stalls: Vec<Ended>) -> Reading {
        let mut reading = Reading::empty();
        let count = stalls.last().map_or(0, |stall| stall.number);
        reading.head.totals.stalls = count;
        reading.head.totals.stall_ns = count * 100 * MS;
        Reading { stalls, ..reading }
    }

    #[test]
    fn a_ledger_is_disjoint_and_sums_to_the_stall() {
        let mut stalls = Stalls::new(all(), 5);
        stalls.take(&reading(vec![ended(1)]));
        let stall = stalls.listed().next().unwrap();
        assert_eq!(stall.start_unix_ns, 1_000 * MS + 5);
        assert_eq!(stall.phase, Some(Phase::Timers));
        assert_eq!(stall.ledger_ns.total_ns(), stall.duration_ns);
        let get = |key| stall.ledger_ns.get(key);
        assert_eq!(get(LedgerKey::RunQueue), Some(10 * MS));
        assert_eq!(get(LedgerKey::Gc), Some(20 * MS));
        assert_eq!(get(LedgerKey::Microtasks), Some(25 * MS));
        assert_eq!(get(LedgerKey::SyncIo), Some(30 * MS), "neither ran nor could");
        assert_eq!(get(LedgerKey::Javascript), None, "not told apart");
    }

    #[test]
    fn what_no_probe_shows_is_unknown_and_no_zero() {
        let mut stalls = Stalls::new(Points::of([Point::IoPoll]), 0);
        stalls.take(&reading(vec![ended(1)]));
        let stall = stalls.listed().next().unwrap();
        assert_eq!((stall.phase, stall.microtasks), (None, None));
        assert_eq!(stall.ledger_ns.get(LedgerKey::Gc), None);
        assert_eq!(stall.ledger_ns.get(LedgerKey::Microtasks), None);
        assert_eq!(stall.ledger_ns.total_ns(), stall.duration_ns);
    }

    #[test]
    fn stalls_that_were_overwritten_unseen_are_counted() {
        let mut stalls = Stalls::new(all(), 0);
        stalls.take(&reading(vec![ended(1), ended(2)]));
        stalls.take(&reading((10..=12).map(ended).collect()));
        stalls.take(&reading((10..=12).map(ended).collect()));
        assert_eq!(stalls.events(), Events { seen: 12, kept: 5, dropped: 7 });
        assert_eq!(stalls.totals().total_count(), 12);
        assert_eq!(stalls.totals().count(LedgerKey::Unknown), 7);
        assert_eq!(stalls.totals().duration_ns(LedgerKey::Unknown), 700 * MS);
    }

    #[test]
    fn the_newest_are_listed() {
        let mut stalls = Stalls::new(all(), 0);
        (1..=100).for_each(|number| stalls.take(&reading(vec![ended(number)])));
        assert_eq!(stalls.listed().count(), LISTED);
        assert_eq!(stalls.listed().last().unwrap().start_unix_ns, 100_000 * MS);
        assert_eq!(stalls.events(), Events { seen: 100, kept: 64, dropped: 36 });
    }
}
