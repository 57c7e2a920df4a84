//! Lets the host look at JavaScript while it runs, and behind each native function that may take
//! long: there the engine can't be looked at.
//!
//! **Invariant**: it is dropped after the runtime, and its function before that.

use std::cell::{Cell, RefCell};

use rquickjs::{Context, Function, Persistent};

use super::raw::{self, Borrowed};
use crate::script::engine::Watch;

/// See the module.
pub(super) struct Watcher {
    watch: Box<dyn Watch>,
    context: Borrowed,
    /// The library's function that takes a stack, while there is an engine.
    stack: RefCell<Option<Persistent<Function<'static>>>>,
    busy: Cell<bool>,
}

impl Watcher {
    pub(super) fn new(watch: Box<dyn Watch>, context: &Context) -> Watcher {
        let (context, stack) = (Borrowed::of(context), RefCell::new(None));
        Watcher { watch, context, stack, busy: Cell::new(false) }
    }

    /// Takes stacks by this function from now on; `None`: not any more.
    pub(super) fn set_stack(&self, stack: Option<Persistent<Function<'static>>>) {
        self.stack.replace(stack);
    }

    /// JavaScript runs. Returns whether it is to end.
    pub(super) fn interrupt(&self) -> bool {
        // What takes the stack is JavaScript, too.
        if self.busy.replace(true) {
            return false;
        }
        let end = self.watch.interrupt(&mut || self.take());
        self.busy.set(false);
        end
    }

    /// A native function is called.
    #[inline]
    pub(super) fn entered(&self) -> u64 {
        self.watch.entered()
    }

    /// It has returned, or thrown. `None`: nobody knows when it was called.
    #[inline]
    pub(super) fn returned(&self, entered: Option<u64>) {
        self.watch.returned(entered, &mut || match self.busy.replace(true) {
            true => String::new(),
            false => {
                let taken = self.take();
                self.busy.set(false);
                taken
            }
        });
    }

    fn take(&self) -> String {
        let stack = self.stack.borrow().clone();
        stack.map_or_else(String::new, |stack| {
            self.context.with(|ctx| {
                let taken = stack.restore(ctx).and_then(|stack| stack.call(()));
                // The error that was made for it is not where the program throws.
                drop(raw::take_trace(ctx));
                taken.unwrap_or_default()
            })
        })
    }
}
