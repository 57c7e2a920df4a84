//! Holds the cost of probes below what it may be.
//!
//! The cost is counted, not guessed: hits by what one costs on this machine, as a share of the time
//! of the loop's thread. It is looked at over windows of a second, so that a burst is no reason.

use std::collections::BTreeMap;

/// How long a window is.
const WINDOW_NS: u64 = 1_000_000_000;

/// Watches the cost of one target.
#[derive(Clone, Debug)]
pub(super) struct Governor {
    budget_ratio: f64,
    hit_ns: u64,
    since_ns: u64,
    /// The hits of each loop when the window began, by its slot.
    hits: BTreeMap<u32, u64>,
    /// The most that a loop had in the window which has ended within it.
    ended_hits: u64,
}

impl Governor {
    pub(super) fn new(budget_ratio: f64, hit_ns: u64, now_ns: u64) -> Governor {
        let (hits, ended_hits) = (BTreeMap::new(), 0);
        Governor { budget_ratio, hit_ns, since_ns: now_ns, hits, ended_hits }
    }

    /// What the probes have cost the loop they cost most, in the window that has ended, if that is
    /// more than it may be. `hits` are those of each loop since it came, by its slot.
    pub(super) fn over(
        &mut self,
        now_ns: u64,
        hits: impl FnOnce() -> BTreeMap<u32, u64>,
    ) -> Option<f64> {
        let lasted_ns = now_ns.saturating_sub(self.since_ns);
        if lasted_ns < WINDOW_NS {
            return None;
        }
        let hits = hits();
        let new = hits.iter().map(|(slot, &hits)| self.in_window(*slot, hits));
        let most = new.max().unwrap_or(0).max(self.ended_hits);
        (self.since_ns, self.hits, self.ended_hits) = (now_ns, hits, 0);
        let ratio = most.saturating_mul(self.hit_ns) as f64 / lasted_ns as f64;
        (ratio > self.budget_ratio).then_some(ratio)
    }

    /// A loop has ended, after so many hits. Another may be given its slot.
    pub(super) fn ended(&mut self, slot: u32, hits: u64) {
        self.ended_hits = self.ended_hits.max(self.in_window(slot, hits));
        self.hits.remove(&slot);
    }

    fn in_window(&self, slot: u32, hits: u64) -> u64 {
        hits.saturating_sub(self.hits.get(&slot).copied().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn of<const N: usize>(hits: [(u32, u64); N]) -> impl FnOnce() -> BTreeMap<u32, u64> {
        move || BTreeMap::from(hits)
    }

    #[test]
    fn a_window_over_the_budget_is_told_once() {
        let mut governor = Governor::new(0.15, 1_000, 0);
        let early = governor.over(SECOND / 2, of([(0, 1_000_000)]));
        assert_eq!(early, None, "the window isn't over");
        assert_eq!(governor.over(SECOND, of([(0, 100_000)])), None, "10 %");
        let ratio = governor.over(2 * SECOND, of([(0, 300_000)])).unwrap();
        assert!((ratio - 0.2).abs() < 1e-9, "{ratio}");
        assert_eq!(governor.over(3 * SECOND, of([(0, 400_000)])), None, "10 % again");
    }

    #[test]
    fn a_new_loop_that_costs_much_is_seen_beside_one_that_had_more_hits() {
        let mut governor = Governor::new(0.15, 1_000, 0);
        assert!(governor.over(SECOND, of([(0, 36_000_000)])).is_some());
        let ratio = governor.over(2 * SECOND, of([(0, 36_000_000), (1, 500_000)])).unwrap();
        assert!((ratio - 0.5).abs() < 1e-9, "{ratio}");
        assert_eq!(governor.over(3 * SECOND, of([(0, 36_100_000), (1, 600_000)])), None);
    }

    #[test]
    fn loops_that_end_within_a_window_cost_what_they_had_in_it() {
        let mut governor = Governor::new(0.15, 1_000, 0);
        assert_eq!(governor.over(SECOND, of([(3, 100_000)])), None);
        governor.ended(3, 300_000);
        let ratio = governor.over(2 * SECOND, of([(3, 90_000)])).unwrap();
        assert!((ratio - 0.2).abs() < 1e-9, "{ratio}");
        governor.ended(3, 190_000);
        assert_eq!(governor.over(3 * SECOND, of([(3, 149_000)])), None, "another loop's slot");
        assert!(governor.over(4 * SECOND, of([(3, 300_000)])).is_some());
    }
}
