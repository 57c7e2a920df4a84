//! An allocator that knows what the whole process holds, to find what is never given back.
//!
//! ```text
//!  #[global_allocator]
//!  static LIVE: Live = Live;
//! ```
//!
//! Cost: two locked additions an allocation.
//!
//! **Invariant**: what one thread asks for and another gives back is counted once and taken off
//! once.
#![allow(unsafe_code)] // `GlobalAlloc` is an unsafe trait; calls go on to the system's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, Ordering};

static BLOCKS: AtomicI64 = AtomicI64::new(0);
static BYTES: AtomicI64 = AtomicI64::new(0);

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Live;

/// What the process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// Blocks of memory.
    pub(crate) blocks: i64,
    /// Their bytes, as they were asked for.
    pub(crate) bytes: i64,
}

/// What the process holds now. Zero where [`Live`] is not the `#[global_allocator]`.
pub(crate) fn held() -> Held {
    Held { blocks: BLOCKS.load(Ordering::Relaxed), bytes: BYTES.load(Ordering::Relaxed) }
}

fn count(blocks: i64, bytes: i64) {
    BLOCKS.fetch_add(blocks, Ordering::Relaxed);
    BYTES.fetch_add(bytes, Ordering::Relaxed);
}

// SAFETY: every method hands its arguments to the system's allocator unchanged and returns what
// that returns. Counting neither allocates nor panics.
unsafe impl GlobalAlloc for Live {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(0, size as i64 - layout.size() as i64);
        // SAFETY: the caller's promise about `block`, `layout` and `size` is passed on, and every
        // block comes from the system's allocator.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-1, -(layout.size() as i64));
        // SAFETY: as in `realloc`.
        unsafe { System.dealloc(block, layout) }
    }
}
