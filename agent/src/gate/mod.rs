//! The gate: what got worse.
//!
//! ```text
//! workload -> virtual clock -> Snapshot -> Counts -> Section ──┬── compare with the lock: diff
//!                                                              └── accept: write the lock
//!
//! base, head -> Snapshot -> Sample ──┬── counts that never varied: exact tier ──┐
//!                                    ├── what varies: time tier, by statistics  ├──> Comparison
//!                                    └── budgets ───────────────────────────────┘
//! ```
//!
//! With the lock only counts are compared, never times, so a difference is a change of behaviour
//! and not a slow machine. Two commands are run by turns in one job, so that a slow machine is slow
//! for both.
//!
//! **Invariant**: a lock's text is the same for the same program, on every machine; a comparison is
//! a function of its samples alone.

pub mod budget;

pub mod comparison;
mod counts;
pub mod decide;
mod diff;
pub mod exact;
pub mod fingerprint;
pub mod lock;
pub mod measure;
pub mod order;
pub mod output;
mod quantile;
pub mod sample;
mod stalls;
pub mod statistics;
mod store;
pub mod time;
mod turns;

pub use comparison::Comparison;
pub use counts::section;
pub use diff::{Difference, compare};
pub use fingerprint::Fingerprint;
pub use lock::{Lock, LockError, Section};
pub use sample::{Made, Sample};
pub use store::{StoreError, read, write};

/// The examples of the page are run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/gate.md")]
struct Examples;

/// The most pairs of runs that are made, however undecided it is.
pub const PAIRS_MAX: usize = 200;

/// The fewest: of fewer, what never varied may have done so by chance.
pub const PAIRS_MIN: usize = 4;
