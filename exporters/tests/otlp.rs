//! OTLP: decoded again and held against the snapshot and a golden file.

mod support;

use std::fmt::Write;

use loop_core::snapshot::Histogram;
use loopscope_exporters::metrics::{self, Kind};
use loopscope_exporters::{Exporter, Otlp, OtlpOptions};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogramDataPoint, Metric, NumberDataPoint,
};
use prost::Message;

const START: u64 = 1_700_000_000_000_000_000;
const END: u64 = 1_700_000_005_000_000_000;
const CUMULATIVE: i32 = AggregationTemporality::Cumulative as i32;

fn request() -> ExportMetricsServiceRequest {
    let exporter = Otlp {
        options: OtlpOptions {
            resource: vec![("service.name".to_owned(), "loopscope".to_owned())],
            start_unix_ns: START,
            end_unix_ns: END,
        },
    };
    let mut out = Vec::new();
    exporter.export(&support::snapshot(), &support::stats(), &mut out).unwrap();
    ExportMetricsServiceRequest::decode(out.as_slice()).unwrap()
}

fn sent() -> Vec<Metric> {
    request().resource_metrics.remove(0).scope_metrics.remove(0).metrics
}

fn attributes(attributes: &[KeyValue]) -> String {
    let text = |pair: &KeyValue| match pair.value.as_ref().and_then(|any| any.value.as_ref()) {
        Some(any_value::Value::StringValue(value)) => format!("{}={value:?}", pair.key),
        other => panic!("{}: {other:?}", pair.key),
    };
    attributes.iter().map(text).collect::<Vec<_>>().join(",")
}

fn numbers(data: &Data) -> &[NumberDataPoint] {
    match data {
        Data::Gauge(gauge) => &gauge.data_points,
        Data::Sum(sum) => &sum.data_points,
        _ => &[],
    }
}

fn histograms(data: &Data) -> &[ExponentialHistogramDataPoint] {
    match data {
        Data::ExponentialHistogram(histogram) => &histogram.data_points,
        _ => &[],
    }
}

fn rendered(metrics: &[Metric]) -> String {
    let mut text = String::new();
    for metric in metrics {
        let data = metric.data.as_ref().unwrap();
        writeln!(text, "{} [{}] {}", metric.name, metric.unit, metric.description).unwrap();
        for point in numbers(data) {
            let value = match point.value.unwrap() {
                Value::AsInt(value) => format!("int {value}"),
                Value::AsDouble(value) => format!("double {value}"),
            };
            writeln!(text, "  {{{}}} {value}", attributes(&point.attributes)).unwrap();
        }
        for point in histograms(data) {
            writeln!(text, "  {{{}}}", attributes(&point.attributes)).unwrap();
            let buckets = point.positive.as_ref().unwrap();
            let held = buckets.bucket_counts.iter().enumerate().filter(|(_, count)| **count > 0);
            let held: Vec<String> =
                held.map(|(i, count)| format!("{}:{count}", i as i32 + buckets.offset)).collect();
            writeln!(
                text,
                "    count {} sum {:?} min {:?} max {:?} scale {} zero {} buckets {}",
                point.count,
                point.sum.unwrap(),
                point.min,
                point.max,
                point.scale,
                point.zero_count,
                held.join(" ")
            )
            .unwrap();
        }
    }
    text
}

#[test]
fn the_message_is_the_golden_one() {
    support::golden("tests/golden/otlp.txt", &rendered(&sent()));
}

#[test]
fn resource_and_scope_say_who_sends() {
    let request = request();
    let resource = &request.resource_metrics[0];
    let attributes = attributes(&resource.resource.as_ref().unwrap().attributes);
    assert_eq!(attributes, "service.name=\"loopscope\"");
    let scope = resource.scope_metrics[0].scope.as_ref().unwrap();
    assert_eq!((scope.name.as_str(), scope.version.as_str()), ("loopscope", "0.1.0"));
}

#[test]
fn every_metric_of_the_list_is_sent_as_its_kind() {
    let sent = sent();
    let names: Vec<&str> = sent.iter().map(|metric| metric.name.as_str()).collect();
    let listed: Vec<&str> = metrics::all().map(|metric| metric.otlp_name).collect();
    assert_eq!(names, listed);
    for (metric, sent) in metrics::all().zip(&sent) {
        assert_eq!(sent.unit, metric.unit);
        match (metric.kind, sent.data.as_ref().unwrap()) {
            (Kind::Counter, Data::Sum(sum)) => {
                assert!(sum.is_monotonic && sum.aggregation_temporality == CUMULATIVE);
                let from_start = |p: &NumberDataPoint| p.start_time_unix_nano == START;
                assert!(sum.data_points.iter().all(from_start));
            }
            (Kind::Gauge, Data::Gauge(_)) => {}
            (Kind::Histogram(_), Data::ExponentialHistogram(histogram)) => {
                assert_eq!(histogram.aggregation_temporality, CUMULATIVE);
                assert!(histogram.data_points.iter().all(|p| p.start_time_unix_nano == START));
            }
            (kind, data) => panic!("{}: {kind:?} sent as {data:?}", metric.name),
        }
    }
}

#[test]
fn points_carry_the_labels_of_the_list_and_the_time() {
    for (metric, sent) in metrics::all().zip(sent()) {
        let names: Vec<&str> = metric.label_names().collect();
        let data = sent.data.as_ref().unwrap();
        let of_numbers = numbers(data).iter().map(|p| (&p.attributes, p.time_unix_nano));
        let of_histograms = histograms(data).iter().map(|p| (&p.attributes, p.time_unix_nano));
        for (attributes, time) in of_numbers.chain(of_histograms) {
            let mut got: Vec<&str> = attributes.iter().map(|pair| pair.key.as_str()).collect();
            got.sort_unstable();
            let mut want = names.clone();
            want.sort_unstable();
            assert_eq!((got, time), (want, END), "{}", metric.name);
        }
    }
}

#[test]
fn histograms_hold_what_the_snapshot_holds() {
    let sent = sent();
    let named = |name: &str| {
        let metric = sent.iter().find(|metric| metric.name == name).unwrap();
        let points = histograms(metric.data.as_ref().unwrap()).iter();
        let main = |p: &&ExponentialHistogramDataPoint| attributes(&p.attributes).contains("main");
        points.filter(main).cloned().next_back().unwrap()
    };
    let full = support::full_loop();
    let check = |name: &str, histogram: &Option<Histogram>, unit: f64| {
        let (point, histogram) = (named(name), histogram.as_ref().unwrap());
        let buckets = point.positive.unwrap().bucket_counts;
        assert_eq!(point.count, histogram.count(), "{name}");
        assert_eq!(point.zero_count + buckets.iter().sum::<u64>(), point.count, "{name}");
        assert_eq!(point.sum, Some(histogram.sum as f64 / unit), "{name}");
        assert_eq!(point.max, Some(histogram.max as f64 / unit), "{name}");
        assert_eq!(point.zero_threshold, 1e-6, "{name}");
        assert!(buckets.len() <= 160, "{name}");
    };
    check("loopscope.eventloop.turn.duration", &full.turn_ns, 1e9);
    check("loopscope.eventloop.poll.wait", &full.poll_wait_ns, 1e9);
    check("loopscope.eventloop.drain.length", &full.microtask_drain_length, 1.0);
    check("loopscope.thread_pool.wait", &full.thread_pool.queue_ns, 1e9);
}
