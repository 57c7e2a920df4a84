//! Where snapshots come from, and what every source holds to.
//!
//! ```text
//! embedded (a workload or script on our own loop) ──┐
//! live (a running Node.js, by probes and memory) ───┼──> Snapshot ──> diagnosis, report, serve
//! v8_trace (a command with V8's trace events on) ───┘
//! ```
//!
//! The contract of [`Observe::snapshot`]:
//!
//! 1. Any thread may call it at any time. It never waits for what it observes: a loop that is
//!    blocked is read as readily as an idle one.
//! 2. It is cumulative since the observation began. No call changes what another call sees.
//! 3. What the source can't see is `None`, never zero.
//! 4. When the loop has ended, it goes on telling the last state, and `wall_ns` stands still.

mod census;
mod embedded;
#[cfg(target_os = "linux")]
pub mod live;
mod observer;
#[cfg(target_os = "linux")]
mod quota;
mod schedstat;
#[cfg(target_os = "linux")]
mod v8_trace;

use loop_core::snapshot::Snapshot;

pub use census::Census;
pub use embedded::{Embedded, start};
#[cfg(target_os = "linux")]
pub use live::{
    Choose, HostOptions, LINGER_NS, Live, LiveCommand, Options as LiveOptions, attach,
    probes_can_be_set, watch_host,
};
pub use observer::Observer;
#[cfg(target_os = "linux")]
pub use v8_trace::V8Trace;

/// Something that is observed.
pub trait Observe: Send + Sync {
    /// What was observed until now.
    fn snapshot(&self) -> Snapshot;

    /// How many stalls have ended, where that is told for less than a snapshot costs; `None`: it is
    /// not. It stands still while none ends.
    fn stalls_ended(&self) -> Option<u64> {
        None
    }

    /// Whether a turn may be past its threshold right now, where that is told for less than a
    /// snapshot costs; else `true`.
    fn may_be_held_up(&self) -> bool {
        true
    }

    /// What is known of all processes; `None`: it was told which ones to observe.
    fn census(&self) -> Option<Census> {
        None
    }
}
