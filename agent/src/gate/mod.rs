//! The gate's exact tier: counts of workloads under virtual time, compared with a lock file.
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

mod counts;
mod diff;
pub mod lock;
mod store;

pub use counts::section;
pub use diff::{Difference, compare};
pub use lock::{Lock, LockError, Section};
pub use store::{StoreError, read, write};
