//! One histogram by itself, for what a program measures beside its loop: one writer, any number of
//! readers, and neither waits for the other.
//!
//! ```
//! use loop_core::HistogramWriter;
//! use loop_core::buckets::Scale;
//!
//! let (mut writer, reader) = HistogramWriter::new(Scale::Time);
//! writer.record(1_500);
//! writer.record_all([2_000, 9_000_000]);
//! let seen = std::thread::spawn(move || reader.read()).join().unwrap();
//! assert_eq!((seen.count(), seen.sum, seen.max), (3, 9_003_500, 9_000_000));
//! ```
//!
//! Cost: 8 KB; `goals` in `bench` prints what a value costs, alone and in a run of values.
//!
//! **Invariant**: there is one writer. It can be moved to another thread, not copied.

use std::sync::Arc;

use super::histogram::AtomicHistogram;
use crate::buckets::{BUCKETS, Scale};
use crate::snapshot::Histogram;

/// Counts values; see the module.
#[derive(Debug)]
pub struct HistogramWriter {
    shared: Arc<AtomicHistogram>,
    linear_bits: u32,
}

/// Reads what a [`HistogramWriter`] has counted, from any thread. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct HistogramReader {
    shared: Arc<AtomicHistogram>,
    scale: Scale,
}

impl HistogramWriter {
    /// An empty histogram's two ends. The scale says what is counted: nanoseconds or a length.
    pub fn new(scale: Scale) -> (HistogramWriter, HistogramReader) {
        let shared = Arc::new(AtomicHistogram::new());
        let writer = HistogramWriter { shared: shared.clone(), linear_bits: scale.linear_bits() };
        (writer, HistogramReader { shared, scale })
    }

    /// Counts one value: bucket, sum, min and max, visible at once.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.shared.record_one(self.linear_bits, value);
    }

    /// Counts a run of values. Their sum and extremes are gathered first, so a value costs less
    /// than by itself; readers see those when the run is over.
    #[inline]
    pub fn record_all(&mut self, values: impl IntoIterator<Item = u64>) {
        self.shared.record(self.linear_bits, values.into_iter());
    }
}

impl HistogramReader {
    /// What has been counted so far. Allocates the copy's 8 KB.
    pub fn read(&self) -> Histogram {
        self.shared.read(self.scale)
    }

    /// As [`HistogramReader::read`], into a value whose memory is used again. It takes on this
    /// histogram's scale.
    pub fn read_into(&self, out: &mut Histogram) {
        (out.scale, out.min, out.max) = (self.scale, u64::MAX, 0);
        out.counts.clear();
        out.counts.resize(BUCKETS, 0);
        self.shared.read_into(out);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn single_values_and_runs_count_alike() {
        let values = [0, 7, 300, 1_000_000, 1 << 40];
        for scale in [Scale::Time, Scale::Length] {
            let (mut one, one_read) = HistogramWriter::new(scale);
            let (mut run, run_read) = HistogramWriter::new(scale);
            values.iter().for_each(|&value| one.record(value));
            run.record_all(values);
            assert_eq!(one_read.read(), Histogram::of(scale, values));
            assert_eq!(run_read.read(), one_read.read());
        }
    }

    #[test]
    fn memory_is_used_again_whatever_it_held() {
        let (mut writer, reader) = HistogramWriter::new(Scale::Length);
        writer.record(3);
        let mut out = Histogram::of(Scale::Time, [5, 1_000_000]);
        reader.read_into(&mut out);
        assert_eq!(out, Histogram::of(Scale::Length, [3]));
    }
}
