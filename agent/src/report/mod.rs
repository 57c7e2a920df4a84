//! What is told at the end of an observation, for people and for programs.
//!
//! **Invariant**: a report is made from a snapshot and its diagnoses alone. It reads no clock and
//! asks nobody, so a stored snapshot gives the same report for ever.

pub mod json;
pub mod text;

use loop_core::snapshot::Snapshot;
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
