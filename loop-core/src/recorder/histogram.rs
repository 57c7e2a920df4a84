//! A histogram that one thread writes and any thread reads, without either waiting for the other.
//!
//! Cost: 8 KB; a value is one bucket, the sum and two comparisons, with relaxed loads and stores
//! only.
//!
//! **Invariant**: a reader may see a part of what one value changes, and the next reader the rest.
//! The count is the sum of the buckets, so it never disagrees with them. Once the writer rests,
//! everything is exact.

use std::ops::Range;

use super::sync::{AtomicU64, add, get, set};
use crate::buckets::{BUCKETS, Scale, index_for};
use crate::snapshot::Histogram;

/// See the module. `N` is [`BUCKETS`] but for the models that check the memory order.
#[derive(Debug)]
pub(crate) struct AtomicHistogram<const N: usize = BUCKETS> {
    buckets: [AtomicU64; N],
    sum: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
}

impl<const N: usize> AtomicHistogram<N> {
    pub(crate) fn new() -> Self {
        AtomicHistogram {
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            sum: AtomicU64::new(0),
            min: AtomicU64::new(u64::MAX),
            max: AtomicU64::new(0),
        }
    }

    /// Counts one value. Called by the one writer only.
    #[inline]
    pub(crate) fn record_one(&self, linear_bits: u32, value: u64) {
        add(&self.buckets[index_for(linear_bits, value).min(N - 1)], 1);
        add(&self.sum, value);
        if value < get(&self.min) {
            set(&self.min, value);
        }
        if value > get(&self.max) {
            set(&self.max, value);
        }
    }

    /// Counts `values`. Called by the one writer only. Sum, min and max stay in registers: a store
    /// that the next value loads again would cost more than all the rest.
    #[inline]
    pub(crate) fn record(&self, linear_bits: u32, values: impl Iterator<Item = u64>) {
        let known = (get(&self.min), get(&self.max));
        let (mut sum, (mut min, mut max)) = (0u64, known);
        let mut span = max.wrapping_sub(min);
        for value in values {
            sum = sum.wrapping_add(value);
            // One comparison for both bounds: hardly ever is a value outside of what there was. Of
            // an empty histogram (the top, 0) it lets every value through but the top itself.
            if value.wrapping_sub(min) >= span {
                (min, max) = (min.min(value), max.max(value));
                span = max.wrapping_sub(min);
            }
            add(&self.buckets[index_for(linear_bits, value).min(N - 1)], 1);
        }
        add(&self.sum, sum);
        if (min, max) != known {
            set(&self.min, min);
            set(&self.max, max);
        }
    }

    /// How many values have been counted so far.
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().map(get).sum()
    }

    /// Copies what has been counted so far into `out`, without allocating. Only the buckets from
    /// that of the smallest value to that of the largest are looked at, the others being empty; and
    /// of what `out` held only those are cleared that were not.
    pub(crate) fn read_into(&self, out: &mut Histogram) {
        let held = used(out);
        (out.min, out.max) = (get(&self.min), get(&self.max));
        let used = used(out);
        if held.start < used.start || held.end > used.end {
            out.counts[held].fill(0);
        }
        for (out, bucket) in out.counts[used.clone()].iter_mut().zip(&self.buckets[used]) {
            *out = get(bucket);
        }
        out.sum = u128::from(get(&self.sum));
    }

    /// What has been counted so far.
    pub(crate) fn read(&self, scale: Scale) -> Histogram {
        let mut out = Histogram::new(scale);
        self.read_into(&mut out);
        out
    }
}

/// The buckets that may hold something.
fn used(histogram: &Histogram) -> Range<usize> {
    let index = |value| histogram.scale.index(value);
    if histogram.min > histogram.max {
        0..0
    } else {
        index(histogram.min)..index(histogram.max) + 1
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_it_was_written() {
        let up = [0, 1, 255, 256, 1_000_000, 1 << 36, 1 << 62];
        let down = [1 << 62, 1 << 36, 300, 300, 7, 1, 0];
        for (scale, values) in [(Scale::Time, up), (Scale::Length, down)] {
            let atomic = AtomicHistogram::<BUCKETS>::new();
            values[..2].iter().for_each(|&value| atomic.record_one(scale.linear_bits(), value));
            atomic.record(scale.linear_bits(), values[2..3].iter().copied());
            atomic.record(scale.linear_bits(), values[3..].iter().copied());
            assert_eq!(atomic.read(scale), Histogram::of(scale, values));
        }
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    /// A reader at any moment sees a count that grows, never more than was written, and after the
    /// writer is done the exact state.
    #[test]
    fn a_reader_sees_a_growing_prefix() {
        loom::model(|| {
            let shared = Arc::new(AtomicHistogram::<2>::new());
            let count = |h: &AtomicHistogram<2>| h.buckets.iter().map(get).sum::<u64>();
            let reader = {
                let shared = shared.clone();
                thread::spawn(move || {
                    let first = count(&shared);
                    let second = count(&shared);
                    assert!(first <= second && second <= 2, "{first} then {second}");
                })
            };
            shared.record(5, [0].into_iter());
            shared.record(5, [1].into_iter());
            reader.join().unwrap();
            assert_eq!(count(&shared), 2);
            assert_eq!((get(&shared.sum), get(&shared.min), get(&shared.max)), (1, 0, 1));
        });
    }
}
