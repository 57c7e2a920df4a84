//! An allocator that counts what each thread asks of it, then passes the request on.
//!
//! ```text
//!  #[global_allocator]
//!  static COUNTING: Counting = Counting;
//! ```
//!
//! Cost: three plain additions an allocation, one where it is freed.
//!
//! **Invariant**: counts are per thread, so what a test harness does elsewhere is not counted.
#![allow(unsafe_code)] // `GlobalAlloc` is an unsafe trait; calls go on to the system's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
    static HELD_BYTES: Cell<i64> = const { Cell::new(0) };
}

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counting;

/// What a thread has asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Allocations and reallocations.
    pub calls: u64,
    /// Their bytes. What was freed is not taken off.
    pub bytes: u64,
}

impl Asked {
    /// What was asked for after `earlier`.
    pub fn since(self, earlier: Asked) -> Asked {
        Asked { calls: self.calls - earlier.calls, bytes: self.bytes - earlier.bytes }
    }
}

/// What `work` asks of the allocator on this thread. Zero where [`Counting`] is not the
/// `#[global_allocator]`.
pub fn asked_by<T>(work: impl FnOnce() -> T) -> (Asked, T) {
    let before = asked();
    let result = work();
    (asked().since(before), result)
}

/// What this thread has asked for since it began.
pub fn asked() -> Asked {
    Asked { calls: CALLS.get(), bytes: BYTES.get() }
}

/// The bytes that this thread has asked for and not given back. What another thread frees is still
/// counted here, so that only differences on one thread say something.
pub fn held_bytes() -> i64 {
    HELD_BYTES.get()
}

fn count(bytes: usize) {
    CALLS.set(CALLS.get() + 1);
    BYTES.set(BYTES.get() + bytes as u64);
    hold(bytes as i64);
}

fn hold(bytes: i64) {
    HELD_BYTES.set(HELD_BYTES.get() + bytes);
}

// SAFETY: every method hands its arguments to the system's allocator unchanged and returns what
// that returns. Counting neither allocates (the cells are constants without a destructor) nor
// panics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        hold(-(layout.size() as i64));
        // SAFETY: the caller's promise about `block`, `layout` and `size` is passed on, and every
        // block comes from the system's allocator.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        hold(-(layout.size() as i64));
        // SAFETY: as in `realloc`.
        unsafe { System.dealloc(block, layout) }
    }
}
