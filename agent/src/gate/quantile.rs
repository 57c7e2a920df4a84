//! Quantiles of histograms, interpolated.
//!
//! A bucket is up to 3 % wide. Told by its midpoint, a change of a thousandth that crosses an edge
//! would be one of 3 %; by the place of the rank in the bucket it stays a thousandth.

use loop_core::snapshot::Histogram;

/// The value that a share of all values lies below; `None` of none.
pub(super) fn quantile(histogram: &Histogram, share: f64) -> Option<f64> {
    let count = histogram.count();
    if count == 0 {
        return None;
    }
    let (min, max) = (histogram.min as f64, histogram.max as f64);
    let rank = share * count as f64;
    let mut below = 0.0;
    for (index, &held) in histogram.counts.iter().enumerate().filter(|(_, held)| **held > 0) {
        let held = held as f64;
        if below + held >= rank {
            let lower = (histogram.scale.lower(index) as f64).max(min);
            let upper = (histogram.scale.upper(index) as f64).min(max);
            let within = ((rank - below) / held).clamp(0.0, 1.0);
            return Some((lower + (upper - lower).max(0.0) * within).clamp(min, max));
        }
        below += held;
    }
    Some(max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use loop_core::buckets::Scale;
    use proptest::prelude::*;

    #[test]
    fn a_thousandth_more_is_a_thousandth_more() {
        let of = |factor: f64| {
            let values = (0..10_000).map(|step| ((1e6 + f64::from(step) * 100.0) * factor) as u64);
            quantile(&Histogram::of(Scale::Time, values), 0.5).unwrap()
        };
        let ratio = of(1.001) / of(1.0);
        assert!((ratio - 1.001).abs() < 0.000_5, "{ratio}");
    }

    proptest! {
        #[test]
        fn it_lies_where_the_value_of_that_rank_does(
            mut values in prop::collection::vec(1_u64..1 << 36, 1..60),
            share in 0.0_f64..=1.0,
        ) {
            let got = quantile(&Histogram::of(Scale::Time, values.iter().copied()), share).unwrap();
            values.sort_unstable();
            let rank = (share * values.len() as f64).ceil().max(1.0) as usize;
            let true_value = values[rank - 1] as f64;
            let off = (got - true_value).abs();
            prop_assert!(off <= true_value * 0.032 + 8.0, "{got} {true_value}");
        }
    }

    #[test]
    fn nothing_has_none() {
        assert_eq!(quantile(&Histogram::new(Scale::Time), 0.5), None);
        assert_eq!(quantile(&Histogram::of(Scale::Time, [70]), 0.9), Some(70.0));
    }
}
