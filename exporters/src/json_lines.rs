//! Lines of JSON for whoever ships logs and has no server that scrapes.
//!
//! One line a snapshot, with all metrics of the list by loop (here in several lines):
//!
//! ```text
//! {"schema": "loopscope.metrics/1", "unix_ns": 1700000005000000000, "wall_ns": 5000000000,
//!  "clock": "real",
//!  "loops": [{"target": "checkout", "pid": 812, "thread": "main", "runtime": "nodejs",
//!    "metrics": {
//!      "loopscope_eventloop_turns_total": 4,
//!      "loopscope_eventloop_time_seconds_total": {"active": 1.2, "idle": 3},
//!      "loopscope_eventloop_turn_duration_seconds": {
//!        "count": 4, "sum": 1.2017, "min": 0.00004, "max": 1.2,
//!        "p50": 0.0002, "p90": 1.2, "p99": 1.2, "p999": 1.2,
//!        "buckets": {"0.0001": 1, "0.00025": 2, "0.0025": 3, "2.5": 4}}}}],
//!  "agent": {"loopscope_targets": {"attached": 1, "failed": 0, "pending": 0}}}
//! ```
//!
//! A metric with labels of its own is an object by the label's values, one inside another where it
//! has several. Times are in seconds. All is cumulative since the observation began, as everywhere:
//! what happened between two lines is their difference. `buckets` are cumulative, too; only those
//! are told where the count grows, so that the largest has the count unless some are above all
//! bounds. An empty histogram has neither extremes nor quantiles. What isn't seen has no key.
//!
//! And one line a stall, when it is over or while it runs:
//!
//! ```text
//! {"schema": "loopscope.stall/1", "stall_id": "812-812-1700000000123456789",
//!  "target": "checkout", "pid": 812, "thread": "main", "tid": 812, "runtime": "nodejs",
//!  "start_unix_ns": 1700000000123456789, "duration_ns": 210300000, "running": false, ...}
//! ```
//!
//! with the fields that a stall has in the report (`loopscope.report/1`). `stall_id` is that of the
//! exemplars in [`crate::openmetrics`].
//!
//! Cost: 170 µs for a snapshot of one loop of which all is seen, by `read` in `bench`.
//!
//! **Invariant**: no line has a line break in it but the one at its end.

use std::borrow::Cow;
use std::io;

use loop_core::buckets::Scale;
use loop_core::snapshot::{ClockKind, Histogram, LoopSnapshot, Snapshot, Stall};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::classic::Classic;
use crate::limits::Bounds;
use crate::metrics::{self, Metric, Value};
use crate::{Exporter, LoopView, SelfStats, View, label, stall_id};

const NS_PER_SECOND: f64 = 1e9;

/// Lines of JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonLines {
    /// When the snapshot was taken, in nanoseconds since the Unix epoch.
    pub unix_ns: u64,
}

impl Exporter for JsonLines {
    fn content_type(&self) -> &'static str {
        "application/x-ndjson"
    }

    fn export(
        &self,
        snapshot: &Snapshot,
        stats: &SelfStats,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let view = View::new(snapshot, stats);
        let line = SnapshotLine {
            schema: "loopscope.metrics/1",
            unix_ns: self.unix_ns,
            wall_ns: snapshot.wall_ns,
            clock: snapshot.clock,
            loops: view.loops.iter().map(|of| of_loop(of, stats)).collect(),
            agent: of_agent(&view),
        };
        put_line(&line, out)
    }
}

impl JsonLines {
    /// Writes the line of one stall of a loop.
    ///
    /// # Errors
    /// Only those of `out`. Part of the line may have been written by then.
    pub fn write_stall(
        snapshot: &Snapshot,
        of: &LoopSnapshot,
        stall: &Stall,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let target = snapshot.targets.iter().find(|target| target.pid == of.pid);
        let line = StallLine {
            schema: "loopscope.stall/1",
            stall_id: stall_id(of, stall),
            target: target.map(|target| label::value(&target.name)),
            pid: of.pid,
            thread: label::value(&of.thread),
            tid: of.tid,
            runtime: target.map(|target| target.runtime.name()),
            stall,
        };
        put_line(&line, out)
    }
}

#[derive(Serialize)]
struct SnapshotLine {
    schema: &'static str,
    unix_ns: u64,
    wall_ns: u64,
    clock: ClockKind,
    loops: Vec<LoopPart>,
    agent: Map<String, Json>,
}

#[derive(Serialize)]
struct LoopPart {
    #[serde(flatten)]
    labels: Map<String, Json>,
    metrics: Map<String, Json>,
}

#[derive(Serialize)]
struct StallLine<'a> {
    schema: &'static str,
    stall_id: String,
    target: Option<Cow<'a, str>>,
    pid: u32,
    thread: Cow<'a, str>,
    tid: u32,
    runtime: Option<&'static str>,
    #[serde(flatten)]
    stall: &'a Stall,
}

fn put_line(line: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    out.write_all(&bytes)
}

fn of_loop(of: &LoopView<'_>, stats: &SelfStats) -> LoopPart {
    let labels = of.labels.iter().map(|(name, value)| {
        let value =
            if *name == "pid" { Json::from(of.data.pid) } else { Json::from(value.as_ref()) };
        ((*name).to_owned(), value)
    });
    let mut metrics = Map::new();
    for metric in metrics::page(stats.compat) {
        metric.read_loop(of, stats.compat, &mut |labels, value| {
            put(&mut metrics, metric, labels, value);
        });
    }
    LoopPart { labels: labels.collect(), metrics }
}

fn of_agent(view: &View<'_>) -> Map<String, Json> {
    let mut metrics = Map::new();
    for metric in metrics::page(view.stats.compat).filter(|metric| !metric.is_of_loop()) {
        metric.read(view, &mut |series| put(&mut metrics, metric, series.labels, series.value));
    }
    metrics
}

/// Puts a value under the metric's name, and under the values of its labels below that.
fn put(metrics: &mut Map<String, Json>, metric: &Metric, labels: &[&str], value: Value<'_>) {
    let mut place = metrics.entry(metric.name).or_insert(Json::Null);
    for label in labels {
        if !place.is_object() {
            *place = Json::Object(Map::new());
        }
        place = &mut place[*label];
    }
    *place = json(value);
}

fn json(value: Value<'_>) -> Json {
    match value {
        Value::Count(count) => count.into(),
        Value::Nanoseconds(ns) => (ns as f64 / NS_PER_SECOND).into(),
        Value::Ratio(ratio) => ratio.into(),
        Value::Histogram(histogram) => histogram_json(histogram),
    }
}

fn histogram_json(of: &Histogram) -> Json {
    let figure = |value: f64| match of.scale {
        Scale::Time => Json::from(value / NS_PER_SECOND),
        Scale::Length => Json::from(value as u64),
    };
    let summary = of.summary();
    let mut json = Map::new();
    json.insert("count".into(), summary.count.into());
    json.insert("sum".into(), figure(summary.sum as f64));
    let figures = [
        ("min", summary.min),
        ("max", summary.max),
        ("p50", summary.p50),
        ("p90", summary.p90),
        ("p99", summary.p99),
        ("p999", summary.p999),
    ];
    for (name, value) in figures {
        value.into_iter().for_each(|value| drop(json.insert(name.into(), figure(value as f64))));
    }
    json.insert("buckets".into(), buckets(of));
    Json::Object(json)
}

/// The bounds at which the cumulative count grows.
fn buckets(of: &Histogram) -> Json {
    let classic = Classic::of(of);
    let mut grown = Map::new();
    let mut before = 0;
    for (le, count) in Bounds::of(of.scale).le.into_iter().zip(classic.cumulative) {
        if count > before {
            grown.insert(le.to_owned(), count.into());
        }
        before = count;
    }
    Json::Object(grown)
}
