//! The truth about a run, in a form that a machine can check against what was observed.

use loop_core::Phase;
use std::time::Duration;

use loop_core::snapshot::{Histogram, LoopSnapshot};
use loop_core::units::{format_count, format_ns};

/// From how long on a turn is told as a stall, unless the user says otherwise.
pub(crate) const STALL: Duration = Duration::from_millis(50);

/// What a run must look like. The diagnosis is that at the usual stall threshold, 50 ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// The id of the diagnosis that names it.
    pub diagnosis: &'static str,
    facts: Vec<Fact>,
}

/// Something that can be told from the parameters of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// Microtasks run in one round.
    Microtasks(u64),
    /// `process.nextTick` callbacks run in one round.
    Ticks(u64),
    /// Timers fired in one round.
    Timers(u64),
    /// Immediates run in one round.
    Immediates(u64),
    /// Jobs in the longest microtask drain.
    LongestDrain(u64),
    /// Jobs in the longest tick drain.
    LongestTickDrain(u64),
    /// The longest turn lasted at least so long, in nanoseconds.
    BlockedAtLeast(u64),
    /// The phase of the longest stall, if there is a stall.
    LongestStallIn(Phase),
    /// Some timer fired at least so late, in nanoseconds.
    LateAtLeast(u64),
    /// The loop took at least so long for one round, waiting included, in nanoseconds.
    TookAtLeast(u64),
}

/// One fact, held against an observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TruthRow {
    /// What it is about.
    pub what: String,
    /// What must be seen.
    pub expected: String,
    /// What was seen; `not measured` where the source can't tell.
    pub observed: String,
    /// Whether that fits. A fact that was not measured does not hold.
    pub holds: bool,
}

impl Truth {
    pub(crate) fn new(diagnosis: &'static str, facts: Vec<Fact>) -> Truth {
        Truth { diagnosis, facts }
    }

    /// The truth of a workload whose longest turn lasts so long by its own figures: where nothing
    /// else is wrong, that alone may be.
    pub(crate) fn with_longest_turn(self, longest: Duration) -> Truth {
        let slow = self.diagnosis == "healthy" && longest >= STALL;
        Truth { diagnosis: if slow { "cpu-bound-callback" } else { self.diagnosis }, ..self }
    }

    /// The truth of so many rounds; of an unknown number when 0: then counts can't be told. Each
    /// pause between two rounds is a timer more.
    pub(crate) fn of_rounds(self, rounds: u64, pauses: u64) -> Truth {
        let facts = self.facts.into_iter().filter_map(|fact| fact.of_rounds(rounds, pauses));
        Truth { diagnosis: self.diagnosis, facts: facts.collect() }
    }

    /// Holds each fact against what was observed. Times that a virtual clock does not show because
    /// no work was declared are left out.
    pub fn check(&self, seen: &LoopSnapshot) -> Vec<TruthRow> {
        self.facts.iter().filter_map(|fact| fact.check(seen)).collect()
    }
}

impl Fact {
    fn of_rounds(self, rounds: u64, pauses: u64) -> Option<Fact> {
        let times = |n: u64| (rounds > 0).then(|| n.saturating_mul(rounds));
        Some(match self {
            Fact::Microtasks(n) => Fact::Microtasks(times(n)?),
            Fact::Ticks(n) => Fact::Ticks(times(n)?),
            Fact::Timers(n) => Fact::Timers(times(n)?.saturating_add(pauses)),
            Fact::Immediates(n) => Fact::Immediates(times(n)?),
            Fact::TookAtLeast(n) => Fact::TookAtLeast(times(n)?),
            same => same,
        })
    }

    fn check(&self, seen: &LoopSnapshot) -> Option<TruthRow> {
        let max = |h: &Option<Histogram>| h.as_ref().map(|h| h.max);
        Some(match *self {
            Fact::Microtasks(n) => exactly("microtasks", n, seen.microtasks),
            Fact::Ticks(n) => exactly("nextTick callbacks", n, seen.ticks),
            Fact::Timers(n) => exactly("timers fired", n, seen.timers),
            Fact::Immediates(n) => exactly("immediates", n, seen.immediates),
            Fact::LongestDrain(n) => {
                exactly("longest microtask drain", n, max(&seen.microtask_drain_length))
            }
            Fact::LongestTickDrain(n) => {
                exactly("longest nextTick drain", n, max(&seen.tick_drain_length))
            }
            Fact::BlockedAtLeast(ns) => at_least("longest turn", ns, max(&seen.turn_ns)?),
            Fact::LateAtLeast(ns) => {
                seen.turn_ns.as_ref()?;
                at_least("latest timer", ns, max(&seen.timer_lateness_ns)?)
            }
            Fact::LongestStallIn(phase) => stall_phase(phase, seen)?,
            Fact::TookAtLeast(ns) => {
                let took_ns = seen.active_ns.unwrap_or(0) + seen.idle_ns?;
                at_least("time of all turns and waits", ns, took_ns)
            }
        })
    }
}

fn exactly(what: &str, expected: u64, observed: Option<u64>) -> TruthRow {
    TruthRow {
        what: what.to_owned(),
        expected: format_count(expected),
        observed: observed.map_or_else(|| "not measured".to_owned(), format_count),
        holds: observed == Some(expected),
    }
}

fn at_least(what: &str, expected_ns: u64, observed_ns: u64) -> TruthRow {
    TruthRow {
        what: what.to_owned(),
        expected: format!("at least {}", format_ns(expected_ns)),
        observed: format_ns(observed_ns),
        holds: observed_ns >= expected_ns,
    }
}

/// `None` when there was no stall: whether there must be one, other facts tell.
fn stall_phase(phase: Phase, seen: &LoopSnapshot) -> Option<TruthRow> {
    let longest = seen.stalls.iter().max_by_key(|stall| stall.duration_ns)?;
    Some(TruthRow {
        what: "phase of the longest stall".to_owned(),
        expected: phase.name().to_owned(),
        observed: longest.phase.map_or("none", Phase::name).to_owned(),
        holds: longest.phase == Some(phase),
    })
}
