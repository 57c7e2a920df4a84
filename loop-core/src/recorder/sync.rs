//! The atomics of the recorder: loom's under `--cfg loom`, the standard ones otherwise.

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU64, Ordering, fence};

/// A relaxed load: the value may be from a moment ago.
#[inline]
pub(crate) fn get(cell: &AtomicU64) -> u64 {
    cell.load(Ordering::Relaxed)
}

/// A relaxed store.
#[inline]
pub(crate) fn set(cell: &AtomicU64, value: u64) {
    cell.store(value, Ordering::Relaxed);
}

/// Adds to a cell that only this thread writes: a load and a store, no locked instruction.
#[inline]
pub(crate) fn add(cell: &AtomicU64, value: u64) {
    set(cell, get(cell).wrapping_add(value));
}
