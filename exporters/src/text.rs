//! Prometheus' text format 0.0.4.
//!
//! ```text
//!  # HELP name what it tells
//!  # TYPE name histogram
//!  name_bucket{target="api",pid="7",thread="main",runtime="nodejs",le="0.001"} 12
//!  name_sum{...} 0.00345
//!  name_count{...} 12
//! ```
//!
//! Cost: 13 µs for a loop of which all is seen (18 histograms, 60 KB). Labels are escaped once a
//! loop and copied; no line allocates.
//!
//! **Invariant**: a family's lines stand together under one HELP and one TYPE, in the order of the
//! list, and a family without a series has neither.

mod digits;

use std::io;

use loop_core::buckets::Scale;
use loop_core::snapshot::{Histogram, Snapshot};

use crate::classic::Classic;
use crate::limits::{Bounds, PAGE_BYTES};
use crate::metrics::{self, Kind, Metric, Series, Value};
use crate::{Exporter, SelfStats, View};

/// Prometheus' text format 0.0.4, read by every server; histograms are classic ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrometheusText;

impl Exporter for PrometheusText {
    fn content_type(&self) -> &'static str {
        "text/plain; version=0.0.4; charset=utf-8"
    }

    fn export(
        &self,
        snapshot: &Snapshot,
        stats: &SelfStats,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let view = View::new(snapshot, stats);
        let mut page = Page::new(&view);
        for metric in metrics::all() {
            page.family(metric, &view);
            if page.bytes.len() >= PAGE_BYTES {
                out.write_all(&page.bytes)?;
                page.bytes.clear();
            }
        }
        out.write_all(&page.bytes)
    }
}

/// The bytes so far, and buffers that every line reuses.
struct Page {
    bytes: Vec<u8>,
    /// The labels of each loop, escaped, as they stand between the braces.
    loops: Vec<Vec<u8>>,
    /// The labels of the current series.
    labels: Vec<u8>,
    /// The current histogram's line up to the value of `le`.
    bucket: Vec<u8>,
}

impl Page {
    fn new(view: &View<'_>) -> Self {
        let escaped = view.loops.iter().map(|entry| {
            let mut labels = Vec::new();
            entry.labels.iter().for_each(|(name, value)| put_label(&mut labels, name, value));
            labels
        });
        Page {
            bytes: Vec::with_capacity(PAGE_BYTES),
            loops: escaped.collect(),
            labels: Vec::new(),
            bucket: Vec::new(),
        }
    }

    fn family(&mut self, metric: &Metric, view: &View<'_>) {
        let mut headed = false;
        metric.read(view, &mut |series| {
            if !headed {
                put_header(&mut self.bytes, metric);
                headed = true;
            }
            self.series(metric, series);
        });
    }

    fn series(&mut self, metric: &Metric, series: Series<'_>) {
        self.labels.clear();
        if let Some(owner) = series.owner {
            self.labels.extend_from_slice(&self.loops[owner]);
        }
        for (label, value) in metric.labels.iter().zip(series.labels) {
            put_label(&mut self.labels, label.name, value);
        }
        if let Value::Histogram(histogram) = series.value {
            self.histogram(metric.name, histogram);
            return;
        }
        put_name(&mut self.bytes, metric.name, "", &self.labels);
        match series.value {
            Value::Count(count) => digits::put_integer(&mut self.bytes, count),
            Value::Nanoseconds(ns) => digits::put_seconds(&mut self.bytes, ns.into()),
            Value::Ratio(ratio) => digits::put_float(&mut self.bytes, ratio),
            Value::Histogram(_) => {}
        }
        self.bytes.push(b'\n');
    }

    fn histogram(&mut self, name: &str, histogram: &Histogram) {
        let Page { bytes, labels, bucket, .. } = self;
        let classic = Classic::of(histogram);
        bucket.clear();
        bucket.extend_from_slice(name.as_bytes());
        bucket.extend_from_slice(b"_bucket{");
        bucket.extend_from_slice(labels);
        if !labels.is_empty() {
            bucket.push(b',');
        }
        bucket.extend_from_slice(b"le=\"");
        let bounds = Bounds::of(histogram.scale).le.into_iter().zip(classic.cumulative);
        for (le, count) in bounds.chain([("+Inf", classic.count)]) {
            bytes.extend_from_slice(bucket);
            bytes.extend_from_slice(le.as_bytes());
            bytes.extend_from_slice(b"\"} ");
            digits::put_integer(bytes, count);
            bytes.push(b'\n');
        }
        put_name(bytes, name, "_sum", labels);
        match histogram.scale {
            Scale::Time => digits::put_seconds(bytes, histogram.sum),
            Scale::Length => digits::put_integer(bytes, digits::saturated(histogram.sum)),
        }
        bytes.push(b'\n');
        put_name(bytes, name, "_count", labels);
        digits::put_integer(bytes, classic.count);
        bytes.push(b'\n');
    }
}

fn put_header(bytes: &mut Vec<u8>, metric: &Metric) {
    let kind = match metric.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram(_) => "histogram",
    };
    for (word, text) in [("# HELP ", metric.help), ("# TYPE ", kind)] {
        bytes.extend_from_slice(word.as_bytes());
        bytes.extend_from_slice(metric.name.as_bytes());
        bytes.push(b' ');
        put_escaped(bytes, text, false);
        bytes.push(b'\n');
    }
}

/// `name_suffix{labels} `, with the space that the value follows.
fn put_name(bytes: &mut Vec<u8>, name: &str, suffix: &str, labels: &[u8]) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(suffix.as_bytes());
    if !labels.is_empty() {
        bytes.push(b'{');
        bytes.extend_from_slice(labels);
        bytes.push(b'}');
    }
    bytes.push(b' ');
}

/// `name="value"`, with a comma before it where another label stands already.
fn put_label(labels: &mut Vec<u8>, name: &str, value: &str) {
    if !labels.is_empty() {
        labels.push(b',');
    }
    labels.extend_from_slice(name.as_bytes());
    labels.extend_from_slice(b"=\"");
    put_escaped(labels, value, true);
    labels.push(b'"');
}

/// Escapes backslash and newline, and the quote where the text stands in quotes.
fn put_escaped(bytes: &mut Vec<u8>, text: &str, quoted: bool) {
    for &byte in text.as_bytes() {
        match byte {
            b'\\' => bytes.extend_from_slice(b"\\\\"),
            b'\n' => bytes.extend_from_slice(b"\\n"),
            b'"' if quoted => bytes.extend_from_slice(b"\\\""),
            _ => bytes.push(byte),
        }
    }
}
