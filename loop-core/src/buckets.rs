//! The bucket layout that recorder, snapshot and exporters share: log-linear, 32 a factor of two.
//!
//! ```text
//!  value 0        2^k       2^(k+1)   2^(k+2)                2^(k+29)
//!        |--------|---------|---------|------ ... -----------|-------->
//!          32 of    32 of     32 of                            1 for all
//!          equal    equal     equal                            that is
//!          width    width     width                            larger
//! ```
//!
//! `k` is 8 for times (in nanoseconds: 256 ns to 137 s) and 5 for lengths (exact below 64).
//!
//! Cost: an index is a shift, a leading-zero count and an add.
//!
//! **Invariant**: a value is at most 1/64 (1.6 %) away from the midpoint of its bucket, unless it
//! is below `2^k` (then at most half the width of a linear bucket) or in the last bucket.

/// Buckets to a factor of two.
pub const SUB_BUCKETS: usize = 32;

/// Factors of two above the linear part.
pub const OCTAVES: usize = 29;

/// All buckets: the linear part, the octaves, and one for everything larger.
pub const BUCKETS: usize = SUB_BUCKETS * (1 + OCTAVES) + 1;

const SUB_BITS: u32 = SUB_BUCKETS.trailing_zeros();

const _: () = assert!(SUB_BUCKETS.is_power_of_two());
const _: () = assert!(Scale::Time.top() == 1 << 37);
const _: () = assert!(Scale::Length.top() == 1 << 34);

/// What a histogram counts, which decides where its linear part ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scale {
    /// Nanoseconds: resolved from 2^8 to 2^37.
    Time,
    /// Things in a queue: resolved from 1 to 2^34.
    Length,
}

impl Scale {
    /// The power of two at which the linear part ends.
    pub const fn linear_bits(self) -> u32 {
        match self {
            Scale::Time => 8,
            Scale::Length => SUB_BITS,
        }
    }

    /// The smallest value that falls into the last bucket.
    pub const fn top(self) -> u64 {
        1 << (self.linear_bits() as usize + OCTAVES)
    }

    /// The bucket of `value`. Values of [`Scale::top`] and above share the last one.
    #[inline]
    pub const fn index(self, value: u64) -> usize {
        index_for(self.linear_bits(), value)
    }

    /// The smallest value in bucket `index`.
    pub const fn lower(self, index: usize) -> u64 {
        let width_bits = self.linear_bits() - SUB_BITS;
        if index < SUB_BUCKETS {
            return (index as u64) << width_bits;
        }
        let octave = (index - SUB_BUCKETS) / SUB_BUCKETS;
        let sub = ((index - SUB_BUCKETS) % SUB_BUCKETS) as u64;
        (SUB_BUCKETS as u64 + sub) << (width_bits as usize + octave)
    }

    /// The first value above bucket `index`; `u64::MAX` for the last bucket.
    pub const fn upper(self, index: usize) -> u64 {
        if index + 1 >= BUCKETS { u64::MAX } else { self.lower(index + 1) }
    }

    /// The value that stands for bucket `index`: its midpoint, and its lower end for the last one.
    pub const fn midpoint(self, index: usize) -> u64 {
        let lower = self.lower(index);
        if index + 1 >= BUCKETS { lower } else { lower + (self.lower(index + 1) - lower) / 2 }
    }
}

/// [`Scale::index`] with the scale as a number, for hot paths where it is a constant.
#[inline]
pub(crate) const fn index_for(linear_bits: u32, value: u64) -> usize {
    // The linear part has the width of the first octave's buckets, so that the added bit makes one
    // formula of both, without a branch to mispredict.
    let zeros = (value | 1 << linear_bits).leading_zeros();
    let octave = (63 - linear_bits).wrapping_sub(zeros) as usize;
    let index = octave * SUB_BUCKETS + (value << zeros >> (63 - SUB_BITS)) as usize;
    if index < BUCKETS { index } else { BUCKETS - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holds(scale: Scale, value: u64) {
        let index = scale.index(value);
        assert!(scale.lower(index) <= value, "{scale:?} {value} below bucket {index}");
        assert!(value < scale.upper(index) || index == BUCKETS - 1, "{scale:?} {value} above");
    }

    #[test]
    fn every_edge_falls_into_its_own_bucket() {
        for scale in [Scale::Time, Scale::Length] {
            for index in 0..BUCKETS {
                assert_eq!(scale.index(scale.lower(index)), index);
                holds(scale, scale.lower(index));
                holds(scale, scale.upper(index) - 1);
            }
            assert_eq!(scale.index(u64::MAX), BUCKETS - 1);
            assert_eq!(scale.lower(BUCKETS - 1), scale.top());
        }
    }

    #[test]
    fn small_lengths_are_exact() {
        for value in 0..64 {
            let index = Scale::Length.index(value);
            assert_eq!(Scale::Length.midpoint(index), value);
        }
    }

    proptest! {
        #[test]
        fn a_value_is_near_its_midpoint(value in 0u64..(1 << 37)) {
            for scale in [Scale::Time, Scale::Length] {
                holds(scale, value);
                if value < scale.top() && value >= 1 << scale.linear_bits() {
                    let middle = scale.midpoint(scale.index(value));
                    prop_assert!(middle.abs_diff(value) as f64 <= value as f64 / 64.0);
                }
            }
        }
    }
}
