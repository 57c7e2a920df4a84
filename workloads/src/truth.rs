//! The truth about a run, in a form that a machine can check against what was observed.

use std::time::Duration;

use loop_core::Phase;
use loop_core::snapshot::{Histogram, LedgerKey, LoopSnapshot, Stall};
use loop_core::units::{format_count, format_ns};

use crate::Story;

/// From how long on a turn is told as a stall, unless the user says otherwise.
pub(crate) const STALL: Duration = Duration::from_millis(50);

/// What a run must look like. The diagnosis is that at the usual stall threshold, 50 ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// The id of the diagnosis that names it.
    pub diagnosis: &'static str,
    facts: Vec<Fact>,
    /// The lines that each round tells, in order.
    story: Vec<String>,
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
    /// Callbacks run in a phase in one round.
    Callbacks(Phase, u64),
    /// Callbacks of its phase in the longest stall, if there is a stall.
    LongestStallCallbacks(u64),
    /// What most of the longest stall went to, if there is a stall whose ledger tells this apart.
    LongestStallBy(LedgerKey),
    /// Turns of at least the stall threshold in one round.
    StallsAtLeast(u64),
    /// Jobs that the thread pool did in one round.
    PoolJobs(u64),
    /// Some job of the pool waited at least so long for a thread, in nanoseconds.
    PoolWaitAtLeast(u64),
    /// So many jobs of the pool waited at once.
    PoolQueueAtLeast(u64),
    /// The loop was frozen at least so long in one round, in nanoseconds.
    FrozenAtLeast(u64),
    /// The loop's thread waited at least so long for a CPU in one round, in nanoseconds, if the
    /// kernel tells.
    CpuWaitAtLeast(u64),
    /// The loop's thread was on a CPU for less than so long in one round, in nanoseconds, if the
    /// kernel tells.
    OnCpuBelow(u64),
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
        Truth { diagnosis, facts, story: Vec::new() }
    }

    /// The truth of a workload whose rounds tell these lines.
    pub(crate) fn telling<T: Into<String>>(self, lines: impl IntoIterator<Item = T>) -> Truth {
        Truth { story: lines.into_iter().map(Into::into).collect(), ..self }
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
        let facts = self.facts.iter().filter_map(|fact| fact.of_rounds(rounds, pauses));
        Truth { facts: facts.collect(), ..self }
    }

    /// Holds each fact against what was observed, and the transcript against what was told. Times
    /// that a virtual clock does not show because no work was declared are left out.
    pub fn check(&self, seen: &LoopSnapshot, told: &Story) -> Vec<TruthRow> {
        let facts = self.facts.iter().filter_map(|fact| fact.check(seen));
        facts.chain(self.check_story(told)).collect()
    }

    fn check_story(&self, told: &Story) -> Option<TruthRow> {
        if self.story.is_empty() {
            return None;
        }
        let lines = told.lines();
        let wrong = [Some(lines), told.other()].into_iter().flatten().find(|l| *l != self.story);
        let count = format_count(self.story.len() as u64);
        Some(match wrong {
            None => row("transcript", format!("these {count} lines"), "them, in order", true),
            Some(lines) => {
                let same = |at: usize| lines.get(at) == self.story.get(at);
                let at = (0..).find(|&at| !same(at)).unwrap_or(0);
                let quote = |line: Option<&String>| match line {
                    Some(line) => format!("line {}: {line}", at + 1),
                    None => format!("no line {}", at + 1),
                };
                row("transcript", quote(self.story.get(at)), &quote(lines.get(at)), false)
            }
        })
    }
}

impl Fact {
    fn of_rounds(&self, rounds: u64, pauses: u64) -> Option<Fact> {
        let times = |n: u64| (rounds > 0).then(|| n.saturating_mul(rounds));
        Some(match *self {
            Fact::Microtasks(n) => Fact::Microtasks(times(n)?),
            Fact::Ticks(n) => Fact::Ticks(times(n)?),
            Fact::Timers(n) => Fact::Timers(times(n)?.saturating_add(pauses)),
            Fact::Immediates(n) => Fact::Immediates(times(n)?),
            Fact::TookAtLeast(n) => Fact::TookAtLeast(times(n)?),
            Fact::Callbacks(Phase::Timers, n) => {
                Fact::Callbacks(Phase::Timers, times(n)?.saturating_add(pauses))
            }
            Fact::Callbacks(phase, n) => Fact::Callbacks(phase, times(n)?),
            Fact::StallsAtLeast(n) => Fact::StallsAtLeast(times(n)?),
            Fact::PoolJobs(n) => Fact::PoolJobs(times(n)?),
            Fact::FrozenAtLeast(n) => Fact::FrozenAtLeast(times(n)?),
            Fact::CpuWaitAtLeast(n) => Fact::CpuWaitAtLeast(times(n)?),
            Fact::OnCpuBelow(n) => Fact::OnCpuBelow(times(n)?),
            ref same => same.clone(),
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
            ref other => return other.check_cause(seen),
        })
    }

    /// The facts about what a loop was held up by.
    fn check_cause(&self, seen: &LoopSnapshot) -> Option<TruthRow> {
        let max = |h: &Option<Histogram>| h.as_ref().map(|h| h.max);
        let pool = &seen.thread_pool;
        Some(match *self {
            Fact::Callbacks(phase, n) => {
                let what = format!("callbacks of the phase {}", phase.name());
                exactly(&what, n, seen.callbacks.map(|callbacks| callbacks[phase]))
            }
            Fact::LongestStallCallbacks(n) => {
                exactly("callbacks in the longest stall", n, longest_stall(seen)?.callbacks)
            }
            Fact::LongestStallBy(key) => {
                let ledger = longest_stall(seen)?.ledger_ns;
                ledger.get(key)?;
                let cause = ledger.cause();
                row("longest stall by", key.name().to_owned(), cause.name(), cause == key)
            }
            Fact::StallsAtLeast(n) => {
                seen.turn_ns.as_ref()?;
                let stalls = seen.stall_totals.total_count();
                let expected = format!("at least {}", format_count(n));
                row("stalls", expected, &format_count(stalls), stalls >= n)
            }
            Fact::PoolJobs(n) => {
                exactly("jobs of the pool", n, pool.run_ns.as_ref().map(Histogram::count))
            }
            Fact::PoolWaitAtLeast(ns) => {
                at_least("longest wait for the pool", ns, max(&pool.queue_ns)?)
            }
            Fact::PoolQueueAtLeast(n) => {
                let most = pool.queue_length_max?;
                let expected = format!("at least {}", format_count(n));
                row("jobs waiting at once", expected, &format_count(most), most >= n)
            }
            Fact::FrozenAtLeast(ns) => at_least("time frozen", ns, seen.frozen_ns?),
            Fact::CpuWaitAtLeast(ns) => at_least("wait for a CPU", ns, seen.cpu.run_delay_ns?),
            Fact::OnCpuBelow(ns) => {
                let used_ns = seen.cpu.on_cpu_ns?;
                let expected = format!("less than {}", format_ns(ns));
                row("time on a CPU", expected, &format_ns(used_ns), used_ns < ns)
            }
            _ => return None,
        })
    }
}

fn row(what: &str, expected: String, observed: &str, holds: bool) -> TruthRow {
    TruthRow { what: what.to_owned(), expected, observed: observed.to_owned(), holds }
}

fn longest_stall(seen: &LoopSnapshot) -> Option<&Stall> {
    seen.stalls.iter().max_by_key(|stall| stall.duration_ns)
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
    let longest = longest_stall(seen)?;
    Some(TruthRow {
        what: "phase of the longest stall".to_owned(),
        expected: phase.name().to_owned(),
        observed: longest.phase.map_or("none", Phase::name).to_owned(),
        holds: longest.phase == Some(phase),
    })
}
