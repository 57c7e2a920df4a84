//! What a budget can limit.

use loop_core::snapshot::{Histogram, Source, Tier};
use loop_core::units::format_ns;

use super::super::comparison::Unit;
use super::super::quantile::quantile;
use super::super::sample::{Figures, Sample};

/// A quantity of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    /// A statistic of something that happens many times.
    Of(Statistic, &'static Subject),
    /// One number a run.
    Total(&'static Total),
    /// Turns that lasted for so many nanoseconds or longer.
    StallsOver(u64),
}

/// What is known of a quantity in a run: it lies between the two, and is both where they are the
/// same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// It is at least this.
    pub least: f64,
    /// It is at most this; infinite where the source does not see all of it.
    pub most: f64,
}

/// A statistic: its place in the names of a [`Subject`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistic(usize);

/// Something that happens many times in a run.
#[derive(Debug)]
pub struct Subject {
    /// Its name in a budget.
    pub(super) word: &'static str,
    unit: Unit,
    names: [&'static str; 7],
    titles: [&'static str; 7],
    values: fn(&Figures) -> Option<&Histogram>,
}

/// One number a run.
#[derive(Debug)]
pub struct Total {
    /// Its name in a budget.
    pub(super) word: &'static str,
    name: &'static str,
    pub(super) unit: Unit,
    value: fn(&Figures) -> Option<f64>,
}

/// The same subject or total, not one that is like it.
macro_rules! same_by_name {
    ($($type:ty),*) => { $(
        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                (self.word, self.unit) == (other.word, other.unit)
            }
        }
    )* };
}
same_by_name!(Subject, Total);

/// The words for statistics, in the order of the names.
pub(super) const STATISTICS: [(&str, Statistic); 8] = [
    ("p50", Statistic(0)),
    ("p90", Statistic(1)),
    ("p95", Statistic(2)),
    ("p99", Statistic(3)),
    ("p99.9", Statistic(4)),
    ("max", Statistic(5)),
    ("longest", Statistic(5)),
    ("mean", Statistic(6)),
];

const SHARES: [f64; 5] = [0.5, 0.9, 0.95, 0.99, 0.999];
const LONGEST: usize = 5;

macro_rules! subject {
    ($word:literal, $name:literal, $unit:expr, $values:expr) => {
        Subject {
            word: $word,
            unit: $unit,
            names: [
                concat!($name, "_p50"),
                concat!($name, "_p90"),
                concat!($name, "_p95"),
                concat!($name, "_p99"),
                concat!($name, "_p999"),
                concat!($name, "_max"),
                concat!($name, "_mean"),
            ],
            titles: [
                concat!("p50 ", $word),
                concat!("p90 ", $word),
                concat!("p95 ", $word),
                concat!("p99 ", $word),
                concat!("p99.9 ", $word),
                concat!("longest ", $word),
                concat!("mean ", $word),
            ],
            values: $values,
        }
    };
}

/// What happens many times. A drain has a length and a duration; the limit says which is meant.
pub(super) static SUBJECTS: [Subject; 7] = [
    subject!("turn", "turn", Unit::Nanoseconds, |of| of.turn_ns.as_ref()),
    subject!("timer lateness", "timer_lateness", Unit::Nanoseconds, |of| {
        of.timer_lateness_ns.as_ref()
    }),
    subject!("drain", "drain", Unit::Count, |of| of.drain_length.as_ref()),
    subject!("drain", "drain_time", Unit::Nanoseconds, |of| of.drain_ns.as_ref()),
    subject!("gc pause", "gc_pause", Unit::Nanoseconds, |of| of.gc_pause_ns.as_ref()),
    subject!("poll wait", "poll_wait", Unit::Nanoseconds, |of| of.poll_wait_ns.as_ref()),
    subject!("arrival delay", "arrival_delay", Unit::Nanoseconds, |of| {
        of.arrival_delay_ns.as_ref()
    }),
];

const fn total(
    word: &'static str,
    name: &'static str,
    unit: Unit,
    value: fn(&Figures) -> Option<f64>,
) -> Total {
    Total { word, name, unit, value }
}

/// What a run has one number of. Of two with one name the limit's unit says which is meant.
pub(super) static TOTALS: [Total; 14] = [
    total("turns", "turns", Unit::Count, |of| number(of.turns)),
    total("microtasks", "microtasks", Unit::Count, |of| number(of.microtasks)),
    total("drains", "drains", Unit::Count, |of| Some(of.drain_length.as_ref()?.count() as f64)),
    total("ticks", "ticks", Unit::Count, |of| number(of.ticks)),
    total("timers", "timers", Unit::Count, |of| number(of.timers)),
    total("immediates", "immediates", Unit::Count, |of| number(of.immediates)),
    total("stalls", "stalls", Unit::Count, |of| number(Some(of.stalls))),
    total("active time", "active_time", Unit::Nanoseconds, |of| number(of.active_ns)),
    total("idle time", "idle_time", Unit::Nanoseconds, |of| number(of.idle_ns)),
    total("cpu time", "cpu_time", Unit::Nanoseconds, |of| number(of.cpu_ns)),
    total("gc time", "gc_time", Unit::Nanoseconds, gc_ns),
    total("gc time", "gc_share", Unit::Share, |of| share(gc_ns(of)?, of)),
    total("drain time", "drain_time", Unit::Nanoseconds, |of| {
        of.drain_ns.as_ref().map(|drains| drains.sum as f64)
    }),
    total("utilization", "utilization", Unit::Share, |of| share(of.active_ns? as f64, of)),
];

/// Totals that loops tell which record themselves, and nobody else.
const OWN_LOOPS: [&str; 3] = ["ticks", "timers", "immediates"];

fn number(value: Option<u64>) -> Option<f64> {
    value.map(|value| value as f64)
}

fn gc_ns(figures: &Figures) -> Option<f64> {
    figures.gc_pause_ns.as_ref().map(|pauses| pauses.sum as f64)
}

/// As a share of the time of the loops.
fn share(ns: f64, figures: &Figures) -> Option<f64> {
    let all = figures.active_ns? + figures.idle_ns?;
    (all > 0).then(|| ns / all as f64)
}

impl Quantity {
    /// What is known of it in a run; `None` where it is not seen. Of what did not happen the
    /// longest took nothing.
    pub fn of(self, run: &Sample) -> Option<Known> {
        let figures = &run.figures;
        let told = match self {
            Quantity::Of(statistic, subject) => statistic.of((subject.values)(figures)?),
            Quantity::Total(total) => (total.value)(figures)?,
            Quantity::StallsOver(ns) if run.stall_threshold_ns == ns => figures.stalls as f64,
            Quantity::StallsOver(ns) => {
                figures.stalls_ns.iter().filter(|&&stall| stall >= ns).count() as f64
            }
        };
        let more = match self.why_blind(run) {
            Some(_) => f64::INFINITY,
            None => self.not_listed(run) as f64,
        };
        Some(Known { least: told - self.of_trace(run) as f64, most: told + more })
    }

    /// How many of it may be none of the program, but the trace being handed over.
    fn of_trace(self, run: &Sample) -> u64 {
        match self {
            Quantity::Total(total) if total.name == "turns" => {
                run.trace_turns_max.min(run.figures.turns.unwrap_or(0))
            }
            _ => 0,
        }
    }

    /// How many stalls may belong to it whose duration is not listed.
    fn not_listed(self, run: &Sample) -> u64 {
        match self {
            Quantity::StallsOver(ns) if run.stall_threshold_ns != ns => {
                run.figures.stalls.saturating_sub(run.figures.stalls_ns.len() as u64)
            }
            _ => 0,
        }
    }

    /// Whether it counts stalls.
    fn is_of_stalls(self) -> bool {
        match self {
            Quantity::StallsOver(_) => true,
            Quantity::Total(total) => total.name == "stalls",
            Quantity::Of(..) => false,
        }
    }

    /// Why the way in which the run was observed tells only what there is at least.
    fn why_blind(self, run: &Sample) -> Option<&'static str> {
        let (source, tier) = run.observed?;
        let is_read = match self {
            // The kernel accounts for the command as a whole, and a share is one of what is read.
            Quantity::Total(total) => total.name != "cpu_time" && total.unit != Unit::Share,
            _ => self.is_of_stalls(),
        };
        match () {
            () if source == Source::V8Trace && self.is_of_stalls() => Some(
                "v8-trace sees no stall of a callback in the poll phase that waits, as for a file; \
                 `loopscope doctor` tells what eBPF lacks",
            ),
            () if tier == Tier::Passive && is_read => {
                Some("the tier passive reads lower bounds; use the tier turn or full")
            }
            () => None,
        }
    }

    /// Why a run tells only what there is at least; `None` where it tells how much there is.
    pub(super) fn why_at_least(self, run: &Sample) -> Option<String> {
        let (all, ns) = (run.figures.stalls, self.stalls_over_ns().unwrap_or_default());
        let listed = || {
            format!(
                "only {} of {all} stalls are listed; raise --stall-threshold to {}, and have no \
                 budget for shorter ones",
                run.figures.stalls_ns.len(),
                format_ns(ns)
            )
        };
        let of_trace = self.of_trace(run);
        let traced = || {
            let turns = run.figures.turns.unwrap_or(0);
            format!(
                "up to {of_trace} of {turns} turns may be none of the program: v8-trace takes one \
                 about once a second; `loopscope doctor` tells what eBPF lacks"
            )
        };
        let blind = self.why_blind(run).map(str::to_owned);
        blind
            .or_else(|| (self.not_listed(run) > 0).then(listed))
            .or_else(|| (of_trace > 0).then(traced))
    }

    /// Why no run of a command tells it, whatever observes it; `None` where some source does.
    pub fn why_never(self) -> Option<String> {
        let Quantity::Total(total) = self else { return None };
        OWN_LOOPS.contains(&total.word).then(|| {
            format!(
                "{} are counted by loops on loop-core, and by no source that observes Node.js; \
                 limit `microtasks`, `drains` or `turns`, or hold workloads against a lock by \
                 `gate --lock`",
                total.word
            )
        })
    }

    /// Whether it grows with the time that is observed, stalls apart.
    pub fn is_of_whole_run(self) -> bool {
        matches!(self, Quantity::Total(total) if total.unit != Unit::Share) && !self.is_of_stalls()
    }

    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Of(Statistic(place), subject) => subject.names[place],
            Quantity::Total(total) => total.name,
            Quantity::StallsOver(_) => "stalls_over",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Quantity::Of(Statistic(place), subject) => subject.titles[place],
            Quantity::Total(total) => total.word,
            Quantity::StallsOver(_) => "stalls over a time",
        }
    }

    /// What its values are.
    pub fn unit(self) -> Unit {
        match self {
            Quantity::Of(_, subject) => subject.unit,
            Quantity::Total(total) => total.unit,
            Quantity::StallsOver(_) => Unit::Count,
        }
    }

    /// From which length on it counts stalls, if it does.
    pub fn stalls_over_ns(self) -> Option<u64> {
        match self {
            Quantity::StallsOver(ns) => Some(ns),
            _ => None,
        }
    }

    /// Why the runs do not tell it.
    pub(super) fn why_untold(self, runs: &[Sample]) -> String {
        let ways = runs.iter().filter(|run| self.of(run).is_none()).filter_map(|run| run.observed);
        let way = ways.map(|(source, tier)| format!("{} {}", source.name(), tier.name())).min();
        let unseen = way.map(|way| format!("{way} does not see it; `loopscope doctor` tells why"));
        unseen
            .or_else(|| runs.iter().find_map(|run| self.why_at_least(run)))
            .unwrap_or_else(|| "there was no run".to_owned())
    }
}

impl Statistic {
    fn of(self, values: &Histogram) -> f64 {
        let Statistic(place) = self;
        let count = values.count();
        match SHARES.get(place) {
            _ if count == 0 => 0.0,
            Some(&share) => quantile(values, share).unwrap_or(0.0),
            None if place == LONGEST => values.max as f64,
            None => values.sum as f64 / count as f64,
        }
    }
}
