//! Finds the loops of a process that run JavaScript, and the queues of microtasks beside them.
//!
//! The loop of the main thread lies where libuv's symbol `default_loop_struct` says. Where the
//! symbols were stripped it is found by a pointer on the main thread's stack. The loop of a worker
//! lies on the worker's own stack, and bears its own address: so it is found whatever the worker
//! does. Everything that is found has to pass the same checks, on every version of libuv.
//!
//! Cost: 1 to 5 ms for a process; [`Finder::find`] again, with nothing new to look at, a list of
//! the threads.
//!
//! **Invariant**: loops that Node does not run JavaScript on (of the inspector, of V8's platform,
//! inside `spawnSync`) are never taken for one.

mod check;
mod finder;
mod queue;
mod reading;
mod search;
mod stacks;

use super::clock::monotonic_ns;
use super::layout::UvLayout;
use super::memory::Memory;
use crate::plan::Plan;
use crate::process::{MappedFile, Process};

pub use finder::{Finder, Found};
pub use queue::QueuePlaces;
pub use reading::{LoopReading, Pulse, pulse, read_loop};

/// A loop that runs JavaScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundLoop {
    /// The thread that runs it.
    pub tid: u32,
    /// When that thread started, in ticks since the machine booted.
    pub start_ticks: u64,
    /// Address of its `uv_loop_t`.
    pub address: u64,
    /// Address of libuv's internal fields of it.
    pub internal_fields: u64,
    /// Whether it is the main thread's.
    pub main: bool,
    /// Address of the thread's `MicrotaskQueue`.
    pub queue: Option<u64>,
    /// Address of V8's counter of the microtasks that it has run.
    pub finished_count: Option<u64>,
}

/// Addresses in the process of what was found in its files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// libuv's loop of the main thread.
    pub default_loop: Option<u64>,
    /// V8's queue of microtasks.
    pub queue: Option<QueuePlaces>,
}

impl Places {
    /// Where the process has what the plan found in its files. They are those that the plan was
    /// made from, in the same order.
    pub fn of(plan: &Plan, files: &[MappedFile]) -> Places {
        let address = |(module, address): (usize, u64)| files.get(module)?.address_of(address);
        let data = &plan.data;
        let queue = || {
            // Behind two words that tell of the class stands its first function.
            const FIRST_FUNCTION: u64 = 16;
            Some(QueuePlaces {
                functions: address(data.microtask_queue_vtable?)? + FIRST_FUNCTION,
                in_isolate: data.queue_in_isolate?,
                finished_count: data.finished_count_offset?,
            })
        };
        Places { default_loop: data.default_loop.and_then(address), queue: queue() }
    }
}

/// The loops of a process at this moment: one search, without a second look. A [`Finder`] goes on
/// looking.
pub fn find_loops(
    process: &Process,
    memory: &Memory,
    places: Places,
    layout: &'static UvLayout,
) -> Vec<FoundLoop> {
    Finder::new(layout, places).find(process, memory, monotonic_ns()).loops
}
