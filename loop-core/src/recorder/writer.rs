//! The writing side: plain fields of the loop's thread, flushed to the shared atomics.

use std::sync::Arc;

use super::Record;
use super::log::Log;
use super::reader::Reader;
use super::shared::{Hist, Shared, TOTALS, Total, count_stall};
use super::stalls::StallRecord;
use super::sync::{Ordering, fence, set};
use crate::clock::Clock;
use crate::limits::TIMED_DRAIN_JOBS;
use crate::phase::{PHASES, Phase};
use crate::snapshot::{LedgerKey, Queue};

/// Turns that may wait before they become visible.
const TURNS_WAITING: u64 = 64;

/// Notes what a loop does, for [`Reader`]s on any thread.
#[derive(Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
    log: Log,
    totals: [u64; TOTALS],
    phase: usize,
    /// Callbacks of the current phase before it began.
    phase_callbacks: u64,
    active_ns: u64,
    idle_ns: u64,
    passing_ns: u64,
    frozen_ns: u64,
    turn: Turn,
    stall_threshold_ns: u64,
    detail: bool,
}

/// What has happened in the open turn.
#[derive(Debug)]
struct Turn {
    start_ns: u64,
    longest_phase: usize,
    longest_phase_ns: u64,
    longest_phase_callbacks: u64,
    in_phases_ns: u64,
    microtasks: u64,
    microtask_ns: u64,
    tick_ns: u64,
}

impl Turn {
    fn at(start_ns: u64) -> Turn {
        Turn {
            start_ns,
            longest_phase: PHASES,
            longest_phase_ns: 0,
            longest_phase_callbacks: 0,
            in_phases_ns: 0,
            microtasks: 0,
            microtask_ns: 0,
            tick_ns: 0,
        }
    }
}

impl Recorder {
    /// A recorder, and the reader that sees what it notes. It is made on the thread of its loop.
    pub fn new(clock: Clock, stall_threshold_ns: u64, detail: bool) -> (Recorder, Reader) {
        let shared = Arc::new(Shared::new());
        set(&shared.thread_id, thread_id().unwrap_or(0));
        let recorder = Recorder {
            shared: shared.clone(),
            log: Log::new(),
            totals: [0; TOTALS],
            phase: PHASES,
            phase_callbacks: 0,
            active_ns: 0,
            idle_ns: 0,
            passing_ns: 0,
            frozen_ns: 0,
            turn: Turn::at(0),
            stall_threshold_ns,
            detail,
        };
        (recorder, Reader::new(shared, clock, stall_threshold_ns, detail))
    }

    #[inline]
    fn note(&mut self, histogram: usize, value: u64) {
        self.log.note(histogram, value, &self.shared);
    }

    #[inline]
    fn total(&mut self, total: Total) -> &mut u64 {
        &mut self.totals[total as usize]
    }

    #[cold]
    fn note_stall(&mut self, duration_ns: u64) {
        let turn = &self.turn;
        let outside_ns = duration_ns.saturating_sub(turn.in_phases_ns);
        let in_phase = turn.longest_phase_ns >= outside_ns;
        let stall = StallRecord {
            start_ns: turn.start_ns,
            duration_ns,
            phase: if in_phase { turn.longest_phase } else { PHASES } as u64,
            callbacks: if in_phase { turn.longest_phase_callbacks } else { 0 },
            microtasks: turn.microtasks,
            microtask_ns: turn.microtask_ns,
            tick_ns: turn.tick_ns,
            frozen_ns: 0,
        };
        self.shared.stalls.push(stall);
        count_stall(&self.shared, cause(&stall), duration_ns);
    }
}

/// The ledger of a turn on the embedded loop: drains are timed, the rest is the callbacks' own
/// native code.
pub(super) fn ledger(stall: &StallRecord) -> crate::snapshot::Ledger {
    // A running turn is read while it goes on, so that its parts may be of a later moment than its
    // age: each part is at most what the ones before it have left.
    let mut left_ns = stall.duration_ns;
    let mut part = |ns: u64| {
        let part_ns = ns.min(left_ns);
        left_ns -= part_ns;
        part_ns
    };
    crate::snapshot::Ledger::default()
        .with(LedgerKey::Frozen, part(stall.frozen_ns))
        .with(LedgerKey::Microtasks, part(stall.microtask_ns))
        .with(LedgerKey::Ticks, part(stall.tick_ns))
        .with(LedgerKey::Native, part(u64::MAX))
}

/// The kernel's number of this thread, where there is a `/proc` to tell it.
fn thread_id() -> Option<u64> {
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok()
}

fn cause(stall: &StallRecord) -> LedgerKey {
    ledger(stall).cause()
}

impl Record for Recorder {
    const ON: bool = true;

    #[inline]
    fn detail(&self) -> bool {
        self.detail
    }

    #[inline]
    fn open_turn(&mut self, now_ns: u64) {
        self.turn = Turn::at(now_ns);
        self.shared.times.active_ns.open(now_ns);
    }

    #[inline]
    fn close_turn(&mut self, now_ns: u64) {
        let duration_ns = now_ns - self.turn.start_ns;
        self.active_ns += duration_ns;
        self.shared.times.active_ns.close(self.active_ns);
        *self.total(Total::Turns) += 1;
        self.note(Hist::Turn as usize, duration_ns);
        if duration_ns >= self.stall_threshold_ns {
            self.note_stall(duration_ns);
        }
        if self.turn.microtasks != 0 {
            set(&self.shared.open.microtasks, 0);
            set(&self.shared.open.microtask_ns, 0);
        }
        if self.turn.tick_ns != 0 {
            set(&self.shared.open.tick_ns, 0);
        }
        if self.totals[Total::Turns as usize].is_multiple_of(TURNS_WAITING) {
            self.flush();
        }
    }

    #[inline]
    fn open_wait(&mut self, now_ns: u64) {
        self.shared.times.idle_ns.open(now_ns);
    }

    #[inline]
    fn close_wait(&mut self, wait_ns: u64) {
        self.idle_ns += wait_ns;
        self.shared.times.idle_ns.close(self.idle_ns);
        self.note(Hist::PollWait as usize, wait_ns);
    }

    #[inline]
    fn passed_poll(&mut self, poll_ns: u64) {
        self.passing_ns += poll_ns;
        set(&self.shared.times.passing_ns, self.passing_ns);
    }

    fn flush(&mut self) {
        self.log.count(&self.shared);
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

    #[inline]
    fn enter_phase(&mut self, phase: Phase) {
        self.phase = phase as usize;
        self.phase_callbacks = self.totals[Total::FirstPhaseCallbacks as usize + phase as usize];
        set(&self.shared.open.phase, phase as u64);
    }

    #[inline]
    fn leave_phase(&mut self, phase: Phase, duration_ns: u64) {
        self.turn.in_phases_ns += duration_ns;
        if duration_ns >= self.turn.longest_phase_ns {
            self.turn.longest_phase = phase as usize;
            self.turn.longest_phase_ns = duration_ns;
            let ran = self.totals[Total::FirstPhaseCallbacks as usize + phase as usize];
            self.turn.longest_phase_callbacks = ran - self.phase_callbacks;
        }
        self.note(phase as usize, duration_ns);
    }

    #[inline]
    fn callbacks(&mut self, count: u64) {
        // A main program is in no phase.
        if self.phase < PHASES {
            self.totals[Total::FirstPhaseCallbacks as usize + self.phase] += count;
        }
    }

    fn callback_time(&mut self, duration_ns: u64) {
        if self.phase < PHASES {
            self.note(Hist::FirstCallback as usize + self.phase, duration_ns);
        }
    }

    #[inline]
    fn timer(&mut self, lateness_ns: u64) {
        *self.total(Total::Timers) += 1;
        self.note(Hist::Lateness as usize, lateness_ns);
    }

    #[inline]
    fn immediates(&mut self, count: u64) {
        *self.total(Total::Immediates) += count;
    }

    #[inline]
    fn open_drain(&mut self, queue: Queue, now_ns: u64) {
        self.shared.open.begin_drain(queue, now_ns);
    }

    #[inline]
    fn drain_progress(&mut self, jobs: u64) {
        set(&self.shared.open.drain_jobs, jobs);
    }

    #[inline]
    fn close_drain(&mut self, queue: Queue, jobs: u64, duration_ns: u64) {
        self.shared.open.end_drain();
        let (length, time) = match queue {
            Queue::Microtask => {
                *self.total(Total::Microtasks) += jobs;
                self.turn.microtasks += jobs;
                self.turn.microtask_ns += duration_ns;
                set(&self.shared.open.microtasks, self.turn.microtasks);
                set(&self.shared.open.microtask_ns, self.turn.microtask_ns);
                (Hist::MicrotaskLength, Hist::MicrotaskNs)
            }
            Queue::NextTick => {
                *self.total(Total::Ticks) += jobs;
                self.turn.tick_ns += duration_ns;
                set(&self.shared.open.tick_ns, self.turn.tick_ns);
                (Hist::TickLength, Hist::TickNs)
            }
        };
        self.note(length as usize, jobs);
        if self.detail || jobs >= TIMED_DRAIN_JOBS {
            self.note(time as usize, duration_ns);
        }
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
