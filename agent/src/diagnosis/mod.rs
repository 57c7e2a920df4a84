//! Names what is wrong with the observed loops, with the evidence and the cure.
//!
//! ```text
//! Snapshot -> rule, one for each pathology -> findings -> worst first -> Vec<Diagnosis>
//! ```
//!
//! A rule looks at one loop and tells at most one finding. To add one: write a file with a
//! function of the type `Rule`, and put it into `RULES` behind those that are its cause.
//!
//! Cost: a few passes over the histograms of each loop.
//!
//! **Invariant**: the result is never empty, and `healthy` stands alone.

mod cpu_bound_callback;
mod evidence;
mod flood;
mod healthy;
mod microtask_flood;
mod next_tick_starvation;
pub mod thresholds;

#[cfg(test)]
mod tests;

use loop_core::snapshot::{Culprit, LoopSnapshot, Snapshot};
use serde::Serialize;

/// A named pathology of one loop, or the verdict that there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// The name of the pathology; one of a fixed list.
    pub id: &'static str,
    /// The process.
    pub pid: u32,
    /// The loop's thread.
    pub thread: String,
    /// What happened, in one sentence with its main number.
    pub summary: String,
    /// What it is concluded from, each with its number.
    pub evidence: Vec<String>,
    /// What to do; lines after the first are an example.
    pub advice: String,
    /// The function to look at, where it is known.
    pub culprit: Option<Culprit>,
}

/// Looks for one pathology in one loop.
type Rule = fn(&LoopSnapshot) -> Option<Finding>;

/// Every rule; a cause stands before its symptoms.
const RULES: [Rule; 3] =
    [microtask_flood::find, next_tick_starvation::find, cpu_bound_callback::find];

/// What a rule found in a loop.
struct Finding {
    id: &'static str,
    /// How long it held the loop up: what is worse comes first.
    blocked_ns: u64,
    summary: String,
    evidence: Vec<String>,
    advice: &'static str,
    culprit: Option<Culprit>,
}

/// What is wrong, worst first; `healthy` alone where no rule finds anything.
pub fn diagnose(snapshot: &Snapshot) -> Vec<Diagnosis> {
    let mut found: Vec<(u64, Diagnosis)> = Vec::new();
    for observed in &snapshot.loops {
        for finding in RULES.iter().filter_map(|rule| rule(observed)) {
            found.push((finding.blocked_ns, finding.of(observed)));
        }
    }
    if found.is_empty() {
        return vec![healthy::verdict(snapshot)];
    }
    // A stable sort: between equals, the order of the rules (cause before symptom) stands.
    found.sort_by_key(|(blocked_ns, _)| std::cmp::Reverse(*blocked_ns));
    found.into_iter().map(|(_, diagnosis)| diagnosis).collect()
}

impl Finding {
    fn of(self, observed: &LoopSnapshot) -> Diagnosis {
        Diagnosis {
            id: self.id,
            pid: observed.pid,
            thread: observed.thread.clone(),
            summary: self.summary,
            evidence: self.evidence,
            advice: self.advice.to_owned(),
            culprit: self.culprit,
        }
    }
}
