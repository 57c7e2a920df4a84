//! Running Node.js processes, observed from outside.
//!
//! ```text
//! process, plan ──> probes ──> ebpf (kernel) ──┐
//! memory ──> loops, passive ───────────────────┴──> target ──> session ──> Snapshot
//! ```
//!
//! **Invariant**: the target is sacred. It is not stopped, not signalled and not written to; there
//! are no return probes, and nothing is left behind.

mod clock;
mod convert;
mod ebpf;
mod layout;
mod loops;
mod memory;
mod passive;
mod probes;
mod session;
mod stalls;
mod target;

pub use session::{Live, Options, attach};
