//! Prometheus' protobuf: decoded again and held against a golden file.

mod support;

use std::fmt::Write;

use loop_core::snapshot::{ClockKind, Snapshot};
use loopscope_exporters::metrics::{self, Kind};
use loopscope_exporters::protobuf::{
    Exemplar, Histogram, Metric, MetricFamily, MetricType, Timestamp,
};
use loopscope_exporters::{Exporter, Protobuf, SelfStats};
use support::ALL_NAMES;
use support::samples::{families, labels_of};

fn sent(snapshot: &Snapshot, stats: &SelfStats) -> Vec<MetricFamily> {
    let mut out = Vec::new();
    Protobuf.export(snapshot, stats, &mut out).unwrap();
    families(&out)
}

fn rendered(families: &[MetricFamily]) -> String {
    let mut text = String::new();
    for family in families {
        let MetricFamily { name, help, unit, .. } = family;
        let kind = MetricType::try_from(family.r#type.unwrap()).unwrap();
        writeln!(text, "{name} {kind:?} [{unit}] {help}").unwrap();
        for metric in &family.metric {
            writeln!(text, "  {:?}", labels_of(&metric.label)).unwrap();
            writeln!(text, "    {}", value(metric)).unwrap();
        }
    }
    text
}

fn value(metric: &Metric) -> String {
    match (&metric.gauge, &metric.counter, &metric.histogram) {
        (Some(gauge), None, None) => format!("{}", gauge.value.unwrap()),
        (None, Some(counter), None) => {
            format!("{} since {}", counter.value.unwrap(), time(counter.created_timestamp))
        }
        (None, None, Some(of)) => histogram(of),
        _ => panic!("{metric:?}"),
    }
}

fn time(of: Option<Timestamp>) -> String {
    of.map_or_else(|| "?".to_owned(), |time| format!("{}.{:09}", time.seconds, time.nanos))
}

fn exemplar(of: &Exemplar) -> String {
    format!("{:?} {} at {}", labels_of(&of.label), of.value.unwrap(), time(of.timestamp))
}

fn histogram(of: &Histogram) -> String {
    let (count, sum) = (of.sample_count.unwrap(), of.sample_sum.unwrap());
    let mut text = format!("count {count} sum {sum} since {}", time(of.created_timestamp));
    for bucket in &of.bucket {
        let example = bucket.exemplar.as_ref().map(|of| format!(" ({})", exemplar(of)));
        let (bound, count) = (bucket.upper_bound.unwrap(), bucket.cumulative_count.unwrap());
        write!(text, " {bound}:{count}{}", example.unwrap_or_default()).unwrap();
    }
    let spans: Vec<_> = of.positive_span.iter().map(|span| (span.offset, span.length)).collect();
    let examples: Vec<_> = of.exemplars.iter().map(exemplar).collect();
    write!(
        text,
        "\n    schema {} zero {} up to {} spans {spans:?} deltas {:?} {examples:?}",
        of.schema.unwrap(),
        of.zero_count.unwrap(),
        of.zero_threshold.unwrap(),
        of.positive_delta,
    )
    .unwrap();
    text
}

#[test]
fn the_page_is_the_golden_one() {
    let sent = sent(&support::stalled(), &support::full_stats());
    support::golden("tests/golden/page.protobuf.txt", &rendered(&sent));
}

#[test]
fn every_metric_of_the_list_is_there_as_its_kind() {
    let mut snapshot = support::stalled();
    snapshot.loops.truncate(1);
    let sent = sent(&snapshot, &support::full_stats());
    let names: Vec<&str> = sent.iter().map(|family| family.name.as_str()).collect();
    let listed: Vec<&str> = metrics::page(ALL_NAMES).map(|metric| metric.name).collect();
    assert_eq!(names, listed);
    for (metric, family) in metrics::page(ALL_NAMES).zip(&sent) {
        let want = match metric.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram(_) => MetricType::Histogram,
        };
        assert_eq!(family.r#type, Some(want.into()), "{}", metric.name);
        assert_eq!(family.unit, metric.unit_word().unwrap_or_default(), "{}", metric.name);
    }
}

#[test]
fn what_grows_says_since_when_where_that_is_known() {
    let created = |stats: &SelfStats| -> Vec<Option<Timestamp>> {
        let sent = sent(&support::stalled(), stats);
        let of = |metric: &Metric| match (&metric.counter, &metric.histogram) {
            (Some(counter), _) => Some(counter.created_timestamp),
            (_, Some(histogram)) => Some(histogram.created_timestamp),
            _ => None,
        };
        sent.iter().flat_map(|family| family.metric.iter().filter_map(of)).collect()
    };
    let known = created(&support::full_stats());
    let start = Timestamp { seconds: 1_700_000_000, nanos: 250_000_000 };
    let of_process = Timestamp { seconds: 1_700_000_000, nanos: 0 };
    let (last, others) = known.split_last().unwrap();
    assert_eq!(*last, Some(of_process), "the agent's own CPU time");
    assert!(others.len() > 40 && others.iter().all(|time| *time == Some(start)));
    assert!(created(&support::stats()).iter().all(Option::is_none));
}

#[test]
fn a_native_histogram_has_its_examples_in_order_of_their_times() {
    let turns = |snapshot: &Snapshot| {
        let mut sent = sent(snapshot, &support::full_stats());
        assert_eq!(sent[0].name, "loopscope_eventloop_turn_duration_seconds");
        sent[0].metric.remove(1).histogram.unwrap()
    };
    let of = turns(&support::stalled());
    let values: Vec<_> = of.exemplars.iter().map(|example| example.value.unwrap()).collect();
    assert_eq!(values, [1.2, 0.062, 200.0]);
    let of_buckets = of.bucket.iter().filter_map(|bucket| bucket.exemplar.as_ref());
    let of_buckets: Vec<_> = of_buckets.map(|example| example.value.unwrap()).collect();
    assert_eq!(of_buckets, [0.062, 1.2, 200.0]);
    // A server takes none without its time for a native histogram.
    let of = turns(&Snapshot { clock: ClockKind::Virtual, ..support::stalled() });
    assert!(of.exemplars.is_empty());
    assert_eq!(of.bucket.iter().filter(|bucket| bucket.exemplar.is_some()).count(), 3);
}
