//! Our recorders alone. An operation is a value.

use std::hint::black_box;

use loop_core::buckets::Scale;
use loop_core::{Clock, HistogramWriter, Record, Recorder};

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

/// Batches that hand every value to `record`.
pub(crate) fn passes(mut record: impl FnMut(u64) + 'static) -> Case {
    let values = wide();
    Box::new(move || {
        Ok(Batch::timed(PASSES * VALUES as u64, || {
            for _ in 0..PASSES {
                black_box(&values).iter().for_each(|&value| record(value));
            }
        }))
    })
}

/// Nothing is recorded: what of each figure is the walk over the values.
pub fn nothing() -> Case {
    passes(|value| {
        black_box(value);
    })
}

/// One histogram by itself: bucket, sum, min and max, visible at once.
pub fn histogram() -> Case {
    let (mut writer, reader) = HistogramWriter::new(Scale::Time);
    passes(move |value| {
        // Keeps what readers see alive, as an exporter does.
        let _ = &reader;
        writer.record(value);
    })
}

/// The same histogram, in runs as long as a loop's recorder lets turns wait.
pub fn runs() -> Case {
    const RUN: usize = 64;
    let (mut writer, reader) = HistogramWriter::new(Scale::Time);
    let values = wide();
    Box::new(move || {
        let _ = &reader;
        Ok(Batch::timed(PASSES * VALUES as u64, || {
            for _ in 0..PASSES {
                let runs = black_box(&values).chunks(RUN);
                runs.for_each(|run| writer.record_all(run.iter().copied()));
            }
        }))
    })
}

/// The recorder of a loop, by the call that notes a timer's lateness.
pub fn recorder() -> Case {
    let (mut recorder, reader) = Recorder::new(Clock::real(), u64::MAX, false);
    passes(move |value| {
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
