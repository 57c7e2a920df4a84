//! The engine's allocator: it counts what is in use, and where memory is bounded refuses what would
//! pass the bound. That it did is kept, for the engine does not always tell.
//!
//! Cost: 8 bytes and a few instructions an allocation. The engine makes one for some 4 KB of small
//! objects, and one for each object above 512 bytes.
#![allow(unsafe_code)] // The engine's interface to allocators.

use std::cell::Cell;
use std::ptr;
use std::rc::Rc;

use rquickjs::allocator::{Allocator, RustAllocator};

use crate::script::engine::Memory;

/// See the module.
#[derive(Default)]
pub(super) struct Counted {
    used_bytes: Rc<Cell<usize>>,
    bound: Option<Bound>,
}

struct Bound {
    memory: Memory,
    /// Whether it holds yet: the library comes before it.
    holds: Rc<Cell<bool>>,
}

impl Counted {
    /// An allocator with a bound, and what makes that hold.
    pub(super) fn bounded(memory: Memory) -> (Counted, Rc<Cell<bool>>) {
        let holds = Rc::new(Cell::new(false));
        let bound = Bound { memory, holds: Rc::clone(&holds) };
        (Counted { used_bytes: Rc::default(), bound: Some(bound) }, holds)
    }

    /// How many bytes are in use, at any time.
    pub(super) fn used_bytes(&self) -> Rc<Cell<usize>> {
        Rc::clone(&self.used_bytes)
    }

    fn has_room(&self, bytes: usize) -> bool {
        let Some(bound) = &self.bound else { return true };
        let most = usize::try_from(bound.memory.bytes_max).unwrap_or(usize::MAX);
        let fits = !bound.holds.get() || self.used_bytes.get().saturating_add(bytes) <= most;
        if !fits {
            bound.memory.is_full.set(true);
        }
        fits
    }

    /// Counts a new region, if it is one.
    fn counted(&self, region: *mut u8) -> *mut u8 {
        if !region.is_null() {
            // SAFETY: the region was allocated by this allocator just now.
            self.used_bytes
                .set(self.used_bytes.get() + unsafe { RustAllocator::usable_size(region) });
        }
        region
    }

    fn forget(&self, bytes: usize) {
        self.used_bytes.set(self.used_bytes.get() - bytes);
    }
}

// SAFETY: every region is one of `RustAllocator`, of the size that was asked for, or null.
unsafe impl Allocator for Counted {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        if !self.has_room(size) {
            return ptr::null_mut();
        }
        let region = RustAllocator.alloc(size);
        self.counted(region)
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        if !count.checked_mul(size).is_some_and(|bytes| self.has_room(bytes)) {
            return ptr::null_mut();
        }
        let region = RustAllocator.calloc(count, size);
        self.counted(region)
    }

    unsafe fn dealloc(&mut self, region: *mut u8) {
        // SAFETY: the caller hands back a region of this allocator.
        unsafe {
            self.forget(RustAllocator::usable_size(region));
            RustAllocator.dealloc(region);
        }
    }

    unsafe fn realloc(&mut self, region: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: as above; what can't be moved stays as it is, and is counted still.
        unsafe {
            let before = RustAllocator::usable_size(region);
            if size > before && !self.has_room(size - before) {
                return ptr::null_mut();
            }
            let moved = RustAllocator.realloc(region, size);
            if moved.is_null() {
                return moved;
            }
            self.forget(before);
            self.counted(moved)
        }
    }

    unsafe fn usable_size(region: *mut u8) -> usize {
        // SAFETY: as above.
        unsafe { RustAllocator::usable_size(region) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_the_bound_is_refused_and_kept_in_mind() {
        let memory = Memory { bytes_max: 1000, is_full: Rc::default() };
        let (mut bounded, holds) = Counted::bounded(memory.clone());
        let before = bounded.alloc(2000);
        assert!(!before.is_null() && !memory.is_full.get(), "the bound does not hold yet");
        holds.set(true);
        assert!(bounded.alloc(8).is_null() && memory.is_full.get());
        // SAFETY: each region is of this allocator, and is not used after it is given back.
        unsafe {
            bounded.dealloc(before);
            let region = bounded.alloc(400);
            let region = bounded.realloc(region, 800);
            assert!(!region.is_null() && bounded.used_bytes.get() == 800);
            assert!(bounded.realloc(region, 1008).is_null() && bounded.calloc(26, 8).is_null());
            assert!(bounded.calloc(usize::MAX, 2).is_null());
            let rest = bounded.calloc(25, 8);
            assert!(!rest.is_null() && bounded.used_bytes.get() == 1000);
            bounded.dealloc(rest);
            bounded.dealloc(region);
        }
        assert_eq!(bounded.used_bytes.get(), 0);
    }
}
