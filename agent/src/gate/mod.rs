//! The gate. What stands here is its exact tier for workloads, counts under virtual time compared
//! with a lock file, and [`comparison`], what comes of two commands, with its [`output`].
//!
//! ```text
//! workload -> virtual clock -> Snapshot -> Counts -> Section ──┬── compare with the lock: diff
//!                                                              └── accept: write the lock
//! ```
//!
//! Only counts are compared, never times, so a difference is a change of behaviour and not a slow
//! machine.
//!
//! **Invariant**: the same program gives the same text, on every machine.

pub mod comparison;
mod counts;
mod diff;
pub mod fingerprint;
pub mod lock;
pub mod output;
mod store;

pub use counts::section;
pub use diff::{Difference, compare};
pub use lock::{Lock, LockError, Section};
pub use store::{StoreError, read, write};
