//! The queue of microtasks of a thread, and V8's counter of those that have run.
//!
//! ```text
//! the thread's stack ──> Isolate ──> MicrotaskQueue ──> finished_microtask_count_
//!         ^                 │
//!         └── stack limit ──┘
//! ```
//!
//! Node's functions at the upper end of the stack keep the thread's `Isolate`. An isolate knows
//! its queue, and where the stack ends that it may use: so that it is this thread's, is certain.
//! Where the isolate keeps its queue, the plan has read from V8's code.
//!
//! Cost: two reads of memory for each address on the stack, 1 to 3 ms, once for each thread.

use super::super::memory::{Memory, u64_at};
use super::stacks::{Stack, Writable};

/// What has to be known of this build of V8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuePlaces {
    /// Address of the first function in the queue's table of functions: the queue's first word.
    pub functions: u64,
    /// Where an isolate keeps the address of its queue.
    pub in_isolate: u64,
    /// Where the queue counts what it has run.
    pub finished_count: u64,
}

/// How much of an isolate may hold its stack limit: V8 keeps it at the beginning, where compiled
/// code reaches it.
const LIMIT_BYTES: usize = 1 << 10;

/// How far the stack limit may lie from the end of the stack. V8's default is 1 MB, Node gives
/// threads 4 MB, and `--stack-size` may be anything that the system allows for.
const STACK_BYTES_MAX: u64 = 64 << 20;

/// The address of the queue of the thread whose stack is `stack`; `None` where there is not
/// exactly one.
pub(super) fn find(
    memory: &Memory,
    writable: &Writable,
    stack: Stack,
    places: QueuePlaces,
) -> Option<u64> {
    let mut bytes = vec![0; usize::try_from(stack.end - stack.low).ok()?];
    memory.read(stack.low, &mut bytes).ok()?;
    let mut words: Vec<u64> = (0..bytes.len() as u64)
        .step_by(8)
        .filter_map(|offset| u64_at(&bytes, offset))
        .filter(|&word| {
            writable.holds_word(word)
                && word.checked_add(places.in_isolate).is_some_and(|at| writable.holds_word(at))
        })
        .collect();
    words.sort_unstable();
    words.dedup();
    let mut queues = words.into_iter().filter_map(|isolate| {
        let queue = memory.u64(isolate + places.in_isolate).ok()?;
        let is_queue = writable.holds_word(queue) && memory.u64(queue).ok()? == places.functions;
        (is_queue && uses(memory, isolate, stack)).then_some(queue)
    });
    let first = queues.next()?;
    queues.all(|queue| queue == first).then_some(first)
}

/// Whether the isolate runs on this stack.
fn uses(memory: &Memory, isolate: u64, stack: Stack) -> bool {
    let low = stack.end.saturating_sub(STACK_BYTES_MAX).min(stack.low);
    let Ok(bytes) = memory.bytes::<LIMIT_BYTES>(isolate) else { return false };
    (0..LIMIT_BYTES as u64)
        .step_by(8)
        .filter_map(|offset| u64_at(&bytes, offset))
        .any(|word| (low..stack.end).contains(&word))
}
