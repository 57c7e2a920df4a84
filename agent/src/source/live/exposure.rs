//! For how long a loop was observed at which tier: summed up at each look, so that no total falls.

use loop_core::snapshot::{Observed, Tier};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exposure {
    observed: Observed,
    /// When it was noted last, by the monotonic clock.
    noted_ns: u64,
}

impl Exposure {
    /// Observed from then on.
    pub(super) fn since(now_ns: u64) -> Exposure {
        Exposure { observed: Observed::at(Tier::Full, 0), noted_ns: now_ns }
    }

    /// Since the last time it was observed at this tier; `None`: others tell of this time.
    pub(super) fn note(&mut self, tier: Option<Tier>, now_ns: u64) {
        let passed_ns = now_ns.saturating_sub(self.noted_ns);
        self.noted_ns = self.noted_ns.max(now_ns);
        tier.into_iter().for_each(|tier| self.observed.add(tier, passed_ns));
    }

    /// What was noted until the last time.
    pub(super) fn told(&self) -> Observed {
        self.observed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_moment_counts_at_one_tier() {
        let mut exposure = Exposure::since(100);
        exposure.note(Some(Tier::Full), 130);
        exposure.note(Some(Tier::Passive), 170);
        exposure.note(None, 200);
        exposure.note(Some(Tier::Full), 190);
        exposure.note(Some(Tier::Full), 205);
        let told = exposure.told();
        assert_eq!(told, Observed { passive_ns: Some(40), turn_ns: Some(0), full_ns: Some(35) });
    }
}
