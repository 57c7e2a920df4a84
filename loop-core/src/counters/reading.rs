//! One reading of a thread's counters, and the difference of two.

use std::ops::Sub;

/// What the counters of a thread said at one moment; or, as a difference, what happened between
/// two. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Time on a CPU, in user mode and in the kernel.
    pub(crate) task_clock_ns: Option<u64>,
    /// Times the thread gave its CPU away: it waited for something, or was stopped.
    pub(crate) voluntary_switches: Option<u64>,
    /// Times its CPU was taken from it while it could have gone on.
    pub(crate) forced_switches: Option<u64>,
    /// Minor and major.
    pub(crate) page_faults: Option<u64>,
    /// Of the CPU, in user mode.
    pub(crate) cycles: Option<u64>,
    /// Retired in user mode.
    pub(crate) instructions: Option<u64>,
    /// Time runnable without a CPU. Time throttled is a part of it, see [`super`]'s Linux part.
    pub(crate) run_delay_ns: Option<u64>,
    /// Time in which a quota held back the thread's control group, on all CPUs together.
    pub(crate) throttled_ns: Option<u64>,
    /// Time in which the thread's control group was frozen.
    pub(crate) frozen_ns: Option<u64>,
}

/// How many words a reading is.
pub(crate) const READING_WORDS: usize = 9;

/// The word of a figure that is not there. None of the counters gets so far.
const ABSENT: u64 = u64::MAX;

impl Reading {
    /// Voluntary and forced.
    pub(crate) fn context_switches(&self) -> Option<u64> {
        Some(self.voluntary_switches? + self.forced_switches?)
    }

    pub(crate) fn to_words(self) -> [u64; READING_WORDS] {
        self.figures().map(|figure| figure.unwrap_or(ABSENT))
    }

    pub(crate) fn from_words(words: [u64; READING_WORDS]) -> Self {
        Self::of(words.map(|word| (word != ABSENT).then_some(word)))
    }

    fn figures(self) -> [Option<u64>; READING_WORDS] {
        [
            self.task_clock_ns,
            self.voluntary_switches,
            self.forced_switches,
            self.page_faults,
            self.cycles,
            self.instructions,
            self.run_delay_ns,
            self.throttled_ns,
            self.frozen_ns,
        ]
    }

    fn of(figures: [Option<u64>; READING_WORDS]) -> Self {
        let [
            task_clock_ns,
            voluntary_switches,
            forced_switches,
            page_faults,
            cycles,
            instructions,
            run_delay_ns,
            throttled_ns,
            frozen_ns,
        ] = figures;
        Reading {
            task_clock_ns,
            voluntary_switches,
            forced_switches,
            page_faults,
            cycles,
            instructions,
            run_delay_ns,
            throttled_ns,
            frozen_ns,
        }
    }
}

impl Sub for Reading {
    type Output = Reading;

    /// What happened after `earlier`; unknown where either reading lacks the figure.
    fn sub(self, earlier: Reading) -> Reading {
        let (now, then) = (self.figures(), earlier.figures());
        Reading::of(std::array::from_fn(|i| Some(now[i]?.saturating_sub(then[i]?))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_knows_what_both_readings_know() {
        let figures: [u64; READING_WORDS] = std::array::from_fn(|i| 100 + i as u64);
        let now = Reading::from_words(figures);
        assert_eq!(now.to_words(), figures);
        assert_eq!((now - now).to_words(), [0; READING_WORDS]);
        let then = Reading { task_clock_ns: Some(40), cycles: Some(1_000), ..Reading::default() };
        let between = now - then;
        assert_eq!((between.task_clock_ns, between.cycles), (Some(60), Some(0)));
        assert_eq!((between.page_faults, between.context_switches()), (None, None));
        assert_eq!(Reading::from_words(between.to_words()), between);
        assert_eq!(now.context_switches(), Some(101 + 102));
    }
}
