//! Timers on two levels, as in Node.
//!
//! ```text
//!  set_timeout, set_interval ──> NodeTimers: a list for each duration, a queue of lists
//!                                   │ one loop timer
//!  timer_start ────────────────> TimerHeap: libuv's timers by (due, start order)
//!
//!  NodeTimers ──┬──> Rows: what each timer is
//!               └──> Lists: their order ──> Durations, ListQueue, Fifos (the entries)
//! ```

mod durations;
mod fifo;
mod heap;
mod list_queue;
mod lists;
mod node;
mod rows;

pub(crate) use heap::{Place, TimerHeap};
pub(crate) use lists::ListKey;
pub(crate) use node::NodeTimers;
pub(crate) use rows::TimerCallback;
pub use rows::TimerId;
