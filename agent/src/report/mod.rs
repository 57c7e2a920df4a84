//! What is told at the end of an observation, for people and for programs.
//!
//! **Invariant**: a report is made from a snapshot and its diagnoses alone. It reads no clock and
//! asks nobody, so a stored snapshot gives the same report for ever.

mod figures;
pub mod html;
pub mod json;
mod reasons;
pub mod text;

use loop_core::snapshot::Snapshot;
use loopscope_workloads::Invocation;
use serde::Serialize;

use crate::diagnosis::Diagnosis;

/// All that a report tells.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What was observed.
    pub snapshot: &'a Snapshot,
    /// What it means.
    pub diagnoses: &'a [Diagnosis],
    /// The workload behind it, if there was one.
    pub workload: Option<&'a WorkloadRun>,
    /// The script behind it, if there was one.
    pub script: Option<&'a ScriptRun>,
    /// The command behind it, if there was one.
    pub command: Option<&'a CommandRun>,
}

/// A workload as it was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkloadRun {
    /// Its name.
    pub name: String,
    /// `pathology` or `fixed`; `story` where there is nothing to fix.
    pub variant: &'static str,
    /// Its parameters by name, defaults filled in.
    pub params: std::collections::BTreeMap<String, String>,
    /// The lines that it told; `None` where it told none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub story: Option<Vec<String>>,
    /// What had to be observed against what was; `None` where the run was cut short.
    pub truth: Option<Vec<TruthRow>>,
}

/// A script as it was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScriptRun {
    /// Its file as it was named, or the name of one that is compiled in.
    pub file: String,
    /// What it was given.
    pub arguments: Vec<String>,
    /// Its exit status; `None` where the run was cut short.
    pub status: Option<u8>,
    /// What it is, where it is compiled in.
    #[serde(flatten)]
    pub about: Option<About>,
    /// How its invocations ended; `None` where it is no handler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocations: Option<Vec<InvocationRun>>,
    /// What it said must have been observed against what was; `None` where it said nothing.
    pub truth: Option<Vec<TruthRow>>,
}

/// An invocation of a script that is a handler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvocationRun {
    /// Its number, from 1.
    pub number: u64,
    /// Its result, as JSON; `None` where it had none.
    pub result: Option<String>,
    /// Its error.
    pub error: Option<String>,
    /// How long it took.
    pub duration_ns: u64,
    /// What it has left pending.
    pub pending: Vec<PendingRun>,
}

/// Something that an invocation has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PendingRun {
    /// What it is, as `setTimeout of 5000 ms`.
    pub what: String,
    /// The function and line that made it.
    pub made_at: String,
    /// The invocation in which it was made.
    pub made_in: u64,
}

impl From<Invocation> for InvocationRun {
    fn from(ended: Invocation) -> Self {
        let Invocation { number, result, duration_ns, pending } = ended;
        let (result, error) = match result {
            Some(Ok(result)) => (Some(result), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let pending = pending.into_iter().map(|left| PendingRun {
            what: left.what,
            made_at: left.made_at,
            made_in: left.made_in,
        });
        InvocationRun { number, result, error, duration_ns, pending: pending.collect() }
    }
}

/// What a script that is compiled in tells of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct About {
    /// What it is, in one line.
    pub title: String,
    /// `pathology` or `fixed`; `story` where there is nothing to fix.
    pub variant: &'static str,
    /// Where it is from, if that is an article.
    pub source: Option<String>,
    /// What its source says that is not so in Node 20 and later.
    pub claims: Vec<Claim>,
}

/// What a source says, and what is so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// What the source says.
    pub claim: String,
    /// What is so in Node 20 and later.
    pub fact: String,
    /// The version that changed it, or how long it has been so.
    pub since: String,
}

impl From<loopscope_workloads::Claim> for Claim {
    fn from(claim: loopscope_workloads::Claim) -> Self {
        Claim { claim: claim.claim, fact: claim.fact, since: claim.since }
    }
}

/// A command as it was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommandRun {
    /// The program and its arguments.
    pub arguments: Vec<String>,
    /// Its exit status; `None` where a signal ended it.
    pub status: Option<u8>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether it was made to end, as its time was up.
    pub timed_out: bool,
    /// What is to be known of how it was observed.
    pub notes: Vec<String>,
}

/// One thing that is known beforehand, and what was observed of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TruthRow {
    /// What it is.
    pub what: String,
    /// What the parameters say must be observed.
    pub expected: String,
    /// What was observed.
    pub observed: String,
    /// Whether the two agree.
    pub holds: bool,
}
