//! From the fine log-linear buckets to base-2 exponential ones: OTLP exponential histograms and
//! Prometheus native ones.
//!
//! ```text
//!  base = 2^(2^-scale)                     scale 3: base 1.0905
//!  Prometheus bucket i  = (base^(i-1), base^i]
//!  OTLP       bucket i  = (base^i, base^(i+1)]      so the index is one less
//! ```
//!
//! A fine bucket goes where its midpoint falls. Values up to the zero threshold are counted apart.
//!
//! Cost: an addition a fine bucket between the first and the last that hold something; one
//! allocation. The logarithms are taken once.
//!
//! **Invariant**: never more than [`limits::EXPONENTIAL_BUCKETS_MAX`] buckets; a histogram that
//! spreads further is told at a lower scale, and every count stays.

use std::sync::LazyLock;

use loop_core::buckets::{BUCKETS, Scale};
use loop_core::snapshot::Histogram;

use crate::limits;

const NS_PER_SECOND: f64 = 1e9;

/// The counts of an exponential histogram; times are in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exponential {
    /// Resolution: `2^scale` buckets a factor of two. Prometheus calls it the schema.
    pub scale: i32,
    /// Values from 0 to [`limits::ZERO_THRESHOLD`].
    pub zero_count: u64,
    /// Prometheus' index of the first bucket; 0 where there are no buckets.
    pub first_index: i32,
    /// The buckets from the first to the last that hold something.
    pub counts: Vec<u64>,
}

impl Exponential {
    /// Converts at [`limits::EXPONENTIAL_SCALE`], or lower where the values spread too far.
    pub fn of(histogram: &Histogram) -> Self {
        let places = Places::of(histogram.scale);
        let (zero, positive) = histogram.counts.split_at(places.zeros);
        let zero_count = zero.iter().sum();
        let is_used = |count: &u64| *count > 0;
        let used = positive.iter().position(is_used).zip(positive.iter().rposition(is_used));
        let Some((first, last)) = used else {
            let scale = limits::EXPONENTIAL_SCALE;
            return Exponential { scale, zero_count, first_index: 0, counts: Vec::new() };
        };
        let indexes = &places.indexes[first..=last];
        let (first_index, last_index) = (indexes[0], indexes[indexes.len() - 1]);
        let most = limits::EXPONENTIAL_BUCKETS_MAX;
        let spread = |shift| coarser(last_index, shift) - coarser(first_index, shift) + 1;
        let shift = (0..).find(|&shift| spread(shift) as usize <= most).unwrap_or(0);
        let first_index = coarser(first_index, shift);
        let mut counts = vec![0; spread(shift) as usize];
        for (&index, &count) in indexes.iter().zip(&positive[first..=last]) {
            counts[(coarser(index, shift) - first_index) as usize] += count;
        }
        let scale = limits::EXPONENTIAL_SCALE - shift;
        Exponential { scale, zero_count, first_index, counts }
    }

    /// The index of the first bucket as OTLP counts.
    pub fn otlp_offset(&self) -> i32 {
        if self.counts.is_empty() { 0 } else { self.first_index - 1 }
    }

    /// All values.
    pub fn count(&self) -> u64 {
        self.zero_count + self.counts.iter().sum::<u64>()
    }
}

/// The largest value of the zero bucket, in the histogram's own unit.
const fn zero_threshold(scale: Scale) -> u64 {
    match scale {
        Scale::Time => limits::ZERO_THRESHOLD_NS,
        Scale::Length => 0,
    }
}

/// Where the fine buckets of a scale go.
struct Places {
    /// So many go into the zero bucket: the first ones.
    zeros: usize,
    /// Prometheus' index, at [`limits::EXPONENTIAL_SCALE`], of each behind them.
    indexes: Vec<i32>,
}

impl Places {
    fn of(scale: Scale) -> &'static Places {
        static TIME: LazyLock<Places> = LazyLock::new(|| Places::new(Scale::Time));
        static LENGTH: LazyLock<Places> = LazyLock::new(|| Places::new(Scale::Length));
        match scale {
            Scale::Time => &TIME,
            Scale::Length => &LENGTH,
        }
    }

    fn new(scale: Scale) -> Places {
        let is_zero = |fine: &usize| scale.midpoint(*fine) <= zero_threshold(scale);
        let zeros = (0..BUCKETS).take_while(is_zero).count();
        let indexes = (zeros..BUCKETS).map(|fine| index_of(scale, fine)).collect();
        Places { zeros, indexes }
    }
}

/// Prometheus' index, at [`limits::EXPONENTIAL_SCALE`], of a fine bucket: that of its midpoint.
fn index_of(scale: Scale, fine: usize) -> i32 {
    let midpoint = scale.midpoint(fine) as f64;
    let value = if scale == Scale::Time { midpoint / NS_PER_SECOND } else { midpoint };
    (value.log2() * f64::from(1 << limits::EXPONENTIAL_SCALE)).ceil() as i32
}

/// The bucket so many scales lower that holds bucket `index`: `ceil(index / 2^shift)`.
const fn coarser(index: i32, shift: i32) -> i32 {
    (index + (1 << shift) - 1) >> shift
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base(scale: i32) -> f64 {
        2f64.powf(2f64.powi(-scale))
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        // 1 = base^0 is in Prometheus' bucket 0 and OTLP's bucket -1; 8 = base^24 in 24 and 23.
        let one = Exponential::of(&Histogram::of(Scale::Length, [1]));
        assert_eq!((one.first_index, one.otlp_offset(), one.counts.len()), (0, -1, 1));
        let eight = Exponential::of(&Histogram::of(Scale::Length, [8]));
        assert_eq!((eight.first_index, eight.otlp_offset()), (24, 23));
        let nine = Exponential::of(&Histogram::of(Scale::Length, [9]));
        assert_eq!(nine.first_index, 26);
    }

    #[test]
    fn nothing_has_no_buckets() {
        let nothing = Exponential::of(&Histogram::new(Scale::Time));
        assert_eq!(nothing.counts, Vec::<u64>::new());
        assert_eq!((nothing.scale, nothing.zero_count, nothing.otlp_offset()), (3, 0, 0));
    }

    #[test]
    fn up_to_a_microsecond_is_zero() {
        let times = Exponential::of(&Histogram::of(Scale::Time, [0, 500, 990, 1_100]));
        assert_eq!((times.zero_count, times.counts.as_slice()), (3, [1].as_slice()));
        let lengths = Exponential::of(&Histogram::of(Scale::Length, [0, 1]));
        assert_eq!((lengths.zero_count, lengths.counts.len()), (1, 1));
    }

    #[test]
    fn the_widest_spread_lowers_the_scale_once() {
        for scale in [Scale::Time, Scale::Length] {
            let all = (0..BUCKETS).map(|index| scale.lower(index));
            let wide = Exponential::of(&Histogram::of(scale, all));
            assert_eq!(wide.scale, 2);
            assert!(wide.counts.len() <= limits::EXPONENTIAL_BUCKETS_MAX);
            assert_eq!(wide.count(), BUCKETS as u64);
        }
    }

    /// The quantile as a server reads it from the buckets: the upper bound of the one it is in.
    fn upper_bound(exponential: &Exponential, rank: u64) -> f64 {
        let mut seen = exponential.zero_count;
        if rank <= seen {
            return limits::ZERO_THRESHOLD;
        }
        for (i, &count) in exponential.counts.iter().enumerate() {
            seen += count;
            if rank <= seen {
                return base(exponential.scale).powi(exponential.first_index + i as i32);
            }
        }
        f64::INFINITY
    }

    /// Times from 2 µs to 2^37 ns, each factor of two as likely as the next.
    fn evenly_by_octave() -> impl Strategy<Value = u64> {
        (11u32..37, any::<u64>()).prop_map(|(bits, low)| (1 << bits) | (low & ((1 << bits) - 1)))
    }

    #[test]
    fn a_coarser_bucket_holds_two_finer_ones() {
        // (base^(i-1), base^i] of scale 3 lies in (base^(2j-2), base^2j] for j = ceil(i / 2).
        let pairs = [(-3, -1), (-2, -1), (-1, 0), (0, 0), (1, 1), (2, 1), (3, 2)];
        for (fine, coarse) in pairs {
            assert_eq!(coarser(fine, 1), coarse, "{fine}");
        }
        for index in -9..9 {
            assert_eq!(coarser(index, 0), index);
            assert_eq!(coarser(index, 2), coarser(coarser(index, 1), 1), "{index}");
        }
    }

    proptest! {
        #[test]
        fn every_fine_bucket_obeys_the_index_rule(fine in 1usize..BUCKETS) {
            for (scale, unit) in [(Scale::Time, NS_PER_SECOND), (Scale::Length, 1.0)] {
                let (value, index) = (scale.midpoint(fine) as f64 / unit, index_of(scale, fine));
                let near = value * 1e-12;
                let base = base(limits::EXPONENTIAL_SCALE);
                prop_assert!(base.powi(index - 1) < value + near, "{value} below {index}");
                prop_assert!(value <= base.powi(index) + near, "{value} above {index}");
            }
        }

        #[test]
        fn counts_are_whole_and_quantiles_are_near(
            mut values in prop::collection::vec(evenly_by_octave(), 1..200), q in 0.0f64..=1.0
        ) {
            let exponential = Exponential::of(&Histogram::of(Scale::Time, values.iter().copied()));
            prop_assert_eq!(exponential.count(), values.len() as u64);
            prop_assert!(exponential.counts.len() <= limits::EXPONENTIAL_BUCKETS_MAX);
            prop_assert!(exponential.counts.first().is_some_and(|&count| count > 0));
            prop_assert!(exponential.counts.last().is_some_and(|&count| count > 0));
            values.sort_unstable();
            let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let exact = values[rank - 1] as f64 / NS_PER_SECOND;
            let got = upper_bound(&exponential, rank as u64);
            // One bucket's width, and the 1.6 % of the fine bucket.
            prop_assert!(got <= exact * base(exponential.scale) * 1.017, "{got} for {exact}");
            prop_assert!(got >= exact / 1.017, "{got} for {exact}");
        }
    }
}
