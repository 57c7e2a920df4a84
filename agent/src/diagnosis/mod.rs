//! Names what is wrong with the observed loops, with the evidence and the cure.
//!
//! ```text
//! Snapshot -> each stall gets a name -> rule, one for each pathology -> findings
//!          -> worst first -> Vec<Diagnosis>
//! ```
//!
//! A rule looks at one loop and tells at most one finding. To add one: put its id into `id.rs`,
//! write its page, write a file with a function of the type `Rule`, and put it into `RULES` behind
//! those that are its cause.
//!
//! Worst is what held the loop up for longest: the stalls of a pathology together. What is no stall
//! counts for as long as somebody was kept waiting by it for sure: a saturated pool for its longest
//! wait, a freeze for the latest timer. Between equals, the cause stands before its symptom.
//!
//! Cost: a few passes over the histograms of each loop.
//!
//! **Invariant**: the result is never empty, and `healthy` stands alone.

mod blame;
mod cpu_bound_callback;
mod cpu_starved;
mod evidence;
mod examples;
mod flood;
mod frozen;
mod gc_pressure;
mod healthy;
mod id;
mod storm;
mod sync_io;
mod thread_pool_saturation;
pub mod thresholds;

#[cfg(test)]
mod borders;
#[cfg(test)]
mod causes;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use loop_core::snapshot::{ClockKind, Culprit, LoopSnapshot, Snapshot};
use serde::Serialize;

use blame::Groups;
pub use id::Id;

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
    /// What to do.
    pub advice: String,
    /// The fix as JavaScript, before and after; `None` where there is nothing to fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// The function to look at, where it is known.
    pub culprit: Option<Culprit>,
    /// What the name rests on.
    pub confidence: Confidence,
    /// The page on it, as a path in the repository; `loopscope diagnoses ID` prints it.
    pub docs: &'static str,
}

/// What a diagnosis rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// What tells it apart from all others was measured.
    High,
    /// What tells it apart was inferred, or part of it was not measured: another name is possible.
    Medium,
    /// The source can't tell it apart from others; it is the likeliest.
    Low,
}

impl Confidence {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Confidence::High => "high",
            Confidence::Medium => "medium",
            Confidence::Low => "low",
        }
    }
}

/// What a rule sees: a loop, its clock, and which pathology each of its stalls belongs to.
#[derive(Debug)]
struct Seen<'a> {
    clock: ClockKind,
    of: &'a LoopSnapshot,
    groups: Groups<'a>,
}

/// Looks for one pathology in one loop.
type Rule = fn(&Seen<'_>) -> Option<Finding>;

/// Every rule; a cause stands before its symptoms.
const RULES: [Rule; 11] = [
    frozen::find,
    cpu_starved::find,
    flood::microtasks,
    flood::ticks,
    sync_io::find,
    gc_pressure::find,
    storm::timers,
    storm::poll,
    storm::immediates,
    cpu_bound_callback::find,
    thread_pool_saturation::find,
];

/// What a rule found in a loop.
struct Finding {
    id: Id,
    /// How long it held the loop up: what is worse comes first.
    blocked_ns: u64,
    summary: String,
    evidence: Vec<String>,
    advice: &'static str,
    culprit: Option<Culprit>,
    confidence: Confidence,
}

/// What is wrong, worst first; `healthy` alone where no rule finds anything.
pub fn diagnose(snapshot: &Snapshot) -> Vec<Diagnosis> {
    let seen: Vec<Seen<'_>> = snapshot.loops.iter().map(|of| Seen::of(of, snapshot)).collect();
    let mut found: Vec<(u64, Diagnosis)> = Vec::new();
    for seen in &seen {
        for finding in RULES.iter().filter_map(|rule| rule(seen)) {
            found.push((finding.blocked_ns, finding.of(seen)));
        }
    }
    if found.is_empty() {
        return vec![healthy::verdict(&seen)];
    }
    // A stable sort: between equals, the order of the rules (cause before symptom) stands.
    found.sort_by_key(|(blocked_ns, _)| std::cmp::Reverse(*blocked_ns));
    found.into_iter().map(|(_, diagnosis)| diagnosis).collect()
}

impl<'a> Seen<'a> {
    fn of(of: &'a LoopSnapshot, snapshot: &Snapshot) -> Seen<'a> {
        Seen { clock: snapshot.clock, of, groups: Groups::of(of) }
    }
}

impl Finding {
    fn of(self, seen: &Seen<'_>) -> Diagnosis {
        let example = examples::of_loop(self.id, seen);
        Diagnosis {
            id: self.id.name(),
            pid: seen.of.pid,
            thread: seen.of.thread.clone(),
            summary: self.summary,
            evidence: self.evidence,
            advice: self.advice.to_owned(),
            example: example.map(str::to_owned),
            culprit: self.culprit,
            confidence: self.confidence,
            docs: self.id.docs(),
        }
    }
}
