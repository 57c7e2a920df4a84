//! When garbage is collected: the host has it done, so that it knows how long that takes.
//!
//! The engine frees what is dropped at once, by counting references; it collects only what refers
//! to itself in a circle, and to find that it goes through all that is alive. By itself it does so
//! where an object is made and the heap has grown by half. Here the same mark is looked at each
//! 10,000 calls and steps back, where the engine lets the host look; the engine's own comes into
//! play only where so few of them allocate very much, and what it does then is not seen.
//!
//! Cost: a comparison each 10,000 calls and steps back; two readings of the clock a collection.

use std::cell::Cell;

use super::memory::Usage;
use super::raw::Heap;
use super::watcher::Watcher;
use crate::script::engine::Collected;

/// How far above the mark the heap may grow before the engine collects by itself.
const MARGIN_BYTES: usize = 64 << 20;

/// That, where memory is bounded: this part of the bound at most.
const MARGIN_PARTS: usize = 4;

/// See the module.
pub(super) struct Collector {
    heap: Heap,
    usage: Usage,
    mark_bytes: Cell<usize>,
    margin_bytes: usize,
    collected: Collected,
}

impl Collector {
    /// One for a heap whose size is counted; the first mark is set by the size now.
    pub(super) fn new(heap: Heap, usage: Usage, collected: Collected) -> Collector {
        let margin_bytes = MARGIN_BYTES.min(usage.bytes_max() / MARGIN_PARTS);
        let mark_bytes = Cell::new(0);
        let collector = Collector { heap, usage, mark_bytes, margin_bytes, collected };
        collector.set_mark();
        collector
    }

    /// Collects if the heap has passed the mark.
    pub(super) fn look(&self, watcher: &Watcher) {
        if self.usage.bytes() > self.mark_bytes.get() {
            self.collect(watcher);
        }
    }

    #[cold]
    fn collect(&self, watcher: &Watcher) {
        let began_ns = watcher.entered();
        self.heap.collect();
        (self.collected)(watcher.entered().saturating_sub(began_ns));
        self.set_mark();
    }

    fn set_mark(&self) {
        let used_bytes = self.usage.bytes();
        let mark_bytes = used_bytes.saturating_add(used_bytes / 2);
        self.mark_bytes.set(mark_bytes);
        self.heap.collect_by_itself_from(mark_bytes.saturating_add(self.margin_bytes));
    }
}
