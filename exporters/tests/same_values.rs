//! Every format tells the same values under the same labels, whatever was observed.

mod support;

use std::collections::BTreeSet;

use loop_core::buckets::Scale;
use loop_core::snapshot::{Histogram, LoopSnapshot, Snapshot};
use loopscope_exporters::protobuf;
use loopscope_exporters::{Exporter, JsonLines, OpenMetrics, PrometheusText, Protobuf, SelfStats};
use proptest::prelude::*;
use support::samples::{Page, Samples, families, samples_of, samples_of_line};

fn written(exporter: &dyn Exporter, snapshot: &Snapshot, stats: &SelfStats) -> Vec<u8> {
    let mut out = Vec::new();
    exporter.export(snapshot, stats, &mut out).unwrap();
    out
}

fn page(exporter: &dyn Exporter, snapshot: &Snapshot, stats: &SelfStats) -> Page {
    Page::parse(&String::from_utf8(written(exporter, snapshot, stats)).unwrap())
}

/// Sums are written exactly in text, and as the nearest double elsewhere.
fn assert_same(name: &str, got: &Samples, want: &Samples) {
    let keys = |of: &Samples| of.keys().cloned().collect::<BTreeSet<_>>();
    let (got_keys, want_keys) = (keys(got), keys(want));
    let odd: Vec<_> = got_keys.symmetric_difference(&want_keys).take(5).collect();
    assert!(odd.is_empty(), "{name}: in one alone: {odd:#?}");
    for (series, want) in want {
        let got = got[series];
        assert!((got - want).abs() <= want.abs() * 1e-12, "{name}: {got} for {want}: {series:?}");
    }
}

fn assert_all_tell_the_same(snapshot: &Snapshot, stats: &SelfStats) {
    let text = page(&PrometheusText, snapshot, stats);
    // None of it is in the older format.
    assert!(!text.ended && text.exemplars.is_empty());
    assert!(text.families.iter().all(|(_, _, unit)| unit.is_none()));
    let text = text.samples;
    let open = page(&OpenMetrics, snapshot, stats);
    assert!(open.ended);
    assert_eq!(open.samples, text);
    let families = families(&written(&Protobuf, snapshot, stats));
    assert_same("protobuf", &samples_of(&families), &text);
    for metric in families.iter().flat_map(|family| &family.metric) {
        metric.histogram.iter().for_each(assert_native_is_whole);
    }
    let line = String::from_utf8(written(&JsonLines::default(), snapshot, stats)).unwrap();
    assert_eq!(line.matches('\n').count(), 1);
    // The line tells only the bounds at which the count grows.
    let line = samples_of_line(&line);
    let is_told =
        |series: &(String, _)| line.contains_key(series) || !series.0.ends_with("_bucket");
    assert_same("JSON", &line, &text.into_iter().filter(|(series, _)| is_told(series)).collect());
}

/// Every value is in a native bucket whose bounds it lies in.
fn assert_native_is_whole(of: &protobuf::Histogram) {
    let (mut index, mut count, mut upto) = (0, 0, of.zero_count.unwrap());
    let mut deltas = of.positive_delta.iter();
    let base = 2f64.powf(2f64.powi(-of.schema.unwrap()));
    let mut bounds = vec![(of.zero_threshold.unwrap(), upto)];
    for span in &of.positive_span {
        index += span.offset;
        for delta in deltas.by_ref().take(span.length as usize) {
            count += delta;
            upto += u64::try_from(count).unwrap();
            bounds.push((base.powi(index), upto));
            index += 1;
        }
    }
    assert_eq!((deltas.next(), upto), (None, of.sample_count.unwrap()));
    assert!(bounds.len() <= 161);
    for bucket in &of.bucket {
        // All that a native bucket below the bound has, the classic one has, but for the width of
        // a fine one.
        let bound = bucket.upper_bound.unwrap();
        let below = bounds.iter().rfind(|(native, _)| *native < bound * 0.98);
        let below = below.map_or(0, |(_, upto)| *upto);
        assert!(below <= bucket.cumulative_count.unwrap(), "{bound}: {below} {bucket:?}");
    }
}

#[test]
fn all_formats_tell_the_same_of_everything() {
    assert_all_tell_the_same(&support::stalled(), &support::full_stats());
    assert_all_tell_the_same(&support::snapshot(), &support::stats());
    let nothing = Snapshot::empty(loop_core::snapshot::ClockKind::Virtual);
    assert_all_tell_the_same(&nothing, &SelfStats::default());
}

#[test]
fn two_who_ask_are_told_the_same() {
    let (snapshot, stats) = (support::stalled(), support::full_stats());
    let exporters: [&dyn Exporter; 4] =
        [&PrometheusText, &OpenMetrics, &Protobuf, &JsonLines::default()];
    for exporter in exporters {
        let first = written(exporter, &snapshot, &stats);
        assert!(first == written(exporter, &snapshot, &stats), "{}", exporter.content_type());
    }
}

fn histogram(scale: Scale) -> impl Strategy<Value = Option<Histogram>> {
    let value = (0u32..50, any::<u64>()).prop_map(|(bits, low)| low & ((1 << bits) - 1));
    let values = prop::collection::vec(value, 0..30);
    prop::option::of(values.prop_map(move |values| Histogram::of(scale, values)))
}

fn a_loop() -> impl Strategy<Value = LoopSnapshot> {
    let place = (0u32..4, prop_oneof!["main", "worker-[0-9]{1,2}", ".{0,8}"]);
    let totals = (any::<Option<u64>>(), any::<Option<u64>>(), prop::option::of(-1.0f64..2.0));
    let times = (histogram(Scale::Time), histogram(Scale::Time), histogram(Scale::Time));
    (place, totals, times, histogram(Scale::Length)).prop_map(|(place, totals, times, lengths)| {
        LoopSnapshot {
            pid: place.0,
            thread: place.1,
            // Counters that a sum of several can't carry past what they hold.
            turns: totals.0.map(|count| count >> 8),
            active_ns: totals.1.map(|ns| ns >> 8),
            utilization: totals.2,
            turn_ns: times.0,
            arrival_delay_ns: times.1,
            gc_minor_ns: times.2,
            tick_drain_length: lengths,
            ..LoopSnapshot::default()
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn all_formats_tell_the_same_of_anything(
        loops in prop::collection::vec(a_loop(), 0..6), name in ".{0,20}"
    ) {
        let mut snapshot = support::snapshot();
        snapshot.targets[0].pid = 1;
        snapshot.targets[0].name = name;
        snapshot.loops = loops;
        assert_all_tell_the_same(&snapshot, &support::full_stats());
    }
}
