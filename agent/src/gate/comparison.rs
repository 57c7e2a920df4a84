//! What came of comparing two commands: a plain value that every output is written from.
//!
//! ```text
//! runs of base and head -> Sample of each run -> exact tier, time tier -> Comparison
//!   -> table, JSON, JUnit, annotations, summary, customSmallerIsBetter
//! ```

use loop_core::snapshot::Culprit;

use super::fingerprint::Fingerprint;

/// What is to be done about a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing got worse.
    Passed,
    /// The machine was too noisy to tell.
    Inconclusive,
    /// Something got worse, or a budget is exceeded.
    Regressed,
    /// The runs can't be compared: events were lost, the tier differed, or a command failed.
    Invalid,
}

/// How a metric is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateTier {
    /// It was the same in all runs of the base, so that any other value is a change.
    Exact,
    /// It varies from run to run, and is compared by statistics.
    Time,
    /// Its limit is a budget, whatever it was before.
    Budget,
}

/// What a metric's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// Nanoseconds.
    Nanoseconds,
    /// A share, from 0 to 1.
    Share,
}

/// What is known of a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// As before, or the change is too small to matter.
    Same,
    /// Better for sure.
    Better,
    /// Worse for sure.
    Worse,
    /// Too noisy to tell.
    Unclear,
    /// Not compared, and why.
    Untold(String),
}

/// How the values of head stand to those of base.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Head to base; 1 is no change. The middle of the pairs in the time tier.
    pub ratio: f64,
    /// The ends of the interval that holds the true ratio in 95 of 100 cases; both `ratio` in the
    /// exact tier.
    pub interval: (f64, f64),
    /// How likely so clear a change is where there is none, corrected for how many metrics are
    /// looked at; 0 in the exact tier.
    pub p: f64,
    /// Head less base, in the metric's unit.
    pub difference: f64,
}

/// A metric, its value in each run, and what is made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name for programs, as in `longest_drain`.
    pub name: &'static str,
    /// Its name for people, as in `longest drain`.
    pub title: &'static str,
    /// What its values are.
    pub unit: Unit,
    /// How it is compared.
    pub tier: GateTier,
    /// Whether the verdict depends on it. What does not decide is told with its standing alone, and
    /// may be worse where the gate passes.
    pub decides: bool,
    /// Its value in each run of the base, in the order of the runs. Empty where there is no base.
    pub base: Vec<f64>,
    /// Its value in each run of the head.
    pub head: Vec<f64>,
    /// How head stands to base, where that can be said.
    pub change: Option<Change>,
    /// The change that the base shows against itself in the same job (a ratio less 1, as 0.03);
    /// `None` in the exact tier.
    pub noise: Option<f64>,
    /// The limit and its text, as in `p99 turn < 50ms`, where it is a budget.
    pub budget: Option<String>,
    /// What is known of it.
    pub standing: Standing,
    /// The function to look at, where it got worse and that is known.
    pub culprit: Option<Culprit>,
}

impl Metric {
    /// What its values count, in the plural, as `microtasks`; `None` where they are no counts.
    pub fn counted(&self) -> Option<&'static str> {
        let is_count = self.unit == Unit::Count;
        Some(match self.name {
            _ if !is_count => return None,
            "stalls_over" => "stalls",
            "longest_drain" => "microtasks",
            of_drains if of_drains.starts_with("drain_") => "microtasks",
            itself => itself,
        })
    }
}

/// One of the two commands.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// The command, or the recordings.
    pub command: String,
    /// How many runs of it count.
    pub runs: usize,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What is to be done.
    pub verdict: Verdict,
    /// The command before; `None` where only budgets are checked.
    pub base: Option<Side>,
    /// The command after.
    pub head: Side,
    /// Where it ran.
    pub fingerprint: Fingerprint,
    /// How it was observed, as `ebpf` and `full`.
    pub observed: (&'static str, &'static str),
    /// All metrics, worst first.
    pub metrics: Vec<Metric>,
    /// Why it is invalid or inconclusive, and what else there is to know; a line each.
    pub notes: Vec<String>,
    /// How long all of it took.
    pub took_ns: u64,
    /// Whether it is a failure where nobody can tell, as `--on-inconclusive fail` has it.
    pub inconclusive_fails: bool,
}
