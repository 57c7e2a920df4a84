//! What the two formats of text have in common: families, lines, labels.
//!
//! ```text
//!  # HELP name what it tells
//!  # TYPE name histogram
//!  name_bucket{target="api",pid="7",thread="main",runtime="nodejs",le="0.001"} 12
//!  name_sum{...} 0.00345
//!  name_count{...} 12
//! ```
//!
//! Cost: 16 µs for a loop of which all is seen, by `read` in `bench`. Labels are escaped once a
//! loop and copied; but for exemplars no line allocates.
//!
//! **Invariant**: a family's lines stand together under one head, in the order of the list, and a
//! family without a series has none.

mod digits;

use std::io;

use loop_core::buckets::Scale;
use loop_core::snapshot::Histogram;

use crate::View;
use crate::classic::Classic;
use crate::exemplar::{self, Exemplar, Exemplars, STALL_ID};
use crate::limits::{Bounds, PAGE_BYTES};
use crate::metrics::{self, Kind, Metric, Series, Value};

/// What differs between the formats.
pub(crate) trait Dialect {
    /// Writes what stands above a family's samples.
    fn put_header(bytes: &mut Vec<u8>, metric: &Metric);

    /// Whether buckets have exemplars behind them.
    const EXEMPLARS: bool;

    /// The last line.
    const END: &'static [u8];
}

/// Writes all of a view to `out`, in pieces.
pub(crate) fn write<D: Dialect>(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page::new(view);
    for metric in metrics::page(view.stats.compat) {
        page.family::<D>(metric, view);
        if page.bytes.len() >= PAGE_BYTES {
            out.write_all(&page.bytes)?;
            page.bytes.clear();
        }
    }
    page.bytes.extend_from_slice(D::END);
    out.write_all(&page.bytes)
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

    fn family<D: Dialect>(&mut self, metric: &Metric, view: &View<'_>) {
        let mut headed = false;
        metric.read(view, &mut |series| {
            if !headed {
                D::put_header(&mut self.bytes, metric);
                headed = true;
            }
            self.series::<D>(metric, &series, view);
        });
    }

    fn series<D: Dialect>(&mut self, metric: &Metric, series: &Series<'_>, view: &View<'_>) {
        self.labels.clear();
        if let Some(owner) = series.owner {
            self.labels.extend_from_slice(&self.loops[owner]);
        }
        for (label, value) in metric.labels.iter().zip(series.labels) {
            put_label(&mut self.labels, label.name, value);
        }
        if let Value::Histogram(histogram) = series.value {
            let classic = Classic::of(histogram);
            let examples = D::EXEMPLARS.then(|| exemplar::newest(view, metric, series, &classic));
            self.histogram(metric.name, histogram, &classic, examples.as_ref());
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

    fn histogram(
        &mut self,
        name: &str,
        histogram: &Histogram,
        classic: &Classic,
        examples: Option<&Exemplars>,
    ) {
        let Page { bytes, labels, bucket, .. } = self;
        bucket.clear();
        bucket.extend_from_slice(name.as_bytes());
        bucket.extend_from_slice(b"_bucket{");
        bucket.extend_from_slice(labels);
        if !labels.is_empty() {
            bucket.push(b',');
        }
        bucket.extend_from_slice(b"le=\"");
        let bounds = Bounds::of(histogram.scale).le.into_iter().zip(classic.cumulative);
        let buckets = bounds.chain([("+Inf", classic.count)]);
        for (place, (le, count)) in buckets.enumerate() {
            bytes.extend_from_slice(bucket);
            bytes.extend_from_slice(le.as_bytes());
            bytes.extend_from_slice(b"\"} ");
            digits::put_integer(bytes, count);
            if let Some(example) = examples.and_then(|examples| examples[place].as_ref()) {
                put_exemplar(bytes, example);
            }
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

/// `# WORD name text` on a line of its own; quotes in the text stay as they are.
pub(crate) fn put_unquoted(bytes: &mut Vec<u8>, word: &str, name: &str, text: &str) {
    put_about(bytes, word, name, |bytes| put_escaped(bytes, text, false));
}

/// The same, with quotes in the text escaped.
pub(crate) fn put_quoted(bytes: &mut Vec<u8>, word: &str, name: &str, text: &str) {
    put_about(bytes, word, name, |bytes| put_escaped(bytes, text, true));
}

fn put_about(bytes: &mut Vec<u8>, word: &str, name: &str, put_text: impl Fn(&mut Vec<u8>)) {
    bytes.extend_from_slice(b"# ");
    bytes.extend_from_slice(word.as_bytes());
    bytes.push(b' ');
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(b' ');
    put_text(bytes);
    bytes.push(b'\n');
}

/// The name of a kind in both formats.
pub(crate) const fn kind(metric: &Metric) -> &'static str {
    match metric.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram(_) => "histogram",
    }
}

/// ` # {stall_id="..."} seconds when`, behind a bucket's count.
fn put_exemplar(bytes: &mut Vec<u8>, example: &Exemplar) {
    bytes.extend_from_slice(b" # {");
    let mut label = Vec::new();
    put_label(&mut label, STALL_ID, &example.stall_id);
    bytes.extend_from_slice(&label);
    bytes.extend_from_slice(b"} ");
    digits::put_seconds(bytes, example.duration_ns.into());
    if let Some(ns) = example.end_unix_ns {
        bytes.push(b' ');
        digits::put_seconds(bytes, ns.into());
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

/// Escapes backslash, newline, and quotes where those must not stand, either.
fn put_escaped(bytes: &mut Vec<u8>, text: &str, quotes: bool) {
    let is_escaped = |byte: u8| (byte == b'\\') | (byte == b'\n') | (quotes & (byte == b'"'));
    // Hardly any text has one. Without a branch, many bytes are looked at at a time.
    if !text.bytes().fold(false, |any, byte| any | is_escaped(byte)) {
        bytes.extend_from_slice(text.as_bytes());
        return;
    }
    for byte in text.bytes() {
        match byte {
            b'\n' => bytes.extend_from_slice(b"\\n"),
            _ if is_escaped(byte) => bytes.extend_from_slice(&[b'\\', byte]),
            _ => bytes.push(byte),
        }
    }
}
