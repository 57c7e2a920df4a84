//! The loop, for native functions: they are called by JavaScript, which is called by a callback of
//! the loop, which has the loop by `&mut`.
//!
//! **Invariant**: the pointer is set only while that callback's borrow is lent to this module, and
//! is taken out while it is used, so that there are never two ways to the loop at once.
#![allow(unsafe_code)] // A borrow handed through an engine that knows no lifetimes.

use std::cell::Cell;
use std::fmt;
use std::ptr::{self, NonNull};

use loop_core::Loop;

/// See the module.
pub(crate) struct Current(Cell<Option<NonNull<Loop>>>);

impl Current {
    pub(crate) fn new() -> Current {
        Current(Cell::new(None))
    }

    /// Runs something that may use the loop by [`Current::with`].
    pub(crate) fn lend<T>(&self, lp: &mut Loop, run: impl FnOnce() -> T) -> T {
        let before = Restore { current: self, to: self.0.replace(Some(NonNull::from(lp))) };
        let result = run();
        drop(before);
        result
    }

    /// Uses the loop that was lent. `None`: none is, or it is in use.
    pub(crate) fn with<T>(&self, run: impl FnOnce(&mut Loop) -> T) -> Option<T> {
        let lent = self.0.take()?;
        let back = Restore { current: self, to: Some(lent) };
        // SAFETY: `lend` holds the only borrow of the loop and does not use it until it returns,
        // before which the pointer is gone; while it is used here it can't be had a second time.
        let result = run(unsafe { &mut *lent.as_ptr() });
        drop(back);
        Some(result)
    }
}

/// Puts a pointer back, also when something panics.
struct Restore<'a> {
    current: &'a Current,
    to: Option<NonNull<Loop>>,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        self.current.0.set(self.to);
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lent = self.0.get().map_or(ptr::null(), |lent| lent.as_ptr().cast_const());
        f.debug_tuple("Current").field(&lent).finish()
    }
}
