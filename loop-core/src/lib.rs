//! An event loop with libuv's phases and Node's queues, and the recorder that measures it.
//!
//! ```text
//!  Loop ──writes──> Recorder ──shared atomics──> Reader ──> Snapshot ──> everything downstream
//! ```

pub mod buckets;
mod phase;
pub mod snapshot;

pub use phase::{PHASES, Phase, PhaseMap};
