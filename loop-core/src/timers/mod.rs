//! Timers on two levels, as in Node.
//!
//! ```text
//!  set_timeout, set_interval ──> NodeTimers: a list for each duration, a queue of lists
//!                                   │ one loop timer
//!  timer_start ────────────────> TimerHeap: libuv's timers by (due, start order)
//! ```

mod durations;
mod heap;
mod list_queue;
mod node;

pub(crate) use heap::{Place, TimerHeap};
pub use node::TimerId;
pub(crate) use node::{ListKey, NodeTimers, TimerCallback};
