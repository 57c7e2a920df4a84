//! One-shot closures without an allocation each, and a ring of them.
//!
//! ```text
//!  slot, one cache line:  | run: fn | closure of up to 7 words, or a box of a larger one |
//! ```
//!
//! A closure is moved out of its slot at its exact size, not the slot's: reading a whole line back
//! right after a narrower store of the same line stalls the CPU's store forwarding, which costs
//! more than the job itself for jobs that each queue the next one.
//!
//! Cost: 3 to 6 ns to queue and run a closure of 24 bytes (`goals` in `bench`); one above 56 is
//! boxed.
//!
//! **Invariant**: a slot between head and tail holds exactly one closure that has not run, or
//! none if it was cancelled.
#![allow(unsafe_code)] // Type-erased closures in place; each use says why it is sound.

use std::fmt;
use std::marker::PhantomData;
use std::mem::{MaybeUninit, align_of, size_of};
use std::ptr::NonNull;

const INLINE_WORDS: usize = 7;

type Words = [MaybeUninit<usize>; INLINE_WORDS];

/// Runs the closure in the words if there is a context to run it with, else drops it. Either way
/// the words hold nothing afterwards.
type RunFn<Cx> = unsafe fn(NonNull<Words>, Option<&mut Cx>);

/// A closure to be run once with a context.
#[repr(C)]
pub(crate) struct Task<Cx> {
    run: Option<RunFn<Cx>>,
    words: Words,
    /// A closure need not be `Send` or `Sync`, so neither is a task.
    not_send: PhantomData<*mut ()>,
}

impl<Cx> Task<Cx> {
    #[inline]
    pub(crate) fn new<F: FnOnce(&mut Cx) + 'static>(f: F) -> Self {
        let mut task =
            Task { run: None, words: [MaybeUninit::uninit(); INLINE_WORDS], not_send: PhantomData };
        if fits::<F>() {
            // SAFETY: the words are large enough and aligned for `F`, and hold nothing yet.
            unsafe { task.words.as_mut_ptr().cast::<F>().write(f) };
            task.run = Some(run_inline::<Cx, F>);
        } else {
            let boxed = Box::into_raw(Box::new(f));
            // SAFETY: a thin pointer fits into the first word.
            unsafe { task.words.as_mut_ptr().cast::<*mut F>().write(boxed) };
            task.run = Some(run_boxed::<Cx, F>);
        }
        task
    }

    /// Runs the closure.
    #[inline]
    pub(crate) fn run(mut self, cx: &mut Cx) {
        if let Some(run) = self.run.take() {
            // SAFETY: `run` was there, so the words hold its closure; it is gone now, so neither
            // another call nor the drop touches the words again.
            unsafe { run(NonNull::from(&mut self.words), Some(cx)) };
        }
    }
}

impl<Cx> Drop for Task<Cx> {
    fn drop(&mut self) {
        if let Some(run) = self.run.take() {
            // SAFETY: as in `Task::run`.
            unsafe { run(NonNull::from(&mut self.words), None) };
        }
    }
}

impl<Cx> fmt::Debug for Task<Cx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("armed", &self.run.is_some()).finish()
    }
}

const fn fits<F>() -> bool {
    size_of::<F>() <= size_of::<Words>() && align_of::<F>() <= align_of::<Words>()
}

/// # Safety
/// The words hold an `F`, which this call takes.
unsafe fn run_inline<Cx, F: FnOnce(&mut Cx)>(words: NonNull<Words>, cx: Option<&mut Cx>) {
    // SAFETY: by the contract there is an `F`, and nobody reads it again.
    let f = unsafe { words.cast::<F>().read() };
    if let Some(cx) = cx {
        f(cx);
    }
}

/// # Safety
/// The words hold a pointer from `Box::<F>::into_raw`, which this call takes.
unsafe fn run_boxed<Cx, F: FnOnce(&mut Cx)>(words: NonNull<Words>, cx: Option<&mut Cx>) {
    // SAFETY: by the contract the pointer owns an `F`, and nobody uses it again.
    let f = unsafe { Box::from_raw(words.cast::<*mut F>().read()) };
    if let Some(cx) = cx {
        f(cx);
    }
}

/// What became of the task at the front of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// There was none.
    Empty,
    /// It has run.
    Ran,
    /// It had been cancelled.
    Cancelled,
}

/// A first-in, first-out queue of tasks that grows and never shrinks.
pub(crate) struct TaskRing<Cx> {
    slots: Vec<MaybeUninit<Task<Cx>>>,
    /// Number of the first task; its slot is this number modulo the ring's size.
    head: u64,
    /// Number of the next task to be pushed.
    tail: u64,
}

impl<Cx> TaskRing<Cx> {
    pub(crate) fn new() -> Self {
        let mut ring = TaskRing { slots: Vec::new(), head: 0, tail: 0 };
        ring.resize(64);
        ring
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head == self.tail
    }

    /// How many tasks wait, cancelled ones included.
    #[inline]
    pub(crate) fn len(&self) -> u64 {
        self.tail - self.head
    }

    /// The number that the next task will get.
    pub(crate) fn next_number(&self) -> u64 {
        self.tail
    }

    /// The number of the task at the front.
    pub(crate) fn front_number(&self) -> u64 {
        self.head
    }

    /// Queues a closure and returns its number.
    #[inline]
    pub(crate) fn push<F: FnOnce(&mut Cx) + 'static>(&mut self, f: F) -> u64 {
        if self.len() == self.slots.len() as u64 {
            self.resize(self.slots.len() * 2);
        }
        let slot = self.slot(self.tail);
        self.slots[slot].write(Task::new(f));
        self.tail += 1;
        self.tail - 1
    }

    /// Drops the closure of a task that waits. Returns whether there was one.
    pub(crate) fn cancel(&mut self, number: u64) -> bool {
        if number < self.head || number >= self.tail {
            return false;
        }
        let slot = self.slot(number);
        // SAFETY: between head and tail every slot holds a task.
        let task = unsafe { self.slots[slot].assume_init_mut() };
        let armed = task.run.is_some();
        let empty =
            Task { run: None, words: [MaybeUninit::uninit(); INLINE_WORDS], not_send: PhantomData };
        drop(std::mem::replace(task, empty));
        armed
    }

    /// Whether a task waits under this number and has not been cancelled.
    #[inline]
    pub(crate) fn is_armed(&self, number: u64) -> bool {
        if number < self.head || number >= self.tail {
            return false;
        }
        // SAFETY: between head and tail every slot holds a task.
        unsafe { self.slots[self.slot(number)].assume_init_ref() }.run.is_some()
    }

    /// Takes the task at the front of the ring that `ring` finds in `cx`, and runs it with `cx`.
    #[inline]
    pub(crate) fn run_front(cx: &mut Cx, ring: impl FnOnce(&mut Cx) -> &mut Self) -> Front {
        let ring = ring(cx);
        if ring.is_empty() {
            return Front::Empty;
        }
        let slot = ring.slot(ring.head);
        ring.head += 1;
        // SAFETY: the slot held a task. The head has moved on, so nobody but this call sees it
        // until a push writes it anew.
        let task = unsafe { ring.slots[slot].assume_init_mut() };
        let Some(run) = task.run else { return Front::Cancelled };
        let words = NonNull::from(&mut task.words);
        // SAFETY: `run` belongs to the closure in the words. It moves the closure out before it
        // gives `cx` to it, so a push that writes or moves the slot comes after the last use.
        unsafe { run(words, Some(cx)) };
        Front::Ran
    }

    #[inline]
    fn slot(&self, number: u64) -> usize {
        // The size is a power of two, so this is a mask.
        (number & (self.slots.len() as u64 - 1)) as usize
    }

    /// Makes room for `size` tasks, a power of two.
    #[cold]
    fn resize(&mut self, size: usize) {
        let mut slots: Vec<MaybeUninit<Task<Cx>>> = Vec::with_capacity(size);
        slots.resize_with(size, MaybeUninit::uninit);
        for number in self.head..self.tail {
            let from = self.slot(number);
            std::mem::swap(&mut slots[number as usize & (size - 1)], &mut self.slots[from]);
        }
        self.slots = slots;
    }
}

impl<Cx> Drop for TaskRing<Cx> {
    fn drop(&mut self) {
        for number in self.head..self.tail {
            let slot = self.slot(number);
            // SAFETY: between head and tail every slot holds a task, and each is dropped once.
            unsafe { self.slots[slot].assume_init_drop() };
        }
    }
}

impl<Cx> fmt::Debug for TaskRing<Cx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskRing").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    struct Cx {
        ring: TaskRing<Cx>,
        ran: Vec<u64>,
    }

    fn cx() -> Cx {
        Cx { ring: TaskRing::new(), ran: Vec::new() }
    }

    fn run_all(cx: &mut Cx) {
        while TaskRing::run_front(cx, |cx| &mut cx.ring) != Front::Empty {}
    }

    #[test]
    fn tasks_run_in_order_across_growth_and_from_within() {
        let mut cx = cx();
        for n in 0..1_000 {
            cx.ring.push(move |cx: &mut Cx| {
                cx.ran.push(n);
                cx.ring.push(move |cx| cx.ran.push(1_000 + n));
            });
        }
        run_all(&mut cx);
        assert_eq!(cx.ran, (0..2_000).collect::<Vec<_>>());
    }

    #[test]
    fn large_closures_are_boxed_and_small_ones_run_in_place() {
        let mut cx = cx();
        let large = [7u64; 32];
        cx.ring.push(move |cx: &mut Cx| cx.ran.push(large.iter().sum()));
        cx.ring.push(|cx: &mut Cx| cx.ran.push(1));
        run_all(&mut cx);
        assert_eq!(cx.ran, [224, 1]);
    }

    #[test]
    fn what_a_task_holds_is_dropped_once_however_it_ends() {
        let held = Rc::new(());
        let mut cx = cx();
        let numbers: Vec<u64> = (0..5)
            .map(|_| {
                let held = held.clone();
                cx.ring.push(move |_: &mut Cx| drop(held))
            })
            .collect();
        let large = (held.clone(), [0u64; 32]);
        cx.ring.push(move |_: &mut Cx| drop(large));
        assert_eq!(Rc::strong_count(&held), 7);
        assert!(cx.ring.cancel(numbers[1]));
        assert!(!cx.ring.cancel(numbers[1]));
        assert_eq!(Rc::strong_count(&held), 6);
        assert_eq!(TaskRing::run_front(&mut cx, |cx| &mut cx.ring), Front::Ran);
        assert_eq!(TaskRing::run_front(&mut cx, |cx| &mut cx.ring), Front::Cancelled);
        assert_eq!(Rc::strong_count(&held), 5);
        drop(cx);
        assert_eq!(Rc::strong_count(&held), 1);
        drop(Task::<()>::new(move |_| drop(held)));
    }
}
