//! A histogram as a plain value: the counts of [`Scale`]'s buckets with exact sum, min and max.

use crate::buckets::{BUCKETS, Scale};

/// Counts over the shared log-linear buckets.
///
/// The count, the sum, the smallest and the largest value are exact. A value read back from a
/// bucket is its midpoint, at most 1.6 % off (see [`crate::buckets`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// What is counted, and with it the bucket edges.
    pub scale: Scale,
    /// One count for each of the [`BUCKETS`] buckets.
    pub counts: Vec<u64>,
    /// The sum of all values.
    pub sum: u128,
    /// The smallest value; `u64::MAX` when empty.
    pub min: u64,
    /// The largest value; 0 when empty.
    pub max: u64,
}

impl Histogram {
    /// A histogram that holds nothing.
    pub fn new(scale: Scale) -> Self {
        Histogram { scale, counts: vec![0; BUCKETS], sum: 0, min: u64::MAX, max: 0 }
    }

    /// A histogram of the given values.
    pub fn of(scale: Scale, values: impl IntoIterator<Item = u64>) -> Self {
        let mut histogram = Histogram::new(scale);
        values.into_iter().for_each(|value| histogram.record(value));
        histogram
    }

    /// Counts one value.
    pub fn record(&mut self, value: u64) {
        self.counts[self.scale.index(value)] += 1;
        self.sum += u128::from(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.counts.iter().all(|&count| count == 0)
    }

    /// Buckets that hold something, as (midpoint, count), smallest first. The midpoint is held
    /// between the smallest and the largest value seen.
    pub fn values(&self) -> impl Iterator<Item = (u64, u64)> {
        let (min, max) = (self.min.min(self.max), self.max);
        self.counts
            .iter()
            .enumerate()
            .filter(|&(_, &count)| count > 0)
            .map(move |(index, &count)| (self.scale.midpoint(index).clamp(min, max), count))
    }

    /// Adds what `other` counted.
    ///
    /// # Panics
    /// If the scales differ: times can't be added to lengths.
    pub fn merge(&mut self, other: &Histogram) {
        assert_eq!(self.scale, other.scale, "histograms of different scales");
        for (ours, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *ours += theirs;
        }
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// What was counted after `earlier`, an older state of this histogram. Count and sum are
    /// exact; the smallest and largest value are known to the width of their bucket only.
    pub fn since(&self, earlier: &Histogram) -> Histogram {
        let pairs = self.counts.iter().zip(&earlier.counts);
        let counts: Vec<u64> = pairs.map(|(now, then)| now.saturating_sub(*then)).collect();
        let first = counts.iter().position(|&count| count > 0);
        let last = counts.iter().rposition(|&count| count > 0);
        let edge = |value: u64| value.clamp(self.min.min(self.max), self.max);
        Histogram {
            scale: self.scale,
            sum: self.sum.saturating_sub(earlier.sum),
            min: first.map_or(u64::MAX, |index| edge(self.scale.lower(index))),
            max: last.map_or(0, |index| edge(self.scale.upper(index).saturating_sub(1))),
            counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(0u64..1 << 40, 0..40)
    }

    fn time(values: &[u64]) -> Histogram {
        Histogram::of(Scale::Time, values.iter().copied())
    }

    fn merged(a: &Histogram, b: &Histogram) -> Histogram {
        let mut sum = a.clone();
        sum.merge(b);
        sum
    }

    proptest! {
        #[test]
        fn merging_is_associative_and_commutative(a in values(), b in values(), c in values()) {
            let (x, y, z) = (time(&a), time(&b), time(&c));
            prop_assert_eq!(merged(&merged(&x, &y), &z), merged(&x, &merged(&y, &z)));
            prop_assert_eq!(merged(&x, &y), merged(&y, &x));
            let all: Vec<u64> = [a, b, c].concat();
            prop_assert_eq!(merged(&merged(&x, &y), &z), time(&all));
        }

        #[test]
        fn since_undoes_merge(a in values(), b in values()) {
            let (before, window) = (time(&a), time(&b));
            let delta = merged(&before, &window).since(&before);
            prop_assert_eq!(&delta.counts, &window.counts);
            prop_assert_eq!(delta.sum, window.sum);
            if let (Some(&low), Some(&high)) = (b.iter().min(), b.iter().max()) {
                prop_assert!(delta.min <= low && high <= delta.max);
            }
        }
    }
}
