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
//! Where the isolate keeps its queue, is read from the code of a public function of V8 that does
//! little else than to fetch it ([`queue_in_isolate`]).
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

/// Where an isolate keeps the address of its queue, by the code of
/// `v8::MicrotasksScope::PerformCheckpoint(Isolate*)`: it begins with fetching it.
///
/// ```text
/// 55                     push %rbp                 these three, or none of them, or some,
/// 48 89 e5               mov  %rsp,%rbp            and the mark of a jump's target before them
/// 48 89 fe               mov  %rdi,%rsi
/// 48 8b bf 90 04 01 00   mov  0x10490(%rdi),%rdi   or into %rax
/// 80 7f 4c 00            cmpb $0x0,0x4c(%rdi)
/// ```
///
/// `None` for code that begins in another way. Checked for Node 18, 20, 22, 24, 25 and 26.
pub fn queue_in_isolate(code: &[u8]) -> Option<u64> {
    const BEFORE: [&[u8]; 4] =
        [&[0xf3, 0x0f, 0x1e, 0xfa], &[0x55], &[0x48, 0x89, 0xe5], &[0x48, 0x89, 0xfe]];
    const FETCHES: [(&[u8], &[u8]); 2] = [
        (&[0x48, 0x8b, 0xbf], &[0x80, 0x7f]), // into %rdi, and a byte of the queue is compared
        (&[0x48, 0x8b, 0x87], &[0x80, 0x78]), // into %rax
    ];
    let mut rest = code;
    for skipped in BEFORE {
        rest = rest.strip_prefix(skipped).unwrap_or(rest);
    }
    FETCHES.iter().find_map(|(fetch, compare)| {
        let (offset, behind) = rest.strip_prefix(*fetch)?.split_first_chunk::<4>()?;
        let offset = u64::from(u32::from_le_bytes(*offset));
        (behind.starts_with(compare) && offset.is_multiple_of(8) && offset < 1 << 20)
            .then_some(offset)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_read_from_the_code_of_each_release_line() {
        let into_rax = [0x48, 0x8b, 0x87, 0xf8, 0xda, 0, 0, 0x80, 0x78, 0x4c, 0];
        assert_eq!(queue_in_isolate(&into_rax), Some(0xdaf8), "18");
        let fetch = [0x48, 0x8b, 0xbf, 0x30, 0xe7, 0, 0, 0x80, 0x7f, 0x4c, 0];
        let moved = [&[0x48, 0x89, 0xfe][..], &fetch].concat();
        assert_eq!(queue_in_isolate(&moved), Some(0xe730), "20");
        let framed = [&[0x55, 0x48, 0x89, 0xe5][..], &moved].concat();
        assert_eq!(queue_in_isolate(&framed), Some(0xe730), "25");
        let marked = [&[0xf3, 0x0f, 0x1e, 0xfa][..], &framed].concat();
        assert_eq!(queue_in_isolate(&marked), Some(0xe730), "with jump marks");
    }

    #[test]
    fn other_code_is_not_guessed_at() {
        let fetch = [0x48, 0x8b, 0xbf, 0x30, 0xe7, 0, 0, 0x80, 0x7f, 0x4c, 0];
        assert_eq!(queue_in_isolate(&fetch[..9]), Some(0xe730));
        for cut in 0..9 {
            assert_eq!(queue_in_isolate(&fetch[..cut]), None, "{cut} bytes");
        }
        let mut misaligned = fetch;
        misaligned[3] = 0x31;
        assert_eq!(queue_in_isolate(&misaligned), None);
        let mut wrong_register = fetch;
        wrong_register[8] = 0x78;
        assert_eq!(queue_in_isolate(&wrong_register), None);
        assert_eq!(queue_in_isolate(&[0x90; 32]), None);
    }
}
