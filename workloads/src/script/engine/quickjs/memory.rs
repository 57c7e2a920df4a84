//! The engine's memory where it is bounded: what would pass the bound is refused, and that it was
//! is kept, for the engine does not always tell.
//!
//! Cost: 8 bytes and a few instructions an allocation, where there is a bound.
#![allow(unsafe_code)] // The engine's interface to allocators.

use std::cell::Cell;
use std::ptr;
use std::rc::Rc;

use rquickjs::allocator::{Allocator, RustAllocator};

use crate::script::engine::Memory;

/// See the module.
pub(super) struct Bounded {
    used_bytes: usize,
    memory: Memory,
    /// Whether the bound holds yet: the library comes before it.
    holds: Rc<Cell<bool>>,
}

impl Bounded {
    /// An allocator, and what makes its bound hold.
    pub(super) fn new(memory: Memory) -> (Bounded, Rc<Cell<bool>>) {
        let holds = Rc::new(Cell::new(false));
        (Bounded { used_bytes: 0, memory, holds: Rc::clone(&holds) }, holds)
    }

    fn has_room(&self, bytes: usize) -> bool {
        let most = usize::try_from(self.memory.bytes_max).unwrap_or(usize::MAX);
        let fits = !self.holds.get() || self.used_bytes.saturating_add(bytes) <= most;
        if !fits {
            self.memory.is_full.set(true);
        }
        fits
    }

    /// Counts a new region, if it is one.
    fn counted(&mut self, region: *mut u8) -> *mut u8 {
        if !region.is_null() {
            // SAFETY: the region was allocated by this allocator just now.
            self.used_bytes += unsafe { RustAllocator::usable_size(region) };
        }
        region
    }
}

// SAFETY: every region is one of `RustAllocator`, of the size that was asked for, or null.
unsafe impl Allocator for Bounded {
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
            self.used_bytes -= RustAllocator::usable_size(region);
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
            self.used_bytes -= before;
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
        let (mut bounded, holds) = Bounded::new(memory.clone());
        let before = bounded.alloc(2000);
        assert!(!before.is_null() && !memory.is_full.get(), "the bound does not hold yet");
        holds.set(true);
        assert!(bounded.alloc(8).is_null() && memory.is_full.get());
        // SAFETY: each region is of this allocator, and is not used after it is given back.
        unsafe {
            bounded.dealloc(before);
            let region = bounded.alloc(400);
            let region = bounded.realloc(region, 800);
            assert!(!region.is_null() && bounded.used_bytes == 800);
            assert!(bounded.realloc(region, 1008).is_null() && bounded.calloc(26, 8).is_null());
            assert!(bounded.calloc(usize::MAX, 2).is_null());
            let rest = bounded.calloc(25, 8);
            assert!(!rest.is_null() && bounded.used_bytes == 1000);
            bounded.dealloc(rest);
            bounded.dealloc(region);
        }
        assert_eq!(bounded.used_bytes, 0);
    }
}
