//! What is noted and not yet counted: for each histogram the values since the last flush.
//!
//! Noting a value is a store and an addition. Counting is put off, so that many of one histogram
//! are counted at once, their sum and extremes in registers.
//!
//! Cost: 512 bytes a histogram; 2 to 3 ns to note a value and count it (`goals` in `bench`).

use super::shared::{HISTOGRAMS, Shared};

/// Values of one histogram that may wait.
const VALUES_WAITING: usize = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Log {
    values: Box<[[u64; VALUES_WAITING]; HISTOGRAMS]>,
    lengths: [usize; HISTOGRAMS],
}

impl Log {
    pub(super) fn new() -> Self {
        Log { values: Box::new([[0; VALUES_WAITING]; HISTOGRAMS]), lengths: [0; HISTOGRAMS] }
    }

    /// Notes a value. Returns whether its histogram has to be counted now.
    #[inline]
    #[must_use]
    pub(super) fn note(&mut self, histogram: usize, value: u64) -> bool {
        let length = &mut self.lengths[histogram];
        // The length stays below the bound; the remainder tells the compiler.
        self.values[histogram][*length % VALUES_WAITING] = value;
        *length += 1;
        *length == VALUES_WAITING
    }

    /// Counts everything that waits.
    pub(super) fn count(&mut self, shared: &Shared) {
        for histogram in 0..HISTOGRAMS {
            if self.lengths[histogram] > 0 {
                self.count_one(histogram, shared);
            }
        }
    }

    /// Counts what waits for one histogram.
    #[inline(never)]
    pub(super) fn count_one(&mut self, histogram: usize, shared: &Shared) {
        let length = std::mem::take(&mut self.lengths[histogram]);
        shared.record(histogram, self.values[histogram][..length].iter().copied());
    }
}
