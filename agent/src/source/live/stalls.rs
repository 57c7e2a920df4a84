//! The stalls of one loop: taken from the kernel's ring as they come, and kept.
//!
//! The kernel keeps the newest [`RING`]; whoever looks ten times a second misses none, as a stall
//! lasts at least a millisecond. What was overwritten before it was seen is counted, by number and
//! by time, and its cause is unknown.

use std::collections::VecDeque;

use loop_core::Phase;
use loop_core::snapshot::{
    CauseTotals, Counters, Events, Ledger, LedgerKey, LongestDrain, OpenTurn, Stall,
};

use super::convert::{Now, Points, SEEN_PHASES};
use super::ebpf::{Ended, Head, Reading};
use super::eye::Eye;
use super::ledger::{Accounted, divide};
use super::uncounted::{POLL, Uncounted};

/// How many are listed, as in the recorder of the embedded loop.
const LISTED: usize = 64;

/// The stalls of one loop.
#[derive(Clone, Debug)]
pub(super) struct Stalls {
    /// The probes that were set first.
    points: Points,
    /// Those that were left, and since when, by the monotonic clock.
    reduced: Option<(u64, Points)>,
    /// Whether the kernel's figures are exact up to the moment at which they are read.
    exact: bool,
    /// What to add to the monotonic clock to have the time since the Unix epoch.
    unix_offset_ns: u64,
    eye: Option<Eye>,
    /// How long a turn is a stall.
    threshold_ns: u64,
    listed: VecDeque<Stall>,
    totals: CauseTotals,
    /// How many the kernel has counted, and how long together.
    counted: (u64, u64),
    /// How long those were together that were seen.
    seen_ns: u64,
    /// The number of the newest that was seen.
    newest: u64,
    lost: u64,
    /// What was no stall: how many, and how long together, with the waits in those that were.
    retracted: (u64, u64),
    /// What libuv has counted wrongly, if it has.
    uncounted: Option<Box<Uncounted>>,
}

impl Stalls {
    pub(super) fn new(points: Points, exact: bool, unix_offset_ns: u64) -> Stalls {
        Stalls {
            points,
            reduced: None,
            exact,
            unix_offset_ns,
            eye: None,
            threshold_ns: 0,
            listed: VecDeque::new(),
            totals: CauseTotals::default(),
            counted: (0, 0),
            seen_ns: 0,
            newest: 0,
            lost: 0,
            retracted: (0, 0),
            uncounted: None,
        }
    }

    /// Asks there what was seen while a stall went on.
    #[must_use]
    pub(super) fn with(self, eye: Option<Eye>, threshold_ns: u64) -> Stalls {
        Stalls { eye, threshold_ns, ..self }
    }

    /// Only these probes are left from now on, by the monotonic clock. What the others have seen of
    /// a stall that goes on is not the whole of it, so nothing of that is told.
    pub(super) fn reduce(&mut self, points: Points, now_ns: u64) {
        self.reduced.get_or_insert((now_ns, points));
    }

    /// The probes that saw all of a turn that ended then.
    fn points_until(&self, end_ns: u64) -> Points {
        let reduced = self.reduced.filter(|(since_ns, _)| end_ns > *since_ns);
        reduced.map_or(self.points, |(_, points)| points)
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
                self.take_one(ended, reading);
            }
        }
        let totals = &reading.head.totals;
        self.counted = (totals.stalls, totals.stall_ns);
    }

    /// A signal, as the end of a child, ends a wait for events, and libuv takes the time until then
    /// for active: it notes anew when it waits. The kernel ends one as well, to do what `io_uring`
    /// was asked for. What was seen of such a wait is no part of the stall, if one is left.
    fn take_one(&mut self, ended: &Ended, reading: &Reading) {
        let waited_until = self.eye.as_ref().and_then(|eye| eye.waited_until(ended));
        let waited_ns = waited_until.map_or(0, |until_ns| until_ns.saturating_sub(ended.start_ns));
        if waited_ns > 0 {
            let uncounted = self.uncounted.get_or_insert_with(|| Box::new(Uncounted::new()));
            uncounted.add(ended, waited_ns, reading);
        }
        let mut turn = ended.turn;
        turn.phase_ns[POLL] = turn.phase_ns[POLL].saturating_sub(waited_ns);
        let start_ns = ended.start_ns + waited_ns;
        let duration_ns = ended.duration_ns.saturating_sub(waited_ns);
        if waited_ns == 0 || duration_ns >= self.threshold_ns {
            self.retracted.1 += waited_ns;
            self.keep(&Ended { start_ns, duration_ns, turn, ..*ended });
        } else {
            self.retracted.0 += 1;
            self.retracted.1 += ended.duration_ns;
        }
    }

    /// What was read, as it is without what libuv has counted wrongly.
    pub(super) fn put_right(&self, reading: Reading) -> Reading {
        let mut reading = reading;
        self.uncounted.iter().for_each(|uncounted| uncounted.put_right(&mut reading));
        reading
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
            let known_ns = self.seen_ns + self.retracted.1;
            let unseen_ns = self.counted.1.saturating_sub(known_ns);
            let known = (totals.count(LedgerKey::Unknown), totals.duration_ns(LedgerKey::Unknown));
            totals.set(LedgerKey::Unknown, known.0 + self.lost, known.1 + unseen_ns);
        }
        totals
    }

    /// How many there were, and how many of them are listed.
    pub(super) fn events(&self) -> Events {
        let kept = self.listed.len() as u64;
        let seen = self.newest.max(self.counted.0) - self.retracted.0;
        Events { seen, kept, dropped: seen - kept }
    }

    fn stall(&self, ended: &Ended) -> Stall {
        let points = self.points_until(ended.start_ns.saturating_add(ended.duration_ns));
        let stall = Stall {
            start_unix_ns: ended.start_ns + self.unix_offset_ns,
            duration_ns: ended.duration_ns,
            running: false,
            phase: phase(ended, points),
            callbacks: callbacks(ended, points),
            microtasks: points.drains().then_some(ended.turn.microtasks),
            repeated: None,
            ledger_ns: self.ledger(ended, points),
            counters: Counters {
                context_switches: Some(ended.account.switches),
                page_faults: Some(ended.account.faults),
                ..Counters::default()
            },
            culprit: None,
            profile: None,
            waits: None,
            drain: drain(ended.turn.drain_jobs, ended.turn.drain_queued, points),
            stack: None,
        };
        self.fill(stall)
    }

    fn fill(&self, mut stall: Stall) -> Stall {
        self.eye.iter().for_each(|eye| eye.fill(&mut stall));
        stall
    }

    /// What is known of where the time went.
    fn ledger(&self, ended: &Ended, points: Points) -> Ledger {
        let turn = &ended.turn;
        let drains_ns = turn.drain_cpu_ns.saturating_sub(turn.gc_in_drain_cpu_ns);
        divide(&Accounted {
            duration_ns: ended.duration_ns,
            cpu_ns: Some(ended.account.cpu_ns),
            run_delay_ns: Some(ended.account.run_delay_ns),
            waits: Some(ended.account.waits),
            exact: self.exact,
            gc_ns: points.collections().then_some((turn.gc_ns, turn.gc_cpu_ns)),
            drains_ns: points.drains().then_some(drains_ns),
        })
    }

    /// A stall that goes on. Of what the kernel accounts, only run delay is as of now: time on a
    /// CPU may be as old as the last tick.
    pub(super) fn running(&self, head: &Head, open: OpenTurn, now: Now) -> Stall {
        let points = self.points_until(now.at_ns);
        let start_ns = now.at_ns.saturating_sub(open.age_ns);
        let before_ns = head.boundary_account.run_delay_ns;
        let run_delay_ns = now.run_delay_ns.map(|ns| ns.saturating_sub(before_ns));
        let in_drain = open.drain.map_or(0, |drain| drain.jobs);
        self.fill(Stall {
            start_unix_ns: start_ns + self.unix_offset_ns,
            duration_ns: open.age_ns,
            running: true,
            phase: open.phase,
            callbacks: None,
            microtasks: points.drains().then_some(head.turn.microtasks + in_drain),
            repeated: None,
            ledger_ns: running_ledger(head, open, run_delay_ns, points),
            counters: Counters::default(),
            culprit: None,
            profile: None,
            waits: None,
            drain: if in_drain < head.turn.drain_jobs {
                drain(head.turn.drain_jobs, head.turn.drain_queued, points)
            } else {
                drain(in_drain, head.drain_size, points)
            },
            stack: None,
        })
    }
}

/// The phase in which most of it was spent. `None`: outside of any, as in a main program.
fn phase(ended: &Ended, points: Points) -> Option<Phase> {
    let phases = ended.turn.phase_ns;
    let (index, &longest_ns) = phases.iter().enumerate().max_by_key(|(_, ns)| **ns)?;
    let outside_ns = ended.duration_ns.saturating_sub(phases.iter().sum());
    let (phase, _) = SEEN_PHASES[index];
    (longest_ns > outside_ns && points.phases()).then_some(phase)
}

/// Events are counted, by libuv itself; timers and immediates aren't. That several may be told by
/// one makes it no fewer.
fn callbacks(ended: &Ended, points: Points) -> Option<u64> {
    let polled = phase(ended, points) == Some(Phase::Poll);
    (polled && ended.turn.events > 1).then_some(ended.turn.events)
}

fn drain(jobs: u64, queued: u64, points: Points) -> Option<LongestDrain> {
    (points.drains() && jobs > 0).then(|| LongestDrain {
        jobs,
        queued: (queued > 0).then_some(queued),
        ..LongestDrain::default()
    })
}

fn running_ledger(
    head: &Head,
    open: OpenTurn,
    run_delay_ns: Option<u64>,
    points: Points,
) -> Ledger {
    let drained_ns = points.drains().then(|| {
        let in_drain_ns = open.drain.map_or(0, |drain| drain.age_ns);
        in_drain_ns + head.turn.drain_cpu_ns
    });
    divide(&Accounted {
        duration_ns: open.age_ns,
        run_delay_ns,
        drains_ns: drained_ns,
        ..Accounted::default()
    })
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
            boundary_ns: number * 1_000 * MS - 7 * MS,
            turn: Turn {
                phase_ns: [90 * MS, 0, 0, 10 * MS, 0],
                events: 3,
                microtasks: 5,
                drain_jobs: 5,
                drain_queued: 2,
                drain_cpu_ns: 40 * MS,
                gc_ns: 20 * MS,
                gc_cpu_ns: 18 * MS,
                gc_in_drain_cpu_ns: 15 * MS,
                nested: 0,
            },
            account: Account {
                cpu_ns: 60 * MS,
                run_delay_ns: 10 * MS,
                faults: 3,
                switches: 7,
                waits: 2,
            },
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
        let mut stalls = Stalls::new(all(), true, 5);
        stalls.take(&reading(vec![ended(1)]));
        let stall = stalls.listed().next().unwrap();
        assert_eq!(stall.start_unix_ns, 1_000 * MS + 5);
        assert_eq!(stall.phase, Some(Phase::Timers));
        assert_eq!(stall.ledger_ns.total_ns(), stall.duration_ns);
        let get = |key| stall.ledger_ns.get(key);
        assert_eq!(get(LedgerKey::RunQueue), Some(10 * MS));
        assert_eq!(get(LedgerKey::Gc), Some(20 * MS));
        assert_eq!(get(LedgerKey::Microtasks), Some(25 * MS));
        assert_eq!(get(LedgerKey::SyncIo), Some(28 * MS), "neither ran nor could, nor collected");
        assert_eq!(get(LedgerKey::Javascript), None, "not told apart");
    }

    #[test]
    fn a_stall_that_goes_on_tells_the_run_delay_since_its_turn_began() {
        let stalls = Stalls::new(all(), true, 0);
        let mut head = Reading::empty().head;
        head.boundary_account.run_delay_ns = 500 * MS;
        head.turn.drain_cpu_ns = 20 * MS;
        let open = OpenTurn { age_ns: 100 * MS, phase: None, drain: None };
        let at = |run_delay_ns| Now {
            at_ns: 1_000 * MS,
            idle_ns: 0,
            waits: false,
            finished: None,
            run_delay_ns,
        };
        let keys = [LedgerKey::RunQueue, LedgerKey::Microtasks, LedgerKey::Unknown];
        let told = |run_delay_ns| {
            let ledger = stalls.running(&head, open, at(run_delay_ns)).ledger_ns;
            keys.map(|key| ledger.get(key))
        };
        assert_eq!(told(Some(530 * MS)), [30, 20, 50].map(|ms| Some(ms * MS)));
        assert_eq!(told(Some(800 * MS)), [100, 0, 0].map(|ms| Some(ms * MS)));
        assert_eq!(told(None), [None, Some(20 * MS), Some(80 * MS)], "the kernel does not say");
    }

    #[test]
    fn what_no_probe_shows_is_unknown_and_no_zero() {
        let mut stalls = Stalls::new(Points::of([Point::IoPoll]), true, 0);
        stalls.take(&reading(vec![ended(1)]));
        let stall = stalls.listed().next().unwrap();
        assert_eq!((stall.phase, stall.microtasks), (None, None));
        assert_eq!(stall.ledger_ns.get(LedgerKey::Gc), None);
        assert_eq!(stall.ledger_ns.get(LedgerKey::Microtasks), None);
        assert_eq!(stall.ledger_ns.total_ns(), stall.duration_ns);
    }

    #[test]
    fn what_was_not_probed_until_the_end_is_unknown_and_no_zero() {
        let mut stalls = Stalls::new(all(), true, 0);
        let turns = Points::of([Point::IoPoll]);
        stalls.reduce(turns, 2_050 * MS);
        let none = Turn::default();
        stalls.take(&reading(vec![ended(1), ended(2), Ended { turn: none, ..ended(3) }]));
        let told = stalls.listed().map(|of| (of.microtasks, of.drain.clone(), of.phase));
        let told: Vec<_> = told.collect();
        assert_eq!((told[0].0, told[0].2), (Some(5), Some(Phase::Timers)), "it was over");
        assert!(told[0].1.is_some());
        assert_eq!(told[1..], [(None, None, None), (None, None, None)]);
        for stall in stalls.listed().skip(1) {
            let keys = [LedgerKey::Gc, LedgerKey::Microtasks].map(|key| stall.ledger_ns.get(key));
            assert_eq!(keys, [None, None]);
            assert_eq!(stall.ledger_ns.total_ns(), stall.duration_ns);
        }
        let (head, age_ns) = (Reading::empty().head, 100 * MS);
        let open = OpenTurn { age_ns, phase: None, drain: None };
        let now = Now {
            at_ns: 4_000 * MS,
            idle_ns: 0,
            waits: false,
            finished: None,
            run_delay_ns: Some(0),
        };
        let running = stalls.running(&head, open, now);
        assert_eq!(
            (running.microtasks, running.ledger_ns.get(LedgerKey::Microtasks)),
            (None, None)
        );
    }

    #[test]
    fn stalls_that_were_overwritten_unseen_are_counted() {
        let mut stalls = Stalls::new(all(), true, 0);
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
        let mut stalls = Stalls::new(all(), true, 0);
        (1..=100).for_each(|number| stalls.take(&reading(vec![ended(number)])));
        assert_eq!(stalls.listed().count(), LISTED);
        assert_eq!(stalls.listed().last().unwrap().start_unix_ns, 100_000 * MS);
        assert_eq!(stalls.events(), Events { seen: 100, kept: 64, dropped: 36 });
    }
}
