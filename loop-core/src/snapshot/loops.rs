//! What one loop did.

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::{CauseTotals, Counters, Histogram, Observed, Stall};
use crate::phase::{Phase, PhaseMap};

/// What one loop did since the observation began. Histograms of times are in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoopSnapshot {
    /// Process id.
    pub pid: u32,
    /// `main`, `worker-N` or `other`.
    pub thread: String,
    /// Thread id as the kernel has it.
    pub tid: u32,

    /// Completed turns: a turn is what a loop does between two polls. `None` where they aren't
    /// counted.
    pub turns: Option<u64>,
    /// Callbacks run in each phase.
    pub callbacks: Option<PhaseMap<u64>>,
    /// Microtasks run.
    pub microtasks: Option<u64>,
    /// `process.nextTick` callbacks run.
    pub ticks: Option<u64>,
    /// Timers fired (each timeout of Node's lists counts).
    pub timers: Option<u64>,
    /// Immediates run.
    pub immediates: Option<u64>,

    /// Time in turns, and in polls between them that did not wait.
    pub active_ns: Option<u64>,
    /// Time waiting in the poll.
    pub idle_ns: Option<u64>,
    /// For how long it was observed, by tier.
    pub observed: Observed,
    /// Time in which the loop was frozen; neither active nor idle.
    pub frozen_ns: Option<u64>,
    /// That the process is stopped now, seen from outside; `None` where it isn't, or is not looked
    /// at. The time counts as active or idle, as the loop itself has it.
    pub stopped: Option<Stopped>,
    /// Active time as a share of active and idle time, the open turn included.
    pub utilization: Option<f64>,
    /// For how long at least it has ended, seen from outside; `None` while it is there, or where
    /// that is not looked at.
    pub ended_ns: Option<u64>,
    /// The unfinished turn; `None` while the loop waits, is frozen or has ended.
    pub open: Option<OpenTurn>,

    /// Active time of each turn.
    pub turn_ns: Option<Histogram>,
    /// Each poll that could wait.
    pub poll_wait_ns: Option<Histogram>,
    /// For each timer, from when it was due to when it ran.
    pub timer_lateness_ns: Option<Histogram>,
    /// What an event at a random instant would have waited (see [`super::arrival_delay`]).
    pub arrival_delay_ns: Option<Histogram>,
    /// Each callback of each phase, its drains not included; needs `--detail`.
    pub callbacks_ns: PhaseMap<Option<Histogram>>,
    /// Each phase that ran something.
    pub phases: PhaseMap<Option<Histogram>>,
    /// Microtasks in each drain that was not empty.
    pub microtask_drain_length: Option<Histogram>,
    /// Duration of those drains (shorter than 8 jobs: with `--detail` only).
    pub microtask_drain_ns: Option<Histogram>,
    /// `process.nextTick` callbacks in each drain that was not empty.
    pub tick_drain_length: Option<Histogram>,
    /// Duration of those drains (shorter than 8 jobs: with `--detail` only).
    pub tick_drain_ns: Option<Histogram>,
    /// Each pause for a minor collection of garbage, of what is young. `None` where the loop runs
    /// no JavaScript. On the embedded loop pauses are of collections alone: what is freed by
    /// counting references takes none.
    pub gc_minor_ns: Option<Histogram>,
    /// Each pause for a major one, of all. Scripts on an embedded loop have these alone.
    pub gc_major_ns: Option<Histogram>,
    /// The thread pool behind the loop.
    pub thread_pool: ThreadPoolSnapshot,

    /// The newest stalls, newest last; a running one stands at the end.
    pub stalls: Vec<Stall>,
    /// All completed stalls, also those no longer listed.
    pub stall_totals: CauseTotals,
    /// What the kernel accounts to the loop's thread.
    pub cpu: ThreadCpu,
    /// Its counters since the observation began, as of the last reading: when the newest turn
    /// began or ended, or up to a millisecond before.
    pub counters: Counters,
}

/// What keeps a process from going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoppedBy {
    /// A signal, or a debugger.
    Signal,
    /// Its control group is frozen.
    ControlGroup,
}

/// A process that is stopped, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// For how long at least.
    pub age_ns: u64,
    /// Whether it was so all the time that it was looked at.
    pub always: bool,
    /// What stops it.
    pub by: StoppedBy,
}

impl LoopSnapshot {
    /// Age of the unfinished turn; 0 while the loop waits.
    pub fn current_turn_ns(&self) -> u64 {
        self.open.map_or(0, |open| open.age_ns)
    }

    /// The callbacks of all phases in one histogram.
    pub fn callback_ns(&self) -> Option<Histogram> {
        let phases = self.callbacks_ns.0.iter().flatten();
        phases.cloned().reduce(|mut all, phase| {
            all.merge(&phase);
            all
        })
    }

    /// The collections of all kinds in one histogram.
    pub fn gc_pause_ns(&self) -> Option<Histogram> {
        let mut all = self.gc_minor_ns.clone();
        merge_histogram(&mut all, self.gc_major_ns.as_ref());
        all
    }

    /// Whether both tell of the same loop.
    pub fn same_loop(&self, other: &LoopSnapshot) -> bool {
        self.pid == other.pid && self.tid == other.tid && self.thread == other.thread
    }

    /// Adds what `other` observed.
    pub fn merge(&mut self, other: &LoopSnapshot) {
        self.callbacks = both(self.callbacks, other.callbacks, add_phases);
        for (ours, theirs) in self.totals_mut().zip(other.totals()) {
            *ours = both(*ours, theirs, |a, b| a + b);
        }
        for (ours, theirs) in self.histograms_mut().into_iter().zip(other.histograms()) {
            merge_histogram(ours, theirs);
        }
        self.thread_pool.queue_length_max =
            both(self.thread_pool.queue_length_max, other.thread_pool.queue_length_max, u64::max);
        self.thread_pool.queue_length =
            both(self.thread_pool.queue_length, other.thread_pool.queue_length, |a, b| a + b);
        self.utilization = ratio(self.active_ns, self.idle_ns);
        // While one of them is there, not all of it has ended.
        self.ended_ns = self.ended_ns.zip(other.ended_ns).map(|(ours, theirs)| ours.min(theirs));
        self.open = [self.open, other.open].into_iter().flatten().max_by_key(|open| open.age_ns);
        self.stalls.extend_from_slice(&other.stalls);
        self.stalls.sort_by_key(|stall| (stall.running, stall.start_unix_ns));
        self.stall_totals.merge(&other.stall_totals);
    }

    /// What happened after `earlier`, an older snapshot of the same loop.
    pub fn since(&self, earlier: &LoopSnapshot) -> LoopSnapshot {
        let mut delta = self.clone();
        delta.callbacks = since(self.callbacks, earlier.callbacks, sub_phases);
        for (ours, then) in delta.totals_mut().zip(earlier.totals()) {
            *ours = since(*ours, then, u64::saturating_sub);
        }
        for (ours, then) in delta.histograms_mut().into_iter().zip(earlier.histograms()) {
            if let (Some(now), Some(then)) = (ours.as_mut(), then) {
                *now = now.since(then);
            }
        }
        delta.utilization = ratio(delta.active_ns, delta.idle_ns);
        let known = earlier.stalls.iter().filter(|stall| !stall.running);
        let newest = known.map(|stall| stall.start_unix_ns).max();
        let is_new = |stall: &Stall| newest.is_none_or(|newest| stall.start_unix_ns > newest);
        delta.stalls.retain(|stall| stall.running || is_new(stall));
        delta.stall_totals = self.stall_totals.since(&earlier.stall_totals);
        delta
    }

    fn totals(&self) -> impl Iterator<Item = Option<u64>> {
        let own = [
            self.turns,
            self.microtasks,
            self.ticks,
            self.timers,
            self.immediates,
            self.active_ns,
            self.idle_ns,
            self.frozen_ns,
            self.observed.passive_ns,
            self.observed.turn_ns,
            self.observed.full_ns,
            self.cpu.on_cpu_ns,
            self.cpu.run_delay_ns,
            self.cpu.throttled_ns,
        ];
        own.into_iter().chain(self.counters.all())
    }

    fn totals_mut(&mut self) -> impl Iterator<Item = &mut Option<u64>> {
        let own = [
            &mut self.turns,
            &mut self.microtasks,
            &mut self.ticks,
            &mut self.timers,
            &mut self.immediates,
            &mut self.active_ns,
            &mut self.idle_ns,
            &mut self.frozen_ns,
            &mut self.observed.passive_ns,
            &mut self.observed.turn_ns,
            &mut self.observed.full_ns,
            &mut self.cpu.on_cpu_ns,
            &mut self.cpu.run_delay_ns,
            &mut self.cpu.throttled_ns,
        ];
        own.into_iter().chain(self.counters.all_mut())
    }

    fn histograms(&self) -> Vec<Option<&Histogram>> {
        let phases = self.phases.0.iter().chain(&self.callbacks_ns.0);
        let rest = [
            &self.turn_ns,
            &self.poll_wait_ns,
            &self.timer_lateness_ns,
            &self.arrival_delay_ns,
            &self.microtask_drain_length,
            &self.microtask_drain_ns,
            &self.tick_drain_length,
            &self.tick_drain_ns,
            &self.gc_minor_ns,
            &self.gc_major_ns,
            &self.thread_pool.queue_ns,
            &self.thread_pool.run_ns,
        ];
        phases.chain(rest).map(Option::as_ref).collect()
    }

    fn histograms_mut(&mut self) -> Vec<&mut Option<Histogram>> {
        let phases = self.phases.0.iter_mut().chain(&mut self.callbacks_ns.0);
        let rest = [
            &mut self.turn_ns,
            &mut self.poll_wait_ns,
            &mut self.timer_lateness_ns,
            &mut self.arrival_delay_ns,
            &mut self.microtask_drain_length,
            &mut self.microtask_drain_ns,
            &mut self.tick_drain_length,
            &mut self.tick_drain_ns,
            &mut self.gc_minor_ns,
            &mut self.gc_major_ns,
            &mut self.thread_pool.queue_ns,
            &mut self.thread_pool.run_ns,
        ];
        phases.chain(rest).collect()
    }
}

/// The queues above the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// `process.nextTick`.
    NextTick,
    /// Promise reactions and `queueMicrotask`.
    Microtask,
}

impl Queue {
    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Queue::NextTick => "next_tick",
            Queue::Microtask => "microtask",
        }
    }
}

/// A turn that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenTurn {
    /// For how long it has run.
    pub age_ns: u64,
    /// The phase it is in. `None`: outside of any phase, as in a main script.
    pub phase: Option<Phase>,
    /// The drain it is in.
    pub drain: Option<Drain>,
}

/// A drain that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// Which queue is drained.
    pub queue: Queue,
    /// For how long.
    pub age_ns: u64,
    /// How many jobs it has run.
    pub jobs: u64,
}

/// The pool of threads that does blocking work for a loop.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ThreadPoolSnapshot {
    /// From submission to the start of each job.
    pub queue_ns: Option<Histogram>,
    /// From start to end of each job.
    pub run_ns: Option<Histogram>,
    /// The most jobs that waited at once.
    pub queue_length_max: Option<u64>,
    /// Jobs waiting now.
    #[serde(skip)]
    pub queue_length: Option<u64>,
    /// The share of the observed time in which four jobs or more waited, where short waits aren't
    /// seen.
    #[serde(skip)]
    pub crowded_share: Option<f64>,
}

/// What the kernel accounts to a thread, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadCpu {
    /// Time on a CPU.
    pub on_cpu_ns: Option<u64>,
    /// Time runnable, waiting for a CPU. Time held back by a quota is a part of it.
    pub run_delay_ns: Option<u64>,
    /// Time held back by the CPU quota of the thread's control group: at most what the group was
    /// throttled for, and at most what the thread waited meanwhile.
    pub throttled_ns: Option<u64>,
}

impl ThreadCpu {
    /// Waiting for a CPU, for whatever reason. Where run delay is known, throttled time is in it.
    pub fn waited_ns(&self) -> Option<u64> {
        self.run_delay_ns.max(self.throttled_ns)
    }
}

impl Serialize for LoopSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut s = serializer.serialize_struct("Loop", 20)?;
        s.serialize_field("pid", &self.pid)?;
        s.serialize_field("thread", &self.thread)?;
        s.serialize_field("tid", &self.tid)?;
        s.serialize_field("turns", &self.turns)?;
        s.serialize_field("utilization", &self.utilization)?;
        s.serialize_field("current_turn_ns", &self.current_turn_ns())?;
        s.serialize_field("turn_ns", &self.turn_ns)?;
        s.serialize_field("poll_wait_ns", &self.poll_wait_ns)?;
        s.serialize_field("timer_lateness_ns", &self.timer_lateness_ns)?;
        s.serialize_field("arrival_delay_ns", &self.arrival_delay_ns)?;
        s.serialize_field("callback_ns", &self.callback_ns())?;
        s.serialize_field("phases", &self.phases)?;
        s.serialize_field("microtask_drain_length", &self.microtask_drain_length)?;
        s.serialize_field("microtask_drain_ns", &self.microtask_drain_ns)?;
        s.serialize_field("tick_drain_length", &self.tick_drain_length)?;
        s.serialize_field("tick_drain_ns", &self.tick_drain_ns)?;
        s.serialize_field("gc_pause_ns", &self.gc_pause_ns())?;
        s.serialize_field("thread_pool", &self.thread_pool)?;
        s.serialize_field("counters", &self.counters)?;
        s.serialize_field("stalls", &self.stalls)?;
        s.end()
    }
}

fn ratio(active_ns: Option<u64>, idle_ns: Option<u64>) -> Option<f64> {
    let (active, idle) = (active_ns? as f64, idle_ns? as f64);
    (active + idle > 0.0).then(|| active / (active + idle))
}

fn both<T>(a: Option<T>, b: Option<T>, join: impl FnOnce(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(join(a, b)),
        (a, b) => a.or(b),
    }
}

/// What has come to `now` since `then`; unknown if `now` is.
fn since<T>(now: Option<T>, then: Option<T>, sub: impl FnOnce(T, T) -> T) -> Option<T> {
    match (now, then) {
        (Some(now), Some(then)) => Some(sub(now, then)),
        (now, _) => now,
    }
}

fn add_phases(a: PhaseMap<u64>, b: PhaseMap<u64>) -> PhaseMap<u64> {
    PhaseMap::from_fn(|phase| a[phase] + b[phase])
}

fn sub_phases(a: PhaseMap<u64>, b: PhaseMap<u64>) -> PhaseMap<u64> {
    PhaseMap::from_fn(|phase| a[phase].saturating_sub(b[phase]))
}

fn merge_histogram(ours: &mut Option<Histogram>, theirs: Option<&Histogram>) {
    match (ours.as_mut(), theirs) {
        (Some(ours), Some(theirs)) => ours.merge(theirs),
        (None, Some(theirs)) => *ours = Some(theirs.clone()),
        (_, None) => {}
    }
}
