//! The writing side: plain fields of the loop's thread, flushed to the shared atomics.

use std::sync::Arc;

use super::Record;
use super::counted::{Counted, Counting};
use super::ledger::ledger;
use super::reader::Reader;
use super::shared::{Collected, Hist, Shared, TOTALS, Total, count_stall};
use super::stalls::StallRecord;
use super::sync::{Ordering, fence, set};
use super::turns::Turns;
use crate::clock::Clock;
use crate::counters::Reading;
use crate::limits::TIMED_DRAIN_JOBS;
use crate::phase::{PHASES, Phase};
use crate::snapshot::Queue;

/// Notes what a loop does, for [`Reader`]s on any thread.
///
/// **Invariant**: what waits to become visible is at most 64 turns old: when so many turns wait,
/// everything is counted.
#[derive(Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
    totals: [u64; TOTALS],
    /// Number of the phase; [`PHASES`] for none.
    phase: usize,
    active_since_ns: u64,
    active_ns: u64,
    idle_ns: u64,
    frozen_ns: u64,
    turns: Turns,
    drained: Drained,
    collected: Collected,
    counting: Counting,
    stall_threshold_ns: u64,
    detail: bool,
}

/// What has been drained in the open turn.
#[derive(Debug, Default)]
struct Drained {
    microtasks: u64,
    microtask_ns: u64,
    ticks: u64,
    tick_ns: u64,
}

impl Recorder {
    /// A recorder, and the reader that sees what it notes. It is made on the thread of its loop.
    pub fn new(clock: Clock, stall_threshold_ns: u64, detail: bool) -> (Recorder, Reader) {
        let shared = Arc::new(Shared::new(Counted::open(&clock, detail)));
        set(&shared.thread_id, thread_id().unwrap_or(0));
        let recorder = Recorder {
            shared: shared.clone(),
            totals: [0; TOTALS],
            phase: PHASES,
            active_since_ns: 0,
            active_ns: 0,
            idle_ns: 0,
            frozen_ns: 0,
            turns: Turns::new(),
            drained: Drained::default(),
            collected: Collected::default(),
            counting: Counting::new(&shared.counted, clock.clone(), detail),
            stall_threshold_ns,
            detail,
        };
        (recorder, Reader::new(shared, clock, stall_threshold_ns, detail))
    }

    #[inline]
    fn note(&mut self, histogram: usize, value: u64) {
        self.shared.record_one(histogram, value);
    }

    #[inline]
    fn total(&mut self, total: Total) -> &mut u64 {
        &mut self.totals[total as usize]
    }

    /// Makes everything visible that has been noted. Called between two phases; the loop itself
    /// does it before it waits, when it rests, and every 64 turns.
    #[cold]
    pub fn flush(&mut self) {
        self.turns.count(&self.shared);
        // Who sees the new totals sees that the turn's own figures are gone.
        fence(Ordering::Release);
        for (shared, own) in self.shared.totals.iter().zip(self.totals) {
            set(shared, own);
        }
        // No phase is open when the loop flushes. Until then the last one stays: clearing it at
        // the end of each would cost a store that only a main program makes a difference to.
        self.phase = PHASES;
        set(&self.shared.open.phase, PHASES as u64);
    }

    /// What ran in drains was of the turn that has ended.
    #[cold]
    fn forget_drains(&mut self) {
        self.drained = Drained::default();
        set(&self.shared.open.microtasks, 0);
        set(&self.shared.open.microtask_ns, 0);
        set(&self.shared.open.tick_ns, 0);
    }

    #[cold]
    fn note_stall(&mut self, duration_ns: u64) {
        let spent = self.read_counters(self.turns.start_ns + duration_ns);
        let collected = self.collected.of(self.turns.start_ns);
        let (phase, callbacks) = self.turns.longest_phase(duration_ns, &self.totals);
        let stall = StallRecord {
            start_ns: self.turns.start_ns,
            duration_ns,
            phase: phase as u64,
            callbacks,
            microtasks: self.drained.microtasks,
            microtask_ns: self.drained.microtask_ns.saturating_sub(collected.microtask_ns),
            tick_ns: self.drained.tick_ns.saturating_sub(collected.tick_ns),
            gc_ns: collected.total_ns(),
            spent,
        };
        self.shared.stalls.push(stall);
        let cause = ledger(&stall, self.shared.code()).cause();
        count_stall(&self.shared, cause, duration_ns);
    }

    #[cold]
    fn read_counters(&mut self, now_ns: u64) -> Reading {
        self.counting.read(&self.shared.counted, now_ns)
    }
}

/// The kernel's number of this thread, where there is a `/proc` to tell it.
fn thread_id() -> Option<u64> {
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok()
}

impl Record for Recorder {
    const ON: bool = true;

    #[inline]
    fn detail(&self) -> bool {
        self.detail
    }

    fn start(&mut self, now_ns: u64) {
        self.active_since_ns = now_ns;
        self.shared.times.active_ns.open(now_ns);
    }

    fn stop(&mut self, now_ns: u64) {
        if now_ns >= self.counting.next_ns {
            self.read_counters(now_ns);
        }
        // Also of a drain that a panic has ended.
        self.shared.open.end_drain();
        self.shared.open.end_turn();
        self.active_ns += now_ns - self.active_since_ns;
        self.shared.times.active_ns.close(self.active_ns);
        self.flush();
    }

    #[inline]
    fn open_turn(&mut self, now_ns: u64) {
        if now_ns >= self.counting.next_ns {
            self.read_counters(now_ns);
        }
        self.turns.open(now_ns);
        self.shared.open.begin_turn(now_ns);
    }

    #[inline]
    fn close_turn(&mut self, now_ns: u64) {
        let duration_ns = now_ns - self.turns.start_ns;
        if duration_ns >= self.stall_threshold_ns {
            self.note_stall(duration_ns);
        } else if self.detail {
            self.read_counters(now_ns);
        }
        if self.drained.microtasks | self.drained.ticks != 0 {
            self.forget_drains();
        }
        if self.turns.close(duration_ns) {
            self.flush();
        }
    }

    fn open_wait(&mut self, now_ns: u64) {
        self.stop(now_ns);
        self.shared.times.idle_ns.open(now_ns);
    }

    fn close_wait(&mut self, now_ns: u64, wait_ns: u64) {
        self.idle_ns += wait_ns;
        self.shared.times.idle_ns.close(self.idle_ns);
        self.note(Hist::PollWait as usize, wait_ns);
        self.start(now_ns);
    }

    #[inline]
    fn passed_poll(&mut self, poll_ns: u64) {
        *self.total(Total::PassingNs) += poll_ns;
    }

    #[inline]
    fn enter_phase(&mut self, phase: Phase) {
        let callbacks = self.totals[Total::FirstPhaseCallbacks as usize + phase as usize];
        self.turns.enter_phase(phase, callbacks);
        self.phase = phase as usize;
        set(&self.shared.open.phase, phase as u64);
    }

    #[inline]
    fn leave_phase(&mut self, phase: Phase, duration_ns: u64) {
        self.turns.leave_phase(phase, duration_ns);
    }

    #[inline]
    fn callbacks(&mut self, count: u64) {
        self.totals[Total::FirstPhaseCallbacks as usize + self.phase] += count;
    }

    fn callback_time(&mut self, duration_ns: u64) {
        if self.phase < PHASES {
            self.note(Hist::FirstCallback as usize + self.phase, duration_ns);
        }
    }

    #[inline]
    fn timer(&mut self, lateness_ns: u64) {
        self.note(Hist::Lateness as usize, lateness_ns);
    }

    #[inline]
    fn immediates(&mut self, count: u64) {
        *self.total(Total::Immediates) += count;
    }

    #[inline]
    fn open_drain(&mut self, queue: Queue, now_ns: u64) {
        if now_ns >= self.counting.next_in_turn_ns {
            self.counting.read_in_turn(&self.shared.counted, now_ns);
        }
        self.shared.open.begin_drain(queue, now_ns);
    }

    #[inline]
    fn drain_progress(&mut self, jobs: u64) {
        set(&self.shared.open.drain_jobs, jobs);
    }

    #[inline]
    fn close_drain(&mut self, queue: Queue, jobs: u64, duration_ns: u64) {
        let on_cpu_ns = self.counting.drain_on_cpu_ns(&self.shared.counted, duration_ns);
        self.shared.open.end_drain();
        let (length, time) = match queue {
            Queue::Microtask => {
                *self.total(Total::Microtasks) += jobs;
                self.drained.microtasks += jobs;
                self.drained.microtask_ns += on_cpu_ns;
                set(&self.shared.open.microtasks, self.drained.microtasks);
                set(&self.shared.open.microtask_ns, self.drained.microtask_ns);
                (Hist::MicrotaskLength, Hist::MicrotaskNs)
            }
            Queue::NextTick => {
                *self.total(Total::Ticks) += jobs;
                self.drained.ticks += jobs;
                self.drained.tick_ns += on_cpu_ns;
                set(&self.shared.open.tick_ns, self.drained.tick_ns);
                (Hist::TickLength, Hist::TickNs)
            }
        };
        self.note(length as usize, jobs);
        if self.detail || jobs >= TIMED_DRAIN_JOBS {
            self.note(time as usize, duration_ns);
        }
    }

    #[cold]
    fn gc_pause(&mut self, pause_ns: u64) {
        self.note(Hist::GcPause as usize, pause_ns);
        let mut collected = self.collected.of(self.turns.start_ns);
        collected.turn_since = self.turns.start_ns + 1;
        *match self.shared.open.drained() {
            Some(Queue::Microtask) => &mut collected.microtask_ns,
            Some(Queue::NextTick) => &mut collected.tick_ns,
            None => &mut collected.callback_ns,
        } += pause_ns;
        self.collected = collected;
        self.shared.open.collected.set(collected);
    }

    fn pool_job(&mut self, queue_ns: u64, run_ns: u64) {
        self.note(Hist::PoolQueue as usize, queue_ns);
        self.note(Hist::PoolRun as usize, run_ns);
    }

    fn open_freeze(&mut self, now_ns: u64) {
        self.shared.times.frozen_ns.open(now_ns);
    }

    fn close_freeze(&mut self, gap_ns: u64) {
        self.frozen_ns += gap_ns;
        self.shared.times.frozen_ns.close(self.frozen_ns);
    }

    fn cost_declared(&mut self) {
        set(&self.shared.cost_declared, 1);
    }
}
