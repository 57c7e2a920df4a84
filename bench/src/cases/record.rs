//! The recorder alone, and what others ask for one value in a histogram. An operation is a value.

use std::hint::black_box;

use loop_core::{Clock, Record, Recorder};

use crate::Failure;
use crate::measure::{Batch, Case};

const VALUES: usize = 4_096;

/// Times a batch goes over the values.
const PASSES: u64 = 50;

/// From 50 ns to 50 ms, evenly on a logarithmic scale, in no order.
fn wide() -> Vec<u64> {
    let mut random = crate::cases::timers::Random::default();
    let mut value = || 50.0 * 1e6_f64.powf(random.below(1 << 20) as f64 / f64::from(1 << 20));
    (0..VALUES).map(|_| value() as u64).collect()
}

fn passes(mut record: impl FnMut(u64) + 'static) -> Case {
    let values = wide();
    Box::new(move || {
        Ok(Batch::timed(PASSES * VALUES as u64, || {
            for _ in 0..PASSES {
                values.iter().for_each(|&value| record(black_box(value)));
            }
        }))
    })
}

/// The recorder of a loop, by the call that notes a timer's lateness: onto the log, and from the
/// log into bucket, sum, min and max.
pub fn recorder() -> Case {
    let (mut recorder, reader) = Recorder::new(Clock::real(), u64::MAX, false);
    passes(move |value| {
        // Keeps what readers see alive, as an exporter does.
        let _ = &reader;
        recorder.timer(value);
    })
}

/// A reading of the thread's counters, by turns that begin and end with one. The thread is hardly
/// ever switched between two, which spares each the files of the kernel.
pub fn reading() -> Case {
    const TURNS: u64 = 500;
    let (mut recorder, reader) = Recorder::new(Clock::real(), u64::MAX, true);
    let mut now_ns = 0;
    Box::new(move || {
        let _ = &reader;
        Ok(Batch::timed(2 * TURNS, || {
            for _ in 0..TURNS {
                recorder.open_turn(now_ns);
                now_ns += 1;
                recorder.close_turn(now_ns);
            }
        }))
    })
}

/// `hdrhistogram` with two significant digits.
///
/// # Errors
/// Never, with these bounds.
pub fn hdrhistogram() -> Result<Case, Failure> {
    let mut histogram = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 3_600_000_000_000, 2)?;
    Ok(passes(move |value| histogram.saturating_record(value)))
}

/// `prometheus`, 19 bounds as in our exporter, in seconds.
///
/// # Errors
/// Never, with these bounds.
pub fn prometheus() -> Result<Case, Failure> {
    let bounds = BOUNDS_SECONDS.to_vec();
    let options = prometheus::HistogramOpts::new("turn", "turn").buckets(bounds);
    let histogram = prometheus::Histogram::with_opts(options)?;
    Ok(passes(move |value| histogram.observe(value as f64 * 1e-9)))
}

/// `prometheus-client`, with the same bounds.
pub fn prometheus_client() -> Case {
    let histogram = prometheus_client::metrics::histogram::Histogram::new(BOUNDS_SECONDS);
    passes(move |value| histogram.observe(value as f64 * 1e-9))
}

const BOUNDS_SECONDS: [f64; 19] = [
    1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 30.0, 60.0, 120.0,
];
