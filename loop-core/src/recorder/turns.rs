//! The turns that are not yet counted: for each how long it took, which phases ran something, and
//! for how long.
//!
//! A turn costs a store for itself and one for each phase; counting is put off until there are
//! [`TURNS_WAITING`], and then done histogram by histogram.
//!
//! Cost: 5 KB.

use super::shared::{Hist, Shared, TOTALS, Total};
use crate::phase::{PHASES, Phase};

/// Turns that may wait before they are counted.
pub(super) const TURNS_WAITING: usize = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Turns {
    rows: Box<[Row; TURNS_WAITING]>,
    /// For each row a bit for each phase that has run something.
    ran_in: [u8; TURNS_WAITING],
    /// The row of the open turn.
    open: usize,
    /// When it began.
    pub(super) start_ns: u64,
    /// Its bits.
    ran: u8,
    /// The callbacks of each phase before it ran.
    callbacks_before: [u64; PHASES],
}

/// How long a turn took, in nanoseconds: by phases, and behind these the whole turn. A cache line.
type Row = [u64; PHASES + 1];

const WHOLE: usize = PHASES;

impl Turns {
    pub(super) fn new() -> Self {
        Turns {
            rows: Box::new([[0; PHASES + 1]; TURNS_WAITING]),
            ran_in: [0; TURNS_WAITING],
            open: 0,
            start_ns: 0,
            ran: 0,
            callbacks_before: [0; PHASES],
        }
    }

    #[inline]
    pub(super) fn open(&mut self, now_ns: u64) {
        self.start_ns = now_ns;
        self.ran = 0;
    }

    /// A phase begins, of which so many callbacks have run before.
    #[inline]
    pub(super) fn enter_phase(&mut self, phase: Phase, callbacks: u64) {
        if !self.has_run(phase) {
            self.callbacks_before[phase as usize] = callbacks;
        }
    }

    #[inline]
    pub(super) fn leave_phase(&mut self, phase: Phase, duration_ns: u64) {
        let has_run = self.has_run(phase);
        let phase_ns = &mut self.rows[self.open % TURNS_WAITING][phase as usize];
        *phase_ns = if has_run { *phase_ns + duration_ns } else { duration_ns };
        self.ran |= 1 << phase as u8;
    }

    /// Only the pending phase may run twice in a turn.
    #[inline]
    fn has_run(&self, phase: Phase) -> bool {
        phase == Phase::Pending && self.ran & 1 << phase as u8 != 0
    }

    /// The open turn has ended. Returns whether all rows are taken: then they must be counted.
    #[inline]
    #[must_use]
    pub(super) fn close(&mut self, duration_ns: u64) -> bool {
        self.rows[self.open % TURNS_WAITING][WHOLE] = duration_ns;
        self.ran_in[self.open % TURNS_WAITING] = self.ran;
        self.open += 1;
        self.open == TURNS_WAITING
    }

    /// The phase that took most of the open turn, unless that was outside of any, and how many of
    /// its callbacks have run.
    pub(super) fn longest_phase(&self, duration_ns: u64, totals: &[u64; TOTALS]) -> (usize, u64) {
        let row = &self.rows[self.open];
        let phases = (0..PHASES).filter(|phase| self.ran & 1 << phase != 0);
        let in_phases_ns = phases.clone().map(|phase| row[phase]).sum();
        let outside_ns = duration_ns.saturating_sub(in_phases_ns);
        match phases.max_by_key(|&phase| row[phase]) {
            Some(phase) if row[phase] >= outside_ns => {
                let ended = totals[Total::FirstPhaseCallbacks as usize + phase];
                (phase, ended - self.callbacks_before[phase])
            }
            _ => (PHASES, 0),
        }
    }

    /// Counts all turns that have ended.
    pub(super) fn count(&mut self, shared: &Shared) {
        let (rows, ran_in) = (&self.rows[..self.open], &self.ran_in[..self.open]);
        shared.record_times(Hist::Turn as usize, rows.iter().map(|row| row[WHOLE]));
        let ran = ran_in.iter().fold(0, |all, ran| all | ran);
        for phase in (0..PHASES).filter(|phase| ran & 1 << phase != 0) {
            let mut values = [0; TURNS_WAITING];
            let mut length = 0;
            for (row, ran) in rows.iter().zip(ran_in) {
                values[length % TURNS_WAITING] = row[phase];
                length += usize::from(ran >> phase & 1);
            }
            shared
                .record_times(Hist::FirstPhase as usize + phase, values[..length].iter().copied());
        }
        self.open = 0;
    }
}
