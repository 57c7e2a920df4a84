//! The recorder against exact sorted samples: whatever is noted, count, sum, smallest and largest
//! are exact, and quantiles are as near as is promised.

use std::sync::atomic::{AtomicBool, Ordering};

use loop_core::buckets::Scale;
use loop_core::snapshot::{Histogram, LoopSnapshot, Queue};
use loop_core::{Clock, Reader, Record, Recorder};
use proptest::prelude::*;

/// How far a quantile may be off: half a bucket's width, 1/64, and what the histogram behind the
/// summary rounds to three digits.
const ERROR: f64 = 1.0 / 64.0 + 0.001;

fn recorder() -> (Recorder, Reader) {
    Recorder::new(Clock::real(), u64::MAX, true)
}

fn note(recorder: &mut Recorder, scale: Scale, value: u64) {
    match scale {
        Scale::Time => recorder.timer(value),
        Scale::Length => {
            recorder.open_turn(0);
            recorder.open_drain(Queue::Microtask, 0);
            recorder.close_drain(Queue::Microtask, value, 0);
            recorder.close_turn(0);
        }
    }
}

fn seen(snapshot: &LoopSnapshot, scale: Scale) -> &Histogram {
    let histogram = match scale {
        Scale::Time => &snapshot.timer_lateness_ns,
        Scale::Length => &snapshot.microtask_drain_length,
    };
    histogram.as_ref().unwrap()
}

/// Values of one shape: even, by octaves, all near one value, mostly small with a long tail, and
/// the ends of what there is.
fn samples() -> impl Strategy<Value = Vec<u64>> {
    let octaves = || (0u32..52, any::<u64>()).prop_map(|(bits, value)| value >> (63 - bits));
    let shape = prop_oneof![
        prop::collection::vec(0u64..1 << 37, 1..400),
        prop::collection::vec(octaves(), 1..400),
        (0u64..1 << 40).prop_flat_map(|near| prop::collection::vec(near..near + 1_000, 1..400)),
        prop::collection::vec(prop_oneof![99 => 0u64..5_000, 1 => 1u64 << 30..1 << 36], 1..2_000),
        prop::collection::vec(prop_oneof![Just(0u64), Just(1), Just(255), Just(256)], 1..50),
    ];
    (shape, prop::option::weighted(0.1, Just(u64::MAX >> 2)))
        .prop_map(|(values, extreme)| values.into_iter().chain(extreme).collect())
}

fn scales() -> impl Strategy<Value = Scale> {
    prop_oneof![Just(Scale::Time), Just(Scale::Length)]
}

/// The value of a quantile in a sorted sample: the smallest that at least so many are not above.
fn exact(sorted: &[u64], quantile: f64) -> u64 {
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

fn near(scale: Scale, got: u64, want: u64) -> bool {
    if want >= scale.top() {
        // The last bucket says only that it was that much.
        return got >= scale.top();
    }
    // Below the first octave buckets are of one width.
    let linear = (1_u64 << scale.linear_bits()) as f64 / 64.0;
    got.abs_diff(want) as f64 <= (want as f64 * ERROR).max(linear) + 1.0
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn figures_are_exact_and_quantiles_near(mut values in samples(), scale in scales()) {
        let (mut recorder, reader) = recorder();
        values.iter().for_each(|&value| note(&mut recorder, scale, value));
        recorder.flush();
        let snapshot = reader.snapshot();
        let histogram = seen(&snapshot, scale);
        prop_assert_eq!(histogram, &Histogram::of(scale, values.iter().copied()));
        let summary = histogram.summary();
        prop_assert_eq!(summary.count, values.len() as u64);
        prop_assert_eq!(summary.sum, values.iter().map(|&value| u128::from(value)).sum::<u128>());
        values.sort_unstable();
        let ends = (values.first().copied(), values.last().copied());
        prop_assert_eq!((summary.min, summary.max), ends);
        let quantiles =
            [(0.5, summary.p50), (0.9, summary.p90), (0.99, summary.p99), (0.999, summary.p999)];
        for (quantile, got) in quantiles {
            let (got, want) = (got.unwrap(), exact(&values, quantile));
            prop_assert!(near(scale, got, want), "{scale:?} {quantile}: {got} for {want}");
        }
    }

    /// However values are spread over recorders, and in whatever order those are merged.
    #[test]
    fn recorders_merge_as_their_samples(
        parts in prop::collection::vec(samples(), 1..4),
        scale in scales(),
    ) {
        let read = |values: &Vec<u64>| {
            let (mut recorder, reader) = recorder();
            values.iter().for_each(|&value| note(&mut recorder, scale, value));
            recorder.flush();
            seen(&reader.snapshot(), scale).clone()
        };
        let histograms: Vec<_> = parts.iter().map(read).collect();
        let merged = |order: &mut dyn Iterator<Item = &Histogram>| {
            order.fold(Histogram::new(scale), |mut all, part| {
                all.merge(part);
                all
            })
        };
        let all = Histogram::of(scale, parts.iter().flatten().copied());
        prop_assert_eq!(&merged(&mut histograms.iter()), &all);
        prop_assert_eq!(&merged(&mut histograms.iter().rev()), &all);
        let mut nested = histograms[0].clone();
        nested.merge(&merged(&mut histograms[1..].iter()));
        prop_assert_eq!(&nested, &all);
    }

    /// What was counted since an earlier reading is what was noted since.
    #[test]
    fn since_is_what_came_since(before in samples(), after in samples(), scale in scales()) {
        let (mut recorder, reader) = recorder();
        before.iter().for_each(|&value| note(&mut recorder, scale, value));
        recorder.flush();
        let then = reader.snapshot();
        after.iter().for_each(|&value| note(&mut recorder, scale, value));
        recorder.flush();
        let now = reader.snapshot();
        let window = now.since(&then);
        let want = Histogram::of(scale, after.iter().copied());
        prop_assert_eq!(&seen(&window, scale).counts, &want.counts);
        prop_assert_eq!(seen(&window, scale).sum, want.sum);
        prop_assert!(seen(&window, scale).min <= want.min);
        prop_assert!(seen(&window, scale).max >= want.max);
        if let Scale::Length = scale {
            prop_assert_eq!(window.microtasks.map(u128::from), Some(want.sum));
        }
    }
}

#[test]
fn the_ends_of_what_there_is_are_exact() {
    for scale in [Scale::Time, Scale::Length] {
        for value in [0, 1, scale.top() - 1, scale.top(), u64::MAX - 1, u64::MAX] {
            let (mut recorder, reader) = recorder();
            note(&mut recorder, scale, value);
            recorder.flush();
            let summary = seen(&reader.snapshot(), scale).summary();
            assert_eq!((summary.count, summary.sum), (1, u128::from(value)));
            assert_eq!((summary.min, summary.max), (Some(value), Some(value)));
            assert_eq!((summary.p50, summary.p999), (Some(value), Some(value)), "{scale:?}");
        }
    }
}

#[test]
fn a_reader_beside_the_writer_never_sees_anything_fall() {
    const VALUES: u64 = 500_000;
    let (mut recorder, reader) = recorder();
    let finished = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut before = reader.snapshot();
                    let mut readings = 0_u64;
                    while !finished.load(Ordering::Acquire) {
                        let now = reader.snapshot();
                        not_fallen(&before, &now);
                        before = now;
                        readings += 1;
                    }
                    readings
                })
            })
            .collect();
        for number in 0..VALUES {
            let value = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (number % 34 + 30);
            recorder.timer(value);
            note(&mut recorder, Scale::Length, number % 100);
            if number % 1_000 == 0 {
                recorder.flush();
            }
        }
        recorder.flush();
        finished.store(true, Ordering::Release);
        let readings: u64 = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
        assert!(readings > 0);
    });
    assert_eq!(seen(&reader.snapshot(), Scale::Time).count(), VALUES);
    assert_eq!(seen(&reader.snapshot(), Scale::Length).count(), VALUES);
}

fn not_fallen(before: &LoopSnapshot, now: &LoopSnapshot) {
    assert!(now.timers >= before.timers && now.microtasks >= before.microtasks);
    for scale in [Scale::Time, Scale::Length] {
        let (before, now) = (seen(before, scale), seen(now, scale));
        let fallen = before.counts.iter().zip(&now.counts).position(|(before, now)| now < before);
        assert_eq!(fallen, None, "a bucket fell");
        assert!(now.sum >= before.sum && now.max >= before.max && now.min <= before.min);
    }
}
