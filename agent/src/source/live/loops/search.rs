//! One look at some threads of a process.

use std::path::PathBuf;

use super::super::layout::UvLayout;
use super::super::memory::{Memory, u64_at};
use super::check::{Doubt, check};
use super::stacks::{self, Stack, Writable};
use super::{FoundLoop, Places, queue};
use crate::process::Mapping;

/// How much of a stack is looked through at most. The rest lies nearer to its upper end, where
/// a thread begins.
const STACK_BYTES_MAX: u64 = 16 << 20;

/// What was seen of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Its loop.
    Loop(FoundLoop),
    /// It has none, or not yet.
    Nothing,
    /// It is the main thread, and this is why its loop isn't found.
    NoMain(&'static str),
    /// It could not be looked at.
    Unseen,
}

/// What holds for all threads of the process at the moment.
#[derive(Debug)]
pub(super) struct Search<'a> {
    layout: &'static UvLayout,
    places: Places,
    memory: &'a Memory,
    maps: &'a [Mapping],
    writable: Writable,
    pid: u32,
    files: PathBuf,
    now_ns: u64,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        layout: &'static UvLayout,
        places: Places,
        memory: &'a Memory,
        maps: &'a [Mapping],
        pid: u32,
        now_ns: u64,
    ) -> Self {
        let writable = Writable::of(maps);
        let files = PathBuf::from(format!("/proc/{pid}/fd"));
        Search { layout, places, memory, maps, writable, pid, files, now_ns }
    }

    /// One look at each of these threads.
    pub(super) fn look_at(&self, tids: &[u32]) -> Vec<Look> {
        let mut stacks: Vec<Option<Stack>> = tids.iter().map(|&tid| self.stack(tid)).collect();
        self.add_computing(tids, &mut stacks);
        let looks = tids.iter().zip(stacks).map(|(&tid, stack)| match stack {
            _ if tid == self.pid => self.main(stack),
            Some(stack) => self.worker(tid, stack),
            None => Look::Unseen,
        });
        looks.collect()
    }

    fn stack(&self, tid: u32) -> Option<Stack> {
        let of_main = || {
            let map = self.maps.iter().find(|map| map.path.as_os_str() == "[stack]")?;
            Some(Stack { low: map.start, end: map.end })
        };
        let waiting = stacks::waiting(self.pid, tid, &self.writable);
        let stack = waiting.or_else(|| if tid == self.pid { of_main() } else { None })?;
        let low = stack.low.max(stack.end.saturating_sub(STACK_BYTES_MAX));
        Some(Stack { low, ..stack })
    }

    /// The stacks of those that compute.
    fn add_computing(&self, tids: &[u32], stacks: &mut [Option<Stack>]) {
        let unseen = tids.iter().zip(stacks).filter(|(_, stack)| stack.is_none());
        let mut unseen: Vec<(u32, &mut Option<Stack>)> = unseen
            .filter_map(|(&tid, stack)| Some((stacks::own_number(self.pid, tid)?, stack)))
            .collect();
        let numbers: Vec<u32> = unseen.iter().map(|(number, _)| *number).collect();
        if numbers.is_empty() {
            return;
        }
        for (number, found) in stacks::computing(self.memory, self.maps, &numbers) {
            for (_, stack) in unseen.iter_mut().filter(|(own, _)| *own == number) {
                **stack = Some(found);
            }
        }
    }

    /// The loop of a worker, which bears its own address on the worker's stack.
    fn worker(&self, tid: u32, stack: Stack) -> Look {
        let Some(bytes) = self.bytes(stack) else { return Look::Unseen };
        // Stacks may lie side by side; the C library's structure ends this thread's.
        let number = stacks::own_number(self.pid, tid);
        let end = number.and_then(|number| stacks::library_begins(stack.low, &bytes, number));
        let stack = Stack { end: end.unwrap_or(stack.end), ..stack };
        let is_itself = |address: &u64| {
            u64_at(&bytes, address + self.layout.own_address - stack.low) == Some(*address)
        };
        let mut candidates = (stack.low..stack.end).step_by(8).filter(is_itself);
        candidates
            .find_map(|address| self.check(address).ok().map(|fields| (address, fields)))
            .map_or(Look::Nothing, |(address, fields)| {
                self.found(tid, address, fields, Some(stack))
            })
    }

    /// The loop of the main thread, by its symbol or by a pointer on the stack.
    fn main(&self, stack: Option<Stack>) -> Look {
        let by_symbol = self.places.default_loop.map(|address| (address, self.check(address)));
        let checked = by_symbol.or_else(|| {
            let candidates = self.pointers(stack?);
            let mut loops = candidates
                .into_iter()
                .filter_map(|address| Some((address, Ok(self.check(address).ok()?))));
            let first = loops.next();
            // Two of them: which one is the main thread's, can't be told.
            if loops.next().is_some() { None } else { first }
        });
        match checked {
            Some((address, Ok(fields))) => self.found(self.pid, address, fields, stack),
            Some((_, Err(doubt))) => Look::NoMain(doubt.reason()),
            None => Look::NoMain("no loop is to be found from the main thread's stack"),
        }
    }

    /// Addresses on the stack of what bears its own address as a loop does. Not on the stack
    /// itself: no loop that lies there is the main thread's.
    fn pointers(&self, stack: Stack) -> Vec<u64> {
        let bytes = self.bytes(stack).unwrap_or_default();
        let mut words: Vec<u64> = (0..bytes.len() as u64)
            .step_by(8)
            .filter_map(|offset| u64_at(&bytes, offset))
            .filter(|&word| self.writable.holds_word(word))
            .filter(|word| !(stack.low..stack.end).contains(word))
            .collect();
        words.sort_unstable();
        words.dedup();
        words.retain(|&word| {
            let own = self.memory.u64(word.wrapping_add(self.layout.own_address));
            own.is_ok_and(|own| own == word)
        });
        words
    }

    fn found(&self, tid: u32, address: u64, fields: u64, stack: Option<Stack>) -> Look {
        let queue = self.places.queue.zip(stack).and_then(|(places, stack)| {
            let queue = queue::find(self.memory, &self.writable, stack, places)?;
            Some((queue, queue + places.finished_count))
        });
        Look::Loop(FoundLoop {
            tid,
            start_ticks: 0,
            address,
            internal_fields: fields,
            main: tid == self.pid,
            queue: queue.map(|queue| queue.0),
            finished_count: queue.map(|queue| queue.1),
        })
    }

    fn check(&self, address: u64) -> Result<u64, Doubt> {
        check(self.memory, self.layout, address, &self.files, self.now_ns)
    }

    fn bytes(&self, stack: Stack) -> Option<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(stack.end.checked_sub(stack.low)?).ok()?];
        self.memory.read(stack.low, &mut bytes).ok()?;
        Some(bytes)
    }
}
