//! The reading side: a snapshot of a loop from any thread, at any time, whatever the loop does.

use std::fmt;
use std::sync::Arc;

use super::blame::{Blame, Blamed};
use super::counted::counters;
use super::ledger::ledger;
use super::shared::{Hist, PoolGauge, Shared, Total, scale_of};
use super::stalls::StallRecord;
use super::sync::{Ordering, get};
use crate::clock::Clock;
use crate::phase::{PHASES, Phase, PhaseMap};
use crate::snapshot::{
    CauseTotals, ClockKind, Drain, Events, Histogram, LedgerKey, LoopSnapshot, Observed, OpenTurn,
    Queue, Stall, ThreadPoolSnapshot, Tier, arrival_delay,
};

/// Reads what a [`super::Recorder`] notes. Cloning is cheap; every clone sees the same.
///
/// Nothing a reader does changes what another reader, or the loop, sees. A read never waits: a
/// loop that is blocked is read as readily as one that is idle.
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
    pool: Option<Arc<PoolGauge>>,
    clock: Clock,
    started_ns: u64,
    stall_threshold_ns: u64,
    detail: bool,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, clock: Clock, threshold_ns: u64, detail: bool) -> Self {
        let started_ns = clock.now_ns();
        Reader { shared, pool: None, clock, started_ns, stall_threshold_ns: threshold_ns, detail }
    }

    pub(crate) fn with_pool(mut self, pool: Arc<PoolGauge>) -> Self {
        self.pool = Some(pool);
        self
    }

    /// The clock of the loop.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// When the recorder was made, in nanoseconds of the clock.
    pub fn started_ns(&self) -> u64 {
        self.started_ns
    }

    /// From which duration on a turn is a stall, in nanoseconds.
    pub fn stall_threshold_ns(&self) -> u64 {
        self.stall_threshold_ns
    }

    /// When the open turn began, in nanoseconds of the clock; `None` while the loop waits or rests.
    #[inline]
    pub fn turn_since_ns(&self) -> Option<u64> {
        self.shared.open.turn_since()
    }

    /// Whether a turn that began then has ended and is listed as a stall. Cost: a few microseconds.
    pub fn has_stall(&self, start_ns: u64) -> bool {
        self.shared.stalls.read().0.iter().any(|stall| stall.start_ns == start_ns)
    }

    /// Every reader of this loop asks `blame` of its stalls; the first one who was named stays.
    pub(crate) fn blame_by(&self, blame: Box<dyn Blame>) {
        // Whoever comes second is not asked.
        let _ = self.shared.blame.set(blame);
    }

    /// What the loop did until now. About 150 KB are copied in a few microseconds.
    pub fn snapshot(&self) -> LoopSnapshot {
        let mut snapshot = LoopSnapshot::default();
        self.snapshot_into(&mut snapshot);
        snapshot
    }

    /// As [`Reader::snapshot`], into a value whose memory is used again.
    pub fn snapshot_into(&self, out: &mut LoopSnapshot) {
        let now_ns = self.clock.now_ns();
        out.pid = std::process::id();
        out.thread.clear();
        out.thread.push_str("main");
        out.tid = get(&self.shared.thread_id) as u32;
        out.open = self.open_turn(now_ns);
        self.read_totals(out);
        self.read_times(out, now_ns);
        self.read_histograms(out);
        self.read_stalls(out, now_ns);
        (out.counters, out.cpu) = self.shared.counted.totals();
    }

    /// Stalls so far: seen, kept in the ring, overwritten in it.
    pub fn events(&self) -> Events {
        let (stalls, written) = self.shared.stalls.read();
        let kept = stalls.len() as u64;
        Events { seen: written, kept, dropped: written - kept }
    }

    /// Whether durations of work mean anything: always under a real clock, under a virtual one
    /// only when the workload has declared what its work costs.
    fn durations_known(&self) -> bool {
        self.clock.kind() == ClockKind::Real || get(&self.shared.cost_declared) != 0
    }

    fn total(&self, total: Total) -> u64 {
        get(&self.shared.totals[total as usize])
    }

    fn read_totals(&self, out: &mut LoopSnapshot) {
        let callbacks = &self.shared.totals[Total::FirstPhaseCallbacks as usize..][..PHASES];
        out.callbacks = Some(PhaseMap::from_fn(|phase| get(&callbacks[phase as usize])));
        out.microtasks = Some(self.microtasks());
        out.ticks = Some(self.total(Total::Ticks));
        out.immediates = Some(self.total(Total::Immediates));
    }

    /// All microtasks. What has been told is never taken back.
    fn microtasks(&self) -> u64 {
        let seen = self.shared.open.microtasks(&self.shared.totals[Total::Microtasks as usize]);
        self.shared.microtasks_told.fetch_max(seen, Ordering::Relaxed).max(seen)
    }

    fn read_times(&self, out: &mut LoopSnapshot, now_ns: u64) {
        let times = &self.shared.times;
        let active_ns = times.active_ns.read(now_ns);
        let idle_ns = times.idle_ns.read(now_ns);
        out.active_ns = self.durations_known().then_some(active_ns);
        out.idle_ns = Some(idle_ns);
        out.observed = Observed::at(Tier::Full, now_ns.saturating_sub(self.started_ns));
        out.frozen_ns = Some(times.frozen_ns.read(now_ns));
        let seen_ns = active_ns + idle_ns;
        let known = self.durations_known() && seen_ns > 0;
        out.utilization = known.then(|| active_ns as f64 / seen_ns as f64);
    }

    fn read_histograms(&self, out: &mut LoopSnapshot) {
        let timed = self.durations_known();
        let read = |slot: &mut Option<Histogram>, number: usize, known: bool| {
            if !known {
                *slot = None;
                return;
            }
            match slot {
                Some(old) => self.shared.histograms[number].read_into(old),
                None => *slot = Some(self.shared.histograms[number].read(scale_of(number))),
            }
        };
        for phase in Phase::ALL {
            let number = phase as usize;
            read(&mut out.phases[phase], Hist::FirstPhase as usize + number, timed);
            let callbacks = Hist::FirstCallback as usize + number;
            read(&mut out.callbacks_ns[phase], callbacks, timed && self.detail);
        }
        read(&mut out.turn_ns, Hist::Turn as usize, timed);
        let counted = out.turn_ns.as_ref().map(Histogram::count);
        let histogram = &self.shared.histograms[Hist::Turn as usize];
        out.turns = Some(counted.unwrap_or_else(|| histogram.count()));
        read(&mut out.poll_wait_ns, Hist::PollWait as usize, true);
        read(&mut out.timer_lateness_ns, Hist::Lateness as usize, true);
        out.timers = out.timer_lateness_ns.as_ref().map(Histogram::count);
        read(&mut out.microtask_drain_length, Hist::MicrotaskLength as usize, true);
        read(&mut out.microtask_drain_ns, Hist::MicrotaskNs as usize, timed);
        read(&mut out.tick_drain_length, Hist::TickLength as usize, true);
        read(&mut out.tick_drain_ns, Hist::TickNs as usize, timed);
        // Rust has no collector.
        let collects = self.shared.code() == LedgerKey::Javascript;
        read(&mut out.gc_major_ns, Hist::GcPause as usize, timed && collects);
        let pool = &mut out.thread_pool;
        read(&mut pool.queue_ns, Hist::PoolQueue as usize, timed);
        read(&mut pool.run_ns, Hist::PoolRun as usize, timed);
        self.read_pool(pool);
        // In a poll nobody is kept waiting, not in the one that is still open either.
        let polls_ns = out.idle_ns.unwrap_or(0) + self.total(Total::PassingNs);
        out.arrival_delay_ns = out.turn_ns.as_ref().map(|turns| arrival_delay(turns, polls_ns));
    }

    fn read_pool(&self, out: &mut ThreadPoolSnapshot) {
        out.queue_length = self.pool.as_ref().map(|pool| get(&pool.waiting));
        out.queue_length_max = self.pool.as_ref().map(|pool| get(&pool.waiting_max));
    }

    fn read_stalls(&self, out: &mut LoopSnapshot, now_ns: u64) {
        let (records, _) = self.shared.stalls.read();
        out.stalls.clear();
        out.stalls.extend(records.iter().map(|record| self.stall(record, false)));
        // The turn may have ended between the two readings; then it is listed already.
        let newest = out.stalls.last().map(|stall| stall.start_unix_ns);
        let running = self.running_stall(out.open.as_ref(), now_ns);
        out.stalls.extend(running.filter(|stall| newest.is_none_or(|at| at < stall.start_unix_ns)));
        let mut totals = CauseTotals::default();
        for (key, (count, ns)) in LedgerKey::ALL.into_iter().zip(&self.shared.causes) {
            totals.set(key, get(count), get(ns));
        }
        out.stall_totals = totals;
    }

    fn stall(&self, record: &StallRecord, running: bool) -> Stall {
        let blamed = self.shared.blame.get().and_then(|blame| blame.blame(record.start_ns));
        let Blamed { culprit, stack, profile } = blamed.unwrap_or_default();
        Stall {
            start_unix_ns: self.clock.unix_ns(record.start_ns),
            duration_ns: record.duration_ns,
            running,
            phase: Phase::from_index(record.phase as usize),
            callbacks: (!running).then_some(record.callbacks),
            microtasks: Some(record.microtasks),
            repeated: None,
            ledger_ns: ledger(record, self.shared.code()),
            counters: counters(&record.spent),
            culprit,
            waits: None,
            drain: None,
            stack,
            profile,
        }
    }

    fn open_turn(&self, now_ns: u64) -> Option<OpenTurn> {
        let since = self.shared.open.turn_since()?;
        let open = &self.shared.open;
        let drain = get(&open.drain_since).checked_sub(1).map(|since| Drain {
            queue: open.queue(),
            age_ns: now_ns.saturating_sub(since),
            jobs: get(&open.drain_jobs),
        });
        Some(OpenTurn { age_ns: now_ns.saturating_sub(since), phase: open.phase(), drain })
    }

    fn running_stall(&self, turn: Option<&OpenTurn>, now_ns: u64) -> Option<Stall> {
        let turn = turn.filter(|turn| turn.age_ns >= self.stall_threshold_ns)?;
        let open = &self.shared.open;
        let drain_of = |queue| turn.drain.filter(|drain| drain.queue == queue);
        let start_ns = now_ns - turn.age_ns;
        let counted = &self.shared.counted;
        let spent = counted.spent_since(start_ns, get(&self.shared.thread_id));
        let on_cpu_ns = |drain: Drain| {
            let since_ns = now_ns.saturating_sub(drain.age_ns);
            let on_cpu_ns = counted.drain_on_cpu_ns(since_ns, &spent).unwrap_or(drain.age_ns);
            on_cpu_ns.min(drain.age_ns).min(turn.age_ns)
        };
        let drain_ns = |queue| drain_of(queue).map_or(0, on_cpu_ns);
        let jobs = drain_of(Queue::Microtask).map_or(0, |drain| drain.jobs);
        let collected = open.collected.read().of(start_ns);
        let microtask_ns = get(&open.microtask_ns) + drain_ns(Queue::Microtask);
        let tick_ns = get(&open.tick_ns) + drain_ns(Queue::NextTick);
        let record = StallRecord {
            start_ns,
            duration_ns: turn.age_ns,
            phase: turn.phase.map_or(PHASES, |phase| phase as usize) as u64,
            callbacks: 0,
            microtasks: get(&open.microtasks) + jobs,
            microtask_ns: microtask_ns.saturating_sub(collected.microtask_ns),
            tick_ns: tick_ns.saturating_sub(collected.tick_ns),
            gc_ns: collected.total_ns(),
            spent,
        };
        Some(self.stall(&record, true))
    }
}
