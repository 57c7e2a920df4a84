//! Prometheus' protobuf: families of `io.prometheus.client`, each behind its length.
//!
//! ```text
//!  varint length │ MetricFamily │ varint length │ MetricFamily │ ...
//!
//!  native buckets 5 5 6 _ _ _ 2     span (offset: index of the first, length 3), span (3, 1)
//!  as deltas      5 0 1       -4    each to the one before, whatever lies between
//! ```
//!
//! The one format with native histograms. The classic buckets stand beside them: a server takes
//! what it is set up for.
//!
//! Exemplars stand on the classic buckets and on the native histogram. Prometheus 2.42 keeps the
//! first of a native histogram alone, those from 2.53 on keep all.
//!
//! Counters and histograms say when they were 0, where that is known: it is a field here, and
//! costs no series. It is when the observation began, also for a loop that was found later: it had
//! counted nothing until then.
//!
//! Cost: 100 µs for a loop of which all is seen, by `read` in `bench`; one message tree a family.
//!
//! **Invariant**: the native and the classic buckets of a histogram hold the same values.

mod model;

use std::io;

use loop_core::buckets::Scale;
use loop_core::snapshot::Snapshot;
use prost::Message;

use crate::classic::Classic;
use crate::exemplar::{self, Exemplars, STALL_ID};
use crate::exponential::Exponential;
use crate::limits::{Bounds, PAGE_BYTES, ZERO_THRESHOLD};
use crate::metrics::{self, Kind, Series, Value};
use crate::{Exporter, SelfStats, View};

pub use model::{
    Bucket, BucketSpan, Counter, Exemplar, Gauge, Histogram, LabelPair, Metric, MetricFamily,
    MetricType, Timestamp,
};

const NS_PER_SECOND: f64 = 1e9;

/// Empty buckets that cost less as zeros than as the end of a run and the begin of another.
const GAP_MAX: usize = 2;

/// Prometheus' protobuf; histograms are native and classic ones at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Protobuf;

impl Exporter for Protobuf {
    fn content_type(&self) -> &'static str {
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
         encoding=delimited"
    }

    fn export(
        &self,
        snapshot: &Snapshot,
        stats: &SelfStats,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let view = View::new(snapshot, stats);
        let mut page = Vec::with_capacity(PAGE_BYTES);
        for metric in metrics::page(stats.compat) {
            let family = family(metric, &view);
            if !family.metric.is_empty() {
                family.encode_length_delimited(&mut page).map_err(io::Error::other)?;
            }
            if page.len() >= PAGE_BYTES {
                out.write_all(&page)?;
                page.clear();
            }
        }
        out.write_all(&page)
    }
}

/// The family of a metric, without a series where nothing is seen.
fn family(metric: &metrics::Metric, view: &View<'_>) -> MetricFamily {
    let kind = match metric.kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
        Kind::Histogram(_) => MetricType::Histogram,
    };
    let created = metric.start_unix_ns(view.stats).map(Timestamp::of);
    let mut family = MetricFamily {
        name: metric.name.to_owned(),
        help: metric.help.to_owned(),
        r#type: Some(kind.into()),
        metric: Vec::new(),
        unit: metric.unit_word().unwrap_or_default().to_owned(),
    };
    metric.read(view, &mut |series| {
        let mut one = Metric { label: labels(metric, &series, view), ..Metric::default() };
        let value = match series.value {
            Value::Histogram(of) => {
                let classic = Classic::of(of);
                let examples = exemplar::newest(view, metric, &series, &classic);
                one.histogram = Some(Histogram {
                    created_timestamp: created,
                    ..histogram(of, &classic, &examples)
                });
                return family.metric.push(one);
            }
            Value::Count(count) => count as f64,
            Value::Nanoseconds(ns) => ns as f64 / NS_PER_SECOND,
            Value::Ratio(ratio) => ratio,
        };
        match kind {
            MetricType::Counter => {
                one.counter = Some(Counter { value: Some(value), created_timestamp: created });
            }
            _ => one.gauge = Some(Gauge { value: Some(value) }),
        }
        family.metric.push(one);
    });
    family
}

fn labels(metric: &metrics::Metric, series: &Series<'_>, view: &View<'_>) -> Vec<LabelPair> {
    let of_loop = series.owner.map_or(&[][..], |owner| &view.loops[owner].labels);
    let of_loop = of_loop.iter().map(|(name, value)| pair(name, value));
    let own = metric.labels.iter().zip(series.labels).map(|(label, value)| pair(label.name, value));
    of_loop.chain(own).collect()
}

fn pair(name: &str, value: &str) -> LabelPair {
    LabelPair { name: name.to_owned(), value: value.to_owned() }
}

/// Both kinds of buckets, without the time when it was empty.
fn histogram(
    of: &loop_core::snapshot::Histogram,
    classic: &Classic,
    examples: &Exemplars,
) -> Histogram {
    let unit = if of.scale == Scale::Time { NS_PER_SECOND } else { 1.0 };
    let bounds = Bounds::of(of.scale).bounds.iter().map(|bound| *bound as f64 / unit);
    let counts = classic.cumulative.iter().copied().chain([classic.count]);
    let buckets = bounds.chain([f64::INFINITY]).zip(counts).zip(examples);
    let bucket = buckets.map(|((bound, count), example)| Bucket {
        cumulative_count: Some(count),
        upper_bound: Some(bound),
        exemplar: example.as_ref().map(exemplar),
    });
    let native = Exponential::of(of);
    let (positive_span, positive_delta) = runs(native.first_index, &native.counts);
    // Without its time a server takes none for a native histogram. Oldest first: so none is late.
    let mut of_native: Vec<_> =
        examples.iter().flatten().filter(|example| example.end_unix_ns.is_some()).collect();
    of_native.sort_by_key(|example| example.end_unix_ns);
    Histogram {
        sample_count: Some(classic.count),
        sample_sum: Some(of.sum as f64 / unit),
        bucket: bucket.collect(),
        created_timestamp: None,
        schema: Some(native.scale),
        zero_threshold: Some(ZERO_THRESHOLD),
        zero_count: Some(native.zero_count),
        positive_span,
        positive_delta,
        exemplars: of_native.into_iter().map(exemplar).collect(),
    }
}

fn exemplar(example: &exemplar::Exemplar) -> Exemplar {
    Exemplar {
        label: vec![pair(STALL_ID, &example.stall_id)],
        value: Some(example.duration_ns as f64 / NS_PER_SECOND),
        timestamp: example.end_unix_ns.map(Timestamp::of),
    }
}

/// The native buckets as runs and deltas. Without any it is one run of none, which tells a reader
/// that the histogram is native.
fn runs(first_index: i32, counts: &[u64]) -> (Vec<BucketSpan>, Vec<i64>) {
    let mut spans = vec![BucketSpan { offset: first_index, length: 0 }];
    let mut deltas = Vec::new();
    let (mut before, mut empty) = (0, 0);
    for &count in counts {
        if count == 0 {
            empty += 1;
            continue;
        }
        if empty > GAP_MAX {
            spans.push(BucketSpan { offset: empty as i32, length: 0 });
            empty = 0;
        }
        let zeros = std::iter::repeat_n(0, std::mem::take(&mut empty));
        for count in zeros.chain([count]) {
            deltas.push((count as i64).wrapping_sub(before));
            before = count as i64;
        }
        let length = spans.iter().map(|span| span.length as usize).sum::<usize>();
        if let Some(last) = spans.last_mut() {
            last.length += (deltas.len() - length) as u32;
        }
    }
    (spans, deltas)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span(offset: i32, length: u32) -> BucketSpan {
        BucketSpan { offset, length }
    }

    #[test]
    fn runs_end_at_a_wide_gap_and_deltas_go_on() {
        let got = runs(-7, &[5, 5, 6, 0, 0, 0, 2]);
        assert_eq!(got, (vec![span(-7, 3), span(3, 1)], vec![5, 0, 1, -4]));
        let got = runs(24, &[1, 0, 0, 1]);
        assert_eq!(got, (vec![span(24, 4)], vec![1, -1, 0, 1]));
        assert_eq!(runs(0, &[]), (vec![span(0, 0)], vec![]));
    }

    proptest! {
        #[test]
        fn runs_hold_every_count(
            first in -200i32..200,
            counts in prop::collection::vec(prop_oneof![Just(0), 1u64..9], 0..40),
        ) {
            let (spans, deltas) = runs(first, &counts);
            let mut deltas = deltas.into_iter();
            let (mut at, mut count, mut got) = (0, 0, Vec::new());
            for span in spans {
                at += span.offset;
                for delta in deltas.by_ref().take(span.length as usize) {
                    count += delta;
                    got.push((at, count as u64));
                    at += 1;
                }
            }
            prop_assert!(deltas.next().is_none());
            got.retain(|(_, count)| *count > 0);
            let held = (first..).zip(counts).filter(|(_, count)| *count > 0);
            prop_assert_eq!(got, held.collect::<Vec<_>>());
        }
    }
}
