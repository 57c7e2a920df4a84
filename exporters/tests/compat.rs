//! Names of others: only on demand, and never past the ceiling of a loop.

mod support;

use std::collections::BTreeSet;

use loop_core::snapshot::{Histogram, Snapshot};
use loopscope_exporters::{
    Compat, Exporter, Otlp, OtlpOptions, PrometheusText, SelfStats, limits, metrics,
};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;
use support::samples::{Page, Samples};

const OTEL: Compat = Compat { otel: true, prom_client: false };
const PROM_CLIENT: Compat = Compat { otel: false, prom_client: true };

fn samples(snapshot: &Snapshot, compat: Compat) -> Samples {
    let mut out = Vec::new();
    let stats = SelfStats { compat, ..support::stats() };
    PrometheusText.export(snapshot, &stats, &mut out).unwrap();
    Page::parse(&String::from_utf8(out).unwrap()).samples
}

/// The names that are not ours, with what a histogram adds.
fn names_of_others(snapshot: &Snapshot, compat: Compat) -> BTreeSet<String> {
    let samples = samples(snapshot, compat);
    let names = samples.into_keys().map(|(name, _)| name);
    names.filter(|name| !name.starts_with("loopscope_")).collect()
}

fn sent(compat: Compat) -> Vec<(String, Vec<String>)> {
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;
    let exporter = Otlp { options: OtlpOptions::default() };
    let mut out = Vec::new();
    let stats = SelfStats { compat, ..support::stats() };
    exporter.export(&support::stalled(), &stats, &mut out).unwrap();
    let mut request = ExportMetricsServiceRequest::decode(out.as_slice()).unwrap();
    let metrics = request.resource_metrics.remove(0).scope_metrics.remove(0).metrics;
    let of_others = metrics.into_iter().filter(|metric| !metric.name.starts_with("loopscope"));
    let keys = |metric: opentelemetry_proto::tonic::metrics::v1::Metric| {
        let attributes = match metric.data.unwrap() {
            Data::Gauge(gauge) => gauge.data_points[0].attributes.clone(),
            Data::Sum(sum) => sum.data_points[0].attributes.clone(),
            Data::ExponentialHistogram(of) => of.data_points[0].attributes.clone(),
            other => panic!("{other:?}"),
        };
        (metric.name, attributes.into_iter().map(|pair| pair.key).skip(4).collect())
    };
    of_others.map(keys).collect()
}

#[test]
fn nobody_has_them_who_does_not_ask() {
    assert!(names_of_others(&support::stalled(), Compat::default()).is_empty());
    assert!(sent(Compat::default()).is_empty());
    assert!(sent(PROM_CLIENT).is_empty());
}

#[test]
fn each_list_has_the_names_that_its_readers_know() {
    let delays = ["min", "max", "mean", "stddev", "p50", "p90", "p99"];
    let histogram = |name: &str| ["bucket", "sum", "count"].map(|part| format!("{name}_{part}"));
    let mut otel: BTreeSet<String> =
        delays.iter().map(|part| format!("nodejs_eventloop_delay_{part}_seconds")).collect();
    otel.insert("nodejs_eventloop_utilization_ratio".into());
    otel.insert("nodejs_eventloop_time_seconds_total".into());
    otel.extend(histogram("v8js_gc_duration_seconds"));
    assert_eq!(names_of_others(&support::stalled(), OTEL), otel);
    let mut prom_client: BTreeSet<String> =
        delays.iter().map(|part| format!("nodejs_eventloop_lag_{part}_seconds")).collect();
    prom_client.insert("nodejs_version_info".into());
    prom_client.extend(histogram("nodejs_gc_duration_seconds"));
    assert_eq!(names_of_others(&support::stalled(), PROM_CLIENT), prom_client);
}

#[test]
fn otlp_has_those_of_opentelemetry_with_dots() {
    let sent = sent(support::ALL_NAMES);
    let names: Vec<&str> = sent.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), 10);
    assert_eq!(names[0], "nodejs.eventloop.delay.min");
    let time = ("nodejs.eventloop.time".to_owned(), vec!["nodejs.eventloop.state".to_owned()]);
    let collections = ("v8js.gc.duration".to_owned(), vec!["v8js.gc.type".to_owned()]);
    assert_eq!(sent[8..], [time, collections]);
}

#[test]
fn their_figures_are_those_of_our_histograms() {
    let snapshot = support::stalled();
    let samples = samples(&snapshot, support::ALL_NAMES);
    let value = |name: &str| {
        let mut of_name = samples.iter().filter(|((found, _), _)| found == name);
        let value = *of_name.next().unwrap_or_else(|| panic!("no {name}")).1;
        assert!(of_name.next().is_none(), "{name}");
        value
    };
    let delays: &Histogram = snapshot.loops[0].arrival_delay_ns.as_ref().unwrap();
    let summary = delays.summary();
    let figures = [
        ("max", delays.max as f64, 0.0),
        ("mean", summary.mean.unwrap(), 1e-9),
        ("p50", summary.p50.unwrap() as f64, 0.02),
        ("p99", summary.p99.unwrap() as f64, 0.02),
    ];
    for (part, want_ns, error) in figures {
        for of in ["delay", "lag"] {
            let got_ns = value(&format!("nodejs_eventloop_{of}_{part}_seconds")) * 1e9;
            // Whole nanoseconds are told.
            assert!(
                (got_ns - want_ns).abs() <= want_ns * error + 0.5,
                "{part}: {got_ns} {want_ns}"
            );
        }
    }
    assert_eq!(value("nodejs_version_info"), 1.0);
}

#[test]
fn they_never_lift_a_loop_past_its_ceiling() {
    let of_loop = |snapshot: &Snapshot, compat| {
        let is_main = |(_, labels): &&(String, _)| {
            let labels: &std::collections::BTreeMap<String, String> = labels;
            labels.get("thread").is_some_and(|thread| thread == "main")
        };
        samples(snapshot, compat).keys().filter(is_main).count()
    };
    // All that a loop can show, which leaves no room.
    let full = support::snapshot();
    assert_eq!(of_loop(&full, support::ALL_NAMES), metrics::LOOP_SERIES);
    // All that a live Node.js shows with --detail, and it still has room.
    let stalled = support::stalled();
    let (ours, all) = (of_loop(&stalled, Compat::default()), of_loop(&stalled, support::ALL_NAMES));
    assert_eq!(all, ours + 54 + 52);
    assert!(all <= limits::LOOP_SERIES_MAX, "{all}");
    // One that almost has no room has none of them, and not some.
    let mut tight = support::snapshot();
    tight.loops[0].callbacks_ns = support::stalled().loops[0].callbacks_ns.clone();
    let more = tight.loops[0].callbacks_ns.0.iter_mut().filter(|of| of.is_none()).take(3);
    more.for_each(|of| *of = Some(Histogram::new(loop_core::buckets::Scale::Time)));
    let ours = of_loop(&tight, Compat::default());
    assert!(ours + 54 <= limits::LOOP_SERIES_MAX && ours + 106 > limits::LOOP_SERIES_MAX);
    assert_eq!(of_loop(&tight, OTEL), ours + 54);
    assert_eq!(of_loop(&tight, support::ALL_NAMES), ours);
}
