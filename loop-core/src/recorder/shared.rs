//! What writer and readers share: atomics, each written by the loop's thread only.

use std::sync::OnceLock;

use super::blame::Blame;
use super::counted::Counted;
use super::histogram::AtomicHistogram;
use super::stalls::StallRing;
use super::sync::{AtomicU64, Ordering, add, fence, get, set};
use crate::buckets::Scale;
use crate::phase::{PHASES, Phase};
use crate::snapshot::{LedgerKey, Queue};

/// The histograms of a loop. Phases come first, so that a phase's number is its histogram's, then
/// the callbacks of each phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Hist {
    FirstPhase = 0,
    FirstCallback = PHASES as u8,
    Turn = 2 * PHASES as u8,
    PollWait,
    Lateness,
    MicrotaskNs,
    TickNs,
    PoolQueue,
    PoolRun,
    GcPause,
    MicrotaskLength,
    TickLength,
}

/// How many histograms there are.
pub(super) const HISTOGRAMS: usize = Hist::TickLength as usize + 1;

/// From this number on a histogram counts jobs, before it nanoseconds.
const FIRST_LENGTH: usize = Hist::MicrotaskLength as usize;

pub(super) const fn scale_of(histogram: usize) -> Scale {
    if histogram >= FIRST_LENGTH { Scale::Length } else { Scale::Time }
}

/// The totals of a loop that only ever grow, beside the counts of the histograms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Total {
    FirstPhaseCallbacks = 0,
    /// Behind the callbacks of a main program, which is in no phase.
    Microtasks = PHASES as u8 + 1,
    Ticks,
    Immediates,
    /// Time in polls that did not wait. It is active time between two turns.
    PassingNs,
}

/// How many totals there are.
pub(super) const TOTALS: usize = Total::PassingNs as usize + 1;

/// See the module.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) histograms: Box<[AtomicHistogram; HISTOGRAMS]>,
    pub(super) totals: [AtomicU64; TOTALS],
    pub(super) times: Times,
    pub(super) open: Open,
    pub(super) stalls: StallRing,
    pub(super) causes: [(AtomicU64, AtomicU64); LedgerKey::ALL.len()],
    /// The most microtasks any reader has told of. Written by readers only.
    pub(super) microtasks_told: AtomicU64,
    pub(super) cost_declared: AtomicU64,
    pub(super) thread_id: AtomicU64,
    pub(super) counted: Counted,
    /// Who knows of the JavaScript that the loop runs, if it runs any.
    pub(super) blame: OnceLock<Box<dyn Blame>>,
}

impl Shared {
    pub(super) fn new(counted: Counted) -> Self {
        Shared {
            histograms: all_histograms(),
            totals: std::array::from_fn(|_| AtomicU64::new(0)),
            times: Times::default(),
            open: Open::default(),
            stalls: StallRing::new(),
            causes: std::array::from_fn(|_| (AtomicU64::new(0), AtomicU64::new(0))),
            microtasks_told: AtomicU64::new(0),
            cost_declared: AtomicU64::new(0),
            thread_id: AtomicU64::new(0),
            counted,
            blame: OnceLock::new(),
        }
    }

    /// What callbacks compute with.
    pub(super) fn code(&self) -> LedgerKey {
        match self.blame.get() {
            Some(_) => LedgerKey::Javascript,
            None => LedgerKey::Native,
        }
    }

    /// Counts one value. Called by the writer only.
    #[inline]
    pub(super) fn record_one(&self, histogram: usize, value: u64) {
        self.histograms[histogram].record_one(scale_of(histogram).linear_bits(), value);
    }

    /// Counts many nanoseconds in one histogram. Called by the writer only.
    #[inline]
    pub(super) fn record_times(&self, histogram: usize, values: impl Iterator<Item = u64>) {
        self.histograms[histogram].record(const { Scale::Time.linear_bits() }, values);
    }
}

/// Collected on the heap: an array of them would take a good part of a small stack.
fn all_histograms() -> Box<[AtomicHistogram; HISTOGRAMS]> {
    let all: Box<[_]> = (0..HISTOGRAMS).map(|_| AtomicHistogram::new()).collect();
    all.try_into().expect("there are as many as were made")
}

/// Where the loop's time went: active, waiting, frozen; and since when it has been what it is. A
/// start is stored as its time plus one; 0 means that it is something else. A loop stays active
/// through polls that don't wait.
///
/// **Invariant**: closing stores 0 into the start first and then releases the new total, so a
/// reader that acquires the total never counts the same stretch twice. It may miss a stretch that
/// is being closed at that moment; `floor` keeps what any reader has told from being taken back.
#[derive(Debug, Default)]
pub(super) struct Times {
    pub(super) active_ns: Stretch,
    pub(super) idle_ns: Stretch,
    pub(super) frozen_ns: Stretch,
}

/// A total and the start of what is to be added to it.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    total_ns: AtomicU64,
    since: AtomicU64,
    /// The largest figure any reader has told. Written by readers only.
    floor_ns: AtomicU64,
}

impl Stretch {
    #[inline]
    pub(super) fn open(&self, now_ns: u64) {
        set(&self.since, now_ns + 1);
    }

    #[inline]
    pub(super) fn close(&self, total_ns: u64) {
        set(&self.since, 0);
        self.total_ns.store(total_ns, Ordering::Release);
    }

    /// When the open stretch began.
    fn since(&self) -> Option<u64> {
        get(&self.since).checked_sub(1)
    }

    /// The total with the open stretch in it, and never less than was told before.
    pub(super) fn read(&self, now_ns: u64) -> u64 {
        let closed = self.total_ns.load(Ordering::Acquire);
        let open = self.since().map_or(0, |since| now_ns.saturating_sub(since));
        let total = closed + open;
        self.floor_ns.fetch_max(total, Ordering::Relaxed).max(total)
    }
}

/// What the loop is doing in its open turn.
#[derive(Debug)]
pub(super) struct Open {
    /// When the turn began, plus one; 0 while the loop waits or rests. A poll that does not wait
    /// leaves it as it is: the next turn comes within a system call.
    pub(super) turn_since: AtomicU64,
    /// Number of the phase; [`PHASES`] for none.
    pub(super) phase: AtomicU64,
    pub(super) drain_since: AtomicU64,
    pub(super) drain_queue: AtomicU64,
    pub(super) drain_jobs: AtomicU64,
    /// Of the drains that have ended in this turn.
    pub(super) microtasks: AtomicU64,
    pub(super) microtask_ns: AtomicU64,
    pub(super) tick_ns: AtomicU64,
    pub(super) collected: OpenCollected,
}

/// Pauses of the garbage collector, in nanoseconds, by where in a turn they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Collected {
    /// When the turn began, plus one: it is of the open turn only where this is that turn's.
    pub(super) turn_since: u64,
    pub(super) microtask_ns: u64,
    pub(super) tick_ns: u64,
    pub(super) callback_ns: u64,
}

impl Collected {
    /// These, if they are of the turn that began then.
    pub(super) fn of(self, start_ns: u64) -> Collected {
        if self.turn_since == start_ns + 1 { self } else { Collected::default() }
    }

    pub(super) fn total_ns(self) -> u64 {
        self.microtask_ns + self.tick_ns + self.callback_ns
    }
}

/// The same, for readers.
#[derive(Debug, Default)]
pub(super) struct OpenCollected {
    turn_since: AtomicU64,
    microtask_ns: AtomicU64,
    tick_ns: AtomicU64,
    callback_ns: AtomicU64,
}

impl OpenCollected {
    /// Called by the writer only.
    pub(super) fn set(&self, collected: Collected) {
        set(&self.turn_since, collected.turn_since);
        set(&self.microtask_ns, collected.microtask_ns);
        set(&self.tick_ns, collected.tick_ns);
        set(&self.callback_ns, collected.callback_ns);
    }

    pub(super) fn read(&self) -> Collected {
        Collected {
            turn_since: get(&self.turn_since),
            microtask_ns: get(&self.microtask_ns),
            tick_ns: get(&self.tick_ns),
            callback_ns: get(&self.callback_ns),
        }
    }
}

impl Default for Open {
    fn default() -> Self {
        Open {
            turn_since: AtomicU64::new(0),
            phase: AtomicU64::new(PHASES as u64),
            drain_since: AtomicU64::new(0),
            drain_queue: AtomicU64::new(0),
            drain_jobs: AtomicU64::new(0),
            microtasks: AtomicU64::new(0),
            microtask_ns: AtomicU64::new(0),
            tick_ns: AtomicU64::new(0),
            collected: OpenCollected::default(),
        }
    }
}

impl Open {
    #[inline]
    pub(super) fn begin_turn(&self, now_ns: u64) {
        set(&self.turn_since, now_ns + 1);
    }

    pub(super) fn end_turn(&self) {
        set(&self.turn_since, 0);
    }

    /// When the open turn began.
    pub(super) fn turn_since(&self) -> Option<u64> {
        get(&self.turn_since).checked_sub(1)
    }

    pub(super) fn phase(&self) -> Option<Phase> {
        Phase::from_index(get(&self.phase) as usize)
    }

    /// A drain begins. Called by the writer only.
    #[inline]
    pub(super) fn begin_drain(&self, queue: Queue, now_ns: u64) {
        set(&self.drain_queue, queue as u64);
        set(&self.drain_jobs, 0);
        self.drain_since.store(now_ns + 1, Ordering::Release);
    }

    /// The open drain is over. What it did may be added to the turn's figures after this.
    #[inline]
    pub(super) fn end_drain(&self) {
        set(&self.drain_since, 0);
        // Who sees the jobs among those of the turn sees that the drain is over.
        fence(Ordering::Release);
    }

    /// All microtasks, `total` being those of earlier turns, with those of the open turn: in a
    /// flood that never ends they are all there is. The order of reading is that in which a job
    /// moves on (open drain, open turn, total), backwards: a job may be missed while it moves, but
    /// is never told twice.
    pub(super) fn microtasks(&self, total: &AtomicU64) -> u64 {
        let total = get(total);
        fence(Ordering::Acquire);
        let ended = get(&self.microtasks);
        total + ended + self.microtasks_in_drain()
    }

    /// Jobs that the open drain of microtasks has run; 0 where another drain came meanwhile.
    fn microtasks_in_drain(&self) -> u64 {
        let since = self.drain_since.load(Ordering::Acquire);
        if since == 0 || self.queue() != Queue::Microtask {
            return 0;
        }
        let jobs = get(&self.drain_jobs);
        // Also for what was read before: if the turn has these jobs already, the drain is over.
        fence(Ordering::Acquire);
        if get(&self.drain_since) == since { jobs } else { 0 }
    }

    /// The queue that is being drained.
    pub(super) fn drained(&self) -> Option<Queue> {
        (get(&self.drain_since) != 0).then(|| self.queue())
    }

    pub(super) fn queue(&self) -> Queue {
        if get(&self.drain_queue) == 0 { Queue::NextTick } else { Queue::Microtask }
    }
}

/// The number of jobs that wait in a thread pool, and the most there were. Written by whoever
/// holds the pool's lock.
#[derive(Debug, Default)]
pub(crate) struct PoolGauge {
    pub(super) waiting: AtomicU64,
    pub(super) waiting_max: AtomicU64,
}

impl PoolGauge {
    pub(crate) fn set_waiting(&self, jobs: u64) {
        set(&self.waiting, jobs);
        if jobs > get(&self.waiting_max) {
            set(&self.waiting_max, jobs);
        }
    }
}

/// Adds one stall of this cause.
pub(super) fn count_stall(shared: &Shared, cause: LedgerKey, duration_ns: u64) {
    let (count, ns) = &shared.causes[cause as usize];
    add(count, 1);
    add(ns, duration_ns);
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    /// A drain of one job, the end of its turn, a drain of one tick: no reader ever counts more
    /// than the one microtask there was.
    #[test]
    fn a_microtask_is_never_told_twice_while_it_moves() {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(|| {
            let shared = Arc::new((Open::default(), AtomicU64::new(0)));
            let reader = {
                let shared = shared.clone();
                thread::spawn(move || {
                    let seen = shared.0.microtasks(&shared.1);
                    assert!(seen <= 1, "{seen} of 1");
                })
            };
            let (open, total) = &*shared;
            open.begin_drain(Queue::Microtask, 1);
            set(&open.drain_jobs, 1);
            open.end_drain();
            set(&open.microtasks, 1);
            set(&open.microtasks, 0);
            fence(Ordering::Release);
            set(total, 1);
            open.begin_drain(Queue::NextTick, 2);
            set(&open.drain_jobs, 1);
            open.end_drain();
            reader.join().unwrap();
            assert_eq!(open.microtasks(total), 1);
        });
    }

    /// Two stretches of 10 ns: no reader ever tells more than the truth or less than before.
    #[test]
    fn told_time_never_falls_and_is_never_counted_twice() {
        loom::model(|| {
            let stretch = Arc::new(Stretch::default());
            let writer = {
                let stretch = stretch.clone();
                thread::spawn(move || {
                    stretch.open(0);
                    stretch.close(10);
                    stretch.open(20);
                    stretch.close(20);
                })
            };
            let first = stretch.read(10);
            let second = stretch.read(30);
            assert!(first <= second, "{first} then {second}");
            assert!(second <= 30, "{second} of 30 ns: the open stretch cannot be longer");
            writer.join().unwrap();
            assert!(stretch.read(30) >= 20);
        });
    }
}
