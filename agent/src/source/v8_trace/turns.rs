//! One loop: its events in order, made into turns, phases, drains, pauses and stalls.
//!
//! ```text
//! one turn        poll callbacks   check   close    timers           wait, poll callbacks
//! events       |  drains, gc     | Check |        | Timers         | drains, gc     | Check
//! known        |  CPU time       | exact | CPU t. | exact, if due  | CPU time ...
//! ```
//!
//! The loop passes its check phase once between two polls, so turns are counted exactly. When the
//! poll stops to wait is in no event: how long its callbacks took is known as their CPU time, and
//! exactly where they drained or collected garbage. A stall is therefore at least as long as it is
//! told, and told only if it was at least as long as the threshold for certain.
//!
//! **Invariant**: nothing that is told was longer than it was; what is not traced is not told.

use loop_core::Phase;
use loop_core::buckets::Scale;
use loop_core::snapshot::{
    Counters, Histogram, Ledger, LedgerKey, LongestDrain, LoopSnapshot, Stall, ThreadCpu,
};

use super::delays::Delays;
use super::event::{Event, Moment, What};
use super::part::{Inside, Part};

/// Stalls that are listed; older ones are known by cause alone.
pub(super) const STALLS_KEPT: usize = 64;

/// What was not told as it should be, for no fault of the loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lost {
    /// Objects in the trace that can't be read.
    pub(super) unreadable: u64,
    /// Drains, pauses and phases of which one end is missing.
    pub(super) ends: u64,
}

impl Lost {
    pub(super) fn total(&self) -> u64 {
        self.unreadable + self.ends
    }
}

/// A loop and what it does now.
#[derive(Debug)]
pub(super) struct Turns {
    /// All that was seen.
    pub(super) seen: LoopSnapshot,
    pub(super) lost: Lost,
    /// Stalls that were overwritten by newer ones.
    pub(super) dropped: u64,
    threshold_ns: u64,
    /// What the monotonic clock lacks to the time of day.
    unix_offset_ns: u64,
    last: Option<Moment>,
    /// Where the phase ends that goes on.
    phase_end: Option<(Phase, Moment)>,
    in_script: bool,
    drain: Option<Moment>,
    gc: Option<Moment>,
    /// Since the end of what is in `turn`.
    part: Part,
    /// The turn that has not ended for certain.
    turn: Option<Turn>,
    delays: Delays,
}

/// What a turn has done so far.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    script: Part,
    poll: Part,
    check: Part,
    timers: Part,
    /// When the last of it ended, on the monotonic clock.
    end_ns: u64,
}

impl Turns {
    pub(super) fn new(pid: u32, tid: u32, threshold_ns: u64, unix_offset_ns: u64) -> Turns {
        let time = || Some(Histogram::new(Scale::Time));
        let mut seen = LoopSnapshot {
            pid,
            tid,
            turns: Some(0),
            microtasks: Some(0),
            microtask_drain_length: Some(Histogram::new(Scale::Length)),
            microtask_drain_ns: time(),
            gc_minor_ns: time(),
            gc_major_ns: time(),
            ..LoopSnapshot::default()
        };
        seen.phases[Phase::Timers] = time();
        seen.phases[Phase::Check] = time();
        Turns {
            seen,
            lost: Lost::default(),
            dropped: 0,
            threshold_ns,
            unix_offset_ns,
            last: None,
            phase_end: None,
            in_script: false,
            drain: None,
            gc: None,
            part: Part::default(),
            turn: None,
            delays: Delays::default(),
        }
    }

    /// Takes what the kernel accounts to the thread at a moment of the monotonic clock.
    pub(super) fn sample(&mut self, wall_ns: u64, cpu: ThreadCpu) {
        let Some(run_delay_ns) = cpu.run_delay_ns else { return };
        self.delays.add(wall_ns, run_delay_ns);
        self.seen.cpu.run_delay_ns = Some(run_delay_ns);
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, event: &Event) {
        let at = event.at;
        self.end_phase_before(at);
        self.advance(at);
        match event.what {
            What::ScriptStart => {
                self.part = Part::default();
                self.in_script = true;
            }
            What::LoopStart => self.end_script(at),
            What::Check(end) => self.start_check(at, end),
            What::Timers(end) => self.start_timers(at, end),
            What::DrainStart => self.lost.ends += u64::from(self.drain.replace(at).is_some()),
            What::DrainEnd { jobs } => self.end_drain(at, jobs),
            What::GcStart => self.lost.ends += u64::from(self.gc.replace(at).is_some()),
            What::GcEnd { major } => self.end_gc(at, major),
            What::LoopEnd | What::EnvironmentEnd => self.end_turn(),
            What::EnvironmentStart { .. } | What::ThreadName(_) | What::Version(_) => {}
        }
    }

    /// There will be no more events.
    pub(super) fn end(&mut self) {
        if let Some((_, end)) = self.phase_end {
            self.end_phase_before(end);
        }
        self.end_turn();
    }

    fn advance(&mut self, to: Moment) {
        if let Some(from) = self.last {
            let inside = match (self.gc, self.drain, self.phase_end) {
                (Some(_), ..) => Inside::Gc,
                (None, Some(_), _) => Inside::Drain,
                (None, None, Some(_)) => Inside::Callbacks,
                (None, None, None) if self.in_script => Inside::Callbacks,
                (None, None, None) => Inside::Nothing,
            };
            self.part.add(from, to, inside);
        }
        let on_cpu_ns = self.seen.cpu.on_cpu_ns.unwrap_or(0).max(to.cpu_ns);
        self.seen.cpu = ThreadCpu { on_cpu_ns: Some(on_cpu_ns), ..self.seen.cpu };
        self.last = Some(to);
    }

    /// A phase is written with its duration where it began, so its end is no event.
    fn end_phase_before(&mut self, at: Moment) {
        let Some((phase, end)) = self.phase_end.filter(|(_, end)| end.wall_ns <= at.wall_ns) else {
            return;
        };
        self.advance(end);
        self.phase_end = None;
        let part = std::mem::take(&mut self.part);
        let turn = self.turn.get_or_insert_default();
        turn.end_ns = end.wall_ns;
        match phase {
            Phase::Check => turn.check = turn.check.and(part),
            _ => turn.timers = turn.timers.and(part),
        }
    }

    fn end_script(&mut self, at: Moment) {
        self.in_script = false;
        let script = std::mem::take(&mut self.part);
        self.turn = Some(Turn { script, end_ns: at.wall_ns, ..Turn::default() });
    }

    /// What ran since the last turn were the poll's callbacks of a new one.
    fn start_check(&mut self, at: Moment, end: Option<Moment>) {
        self.end_turn();
        self.seen.turns = self.seen.turns.map(|turns| turns + 1);
        let poll = std::mem::take(&mut self.part);
        self.turn = Some(Turn { poll, end_ns: at.wall_ns, ..Turn::default() });
        self.start_phase(Phase::Check, at, end);
    }

    /// They follow the check phase of the same turn, with no wait between.
    fn start_timers(&mut self, at: Moment, end: Option<Moment>) {
        self.lost.ends += u64::from(end.is_none());
        let closing = std::mem::take(&mut self.part);
        let turn = self.turn.get_or_insert_default();
        turn.check = turn.check.and(closing);
        turn.end_ns = at.wall_ns;
        self.start_phase(Phase::Timers, at, end);
    }

    fn start_phase(&mut self, phase: Phase, at: Moment, end: Option<Moment>) {
        let Some(end) = end else { return };
        self.phase_end = Some((phase, end));
        if let Some(durations) = &mut self.seen.phases[phase] {
            durations.record(end.wall_ns.saturating_sub(at.wall_ns));
        }
    }

    fn end_drain(&mut self, at: Moment, jobs: u64) {
        match self.drain.take() {
            Some(start) => {
                record(&mut self.seen.microtask_drain_ns, at.wall_ns.saturating_sub(start.wall_ns));
            }
            None => self.lost.ends += 1,
        }
        if jobs == 0 {
            return;
        }
        record(&mut self.seen.microtask_drain_length, jobs);
        self.part.jobs += jobs;
        self.part.drain_jobs = self.part.drain_jobs.max(jobs);
        self.seen.microtasks = self.seen.microtasks.map(|sum| sum.saturating_add(jobs));
    }

    fn end_gc(&mut self, at: Moment, major: bool) {
        match self.gc.take() {
            Some(start) => {
                let seen = &mut self.seen;
                let kind = if major { &mut seen.gc_major_ns } else { &mut seen.gc_minor_ns };
                record(kind, at.wall_ns.saturating_sub(start.wall_ns));
            }
            None => self.lost.ends += 1,
        }
    }

    fn end_turn(&mut self) {
        let Some(turn) = self.turn.take() else { return };
        let parts = [turn.script, turn.poll, turn.check, turn.timers];
        let all = parts.into_iter().reduce(Part::and).unwrap_or_default();
        if all.held_ns < self.threshold_ns {
            return;
        }
        let phases = [None, Some(Phase::Poll), Some(Phase::Check), Some(Phase::Timers)];
        let longest = phases.into_iter().zip(parts).max_by_key(|(_, part)| part.held_ns);
        let start_ns = turn.end_ns.saturating_sub(all.held_ns);
        let ledger_ns = ledger(&all, self.delays.between(start_ns, turn.end_ns));
        self.seen.stall_totals.add(ledger_ns.cause(), all.held_ns);
        self.seen.stalls.push(Stall {
            start_unix_ns: start_ns.saturating_add(self.unix_offset_ns),
            duration_ns: all.held_ns,
            running: false,
            phase: longest.and_then(|(phase, _)| phase),
            callbacks: None,
            microtasks: Some(all.jobs),
            ledger_ns,
            counters: Counters { task_clock_ns: Some(all.cpu_ns), ..Counters::default() },
            culprit: None,
            repeated: None,
            profile: None,
            waits: None,
            drain: (all.drain_jobs > 0)
                .then(|| LongestDrain { jobs: all.drain_jobs, ..LongestDrain::default() }),
            stack: None,
        });
        if self.seen.stalls.len() > STALLS_KEPT {
            self.seen.stalls.remove(0);
            self.dropped += 1;
        }
    }
}

fn record(histogram: &mut Option<Histogram>, value: u64) {
    if let Some(histogram) = histogram {
        histogram.record(value);
    }
}

/// JavaScript stands for what it calls, too: the trace does not tell native code apart. What was
/// neither on a CPU nor a pause has waited: for a CPU at most `run_delay_ns`, where that is known,
/// and else for something that it had asked for. Of a pause that is longer than its CPU time, only
/// what is left of that delay was not the collector's: it waits for its own threads.
fn ledger(all: &Part, run_delay_ns: Option<u64>) -> Ledger {
    let known = Ledger::default()
        .with(LedgerKey::Gc, all.gc_ns)
        .with(LedgerKey::Microtasks, all.microtasks_ns)
        .with(LedgerKey::Javascript, all.running_ns);
    let waited_ns = all.waited_ns();
    let Some(run_delay_ns) = run_delay_ns else {
        return known.with(LedgerKey::Unknown, waited_ns);
    };
    let delay_ns = run_delay_ns.min(waited_ns);
    let in_pauses_ns = (run_delay_ns - delay_ns).min(all.gc_off_cpu_ns);
    known
        .with(LedgerKey::Gc, all.gc_ns - in_pauses_ns)
        .with(LedgerKey::RunQueue, delay_ns + in_pauses_ns)
        .with(LedgerKey::SyncIo, waited_ns - delay_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn at(wall_ms: u64, cpu_ms: u64) -> Moment {
        Moment { wall_ns: wall_ms * MS, cpu_ns: cpu_ms * MS }
    }

    fn of(events: &[(Moment, What)]) -> Turns {
        let mut turns = Turns::new(7, 7, 50 * MS, 0);
        for (at, what) in events {
            turns.take(&Event { tid: 7, at: *at, what: what.clone() });
        }
        turns.end();
        turns
    }

    /// A check phase of a millisecond.
    fn check(wall_ms: u64, cpu_ms: u64) -> (Moment, What) {
        (at(wall_ms, cpu_ms), What::Check(Some(at(wall_ms + 1, cpu_ms + 1))))
    }

    #[test]
    fn waiting_in_the_poll_is_no_stall_and_computing_in_it_is() {
        let waited = of(&[check(0, 0), check(1_000, 2)]);
        assert_eq!((waited.seen.turns, waited.seen.stalls.len()), (Some(2), 0));
        let computed = of(&[check(0, 0), check(1_000, 91)]);
        let stall = &computed.seen.stalls[0];
        assert_eq!((stall.duration_ns, stall.phase), (91 * MS, Some(Phase::Poll)));
        assert_eq!(stall.start_unix_ns, (1_001 - 91) * MS);
        assert_eq!(stall.ledger_ns.get(LedgerKey::Javascript), Some(91 * MS));
        assert_eq!(stall.counters.task_clock_ns, Some(91 * MS));
    }

    #[test]
    fn timers_belong_to_the_turn_of_the_check_before_them() {
        let due = (at(10, 5), What::Timers(Some(at(90, 25))));
        let turns = of(&[check(0, 0), due, check(500, 26)]);
        assert_eq!(turns.seen.stalls.len(), 1);
        let stall = &turns.seen.stalls[0];
        // A millisecond of check, four on a CPU behind it, the phase.
        assert_eq!((stall.duration_ns, stall.phase), (85 * MS, Some(Phase::Timers)));
        let known = [LedgerKey::Javascript, LedgerKey::Unknown].map(|key| stall.ledger_ns.get(key));
        assert_eq!(known, [Some(25 * MS), Some(60 * MS)]);
        assert_eq!(turns.seen.phases[Phase::Timers].as_ref().unwrap().max, 80 * MS);
    }

    #[test]
    fn a_wait_is_told_apart_where_the_kernel_was_asked_before_and_behind_it() {
        let asleep = |samples: &[(u64, u64)]| {
            let mut turns = Turns::new(7, 7, 50 * MS, 0);
            for &(wall_ms, delay_ms) in samples {
                let run_delay_ns = Some(delay_ms * MS);
                turns.sample(wall_ms * MS, ThreadCpu { run_delay_ns, ..ThreadCpu::default() });
            }
            let due = What::Timers(Some(at(200, 10)));
            turns.take(&Event { tid: 7, at: at(100, 0), what: due });
            turns.end();
            let keys = [LedgerKey::RunQueue, LedgerKey::SyncIo, LedgerKey::Unknown];
            keys.map(|key| turns.seen.stalls[0].ledger_ns.get(key))
        };
        assert_eq!(asleep(&[(50, 7), (150, 9), (250, 12)]), [Some(5 * MS), Some(85 * MS), None]);
        assert_eq!(asleep(&[(50, 7), (150, 9)]), [None, None, Some(90 * MS)]);
        assert_eq!(asleep(&[(150, 9), (250, 12)]), [None, None, Some(90 * MS)]);
    }

    #[test]
    fn what_waits_in_a_drain_is_no_microtask_and_a_pause_waits_for_a_cpu_at_most() {
        let events = [
            (at(100, 10), What::ScriptStart),
            (at(101, 11), What::DrainStart),
            (at(110, 20), What::GcStart),
            (at(140, 30), What::GcEnd { major: true }),
            (at(440, 35), What::DrainEnd { jobs: 3 }),
            (at(441, 36), What::LoopStart),
        ];
        let told = |delays_ms: &[u64]| {
            let mut turns = Turns::new(7, 7, 50 * MS, 0);
            for (at_ms, delay_ms) in [50, 500].into_iter().zip(delays_ms) {
                let run_delay_ns = Some(delay_ms * MS);
                turns.sample(at_ms * MS, ThreadCpu { run_delay_ns, ..ThreadCpu::default() });
            }
            let take = |(at, what)| turns.take(&Event { tid: 7, at, what });
            events.clone().into_iter().for_each(take);
            turns.end();
            let ledger = turns.seen.stalls[0].ledger_ns;
            assert_eq!(ledger.total_ns(), 341 * MS);
            use LedgerKey::{Gc, Microtasks, RunQueue, SyncIo, Unknown};
            let keys = [Gc, Microtasks, RunQueue, SyncIo, Unknown];
            keys.map(|key| ledger.get(key).map(|ns| ns / MS))
        };
        assert_eq!(told(&[]), [Some(30), Some(14), None, None, Some(295)]);
        assert_eq!(told(&[7, 7]), [Some(30), Some(14), Some(0), Some(295), None]);
        assert_eq!(told(&[7, 47]), [Some(30), Some(14), Some(40), Some(255), None]);
        assert_eq!(told(&[7, 900]), [Some(10), Some(14), Some(315), Some(0), None]);
    }

    #[test]
    fn a_drain_and_the_pause_in_it_are_told_apart() {
        let turns = of(&[
            (at(0, 0), What::ScriptStart),
            (at(10, 10), What::DrainStart),
            (at(20, 20), What::GcStart),
            (at(50, 30), What::GcEnd { major: false }),
            (at(100, 80), What::DrainEnd { jobs: 60_000 }),
            (at(100, 80), What::DrainStart),
            (at(100, 80), What::DrainEnd { jobs: 2 }),
            (at(101, 81), What::LoopStart),
        ]);
        let stall = &turns.seen.stalls[0];
        assert_eq!((stall.duration_ns, stall.phase), (101 * MS, None));
        assert_eq!(stall.microtasks, Some(60_002));
        assert_eq!(stall.drain.as_ref().map(|drain| drain.jobs), Some(60_000));
        let keys = [LedgerKey::Gc, LedgerKey::Microtasks, LedgerKey::Javascript];
        let parts = keys.map(|key| stall.ledger_ns.get(key));
        assert_eq!(parts, [Some(30 * MS), Some(60 * MS), Some(11 * MS)]);
        assert_eq!(stall.ledger_ns.total_ns(), stall.duration_ns);
        assert_eq!(turns.seen.gc_pause_ns().unwrap().max, 30 * MS);
        assert_eq!(turns.seen.microtask_drain_ns.unwrap().max, 90 * MS);
        assert_eq!(turns.seen.microtask_drain_length.unwrap().max, 60_000);
    }

    #[test]
    fn what_has_lost_an_end_is_counted_and_tells_what_it_can() {
        let turns = of(&[
            (at(0, 0), What::DrainEnd { jobs: 5 }),
            (at(1, 1), What::DrainStart),
            (at(2, 2), What::DrainStart),
            (at(3, 3), What::DrainEnd { jobs: 7 }),
            (at(4, 4), What::GcEnd { major: false }),
            (at(5, 5), What::Timers(None)),
            check(200, 95),
        ]);
        assert_eq!(turns.lost.ends, 4);
        assert_eq!(turns.seen.microtasks, Some(12));
        assert_eq!(turns.seen.microtask_drain_length.unwrap().count(), 2);
        assert_eq!(turns.seen.microtask_drain_ns.unwrap().count(), 1);
        // What the timers computed is found all the same.
        assert_eq!(turns.seen.stalls[0].duration_ns, 91 * MS);
    }

    #[test]
    fn only_the_newest_stalls_are_listed_and_all_are_counted() {
        let checks: Vec<_> = (0..=100).map(|i| check(i * 1_000, i * 100)).collect();
        let turns = of(&checks);
        assert_eq!(turns.seen.stalls.len(), STALLS_KEPT);
        assert_eq!(turns.seen.stall_totals.total_count(), 100);
        assert_eq!(turns.dropped, 100 - STALLS_KEPT as u64);
    }

    #[test]
    fn events_out_of_order_do_no_harm() {
        let turns = of(&[check(500, 50), check(0, 0), (at(3, 1), What::GcStart), check(1, 0)]);
        assert_eq!(turns.seen.turns, Some(3));
        assert!(turns.seen.stalls.is_empty());
    }
}
