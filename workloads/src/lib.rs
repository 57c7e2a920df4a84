//! The pathologies: workloads that hold up a loop in a known way, each with its truth and its
//! fixed twin.
//!
//! ```text
//!  Workload (what it is) + Args (how much of it) = Job ──runs on──> loop_core::Loop
//!                                                   └──> Truth: what must have been seen
//! ```
//!
//! **Invariant**: a truth is computed from the parameters alone, never from what was observed.

mod args;
mod catalogue;
mod job;
mod machine;
mod script;
mod script_catalogue;
mod story;
mod truth;

pub use args::{Args, Param, ParamError, ParamKind};
pub use catalogue::{UnknownWorkload, all, find};
pub use job::{Job, Rounds, RunError, Variant};
pub use machine::Refused;
pub use script::{
    Invocation, Lambda, LastLine, Pending, Running, Script, ScriptError, Trace, timeline,
};
pub use script_catalogue::{
    Claim, HeaderError, KnownScript, ScriptArg, ScriptHeader, UnknownScript, find_script, scripts,
};
pub use story::Story;
pub use truth::{Truth, TruthRow};

use loop_core::Loop;

/// A workload.
#[derive(Debug)]
pub struct Workload {
    /// The name on the command line.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What it shows, and what one should see.
    pub shows: &'static str,
    /// What its fixed twin does differently; `None` where there is nothing to fix.
    pub fixed: Option<&'static str>,
    /// Its parameters.
    pub params: &'static [Param],
    /// Whether it may run under a virtual clock: not with real sockets or threads.
    pub virtual_clock: bool,
    needs: Needs,
    start: Start,
    truth: fn(&Args, Variant) -> Truth,
}

impl Workload {
    /// The variants that there are: both, or only the workload itself where there is no twin.
    pub fn variants(&self) -> &'static [Variant] {
        match self.fixed {
            Some(_) => &[Variant::Pathology, Variant::Fixed],
            None => &[Variant::Pathology],
        }
    }

    /// The name of a variant in reports and lock files. What needs no twin is no pathology but a
    /// story.
    pub fn variant_name(&self, variant: Variant) -> &'static str {
        match (variant, self.fixed) {
            (Variant::Fixed, _) => "fixed",
            (Variant::Pathology, Some(_)) => "pathology",
            (Variant::Pathology, None) => "story",
        }
    }
}

/// How a workload begins a round.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// With a main program; behind it the loop is run until nothing keeps it alive.
    Main(fn(&mut Loop, &Job)),
    /// With a function that runs the loop itself.
    Round(fn(&mut Loop, &Job) -> Result<(), RunError>),
}

/// What a workload needs of the machine.
#[derive(Clone, Copy, Debug)]
enum Needs {
    /// Nothing that is not always there.
    Nothing,
    /// So many connections to itself at once.
    Connections(fn(&Args) -> u64),
    /// To say on which CPU its threads run.
    Pinning,
}
