//! The one list of metrics. Exporters, `METRICS.md` and the dashboard's test are made from it.
//!
//! ```text
//!  loops: one series a loop and label value    agent: one series an agent and label value
//! ```
//!
//! A metric names itself for Prometheus (base unit and `_total` in the name) and for OTLP (dots,
//! neither unit nor `_total`), such that OpenTelemetry's translation of the second is the first:
//! a dashboard works the same whichever way the data came.
//!
//! **Invariant**: an exporter learns a metric's name, labels and value from here, and from
//! nowhere else.

mod agent;
mod loops;
mod table;

use std::fmt;

use loop_core::buckets::Scale;
use loop_core::snapshot::{Histogram, LoopSnapshot, Snapshot};

use crate::limits;
use crate::{SelfStats, View};

pub use table::{PROCESS, markdown};

/// Names of the labels that every series of a loop has.
pub const LOOP_LABELS: [&str; 4] = ["target", "pid", "thread", "runtime"];

/// The whole list: what concerns a loop, then what concerns the agent.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    loops::LOOPS.iter().chain(agent::AGENT)
}

const _: () = assert!(series_max(loops::LOOPS) <= limits::LOOP_SERIES_MAX);

/// The most series that one loop can have.
pub const LOOP_SERIES: usize = series_max(loops::LOOPS);

/// One metric: what it is called, what it means and how it is read.
#[derive(Clone, Copy)]
pub struct Metric {
    /// Name in Prometheus.
    pub name: &'static str,
    /// Name in OTLP.
    pub otlp_name: &'static str,
    /// How its values behave.
    pub kind: Kind,
    /// Unit in UCUM: `s`, `1`, or what is counted in braces.
    pub unit: &'static str,
    /// What it tells, in one sentence without the full stop.
    pub help: &'static str,
    /// Its labels, [`LOOP_LABELS`] not counted.
    pub labels: &'static [Label],
    /// Where its values are.
    pub read: Read,
}

/// How the values of a metric behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only ever grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts over the buckets of this scale (see [`limits::Bounds::of`]).
    Histogram(Scale),
}

/// A label of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// The most values it can have, for one loop or one agent.
    pub values_max: usize,
    /// What the values are, for the docs.
    pub values: &'static str,
}

/// Takes the values of a metric's labels, in the order of [`Metric::labels`], and a value.
pub type Emit<'a> = &'a mut dyn FnMut(&[&str], Value<'_>);

/// Reads a metric.
#[derive(Clone, Copy)]
pub enum Read {
    /// From each loop.
    Loop(fn(&LoopSnapshot, Emit<'_>)),
    /// From the whole.
    Agent(fn(&Snapshot, &SelfStats, Emit<'_>)),
}

/// A value in the unit of the recorder. Seconds appear only in the format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A number of things.
    Count(u64),
    /// A time, exported in seconds.
    Nanoseconds(u64),
    /// A ratio.
    Ratio(f64),
    /// A distribution, of times or of lengths as its scale says.
    Histogram(&'a Histogram),
}

/// One value with its labels.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// The loop it belongs to, as an index into [`View::loops`]; `None`: it is the agent's.
    pub owner: Option<usize>,
    /// One value for each of [`Metric::labels`].
    pub labels: &'a [&'a str],
    /// The value.
    pub value: Value<'a>,
}

impl Metric {
    /// Calls `emit` for each series of this metric. Calls nothing where nothing was seen.
    pub fn read(&self, view: &View<'_>, emit: &mut dyn FnMut(Series<'_>)) {
        match self.read {
            Read::Loop(read) => {
                for (index, entry) in view.loops.iter().enumerate() {
                    let owner = Some(index);
                    read(&entry.data, &mut |labels, value| {
                        emit(Series { owner, labels, value });
                    });
                }
            }
            Read::Agent(read) => read(view.snapshot, view.stats, &mut |labels, value| {
                emit(Series { owner: None, labels, value });
            }),
        }
    }

    /// Whether it concerns a loop, and so has [`LOOP_LABELS`].
    pub const fn is_of_loop(&self) -> bool {
        matches!(self.read, Read::Loop(_))
    }

    /// The names of all its labels.
    pub fn label_names(&self) -> impl Iterator<Item = &'static str> {
        let of_loop = if self.is_of_loop() { &LOOP_LABELS[..] } else { &[] };
        of_loop.iter().copied().chain(self.labels.iter().map(|label| label.name))
    }

    /// The most series it can have in the classic text format, for one loop or one agent: the
    /// product of its labels' values, times [`limits::HISTOGRAM_SERIES`] for a histogram.
    pub const fn series_max(&self) -> usize {
        let mut series = match self.kind {
            Kind::Counter | Kind::Gauge => 1,
            Kind::Histogram(_) => limits::HISTOGRAM_SERIES,
        };
        let mut i = 0;
        while i < self.labels.len() {
            series *= self.labels[i].values_max;
            i += 1;
        }
        series
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metric").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Read::Loop(_)) { "Loop(..)" } else { "Agent(..)" })
    }
}

/// How many series of the classic text format a view has: what an agent holds against
/// [`limits::AGENT_SERIES_MAX`]. Cost: one walk over the list, no copy of a histogram.
pub fn count_series(view: &View<'_>) -> usize {
    let mut series = 0;
    for metric in all() {
        metric.read(view, &mut |one| {
            let histogram = matches!(one.value, Value::Histogram(_));
            series += if histogram { limits::HISTOGRAM_SERIES } else { 1 };
        });
    }
    series
}

const fn series_max(metrics: &[Metric]) -> usize {
    let (mut series, mut i) = (0, 0);
    while i < metrics.len() {
        series += metrics[i].series_max();
        i += 1;
    }
    series
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name that OpenTelemetry's translation to Prometheus makes of an OTLP metric.
    fn translated(metric: &Metric) -> String {
        let unit = match (metric.unit, metric.kind) {
            ("s", _) => "_seconds",
            ("1", Kind::Gauge) => "_ratio",
            _ => "",
        };
        let total = if metric.kind == Kind::Counter { "_total" } else { "" };
        format!("{}{unit}{total}", metric.otlp_name.replace('.', "_"))
    }

    #[test]
    fn the_otlp_name_translates_into_the_prometheus_name() {
        for metric in all() {
            assert_eq!(translated(metric), metric.name);
            assert!(metric.name.starts_with("loopscope_"));
        }
    }

    #[test]
    fn units_are_base_units() {
        for metric in all() {
            let braced = metric.unit.starts_with('{') && metric.unit.ends_with('}');
            assert!(matches!(metric.unit, "s" | "1") || braced, "{}", metric.name);
            let time = metric.kind == Kind::Histogram(Scale::Time);
            assert!(!time || metric.unit == "s", "{}", metric.name);
        }
    }

    #[test]
    fn names_are_unique_and_helps_are_sentences() {
        let mut names: Vec<_> = all().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().count());
        for metric in all() {
            assert!(metric.help.starts_with(char::is_uppercase), "{}", metric.name);
            assert!(!metric.help.ends_with('.'), "{}", metric.name);
        }
    }
}
