//! Every ceiling and every bucket bound of the exporters, with its arithmetic.

use loop_core::buckets::{BUCKETS, Scale};

/// Series that one loop may have in the classic text format: the list's own sum is below it (see
/// `METRICS.md`), and a `const` assertion beside the list holds it there.
pub const LOOP_SERIES_MAX: usize = 600;

/// Series that one agent may have: 33 loops that show all they can.
pub const AGENT_SERIES_MAX: usize = 20_000;

/// Loops with series of their own: one less than fit, as those before them share a place, with
/// `thread="other"` and no process.
pub const AGENT_LOOPS_MAX: usize = AGENT_SERIES_MAX / LOOP_SERIES_MAX - 1;

/// Workers of one process with a series of their own. Further ones share `thread="other"`:
/// with the main thread and `other`, 10 loops a process, 2 processes at the ceiling with all shown.
pub const WORKERS_MAX: usize = 8;

/// Whether loops of this thread are told with others: those of further workers, and those that were
/// put together before.
pub fn shares_a_place(thread: &str) -> bool {
    let number = thread.strip_prefix("worker-").and_then(|number| number.parse::<usize>().ok());
    thread == OTHER || number.is_some_and(|number| number > WORKERS_MAX)
}

/// What loops are called that share a place.
pub(crate) const OTHER: &str = "other";

/// Bytes of one label value; longer ones are cut at a character. 4 labels of 256 bytes on 600
/// series are 600 KB a loop at the very worst, some 60 KB in practice.
pub const LABEL_VALUE_BYTES_MAX: usize = 256;

/// Bounds of a classic histogram, `+Inf` not counted: 19 + 1 buckets, sum and count, 22 series.
pub const BOUNDS: usize = 19;

/// Series of one classic histogram.
pub const HISTOGRAM_SERIES: usize = BOUNDS + 3;

/// Resolution of exponential histograms: 2^3 = 8 buckets a factor of two, 9.05 % wide each.
pub const EXPONENTIAL_SCALE: i32 = 3;

/// Values up to this (1 µs, in seconds) share the zero bucket. In lengths: nothing but 0.
pub const ZERO_THRESHOLD: f64 = 1e-6;

/// Values up to this, in nanoseconds, share the zero bucket: [`ZERO_THRESHOLD`] times 10^9.
pub const ZERO_THRESHOLD_NS: u64 = 1_000;

/// Buckets of one exponential histogram, from the first to the last that holds something. Where
/// values spread further, the scale is lowered. 1 µs to 2^37 ns is 28 factors of two: 224 buckets
/// at scale 3, 112 at scale 2. Lengths from 1 to 2^34 are 34: 272 and 136.
pub const EXPONENTIAL_BUCKETS_MAX: usize = 160;

/// Bytes of a stack in a log record; what lies outside is left out. 64 frames of 64 bytes, as
/// receivers cut or refuse records that are much larger.
pub const STACK_BYTES_MAX: usize = 4 * 1024;

/// The text exporter hands on its page when it has grown to this many bytes.
pub const PAGE_BYTES: usize = 64 * 1024;

const SCALE_2_BUCKETS_PER_OCTAVE: usize = 4;
const TIME_OCTAVES: usize = (Scale::Time.top() / ZERO_THRESHOLD_NS).ilog2() as usize + 1;
const LENGTH_OCTAVES: usize = Scale::Length.top().ilog2() as usize;

const _: () = assert!(AGENT_SERIES_MAX / LOOP_SERIES_MAX == 33);
const _: () = assert!(TIME_OCTAVES * SCALE_2_BUCKETS_PER_OCTAVE < EXPONENTIAL_BUCKETS_MAX);
const _: () = assert!(LENGTH_OCTAVES * SCALE_2_BUCKETS_PER_OCTAVE < EXPONENTIAL_BUCKETS_MAX);
const _: () = assert!(TIME_BOUNDS.bounds[BOUNDS - 1] < Scale::Time.top());
const _: () = assert!(LENGTH_BOUNDS.bounds[BOUNDS - 1] < Scale::Length.top());

/// The bounds of a classic histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Upper bounds, in nanoseconds or in things.
    pub bounds: [u64; BOUNDS],
    /// The same bounds as the `le` label has them, in seconds or in things: in every format as
    /// OpenMetrics writes them and as Prometheus writes those that it got in protobuf, so that a
    /// series is the same whichever format a server asks for.
    pub le: [&'static str; BOUNDS],
    /// For each bound, how many fine buckets lie at or below it: those whose midpoint does.
    pub(crate) fine: [usize; BOUNDS],
}

impl Bounds {
    /// The bounds for histograms of this scale.
    pub const fn of(scale: Scale) -> &'static Bounds {
        match scale {
            Scale::Time => &TIME_BOUNDS,
            Scale::Length => &LENGTH_BOUNDS,
        }
    }

    const fn new(scale: Scale, bounds: [u64; BOUNDS], le: [&'static str; BOUNDS]) -> Self {
        let mut fine = [0; BOUNDS];
        let (mut bound, mut index) = (0, 0);
        while bound < BOUNDS {
            while index < BUCKETS && scale.midpoint(index) <= bounds[bound] {
                index += 1;
            }
            fine[bound] = index;
            bound += 1;
        }
        Bounds { bounds, le, fine }
    }
}

static TIME_BOUNDS: Bounds = Bounds::new(
    Scale::Time,
    [
        100_000,
        250_000,
        500_000,
        1_000_000,
        2_500_000,
        5_000_000,
        10_000_000,
        25_000_000,
        50_000_000,
        100_000_000,
        250_000_000,
        500_000_000,
        1_000_000_000,
        2_500_000_000,
        5_000_000_000,
        10_000_000_000,
        30_000_000_000,
        60_000_000_000,
        120_000_000_000,
    ],
    [
        "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
        "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "30.0", "60.0", "120.0",
    ],
);

static LENGTH_BOUNDS: Bounds = Bounds::new(
    Scale::Length,
    [
        1,
        2,
        5,
        10,
        20,
        50,
        100,
        200,
        500,
        1_000,
        2_000,
        5_000,
        10_000,
        20_000,
        50_000,
        100_000,
        1_000_000,
        10_000_000,
        100_000_000,
    ],
    [
        "1.0", "2.0", "5.0", "10.0", "20.0", "50.0", "100.0", "200.0", "500.0", "1000.0", "2000.0",
        "5000.0", "10000.0", "20000.0", "50000.0", "100000.0", "1e+06", "1e+07", "1e+08",
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_says_what_the_bound_is() {
        for scale in [Scale::Time, Scale::Length] {
            let unit = if scale == Scale::Time { 1e9 } else { 1.0 };
            let bounds = Bounds::of(scale);
            for (bound, le) in bounds.bounds.iter().zip(bounds.le) {
                let le: f64 = le.parse().unwrap();
                assert_eq!((le * unit).round() as u64, *bound);
            }
            assert!(bounds.bounds.is_sorted());
        }
    }

    #[test]
    fn fine_buckets_are_split_at_their_midpoints() {
        for scale in [Scale::Time, Scale::Length] {
            let bounds = Bounds::of(scale);
            for (&bound, &fine) in bounds.bounds.iter().zip(&bounds.fine) {
                assert!(scale.midpoint(fine - 1) <= bound);
                assert!(scale.midpoint(fine) > bound);
            }
        }
    }
}
