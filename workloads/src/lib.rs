//! The pathologies: workloads that hold up a loop in a known way, each with its truth and its
//! fixed twin.
//!
//! ```text
//!  Workload (what it is) + Args (how much of it) = Job ──runs on──> loop_core::Loop
//!                                                   └──> Truth: what must have been seen
//! ```
//!
//! **Invariant**: a truth is computed from the parameters alone, never from what was observed.
#![forbid(unsafe_code)]

mod args;
mod catalogue;
mod job;
mod truth;

pub use args::{Args, Param, ParamError, ParamKind};
pub use catalogue::{UnknownWorkload, all, find};
pub use job::{Job, Rounds, Variant};
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
    /// What its fixed twin does differently.
    pub fixed: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// Whether it may run under a virtual clock: not with real sockets.
    pub virtual_clock: bool,
    start: fn(&mut Loop, &Args, Variant),
    truth: fn(&Args, Variant) -> Truth,
}
