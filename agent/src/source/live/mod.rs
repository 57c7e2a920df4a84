//! Running Node.js processes, observed from outside.
//!
//! ```text
//! process, plan ──> probes ──> ebpf (kernel) ──┐
//! memory ──> loops, passive ───────────────────┴──> target ──> session ──> Snapshot
//! ```
//!
//! **Invariant**: the target is sacred. It is not stopped, not signalled and not written to; there
//! are no return probes, and nothing is left behind.

mod baseline;
mod candidate;
pub mod clock;
mod command;
mod convert;
mod earlier;
mod ebpf;
mod executions;
mod exposure;
mod eye;
mod family;
mod governor;
pub mod layout;
mod ledger;
pub mod loops;
pub mod memory;
mod missed;
mod orphans;
pub mod passive;
mod past;
mod probed;
mod probed_past;
mod probes;
mod session;
mod set;
mod sleep;
mod stacks;
mod stalls;
mod stops;
mod target;
mod thread_names;
mod uncounted;
mod windows;

pub use command::LiveCommand;
pub use ebpf::{Refused, Tried, try_probes};
pub use session::{
    Choose, HostOptions, LINGER_NS, Live, Options, attach, probes_can_be_set, watch_host,
};
