//! Histograms: the buckets that hold something.

use loop_core::buckets::{BUCKETS, Scale};
use loop_core::snapshot;
use prost::Message;

use super::numbers::Numbered;
use super::{Odd, value};
use crate::recording::limits::VALUE_MAX;

/// A histogram.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Histogram {
    #[prost(uint32, tag = "1")]
    scale: u32,
    /// Before each bucket that holds something, how many don't.
    #[prost(uint32, repeated, tag = "2")]
    skipped: Vec<u32>,
    /// What those buckets hold.
    #[prost(uint64, repeated, tag = "3")]
    counts: Vec<u64>,
    /// The lower half of the sum of all values.
    #[prost(uint64, tag = "4")]
    sum: u64,
    /// The upper half of it.
    #[prost(uint64, tag = "5")]
    sum_high: u64,
    /// Absent: `u64::MAX`, as where there is no value.
    #[prost(uint64, optional, tag = "6")]
    min: Option<u64>,
    #[prost(uint64, tag = "7")]
    max: u64,
}

impl From<&snapshot::Histogram> for Histogram {
    fn from(from: &snapshot::Histogram) -> Histogram {
        let snapshot::Histogram { scale, counts, sum, min, max } = from;
        let mut skipped = Vec::new();
        let mut last = 0;
        let held = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        let held = held.map(|(index, count)| {
            skipped.push(u32::try_from(index - last).unwrap_or(u32::MAX));
            last = index + 1;
            *count
        });
        let counts = held.collect();
        let bytes = sum.to_le_bytes();
        let (low, high) = bytes.split_at(bytes.len() / 2);
        let half = |half: &[u8]| half.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        Histogram {
            scale: scale.number(),
            skipped,
            counts,
            sum: half(low),
            sum_high: half(high),
            min: Some(*min).filter(|min| *min != u64::MAX),
            max: *max,
        }
    }
}

impl Histogram {
    /// What it stands for: one of a field that has this scale.
    fn back(self, field: Scale) -> Result<snapshot::Histogram, Odd> {
        let Histogram { scale, skipped, counts: held, sum, sum_high, min, max } = self;
        if Scale::numbered(scale)? != field || skipped.len() != held.len() {
            return Err(Odd);
        }
        let mut counts = vec![0; BUCKETS];
        let (mut next, mut all) = (0_usize, 0_u64);
        for (skipped, count) in skipped.into_iter().zip(held) {
            let index = next.checked_add(skipped as usize).ok_or(Odd)?;
            *counts.get_mut(index).ok_or(Odd)? = value(count)?;
            next = index + 1;
            all = value(all + count)?;
        }
        let min = min.unwrap_or(u64::MAX);
        // What has values has a smallest and a largest one.
        if sum_high > VALUE_MAX || (all > 0 && min > max) {
            return Err(Odd);
        }
        let sum = u128::from(sum_high) << u64::BITS | u128::from(sum);
        Ok(snapshot::Histogram { scale: field, counts, sum, min, max })
    }
}

/// Where there is one.
pub(super) fn of(from: Option<&snapshot::Histogram>) -> Option<Histogram> {
    from.map(Histogram::from)
}

/// The times that it stands for, where there is one.
pub(super) fn times(from: Option<Histogram>) -> Result<Option<snapshot::Histogram>, Odd> {
    from.map(|from| from.back(Scale::Time)).transpose()
}

/// The lengths that it stands for, where there is one.
pub(super) fn lengths(from: Option<Histogram>) -> Result<Option<snapshot::Histogram>, Odd> {
    from.map(|from| from.back(Scale::Length)).transpose()
}
