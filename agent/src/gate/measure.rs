//! What is compared: each metric, how it is read from a run, and what change of it matters.

use loop_core::snapshot::Histogram;

use super::comparison::Unit;
use super::quantile::quantile;
use super::sample::{Figures, Sample};

const MS: f64 = 1e6;
const US: f64 = 1e3;

/// Turns that a run must have for its 99th percentile to be more than its slowest turns.
pub const P99_TURNS_MIN: u64 = 10_000;

/// As many for the median and the 90th percentile.
const P50_COUNT_MIN: u64 = 20;
const P90_COUNT_MIN: u64 = 100;

/// What change matters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// A share of the value before: 0.05 is 5 %.
    pub effect: f64,
    /// A difference, in the metric's unit. A change has to pass both.
    pub floor: f64,
}

/// Which part a metric has in the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It decides.
    Decides,
    /// It is told, and decides nothing: it is noisy, or follows from one that decides.
    Told,
}

/// What a metric's values hang on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// On what the program does.
    Count,
    /// On that, on when the process was found, which may be behind its first turn, and on V8's
    /// trace: to hand it over takes a turn, about once a second.
    Turns,
    /// On how long something took: a time that is told as a count.
    Stalls,
    /// On how fast all of it ran.
    Time,
    /// As a time; and a run of which too little was seen has none.
    Percentile,
}

/// A metric.
#[derive(Debug)]
pub struct Measure {
    /// Its name for programs.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What its values are.
    pub unit: Unit,
    /// What they hang on.
    pub kind: Kind,
    /// Its part where it varies from run to run. A count that does not vary always decides.
    pub part: Part,
    /// What change of it matters where it varies.
    pub limits: Limits,
    value: fn(&Figures) -> Option<f64>,
}

impl Measure {
    /// Its value in a run; `None` where the source does not see it, or has seen too little.
    pub fn of(&self, sample: &Sample) -> Option<f64> {
        (self.value)(&sample.figures)
    }

    /// Whether it is a count that hangs on no time.
    pub fn is_count(&self) -> bool {
        matches!(self.kind, Kind::Count | Kind::Turns)
    }
}

const fn count(
    name: &'static str,
    title: &'static str,
    part: Part,
    value: fn(&Figures) -> Option<f64>,
) -> Measure {
    let limits = Limits { effect: 0.05, floor: 10.0 };
    Measure { name, title, unit: Unit::Count, kind: Kind::Count, part, limits, value }
}

const fn time(
    name: &'static str,
    title: &'static str,
    part: Part,
    limits: Limits,
    value: fn(&Figures) -> Option<f64>,
) -> Measure {
    Measure { name, title, unit: Unit::Nanoseconds, kind: Kind::Time, part, limits, value }
}

const fn percentile(
    name: &'static str,
    title: &'static str,
    part: Part,
    limits: Limits,
    value: fn(&Figures) -> Option<f64>,
) -> Measure {
    of_kind(Kind::Percentile, time(name, title, part, limits, value))
}

const fn of_kind(kind: Kind, measure: Measure) -> Measure {
    Measure { kind, ..measure }
}

/// Of totals of a run.
const TOTAL: Limits = Limits { effect: 0.05, floor: MS };
/// Of one turn.
const TURN: Limits = Limits { effect: 0.05, floor: 50.0 * US };
/// Of the slowest turns, of which each run has few.
const TAIL: Limits = Limits { effect: 0.10, floor: 50.0 * US };
/// Of what comes before the first poll: a process behind a shell is looked for each 20 ms.
const START: Limits = Limits { effect: 0.05, floor: 25.0 * MS };
/// Of timers: libuv's are due at whole milliseconds.
const LATENESS: Limits = Limits { effect: 0.05, floor: MS };

/// All metrics.
pub static MEASURES: [Measure; 19] = [
    count("longest_drain", "longest drain", Part::Decides, |of| {
        of.drain_length.as_ref().map(|lengths| lengths.max as f64)
    }),
    count("microtasks", "microtasks", Part::Decides, |of| number(of.microtasks)),
    count("drains", "drains", Part::Told, |of| Some(of.drain_length.as_ref()?.count() as f64)),
    of_kind(Kind::Turns, count("turns", "turns", Part::Told, |of| number(of.turns))),
    count("ticks", "nextTicks", Part::Told, |of| number(of.ticks)),
    count("timers", "timers", Part::Told, |of| number(of.timers)),
    count("immediates", "immediates", Part::Told, |of| number(of.immediates)),
    of_kind(Kind::Stalls, count("stalls", "stalls", Part::Told, |of| number(Some(of.stalls)))),
    time("turn_time", "time in turns", Part::Decides, TOTAL, |of| number(of.active_ns)),
    time("cpu_time", "CPU time", Part::Decides, TOTAL, |of| number(of.cpu_ns)),
    // Where the CPU time is known, it has that. A run that was found late has none.
    percentile("start_time", "time before the first poll", Part::Decides, START, |of| {
        number(of.start_ns.filter(|_| of.cpu_ns.is_none()))
    }),
    percentile("turn_p50", "p50 turn", Part::Decides, TURN, |of| {
        at(of.turn_ns.as_ref(), 0.5, P50_COUNT_MIN)
    }),
    percentile("turn_p90", "p90 turn", Part::Decides, TURN, |of| {
        at(of.turn_ns.as_ref(), 0.9, P90_COUNT_MIN)
    }),
    percentile("turn_p99", "p99 turn", Part::Decides, TAIL, |of| {
        at(of.turn_ns.as_ref(), 0.99, P99_TURNS_MIN)
    }),
    percentile("timer_lateness_p90", "p90 timer lateness", Part::Decides, LATENESS, |of| {
        at(of.timer_lateness_ns.as_ref(), 0.9, P90_COUNT_MIN)
    }),
    percentile("timer_lateness_p50", "p50 timer lateness", Part::Told, LATENESS, |of| {
        at(of.timer_lateness_ns.as_ref(), 0.5, P50_COUNT_MIN)
    }),
    time("turn_max", "longest turn", Part::Told, TAIL, |of| longest(of.turn_ns.as_ref())),
    time("drain_time", "time in drains", Part::Told, TOTAL, |of| sum(of.drain_ns.as_ref())),
    time("gc_time", "time in GC pauses", Part::Told, TOTAL, |of| sum(of.gc_pause_ns.as_ref())),
];

fn number(value: Option<u64>) -> Option<f64> {
    value.map(|value| value as f64)
}

fn at(histogram: Option<&Histogram>, share: f64, least: u64) -> Option<f64> {
    histogram.filter(|of| of.count() >= least).and_then(|of| quantile(of, share))
}

fn longest(histogram: Option<&Histogram>) -> Option<f64> {
    histogram.filter(|of| !of.is_empty()).map(|of| of.max as f64)
}

fn sum(histogram: Option<&Histogram>) -> Option<f64> {
    histogram.map(|of| of.sum as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_there_once_and_few_decide() {
        let mut names: Vec<_> = MEASURES.iter().flat_map(|of| [of.name, of.title]).collect();
        names.sort_unstable();
        names.dedup();
        // `microtasks`, `drains`, `turns`, `timers`, `immediates` and `stalls` are both.
        assert_eq!(names.len(), 2 * MEASURES.len() - 6);
        let decide = |counts: bool| {
            let counts = |of: &&Measure| (of.unit == Unit::Count) == counts;
            MEASURES.iter().filter(|of| of.part == Part::Decides).filter(counts).count()
        };
        // Of the CPU time and the time before the first poll a run has one.
        assert_eq!((decide(true), decide(false)), (2, super::super::time::TIMES_MAX + 1));
        let times = |cpu_ns| Figures { cpu_ns, start_ns: Some(7), ..Figures::default() };
        let known = |name: &str, figures: &Figures| {
            MEASURES.iter().find(|of| of.name == name).and_then(|of| (of.value)(figures))
        };
        let both = |figures| ["cpu_time", "start_time"].map(|name| known(name, &figures));
        assert_eq!(both(times(Some(9))), [Some(9.0), None]);
        assert_eq!(both(times(None)), [None, Some(7.0)]);
    }

    #[test]
    fn the_slowest_of_few_turns_are_no_percentile() {
        use loop_core::buckets::Scale;
        let turns = |count: usize| Figures {
            turn_ns: Some(Histogram::of(Scale::Time, std::iter::repeat_n(1_000_000, count))),
            ..Figures::default()
        };
        let told = |count: usize| {
            let figures = turns(count);
            let known = MEASURES.iter().filter(|of| of.name.starts_with("turn_p"));
            known.filter(|of| (of.value)(&figures).is_some()).count()
        };
        assert_eq!([19, 20, 100, 9_999, 10_000].map(told), [0, 1, 2, 2, 3]);
    }
}
