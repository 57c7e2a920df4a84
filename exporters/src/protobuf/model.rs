//! The messages of `io.prometheus.client` (`metrics.proto` of Prometheus' client_model), by hand:
//! those fields that we write.
//!
//! Summaries, untyped values, floating counts and negative buckets are left out, which a reader
//! of the format takes as not set.

use prost::{Enumeration, Message};

/// How the values of a family behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum MetricType {
    /// Only ever grows.
    Counter = 0,
    /// Goes up and down.
    Gauge = 1,
    /// A distribution.
    Histogram = 4,
}

/// All series of one name.
#[derive(Clone, PartialEq, Message)]
pub struct MetricFamily {
    /// The name, that of a counter with its `_total`.
    #[prost(string, tag = "1")]
    pub name: String,
    /// What it tells.
    #[prost(string, tag = "2")]
    pub help: String,
    /// How its values behave; written even for a counter, which is the default.
    #[prost(enumeration = "MetricType", optional, tag = "3")]
    pub r#type: Option<i32>,
    /// Its series.
    #[prost(message, repeated, tag = "4")]
    pub metric: Vec<Metric>,
    /// The word for the unit that the name has in it, or nothing.
    #[prost(string, tag = "5")]
    pub unit: String,
}

/// One series.
#[derive(Clone, PartialEq, Message)]
pub struct Metric {
    /// Its labels.
    #[prost(message, repeated, tag = "1")]
    pub label: Vec<LabelPair>,
    /// Its value, in a family of gauges.
    #[prost(message, optional, tag = "2")]
    pub gauge: Option<Gauge>,
    /// Its value, in a family of counters.
    #[prost(message, optional, tag = "3")]
    pub counter: Option<Counter>,
    /// Its value, in a family of histograms.
    #[prost(message, optional, tag = "7")]
    pub histogram: Option<Histogram>,
}

/// A label.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct LabelPair {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// A value that goes up and down.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Gauge {
    /// The value; written even where it is 0.
    #[prost(double, optional, tag = "1")]
    pub value: Option<f64>,
}

/// A value that only ever grows.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Counter {
    /// The value; written even where it is 0.
    #[prost(double, optional, tag = "1")]
    pub value: Option<f64>,
    /// When it was 0.
    #[prost(message, optional, tag = "3")]
    pub created_timestamp: Option<Timestamp>,
}

/// A classic histogram and a native one of the same values.
#[derive(Clone, PartialEq, Message)]
pub struct Histogram {
    /// How many values.
    #[prost(uint64, optional, tag = "1")]
    pub sample_count: Option<u64>,
    /// Their sum.
    #[prost(double, optional, tag = "2")]
    pub sample_sum: Option<f64>,
    /// The classic buckets, the one of infinity last.
    #[prost(message, repeated, tag = "3")]
    pub bucket: Vec<Bucket>,
    /// When it was empty.
    #[prost(message, optional, tag = "15")]
    pub created_timestamp: Option<Timestamp>,
    /// Resolution of the native buckets: `2^schema` to a factor of two.
    #[prost(sint32, optional, tag = "5")]
    pub schema: Option<i32>,
    /// The largest value of the bucket of zeros.
    #[prost(double, optional, tag = "6")]
    pub zero_threshold: Option<f64>,
    /// How many values are up to it.
    #[prost(uint64, optional, tag = "7")]
    pub zero_count: Option<u64>,
    /// Runs of native buckets.
    #[prost(message, repeated, tag = "12")]
    pub positive_span: Vec<BucketSpan>,
    /// For each bucket of the runs, by how much it holds more than the one before it.
    #[prost(sint64, repeated, tag = "13")]
    pub positive_delta: Vec<i64>,
    /// Examples for the native histogram; each has its time.
    #[prost(message, repeated, tag = "16")]
    pub exemplars: Vec<Exemplar>,
}

/// A classic bucket.
#[derive(Clone, PartialEq, Message)]
pub struct Bucket {
    /// How many values are up to the bound.
    #[prost(uint64, optional, tag = "1")]
    pub cumulative_count: Option<u64>,
    /// The bound.
    #[prost(double, optional, tag = "2")]
    pub upper_bound: Option<f64>,
    /// A value that is in it.
    #[prost(message, optional, tag = "3")]
    pub exemplar: Option<Exemplar>,
}

/// A run of native buckets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Message)]
pub struct BucketSpan {
    /// Buckets between the run before and this one; of the first run its index.
    #[prost(sint32, tag = "1")]
    pub offset: i32,
    /// How many buckets it has.
    #[prost(uint32, tag = "2")]
    pub length: u32,
}

/// An example of a value.
#[derive(Clone, PartialEq, Message)]
pub struct Exemplar {
    /// What it is an example of.
    #[prost(message, repeated, tag = "1")]
    pub label: Vec<LabelPair>,
    /// The value.
    #[prost(double, optional, tag = "2")]
    pub value: Option<f64>,
    /// When it was seen.
    #[prost(message, optional, tag = "3")]
    pub timestamp: Option<Timestamp>,
}

/// `google.protobuf.Timestamp`: a moment since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Message)]
pub struct Timestamp {
    /// Whole seconds.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// And nanoseconds.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl Timestamp {
    /// From nanoseconds since the Unix epoch.
    pub(super) const fn of(unix_ns: u64) -> Self {
        const NS_PER_SECOND: u64 = 1_000_000_000;
        Timestamp {
            seconds: (unix_ns / NS_PER_SECOND) as i64,
            nanos: (unix_ns % NS_PER_SECOND) as i32,
        }
    }
}
