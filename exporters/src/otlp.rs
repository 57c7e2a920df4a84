//! OTLP metrics: an `ExportMetricsServiceRequest` in protobuf, as OTLP over HTTP posts it to
//! `/v1/metrics`.
//!
//! ```text
//!  resource (the caller's attributes) > scope "loopscope" > metric > one point a series
//! ```
//!
//! Counters are cumulative monotonic sums, histograms cumulative exponential ones in base units.
//!
//! Cost: 120 µs for a loop of which all is seen, by `read` in `bench`; one message tree a call.

use std::io;

use loop_core::buckets::Scale;
use loop_core::snapshot::{Histogram, Snapshot};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1 as proto;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use crate::exponential::Exponential;
use crate::limits::ZERO_THRESHOLD;
use crate::metrics::{self, Kind, Metric, Series, Value};
use crate::{Exporter, LoopView, SelfStats, View};

const SCOPE_NAME: &str = "loopscope";
const NS_PER_SECOND: f64 = 1e9;
const CUMULATIVE: i32 = proto::AggregationTemporality::Cumulative as i32;

/// OTLP in protobuf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Otlp {
    /// What an exporter can't know.
    pub options: OtlpOptions,
}

/// What an exporter, which has no clock and no environment, must be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtlpOptions {
    /// Attributes of the resource, `service.name` among them: those of the agent.
    pub resource: Vec<(String, String)>,
    /// When the observation began, in nanoseconds since the Unix epoch: where every counter was 0.
    pub start_unix_ns: u64,
    /// When the snapshot was taken, in nanoseconds since the Unix epoch.
    pub end_unix_ns: u64,
}

impl Exporter for Otlp {
    fn content_type(&self) -> &'static str {
        "application/x-protobuf"
    }

    fn export(
        &self,
        snapshot: &Snapshot,
        stats: &SelfStats,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        out.write_all(&self.request(snapshot, stats).encode_to_vec())
    }
}

impl Otlp {
    /// The message before it is encoded.
    fn request(&self, snapshot: &Snapshot, stats: &SelfStats) -> ExportMetricsServiceRequest {
        let view = View::new(snapshot, stats);
        let points = Points { options: &self.options, loops: Points::base(&view) };
        let metrics = metrics::otlp(stats.compat).filter_map(|metric| points.metric(metric, &view));
        let resource = self.options.resource.iter().map(|(key, value)| attribute(key, value));
        ExportMetricsServiceRequest {
            resource_metrics: vec![proto::ResourceMetrics {
                resource: Some(Resource { attributes: resource.collect(), ..Resource::default() }),
                scope_metrics: vec![proto::ScopeMetrics {
                    scope: Some(scope()),
                    metrics: metrics.collect(),
                    schema_url: String::new(),
                }],
                schema_url: String::new(),
            }],
        }
    }
}

/// Makes points; holds what all points share.
struct Points<'a> {
    options: &'a OtlpOptions,
    /// The attributes of each loop.
    loops: Vec<Vec<KeyValue>>,
}

impl Points<'_> {
    fn base(view: &View<'_>) -> Vec<Vec<KeyValue>> {
        let attributes = |entry: &LoopView<'_>| {
            entry.labels.iter().map(|(name, value)| attribute(name, value)).collect()
        };
        view.loops.iter().map(attributes).collect()
    }

    /// The metric with all its points; `None` where it has none.
    fn metric(&self, metric: &Metric, view: &View<'_>) -> Option<proto::Metric> {
        let (mut numbers, mut histograms) = (Vec::new(), Vec::new());
        metric.read(view, &mut |series| match series.value {
            Value::Histogram(histogram) => {
                histograms.push(self.histogram(self.attributes(metric, series), histogram));
            }
            Value::Count(count) => {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                numbers.push(self.number(metric, series, Number::AsInt(count)));
            }
            Value::Nanoseconds(ns) => {
                let seconds = ns as f64 / NS_PER_SECOND;
                numbers.push(self.number(metric, series, Number::AsDouble(seconds)));
            }
            Value::Ratio(ratio) => {
                numbers.push(self.number(metric, series, Number::AsDouble(ratio)));
            }
        });
        if numbers.is_empty() && histograms.is_empty() {
            return None;
        }
        Some(proto::Metric {
            name: metric.otlp_name.to_owned(),
            description: metric.help.to_owned(),
            unit: metric.unit.to_owned(),
            metadata: Vec::new(),
            data: Some(data(metric.kind, numbers, histograms)),
        })
    }

    fn attributes(&self, metric: &Metric, series: Series<'_>) -> Vec<KeyValue> {
        let of_loop = series.owner.map_or(&[][..], |owner| &self.loops[owner]);
        let own = metric.labels.iter().zip(series.labels);
        let own = own.map(|(label, value)| attribute(&label.otlp_name(), value));
        of_loop.iter().cloned().chain(own).collect()
    }

    fn number(&self, metric: &Metric, series: Series<'_>, value: Number) -> proto::NumberDataPoint {
        // A gauge is a state, not a sum over time: it has no start.
        let gauge = metric.kind == Kind::Gauge;
        proto::NumberDataPoint {
            attributes: self.attributes(metric, series),
            start_time_unix_nano: if gauge { 0 } else { self.options.start_unix_ns },
            time_unix_nano: self.options.end_unix_ns,
            value: Some(value),
            ..proto::NumberDataPoint::default()
        }
    }

    fn histogram(
        &self,
        attributes: Vec<KeyValue>,
        histogram: &Histogram,
    ) -> proto::ExponentialHistogramDataPoint {
        let exponential = Exponential::of(histogram);
        let unit = match histogram.scale {
            Scale::Time => NS_PER_SECOND,
            Scale::Length => 1.0,
        };
        let count = exponential.count();
        let seen = |value: u64| (count > 0).then_some(value as f64 / unit);
        proto::ExponentialHistogramDataPoint {
            attributes,
            start_time_unix_nano: self.options.start_unix_ns,
            time_unix_nano: self.options.end_unix_ns,
            count,
            sum: Some(histogram.sum as f64 / unit),
            scale: exponential.scale,
            zero_count: exponential.zero_count,
            zero_threshold: ZERO_THRESHOLD,
            min: seen(histogram.min),
            max: seen(histogram.max),
            positive: Some(Buckets {
                offset: exponential.otlp_offset(),
                bucket_counts: exponential.counts,
            }),
            ..proto::ExponentialHistogramDataPoint::default()
        }
    }
}

fn data(
    kind: Kind,
    numbers: Vec<proto::NumberDataPoint>,
    histograms: Vec<proto::ExponentialHistogramDataPoint>,
) -> proto::metric::Data {
    match kind {
        Kind::Counter => proto::metric::Data::Sum(proto::Sum {
            data_points: numbers,
            aggregation_temporality: CUMULATIVE,
            is_monotonic: true,
        }),
        Kind::Gauge => proto::metric::Data::Gauge(proto::Gauge { data_points: numbers }),
        Kind::Histogram(_) => {
            proto::metric::Data::ExponentialHistogram(proto::ExponentialHistogram {
                data_points: histograms,
                aggregation_temporality: CUMULATIVE,
            })
        }
    }
}

/// Who made the message.
pub(crate) fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: SCOPE_NAME.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

pub(crate) fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) }),
        ..KeyValue::default()
    }
}
