//! What this host allows: which source and tier a Node would be observed by, and why no better one.
//!
//! ```text
//! /proc, /sys, a try ──> Host ───┐
//!                                ├──> verdict ──> text, JSON; the refusal of `attach`
//! Process, Plan ───────> Target ─┘
//! ```
//!
//! The facts are gathered first, and the verdict is a function of them alone. So every command says
//! the same sentence about the same lack, and each is tested without a machine that lacks it.
//!
//! Cost: some 20 small reads, and of each Node what its plan costs.

#[cfg(target_os = "linux")]
mod gather;
#[cfg(target_os = "linux")]
mod host;
#[cfg(target_os = "linux")]
mod json;
#[cfg(target_os = "linux")]
mod target;
#[cfg(all(test, target_os = "linux"))]
mod tests;
#[cfg(target_os = "linux")]
mod text;
#[cfg(target_os = "linux")]
mod verdict;

#[cfg(target_os = "linux")]
use loop_core::snapshot::Tier;

use crate::exit::Cause;
#[cfg(target_os = "linux")]
use crate::exit::Failure;

#[cfg(target_os = "linux")]
pub use host::{Cgroups, Host, Lockdown, Trial};
#[cfg(target_os = "linux")]
pub use json::json;
#[cfg(target_os = "linux")]
pub use target::{Plans, Target};
#[cfg(target_os = "linux")]
pub use text::text;
#[cfg(target_os = "linux")]
pub use verdict::{Verdict, verdict};

/// Why nothing runs that could be observed on another system. `system` is what Rust calls it.
pub fn elsewhere(system: &str) -> Cause {
    let name = match system {
        "macos" => "macOS",
        "windows" => "Windows",
        other => other,
    };
    Cause::new(
        format!("a running Node.js can be observed on Linux only, and this is {name}"),
        "run both in a Linux container; `loopscope run` and `explain` work here, too",
    )
}

/// All that `doctor` tells.
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub struct Report {
    /// What this host allows.
    pub host: Host,
    /// The processes, each with its verdict, by number or as they were named.
    pub targets: Vec<(Target, Verdict)>,
    /// How many processes could not be looked at, if Nodes were looked for.
    pub unseen: Option<usize>,
}

/// Why one of these processes can't be observed, or not in this tier: what `doctor` says of it.
/// `None` if all can be.
#[cfg(target_os = "linux")]
pub fn refusal(pids: &[u32], least: Tier) -> Option<Failure> {
    let host = Host::read();
    let mut plans = Plans::default();
    pids.iter().find_map(|&pid| {
        let target = Target::look(pid, &mut plans);
        let verdict = verdict(&host, &target);
        target.failure(&verdict).or_else(|| verdict.below(least).map(Failure::refused))
    })
}
