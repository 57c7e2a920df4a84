//! Holds the cost of probes below what it may be.
//!
//! The cost is counted, not guessed: hits by what one costs on this machine, as a share of the time
//! of the loop's thread. It is looked at over windows of a second, so that a burst is no reason.

/// How long a window is.
const WINDOW_NS: u64 = 1_000_000_000;

/// Watches the cost of one target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Governor {
    budget_ratio: f64,
    hit_ns: u64,
    since_ns: u64,
    hits: u64,
}

impl Governor {
    pub(super) fn new(budget_ratio: f64, hit_ns: u64, now_ns: u64) -> Governor {
        Governor { budget_ratio, hit_ns, since_ns: now_ns, hits: 0 }
    }

    /// What the probes have cost in the window that has ended, if that is more than it may be.
    /// `hits` are those of the loop that has most, since the beginning.
    pub(super) fn over(&mut self, now_ns: u64, hits: u64) -> Option<f64> {
        let lasted_ns = now_ns.saturating_sub(self.since_ns);
        if lasted_ns < WINDOW_NS {
            return None;
        }
        let cost_ns = hits.saturating_sub(self.hits) * self.hit_ns;
        (self.since_ns, self.hits) = (now_ns, hits);
        let ratio = cost_ns as f64 / lasted_ns as f64;
        (ratio > self.budget_ratio).then_some(ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_window_over_the_budget_is_told_once() {
        let mut governor = Governor::new(0.15, 1_000, 0);
        assert_eq!(governor.over(SECOND / 2, 1_000_000), None, "the window isn't over");
        assert_eq!(governor.over(SECOND, 100_000), None, "10 %");
        let ratio = governor.over(2 * SECOND, 300_000).unwrap();
        assert!((ratio - 0.2).abs() < 1e-9, "{ratio}");
        assert_eq!(governor.over(3 * SECOND, 400_000), None, "10 % again");
    }
}
