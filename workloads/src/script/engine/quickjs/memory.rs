//! The engine's memory: what is in use is counted, and where it is bounded what would pass the
//! bound is refused. That it was is kept, for the engine does not always tell.
//!
//! Cost: 8 bytes and a few instructions an allocation. The engine makes one for some 4 KB of small
//! objects, and one for each object above 512 bytes.
#![allow(unsafe_code)] // The engine's interface to allocators.

use std::cell::Cell;
use std::ptr;
use std::rc::Rc;

use rquickjs::ArrayBufferSource;
use rquickjs::allocator::{Allocator, RustAllocator};

use crate::script::engine::Memory;

/// What is in use, and the bound. Clones count the same.
#[derive(Clone, Default)]
pub(super) struct Usage(Rc<Counts>);

#[derive(Default)]
struct Counts {
    bytes: Cell<usize>,
    bound: Option<Memory>,
    /// Whether the bound holds yet: the library comes before it.
    holds: Cell<bool>,
}

impl Usage {
    pub(super) fn new(bound: Option<Memory>) -> Usage {
        Usage(Rc::new(Counts { bytes: Cell::new(0), bound, holds: Cell::new(false) }))
    }

    /// From now on the bound holds.
    pub(super) fn hold(&self) {
        self.0.holds.set(true);
    }

    /// How many bytes are in use.
    pub(super) fn bytes(&self) -> usize {
        self.0.bytes.get()
    }

    /// How many there may be.
    pub(super) fn bytes_max(&self) -> usize {
        let bound = self.0.bound.as_ref();
        bound.map_or(usize::MAX, |bound| usize::try_from(bound.bytes_max).unwrap_or(usize::MAX))
    }

    fn has_room(&self, bytes: usize) -> bool {
        let fits = !self.0.holds.get() || self.bytes().saturating_add(bytes) <= self.bytes_max();
        if let Some(bound) = self.0.bound.as_ref().filter(|_| !fits) {
            bound.is_full.set(true);
        }
        fits
    }

    fn add(&self, bytes: usize) {
        self.0.bytes.set(self.bytes() + bytes);
    }

    fn forget(&self, bytes: usize) {
        self.0.bytes.set(self.bytes() - bytes);
    }

    /// Counts a new region, if it is one.
    fn counted(&self, region: *mut u8) -> *mut u8 {
        if !region.is_null() {
            // SAFETY: the region was allocated by this allocator just now.
            self.add(unsafe { RustAllocator::usable_size(region) });
        }
        region
    }

    /// Bytes of ours that the engine keeps without copying them, if there is room.
    pub(super) fn lend(&self, bytes: Vec<u8>) -> Option<Lent> {
        if !self.has_room(bytes.capacity()) {
            return None;
        }
        self.add(bytes.capacity());
        Some(Lent { bytes, usage: self.clone() })
    }
}

/// Bytes that count as the engine's until it drops them.
pub(super) struct Lent {
    bytes: Vec<u8>,
    usage: Usage,
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.usage.forget(self.bytes.capacity());
    }
}

// SAFETY: the bytes of a vector stay where they are when it is moved, until it is dropped.
unsafe impl ArrayBufferSource for Lent {
    fn as_ptr(&self) -> *mut u8 {
        self.bytes.as_ptr().cast_mut()
    }

    fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// The engine's allocator.
pub(super) struct Counted(pub(super) Usage);

// SAFETY: every region is one of `RustAllocator`, of the size that was asked for, or null.
unsafe impl Allocator for Counted {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        if !self.0.has_room(size) {
            return ptr::null_mut();
        }
        let region = RustAllocator.alloc(size);
        self.0.counted(region)
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        if !count.checked_mul(size).is_some_and(|bytes| self.0.has_room(bytes)) {
            return ptr::null_mut();
        }
        let region = RustAllocator.calloc(count, size);
        self.0.counted(region)
    }

    unsafe fn dealloc(&mut self, region: *mut u8) {
        // SAFETY: the caller hands back a region of this allocator.
        unsafe {
            self.0.forget(RustAllocator::usable_size(region));
            RustAllocator.dealloc(region);
        }
    }

    unsafe fn realloc(&mut self, region: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: as above; what can't be moved stays as it is, and is counted still.
        unsafe {
            let before = RustAllocator::usable_size(region);
            if size > before && !self.0.has_room(size - before) {
                return ptr::null_mut();
            }
            let moved = RustAllocator.realloc(region, size);
            if moved.is_null() {
                return moved;
            }
            self.0.forget(before);
            self.0.counted(moved)
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

    fn bounded() -> (Usage, Rc<Cell<bool>>) {
        let memory = Memory { bytes_max: 1000, is_full: Rc::default() };
        let is_full = Rc::clone(&memory.is_full);
        (Usage::new(Some(memory)), is_full)
    }

    #[test]
    fn what_passes_the_bound_is_refused_and_kept_in_mind() {
        let (usage, is_full) = bounded();
        let mut bounded = Counted(usage.clone());
        let before = bounded.alloc(2000);
        assert!(!before.is_null() && !is_full.get(), "the bound does not hold yet");
        usage.hold();
        assert!(bounded.alloc(8).is_null() && is_full.get());
        // SAFETY: each region is of this allocator, and is not used after it is given back.
        unsafe {
            bounded.dealloc(before);
            let region = bounded.alloc(400);
            let region = bounded.realloc(region, 800);
            assert!(!region.is_null() && usage.bytes() == 800);
            assert!(bounded.realloc(region, 1008).is_null() && bounded.calloc(26, 8).is_null());
            assert!(bounded.calloc(usize::MAX, 2).is_null());
            let rest = bounded.calloc(25, 8);
            assert!(!rest.is_null() && usage.bytes() == 1000);
            bounded.dealloc(rest);
            bounded.dealloc(region);
        }
        assert_eq!(usage.bytes(), 0);
    }

    #[test]
    fn what_is_lent_counts_until_it_is_dropped() {
        let (usage, is_full) = bounded();
        usage.hold();
        let lent = usage.lend(vec![1; 600]).unwrap();
        assert_eq!((usage.bytes(), lent.len()), (600, 600));
        assert!(usage.lend(vec![1; 600]).is_none() && is_full.get());
        drop(lent);
        assert_eq!(usage.bytes(), 0);
    }
}
