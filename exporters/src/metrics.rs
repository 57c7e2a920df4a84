//! The one list of metrics. Exporters, `METRICS.md` and the dashboard's test are made from it.
//!
//! ```text
//!  loops: one series a loop and label value    agent: one series an agent and label value
//!  compat: names of others, on demand          process: the agent's own, on pages alone
//! ```
//!
//! A metric names itself for Prometheus (base unit and `_total` in the name) and for OTLP (dots,
//! neither unit nor `_total`), such that OpenTelemetry's translation of the second is the first:
//! a dashboard works the same whichever way the data came.
//!
//! **Invariant**: an exporter learns a metric's name, labels and value from here, and from
//! nowhere else.

mod agent;
mod compat;
mod loops;
mod process;
mod table;

use std::fmt;

use loop_core::buckets::Scale;
use loop_core::snapshot::{Histogram, LoopSnapshot, Snapshot, Stall, Target};

use crate::{Compat, LoopView, SelfStats, View, limits};

pub use table::markdown;

/// Names of the labels that every series of a loop has.
pub const LOOP_LABELS: [&str; 4] = ["target", "pid", "thread", "runtime"];

/// The whole list: what concerns a loop, then what concerns the agent.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    loops::LOOPS.iter().chain(agent::AGENT)
}

/// What OTLP sends: [`all`], and the names of OpenTelemetry's own where they are asked for.
pub fn otlp(compat: Compat) -> impl Iterator<Item = &'static Metric> {
    all().chain(if compat.otel { compat::OTEL } else { &[] })
}

/// What every page shows: [`all`], the names of others that are asked for, and the agent's process.
pub fn page(compat: Compat) -> impl Iterator<Item = &'static Metric> {
    all().chain(of_others(compat)).chain(process::PROCESS)
}

/// The names of others that are asked for.
fn of_others(compat: Compat) -> impl Iterator<Item = &'static Metric> {
    let otel = if compat.otel { compat::OTEL } else { &[] };
    otel.iter().chain(if compat.prom_client { compat::PROM_CLIENT } else { &[] })
}

const _: () = assert!(series_max(loops::LOOPS) <= limits::LOOP_SERIES_MAX);

/// The most series that one loop can have.
pub const LOOP_SERIES: usize = series_max(loops::LOOPS);

/// One metric: what it is called, what it means and how it is read.
#[derive(Clone, Copy)]
pub struct Metric {
    /// Name in Prometheus.
    pub name: &'static str,
    /// Name in OTLP; empty for what is on pages alone.
    pub otlp_name: &'static str,
    /// How its values behave.
    pub kind: Kind,
    /// Unit in UCUM: `s`, `By`, `1`, or what is counted in braces.
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

impl Label {
    /// Its name in OTLP, where a dot stands for each underscore of Prometheus.
    pub fn otlp_name(&self) -> String {
        self.name.replace('_', ".")
    }
}

/// Takes the values of a metric's labels, in the order of [`Metric::labels`], and a value.
pub type Emit<'a> = &'a mut dyn FnMut(&[&str], Value<'_>);

/// Reads a metric.
#[derive(Clone, Copy)]
pub enum Read {
    /// From each loop.
    Loop(fn(&LoopSnapshot, Emit<'_>)),
    /// From each loop, and which of its completed stalls are examples of the values.
    LoopOfStalls(fn(&LoopSnapshot, Emit<'_>), IsExample),
    /// From each loop that has room for the names of others beside ours, and its process.
    Compat(fn(&LoopSnapshot, Option<&Target>, Emit<'_>)),
    /// From the whole.
    Agent(fn(&Snapshot, &SelfStats, Emit<'_>)),
}

/// Whether a completed stall is an example of what the series with these values of
/// [`Metric::labels`] counts.
pub type IsExample = fn(&Stall, &[&str]) -> bool;

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

impl Value<'_> {
    /// How many series it is in the classic text format.
    const fn series(&self) -> usize {
        if matches!(self, Value::Histogram(_)) { limits::HISTOGRAM_SERIES } else { 1 }
    }
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
        if let Read::Agent(read) = self.read {
            return read(view.snapshot, view.stats, &mut |labels, value| {
                emit(Series { owner: None, labels, value });
            });
        }
        for (index, entry) in view.loops.iter().enumerate() {
            let owner = Some(index);
            self.read_loop(entry, view.stats.compat, &mut |labels, value| {
                emit(Series { owner, labels, value });
            });
        }
    }

    /// Calls `emit` for each series of this metric that one loop has; for none where it is the
    /// agent's.
    pub fn read_loop(&self, of: &LoopView<'_>, compat: Compat, emit: Emit<'_>) {
        match self.read {
            Read::Loop(read) | Read::LoopOfStalls(read, _) => read(&of.data, emit),
            Read::Compat(read) if has_room_beside(of, compat) => read(&of.data, of.target, emit),
            Read::Compat(_) | Read::Agent(_) => {}
        }
    }

    /// Whether a completed stall is an example of what the series with these labels counts.
    pub fn is_example(&self, stall: &Stall, labels: &[&str]) -> bool {
        matches!(self.read, Read::LoopOfStalls(_, is_example) if is_example(stall, labels))
    }

    /// When a counter or a histogram of this metric was 0, in nanoseconds since the Unix epoch.
    /// `None` where that isn't known.
    pub fn start_unix_ns(&self, stats: &SelfStats) -> Option<u64> {
        let is_of_process = process::PROCESS.iter().any(|metric| metric.name == self.name);
        if is_of_process { stats.process.start_unix_ns } else { stats.start_unix_ns }
    }

    /// Whether it concerns a loop, and so has [`LOOP_LABELS`].
    pub const fn is_of_loop(&self) -> bool {
        !matches!(self.read, Read::Agent(_))
    }

    /// The word for the unit, where the name has it before `_total`.
    pub fn unit_word(&self) -> Option<&'static str> {
        let word = match self.unit {
            "s" => "seconds",
            "By" => "bytes",
            "1" => "ratio",
            _ => return None,
        };
        let stem = self.family_name().strip_suffix(word)?;
        stem.ends_with('_').then_some(word)
    }

    /// The name of the family in OpenMetrics, which has no `_total` for a counter.
    pub fn family_name(&self) -> &'static str {
        self.name.strip_suffix("_total").unwrap_or(self.name)
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
        f.write_str(match self {
            Read::Loop(_) => "Loop(..)",
            Read::LoopOfStalls(..) => "LoopOfStalls(..)",
            Read::Compat(_) => "Compat(..)",
            Read::Agent(_) => "Agent(..)",
        })
    }
}

/// How many series of the classic text format a view has: what an agent holds against
/// [`limits::AGENT_SERIES_MAX`]. Cost: one walk over the list, no copy of a histogram.
pub fn count_series(view: &View<'_>) -> usize {
    let mut series = 0;
    for metric in page(view.stats.compat) {
        metric.read(view, &mut |one| series += one.value.series());
    }
    series
}

/// How many series of the classic text format a loop of a process has, with the names of others
/// where they have room.
pub fn series_of(data: &LoopSnapshot, target: Option<&Target>, compat: Compat) -> usize {
    let (ours, theirs) = sizes(data, target, compat);
    if has_room(ours, theirs) { ours + theirs } else { ours }
}

/// How many series a loop has under our names, and under those of others if they have room.
fn sizes(data: &LoopSnapshot, target: Option<&Target>, compat: Compat) -> (usize, usize) {
    let (mut ours, mut theirs) = (0, 0);
    for metric in loops::LOOPS {
        if let Read::Loop(read) | Read::LoopOfStalls(read, _) = metric.read {
            read(data, &mut |_, value| ours += value.series());
        }
    }
    for metric in of_others(compat) {
        if let Read::Compat(read) = metric.read {
            read(data, target, &mut |_, value| theirs += value.series());
        }
    }
    (ours, theirs)
}

/// The same for a loop of a view, counted once.
fn has_room_beside(of: &LoopView<'_>, compat: Compat) -> bool {
    *of.has_room.get_or_init(|| {
        let (ours, theirs) = sizes(&of.data, of.target, compat);
        has_room(ours, theirs)
    })
}

/// Whether the names of others have room beside ours. They have but for a loop that shows all that
/// one can.
const fn has_room(ours: usize, theirs: usize) -> bool {
    ours + theirs <= limits::LOOP_SERIES_MAX
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

    const ALL: Compat = Compat { otel: true, prom_client: true };

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
        for metric in otlp(ALL) {
            assert_eq!(translated(metric), metric.name);
            let is_ours = !matches!(metric.read, Read::Compat(_));
            assert_eq!(metric.name.starts_with("loopscope_"), is_ours, "{}", metric.name);
            for label in metric.labels {
                assert_eq!(label.otlp_name().replace('.', "_"), label.name);
            }
        }
    }

    #[test]
    fn only_pages_have_what_has_no_otlp_name() {
        let sent: Vec<_> = otlp(ALL).map(|metric| metric.name).collect();
        for metric in page(ALL) {
            assert_eq!(!metric.otlp_name.is_empty(), sent.contains(&metric.name));
        }
    }

    #[test]
    fn the_word_for_the_unit_ends_the_name_of_the_family() {
        for metric in page(ALL) {
            let needs_one = matches!(metric.unit, "s" | "1" | "By");
            assert_eq!(metric.unit_word().is_some(), needs_one, "{}", metric.name);
            let is_counter = metric.kind == Kind::Counter;
            assert_eq!(metric.family_name() != metric.name, is_counter, "{}", metric.name);
        }
    }

    #[test]
    fn units_are_base_units() {
        for metric in page(ALL) {
            let braced = metric.unit.starts_with('{') && metric.unit.ends_with('}');
            assert!(matches!(metric.unit, "s" | "1" | "By") || braced, "{}", metric.name);
            let time = metric.kind == Kind::Histogram(Scale::Time);
            assert!(!time || metric.unit == "s", "{}", metric.name);
        }
    }

    #[test]
    fn names_are_unique_and_helps_are_sentences() {
        let mut names: Vec<_> = page(ALL).map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), page(ALL).count());
        for metric in page(ALL) {
            assert!(metric.help.starts_with(char::is_uppercase), "{}", metric.name);
            assert!(!metric.help.ends_with('.'), "{}", metric.name);
        }
    }
}
