//! How long a thread has waited for a CPU, as the kernel had it when it was asked.
//!
//! The kernel says how long in all. What of it fell into a stall is at most what was added between
//! the last question before the stall and the first one behind it.

use std::collections::VecDeque;

/// Answers that are kept: of the last minute, 16 bytes each.
const KEPT: usize = 600;

/// Answers in the order of their time.
#[derive(Debug, Default)]
pub(super) struct Delays(VecDeque<Delay>);

#[derive(Clone, Copy, Debug)]
struct Delay {
    wall_ns: u64,
    sum_ns: u64,
}

impl Delays {
    pub(super) fn add(&mut self, wall_ns: u64, sum_ns: u64) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Delay { wall_ns, sum_ns });
    }

    /// How long the thread has waited for a CPU between two moments, at most. `None`: not asked
    /// before the one, or behind the other.
    pub(super) fn between(&self, start_ns: u64, end_ns: u64) -> Option<u64> {
        let before = self.0.iter().rev().find(|delay| delay.wall_ns <= start_ns)?;
        let behind = self.0.iter().find(|delay| delay.wall_ns >= end_ns)?;
        Some(behind.sum_ns.saturating_sub(before.sum_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_the_last_minute_are_kept() {
        let mut delays = Delays::default();
        (0..1_000).for_each(|i| delays.add(i * 100, i));
        assert_eq!(delays.between(500 * 100, 501 * 100), Some(1));
        assert_eq!(delays.between(50_050, 50_051), Some(1));
        assert_eq!(delays.between(100, 60_000), None);
        assert_eq!(delays.between(90_000, 100_000), None);
    }
}
