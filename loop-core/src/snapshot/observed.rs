//! For how long a loop was observed, by how much was seen of it.

use super::Tier;

/// For how long a loop was observed at each tier, in nanoseconds. A source that looks closer at
/// times only, or less closely from some moment on, divides the time among them: what the tier
/// *full* alone shows is to be held against its time, not against that of the clock.
///
/// `None` where it isn't known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Without a probe.
    pub passive_ns: Option<u64>,
    /// With turns timed.
    pub turn_ns: Option<u64>,
    /// With everything that the source shows.
    pub full_ns: Option<u64>,
}

impl Observed {
    /// All of the time at one tier.
    pub fn at(tier: Tier, ns: u64) -> Observed {
        let mut all = Observed { passive_ns: Some(0), turn_ns: Some(0), full_ns: Some(0) };
        all.add(tier, ns);
        all
    }

    /// More time at one tier.
    pub fn add(&mut self, tier: Tier, ns: u64) {
        let total = self.of_mut(tier);
        *total = Some(total.unwrap_or(0).saturating_add(ns));
    }

    /// The time at one tier.
    pub fn of(&self, tier: Tier) -> Option<u64> {
        match tier {
            Tier::Passive => self.passive_ns,
            Tier::Turn => self.turn_ns,
            Tier::Full => self.full_ns,
        }
    }

    fn of_mut(&mut self, tier: Tier) -> &mut Option<u64> {
        match tier {
            Tier::Passive => &mut self.passive_ns,
            Tier::Turn => &mut self.turn_ns,
            Tier::Full => &mut self.full_ns,
        }
    }
}
