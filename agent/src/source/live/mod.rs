//! Running Node.js processes, observed from outside.
//!
//! ```text
//! process, plan ──> probes ──> ebpf (kernel) ──┐
//! memory ──> loops, passive ───────────────────┴──> target ──> session ──> Snapshot
//! ```
//!
//! **Invariant**: the target is sacred. It is not stopped, not signalled and not written to; there
//! are no return probes, and nothing is left behind.

mod candidate;
pub mod clock;
mod command;
mod convert;
mod ebpf;
mod family;
mod governor;
pub mod layout;
pub mod loops;
pub mod memory;
pub mod passive;
mod probed;
mod probes;
mod session;
mod stalls;
mod target;

pub use command::LiveCommand;
pub use ebpf::{Refused, Tried, try_probes};
pub use session::{Live, Options, attach, probes_can_be_set};
