//! What one loop did. Its stalls have blocks of their own, and stand here by their numbers.

use loop_core::snapshot;
use loop_core::snapshot::{CauseTotals, LedgerKey, LoopSnapshot, Queue, StoppedBy, ThreadCpu};
use loop_core::{Phase, PhaseMap};
use prost::Message;

use super::counters::Counters;
use super::histogram::{self, Histogram};
use super::numbers::Numbered;
use super::observed::Observed;
use super::{Odd, ratios, thread, value, values};
use crate::recording::{LoopTick, Whose};

/// A loop.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Loop {
    #[prost(uint32, tag = "1")]
    pid: u32,
    #[prost(string, tag = "2")]
    thread: String,
    #[prost(uint32, tag = "3")]
    tid: u32,
    #[prost(uint64, optional, tag = "4")]
    turns: Option<u64>,
    #[prost(message, optional, tag = "5")]
    callbacks: Option<PhaseCounts>,
    #[prost(uint64, optional, tag = "6")]
    microtasks: Option<u64>,
    #[prost(uint64, optional, tag = "7")]
    ticks: Option<u64>,
    #[prost(uint64, optional, tag = "8")]
    timers: Option<u64>,
    #[prost(uint64, optional, tag = "9")]
    immediates: Option<u64>,
    #[prost(uint64, optional, tag = "10")]
    active_ns: Option<u64>,
    #[prost(uint64, optional, tag = "11")]
    idle_ns: Option<u64>,
    #[prost(uint64, optional, tag = "12")]
    frozen_ns: Option<u64>,
    #[prost(message, optional, tag = "13")]
    stopped: Option<Stopped>,
    #[prost(double, optional, tag = "14")]
    utilization: Option<f64>,
    #[prost(message, optional, tag = "15")]
    open: Option<OpenTurn>,
    #[prost(message, optional, tag = "16")]
    turn_ns: Option<Histogram>,
    #[prost(message, optional, tag = "17")]
    poll_wait_ns: Option<Histogram>,
    #[prost(message, optional, tag = "18")]
    timer_lateness_ns: Option<Histogram>,
    #[prost(message, optional, tag = "19")]
    arrival_delay_ns: Option<Histogram>,
    #[prost(message, repeated, tag = "20")]
    callbacks_ns: Vec<OfPhase>,
    #[prost(message, repeated, tag = "21")]
    phases: Vec<OfPhase>,
    #[prost(message, optional, tag = "22")]
    microtask_drain_length: Option<Histogram>,
    #[prost(message, optional, tag = "23")]
    microtask_drain_ns: Option<Histogram>,
    #[prost(message, optional, tag = "24")]
    tick_drain_length: Option<Histogram>,
    #[prost(message, optional, tag = "25")]
    tick_drain_ns: Option<Histogram>,
    #[prost(message, optional, tag = "26")]
    gc_minor_ns: Option<Histogram>,
    #[prost(message, optional, tag = "27")]
    gc_major_ns: Option<Histogram>,
    #[prost(message, optional, tag = "28")]
    thread_pool: Option<ThreadPool>,
    /// The numbers of its stalls, in their order.
    #[prost(uint64, repeated, tag = "29")]
    pub(crate) stalls: Vec<u64>,
    #[prost(message, repeated, tag = "30")]
    stall_totals: Vec<CauseTotal>,
    #[prost(message, optional, tag = "31")]
    cpu: Option<Cpu>,
    #[prost(message, optional, tag = "32")]
    counters: Option<Counters>,
    #[prost(uint64, optional, tag = "33")]
    ended_ns: Option<u64>,
    #[prost(message, optional, tag = "34")]
    observed: Option<Observed>,
}

/// A count for each phase. A phase that is not there has 0.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PhaseCounts {
    #[prost(message, repeated, tag = "1")]
    counts: Vec<PhaseCount>,
}

/// A count of a phase.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PhaseCount {
    #[prost(uint32, tag = "1")]
    phase: u32,
    #[prost(uint64, tag = "2")]
    count: u64,
}

/// A histogram of a phase.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct OfPhase {
    #[prost(uint32, tag = "1")]
    phase: u32,
    #[prost(message, optional, tag = "2")]
    histogram: Option<Histogram>,
}

/// That the process is stopped.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Stopped {
    #[prost(uint64, tag = "1")]
    age_ns: u64,
    #[prost(bool, tag = "2")]
    always: bool,
    #[prost(uint32, tag = "3")]
    by: u32,
}

/// The unfinished turn.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct OpenTurn {
    #[prost(uint64, tag = "1")]
    age_ns: u64,
    #[prost(uint32, optional, tag = "2")]
    phase: Option<u32>,
    #[prost(message, optional, tag = "3")]
    drain: Option<Drain>,
}

/// The unfinished drain.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Drain {
    #[prost(uint32, tag = "1")]
    queue: u32,
    #[prost(uint64, tag = "2")]
    age_ns: u64,
    #[prost(uint64, tag = "3")]
    jobs: u64,
}

/// The thread pool.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ThreadPool {
    #[prost(message, optional, tag = "1")]
    queue_ns: Option<Histogram>,
    #[prost(message, optional, tag = "2")]
    run_ns: Option<Histogram>,
    #[prost(uint64, optional, tag = "3")]
    queue_length_max: Option<u64>,
    #[prost(uint64, optional, tag = "4")]
    queue_length: Option<u64>,
    #[prost(double, optional, tag = "5")]
    crowded_share: Option<f64>,
}

/// The stalls of one cause.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct CauseTotal {
    #[prost(uint32, tag = "1")]
    cause: u32,
    #[prost(uint64, tag = "2")]
    count: u64,
    #[prost(uint64, tag = "3")]
    duration_ns: u64,
}

/// What the kernel accounts to the thread.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Cpu {
    #[prost(uint64, optional, tag = "1")]
    on_cpu_ns: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    run_delay_ns: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    throttled_ns: Option<u64>,
}

impl Loop {
    /// A loop whose stalls have these numbers.
    pub(crate) fn of(from: &LoopSnapshot, numbers: Vec<u64>) -> Loop {
        let LoopSnapshot {
            pid,
            thread,
            tid,
            turns,
            callbacks,
            microtasks,
            ticks,
            timers,
            immediates,
            active_ns,
            idle_ns,
            observed,
            frozen_ns,
            stopped,
            utilization,
            ended_ns,
            open,
            turn_ns,
            poll_wait_ns,
            timer_lateness_ns,
            arrival_delay_ns,
            callbacks_ns,
            phases,
            microtask_drain_length,
            microtask_drain_ns,
            tick_drain_length,
            tick_drain_ns,
            gc_minor_ns,
            gc_major_ns,
            thread_pool,
            stalls: _,
            stall_totals,
            cpu,
            counters,
        } = from;
        Loop {
            callbacks: callbacks.as_ref().map(PhaseCounts::from),
            stopped: stopped.map(Stopped::from),
            open: open.map(OpenTurn::from),
            turn_ns: histogram::of(turn_ns.as_ref()),
            poll_wait_ns: histogram::of(poll_wait_ns.as_ref()),
            timer_lateness_ns: histogram::of(timer_lateness_ns.as_ref()),
            arrival_delay_ns: histogram::of(arrival_delay_ns.as_ref()),
            callbacks_ns: of_phases(callbacks_ns),
            phases: of_phases(phases),
            microtask_drain_length: histogram::of(microtask_drain_length.as_ref()),
            microtask_drain_ns: histogram::of(microtask_drain_ns.as_ref()),
            tick_drain_length: histogram::of(tick_drain_length.as_ref()),
            tick_drain_ns: histogram::of(tick_drain_ns.as_ref()),
            gc_minor_ns: histogram::of(gc_minor_ns.as_ref()),
            gc_major_ns: histogram::of(gc_major_ns.as_ref()),
            stalls: numbers,
            ..Loop::plain(Whose { pid: *pid, tid: *tid, thread: thread.as_str().into() })
        }
        .with_totals([*turns, *microtasks, *ticks, *timers, *immediates], stall_totals)
        .with_times([*active_ns, *idle_ns, *frozen_ns, *ended_ns], *observed, *utilization)
        .with_others(thread_pool, *cpu, counters)
    }

    fn plain(whose: Whose) -> Loop {
        let Whose { pid, tid, thread } = whose;
        Loop { pid, tid, thread: thread.as_ref().to_owned(), ..Loop::default() }
    }

    fn with_totals(self, totals: [Option<u64>; 5], stalls: &CauseTotals) -> Loop {
        let [turns, microtasks, ticks, timers, immediates] = totals;
        let stall_totals = cause_totals(stalls);
        Loop { turns, microtasks, ticks, timers, immediates, stall_totals, ..self }
    }

    fn with_times(
        self,
        times: [Option<u64>; 4],
        observed: snapshot::Observed,
        utilization: Option<f64>,
    ) -> Loop {
        let ([active_ns, idle_ns, frozen_ns, ended_ns], observed) = (times, Some(observed.into()));
        Loop { active_ns, idle_ns, frozen_ns, ended_ns, observed, utilization, ..self }
    }

    fn with_others(
        self,
        pool: &snapshot::ThreadPoolSnapshot,
        cpu: ThreadCpu,
        counters: &snapshot::Counters,
    ) -> Loop {
        let (thread_pool, counters) = (Some(pool.into()), Some(counters.into()));
        Loop { thread_pool, cpu: Some(cpu.into()), counters, ..self }
    }

    /// What a timeline has of it, but for the time since the tick before.
    pub(crate) fn tick(&self) -> Result<LoopTick, Odd> {
        let thread = thread(self.thread.clone())?.into();
        let whose = Whose { pid: self.pid, tid: self.tid, thread };
        let totals = back_totals(&self.stall_totals)?;
        let times_ns = LedgerKey::ALL.into_iter().map(|key| totals.duration_ns(key));
        Ok(LoopTick {
            whose,
            turns: values(self.turns)?,
            microtasks: values(self.microtasks)?,
            active_ns: values(self.active_ns)?,
            idle_ns: values(self.idle_ns)?,
            utilization: None,
            open_turn_ns: value(self.open.as_ref().map_or(0, |open| open.age_ns))?,
            stalls: totals.total_count(),
            stall_ns: times_ns.sum(),
        })
    }

    /// The loop that it is, with these stalls.
    pub(crate) fn snapshot(self, stalls: Vec<snapshot::Stall>) -> Result<LoopSnapshot, Odd> {
        Ok(LoopSnapshot {
            pid: self.pid,
            thread: thread(self.thread)?,
            tid: self.tid,
            turns: values(self.turns)?,
            callbacks: self.callbacks.map(PhaseMap::try_from).transpose()?,
            microtasks: values(self.microtasks)?,
            ticks: values(self.ticks)?,
            timers: values(self.timers)?,
            immediates: values(self.immediates)?,
            active_ns: values(self.active_ns)?,
            idle_ns: values(self.idle_ns)?,
            observed: self.observed.unwrap_or_default().try_into()?,
            frozen_ns: values(self.frozen_ns)?,
            stopped: self.stopped.map(snapshot::Stopped::try_from).transpose()?,
            utilization: ratios(self.utilization)?,
            ended_ns: values(self.ended_ns)?,
            open: self.open.map(snapshot::OpenTurn::try_from).transpose()?,
            turn_ns: histogram::times(self.turn_ns)?,
            poll_wait_ns: histogram::times(self.poll_wait_ns)?,
            timer_lateness_ns: histogram::times(self.timer_lateness_ns)?,
            arrival_delay_ns: histogram::times(self.arrival_delay_ns)?,
            callbacks_ns: back_phases(self.callbacks_ns)?,
            phases: back_phases(self.phases)?,
            microtask_drain_length: histogram::lengths(self.microtask_drain_length)?,
            microtask_drain_ns: histogram::times(self.microtask_drain_ns)?,
            tick_drain_length: histogram::lengths(self.tick_drain_length)?,
            tick_drain_ns: histogram::times(self.tick_drain_ns)?,
            gc_minor_ns: histogram::times(self.gc_minor_ns)?,
            gc_major_ns: histogram::times(self.gc_major_ns)?,
            thread_pool: self.thread_pool.unwrap_or_default().try_into()?,
            stalls,
            stall_totals: back_totals(&self.stall_totals)?,
            cpu: self.cpu.unwrap_or_default().try_into()?,
            counters: self.counters.unwrap_or_default().try_into()?,
        })
    }
}

fn of_phases(from: &PhaseMap<Option<snapshot::Histogram>>) -> Vec<OfPhase> {
    let seen = from.iter().filter(|(_, of)| of.is_some());
    seen.map(|(phase, of)| OfPhase { phase: phase.number(), histogram: histogram::of(of.as_ref()) })
        .collect()
}

fn back_phases(from: Vec<OfPhase>) -> Result<PhaseMap<Option<snapshot::Histogram>>, Odd> {
    if from.len() > Phase::ALL.len() {
        return Err(Odd);
    }
    let mut phases = PhaseMap::default();
    for OfPhase { phase, histogram } in from {
        phases[Phase::numbered(phase)?] = histogram::times(histogram)?;
    }
    Ok(phases)
}

fn cause_totals(from: &CauseTotals) -> Vec<CauseTotal> {
    let all = LedgerKey::ALL.into_iter().map(|cause| CauseTotal {
        cause: cause.number(),
        count: from.count(cause),
        duration_ns: from.duration_ns(cause),
    });
    all.filter(|total| total.count > 0 || total.duration_ns > 0).collect()
}

fn back_totals(from: &[CauseTotal]) -> Result<CauseTotals, Odd> {
    from.iter().try_fold(CauseTotals::default(), |mut totals, total| {
        let CauseTotal { cause, count, duration_ns } = *total;
        totals.set(LedgerKey::numbered(cause)?, value(count)?, value(duration_ns)?);
        Ok(totals)
    })
}

impl From<&PhaseMap<u64>> for PhaseCounts {
    fn from(from: &PhaseMap<u64>) -> PhaseCounts {
        let counts = from.iter().filter(|(_, count)| **count > 0);
        let counts =
            counts.map(|(phase, count)| PhaseCount { phase: phase.number(), count: *count });
        PhaseCounts { counts: counts.collect() }
    }
}

impl TryFrom<PhaseCounts> for PhaseMap<u64> {
    type Error = Odd;

    fn try_from(from: PhaseCounts) -> Result<Self, Odd> {
        let mut counts = PhaseMap::default();
        for PhaseCount { phase, count } in from.counts {
            counts[Phase::numbered(phase)?] = value(count)?;
        }
        Ok(counts)
    }
}

impl From<snapshot::Stopped> for Stopped {
    fn from(from: snapshot::Stopped) -> Stopped {
        let snapshot::Stopped { age_ns, always, by } = from;
        Stopped { age_ns, always, by: by.number() }
    }
}

impl TryFrom<Stopped> for snapshot::Stopped {
    type Error = Odd;

    fn try_from(from: Stopped) -> Result<Self, Odd> {
        let Stopped { age_ns, always, by } = from;
        Ok(snapshot::Stopped { age_ns: value(age_ns)?, always, by: StoppedBy::numbered(by)? })
    }
}

impl From<snapshot::OpenTurn> for OpenTurn {
    fn from(from: snapshot::OpenTurn) -> OpenTurn {
        let snapshot::OpenTurn { age_ns, phase, drain } = from;
        let drain = drain.map(|drain| {
            let snapshot::Drain { queue, age_ns, jobs } = drain;
            Drain { queue: queue.number(), age_ns, jobs }
        });
        OpenTurn { age_ns, phase: phase.map(Numbered::number), drain }
    }
}

impl TryFrom<OpenTurn> for snapshot::OpenTurn {
    type Error = Odd;

    fn try_from(from: OpenTurn) -> Result<Self, Odd> {
        let OpenTurn { age_ns, phase, drain } = from;
        let drain = drain.map(|Drain { queue, age_ns, jobs }| {
            let (age_ns, jobs) = (value(age_ns)?, value(jobs)?);
            Ok(snapshot::Drain { queue: Queue::numbered(queue)?, age_ns, jobs })
        });
        let (age_ns, phase) = (value(age_ns)?, Phase::maybe(phase)?);
        Ok(snapshot::OpenTurn { age_ns, phase, drain: drain.transpose()? })
    }
}

impl From<&snapshot::ThreadPoolSnapshot> for ThreadPool {
    fn from(from: &snapshot::ThreadPoolSnapshot) -> ThreadPool {
        let snapshot::ThreadPoolSnapshot {
            queue_ns,
            run_ns,
            queue_length_max,
            queue_length,
            crowded_share,
        } = from;
        ThreadPool {
            queue_ns: histogram::of(queue_ns.as_ref()),
            run_ns: histogram::of(run_ns.as_ref()),
            queue_length_max: *queue_length_max,
            queue_length: *queue_length,
            crowded_share: *crowded_share,
        }
    }
}

impl TryFrom<ThreadPool> for snapshot::ThreadPoolSnapshot {
    type Error = Odd;

    fn try_from(from: ThreadPool) -> Result<Self, Odd> {
        let ThreadPool { queue_ns, run_ns, queue_length_max, queue_length, crowded_share } = from;
        Ok(snapshot::ThreadPoolSnapshot {
            queue_ns: histogram::times(queue_ns)?,
            run_ns: histogram::times(run_ns)?,
            queue_length_max: values(queue_length_max)?,
            queue_length: values(queue_length)?,
            crowded_share: ratios(crowded_share)?,
        })
    }
}

impl From<ThreadCpu> for Cpu {
    fn from(from: ThreadCpu) -> Cpu {
        let ThreadCpu { on_cpu_ns, run_delay_ns, throttled_ns } = from;
        Cpu { on_cpu_ns, run_delay_ns, throttled_ns }
    }
}

impl TryFrom<Cpu> for ThreadCpu {
    type Error = Odd;

    fn try_from(from: Cpu) -> Result<Self, Odd> {
        let Cpu { on_cpu_ns, run_delay_ns, throttled_ns } = from;
        Ok(ThreadCpu {
            on_cpu_ns: values(on_cpu_ns)?,
            run_delay_ns: values(run_delay_ns)?,
            throttled_ns: values(throttled_ns)?,
        })
    }
}
