//! The summary of a histogram as the JSON report shows it.

use hdrhistogram::Histogram as Hdr;
use serde::{Serialize, Serializer};

use super::Histogram;

/// Count, sum, extremes, mean and quantiles. Without values, all but count and sum are `None`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many values.
    pub count: u64,
    /// Their exact sum.
    pub sum: u128,
    /// The exact smallest value.
    pub min: Option<u64>,
    /// The exact largest value.
    pub max: Option<u64>,
    /// The exact mean.
    pub mean: Option<f64>,
    /// The median, at most 1.7 % off.
    pub p50: Option<u64>,
    /// The 90th percentile, at most 1.7 % off.
    pub p90: Option<u64>,
    /// The 99th percentile, at most 1.7 % off.
    pub p99: Option<u64>,
    /// The 99.9th percentile, at most 1.7 % off.
    pub p999: Option<u64>,
}

impl Histogram {
    /// The summary for people and for the JSON report.
    pub fn summary(&self) -> Summary {
        let count = self.count();
        let seen = count > 0;
        let hdr = self.to_hdr();
        let quantile = |q| seen.then(|| hdr.value_at_quantile(q).clamp(self.min, self.max));
        Summary {
            count,
            sum: self.sum,
            min: seen.then_some(self.min),
            max: seen.then_some(self.max),
            mean: seen.then(|| self.sum as f64 / count as f64),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
        }
    }

    /// The same values in an HdrHistogram of three digits, for its quantiles, logs and merges.
    pub fn to_hdr(&self) -> Hdr<u64> {
        const DIGITS: u8 = 3;
        let mut hdr = Hdr::new_with_bounds(1, self.max.max(2), DIGITS)
            .expect("1 and a value of at least 2 are valid bounds");
        for (value, count) in self.values() {
            hdr.saturating_record_n(value, count);
        }
        hdr
    }
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.summary().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buckets::Scale;
    use proptest::prelude::*;

    #[test]
    fn one_value_is_told_exactly() {
        let summary = Histogram::of(Scale::Length, [60_000]).summary();
        assert_eq!(summary.p50, Some(60_000));
        assert_eq!(summary.p999, Some(60_000));
        assert_eq!(summary.mean, Some(60_000.0));
    }

    #[test]
    fn nothing_is_null_not_zero() {
        let json = serde_json::to_value(Histogram::new(Scale::Time)).unwrap();
        assert_eq!(json["count"], 0);
        assert!(json["min"].is_null() && json["max"].is_null() && json["p99"].is_null());
    }

    proptest! {
        #[test]
        fn quantiles_are_near_the_exact_ones(
            mut values in prop::collection::vec(256u64..1 << 36, 1..200)
        ) {
            let summary = Histogram::of(Scale::Time, values.iter().copied()).summary();
            values.sort_unstable();
            for (q, got) in [(0.5, summary.p50), (0.9, summary.p90), (0.999, summary.p999)] {
                let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
                let (exact, got) = (values[rank - 1] as f64, got.unwrap() as f64);
                prop_assert!((got - exact).abs() <= exact * 0.017, "{q}: {got} for {exact}");
            }
        }
    }
}
