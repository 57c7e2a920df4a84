//! One-shot closures without an allocation each, and a ring of them.
//!
//! ```text
//!  task of 7 words, one cache line:  | run: fn | closure of up to 7 words, or a box of it |
//!  task of 3 words, half of one:     | run: fn | closure of up to 3 words, or a box of it |
//! ```
//!
//! A closure is moved out of its slot at its exact size, not the slot's: reading a whole line back
//! right after a narrower store of the same line stalls the CPU's store forwarding, which costs
//! more than the job itself for jobs that each queue the next one.
//!
//! Cost: 3 to 5 ns to queue and run a closure of 24 bytes (`goals` in `bench`); one that is larger
//! than the words is boxed.
//!
//! **Invariant**: a task holds exactly one closure that has not run. A ring's slot between head
//! and tail holds one task, or none if it was cancelled.
#![allow(unsafe_code)] // Type-erased closures in place; each use says why it is sound.

use std::fmt;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit, align_of, size_of};
use std::ptr::NonNull;

/// Words of a task that says nothing else: with the function a cache line.
const LINE_WORDS: usize = 7;

type Words<const WORDS: usize> = [MaybeUninit<usize>; WORDS];

/// Runs the closure in the words if there is a context to run it with, else drops it. Either way
/// the words hold nothing afterwards.
type RunFn<Cx, const WORDS: usize> = unsafe fn(NonNull<Words<WORDS>>, Option<&mut Cx>);

/// A closure to be run once with a context.
#[repr(C)]
pub(crate) struct Task<Cx, const WORDS: usize = LINE_WORDS> {
    run: RunFn<Cx, WORDS>,
    words: Words<WORDS>,
    /// A closure need not be `Send` or `Sync`, so neither is a task.
    not_send: PhantomData<*mut ()>,
}

impl<Cx, const WORDS: usize> Task<Cx, WORDS> {
    #[inline]
    pub(crate) fn new<F: FnOnce(&mut Cx) + 'static>(f: F) -> Self {
        let mut words = [MaybeUninit::uninit(); WORDS];
        let run: RunFn<Cx, WORDS> = if fits::<F, WORDS>() {
            // SAFETY: the words are large enough and aligned for `F`, and hold nothing yet.
            unsafe { words.as_mut_ptr().cast::<F>().write(f) };
            run_inline::<Cx, F, WORDS>
        } else {
            const { assert!(WORDS > 0) };
            let boxed = Box::into_raw(Box::new(f));
            // SAFETY: a thin pointer fits into the first word.
            unsafe { words.as_mut_ptr().cast::<*mut F>().write(boxed) };
            run_boxed::<Cx, F, WORDS>
        };
        Task { run, words, not_send: PhantomData }
    }

    /// Whether dropping a task of this closure does anything at all.
    pub(crate) const fn needs_drop<F>() -> bool {
        std::mem::needs_drop::<F>() || !fits::<F, WORDS>()
    }

    /// Runs the closure.
    #[inline]
    pub(crate) fn run(self, cx: &mut Cx) {
        let mut task = ManuallyDrop::new(self);
        // SAFETY: the words hold the closure of `run`. The task is consumed and not dropped, so
        // neither another call nor the drop touches the words again.
        unsafe { (task.run)(NonNull::from(&mut task.words), Some(cx)) };
    }
}

impl<Cx, const WORDS: usize> Drop for Task<Cx, WORDS> {
    fn drop(&mut self) {
        // SAFETY: a task that can be dropped has not been run, so the words hold the closure.
        unsafe { (self.run)(NonNull::from(&mut self.words), None) };
    }
}

impl<Cx, const WORDS: usize> fmt::Debug for Task<Cx, WORDS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}

const fn fits<F, const WORDS: usize>() -> bool {
    size_of::<F>() <= size_of::<Words<WORDS>>() && align_of::<F>() <= align_of::<Words<WORDS>>()
}

/// # Safety
/// The words hold an `F`, which this call takes.
unsafe fn run_inline<Cx, F: FnOnce(&mut Cx), const WORDS: usize>(
    words: NonNull<Words<WORDS>>,
    cx: Option<&mut Cx>,
) {
    // SAFETY: by the contract there is an `F`, and nobody reads it again.
    let f = unsafe { words.cast::<F>().read() };
    if let Some(cx) = cx {
        f(cx);
    }
}

/// # Safety
/// The words hold a pointer from `Box::<F>::into_raw`, which this call takes.
unsafe fn run_boxed<Cx, F: FnOnce(&mut Cx), const WORDS: usize>(
    words: NonNull<Words<WORDS>>,
    cx: Option<&mut Cx>,
) {
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
    /// `None` between head and tail: the task was cancelled.
    slots: Vec<MaybeUninit<Option<Task<Cx>>>>,
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
        self.slot_mut(self.tail).write(Some(Task::new(f)));
        self.tail += 1;
        self.tail - 1
    }

    /// Drops the closure of a task that waits. Returns whether there was one.
    pub(crate) fn cancel(&mut self, number: u64) -> bool {
        if number < self.head || number >= self.tail {
            return false;
        }
        let slot = self.slot(number);
        // SAFETY: between head and tail every slot is written.
        let task = unsafe { self.slots[slot].assume_init_mut() };
        task.take().is_some()
    }

    /// Whether a task waits under this number and has not been cancelled.
    #[inline]
    pub(crate) fn is_armed(&self, number: u64) -> bool {
        if number < self.head || number >= self.tail {
            return false;
        }
        // SAFETY: between head and tail every slot is written.
        unsafe { self.slots[self.slot(number)].assume_init_ref() }.is_some()
    }

    /// Takes the task at the front of the ring that `ring` finds in `cx`, and runs it with `cx`.
    #[inline]
    pub(crate) fn run_front(cx: &mut Cx, ring: impl FnOnce(&mut Cx) -> &mut Self) -> Front {
        let ring = ring(cx);
        if ring.is_empty() {
            return Front::Empty;
        }
        ring.head += 1;
        // SAFETY: the slot was written. The head has moved on, so nobody but this call sees it
        // until a push writes it anew.
        let task = unsafe { ring.slot_mut(ring.head - 1).assume_init_mut() };
        let Some(task) = task else { return Front::Cancelled };
        let (run, words) = (task.run, NonNull::from(&mut task.words));
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

    #[inline]
    fn slot_mut(&mut self, number: u64) -> &mut MaybeUninit<Option<Task<Cx>>> {
        let slot = self.slot(number);
        // SAFETY: there are slots from the start, as many as a power of two, so what is left of a
        // number under the mask is below their count.
        unsafe { self.slots.get_unchecked_mut(slot) }
    }

    /// Makes room for `size` tasks, a power of two.
    #[cold]
    fn resize(&mut self, size: usize) {
        let mut slots: Vec<MaybeUninit<Option<Task<Cx>>>> = Vec::with_capacity(size);
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
            // SAFETY: between head and tail every slot is written, and each is dropped once.
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

    #[test]
    fn a_task_of_few_words_boxes_what_does_not_fit() {
        let held = Rc::new(());
        let (small, large) = ((held.clone(), 1u64), (held.clone(), [2u64; 3]));
        let small = move |ran: &mut Vec<u64>| ran.push(small.clone().1);
        let large = move |ran: &mut Vec<u64>| ran.push(large.clone().1.iter().sum());
        let mut ran = Vec::new();
        Task::<_, 3>::new(small.clone()).run(&mut ran);
        Task::<_, 3>::new(large.clone()).run(&mut ran);
        assert_eq!(ran, [1, 6]);
        assert_eq!(Rc::strong_count(&held), 3);
        drop((Task::<_, 3>::new(small), Task::<_, 3>::new(large)));
        assert_eq!(Rc::strong_count(&held), 1);
    }

    #[test]
    fn what_needs_no_drop_is_told() {
        fn needs<F: FnOnce(&mut ())>(_: F) -> bool {
            Task::<(), 3>::needs_drop::<F>()
        }
        let (word, many, held) = (1u64, [1u64; 4], Rc::new(1u64));
        assert!(!needs(|_| {}));
        assert!(!needs(move |_| assert_eq!(word, 1)));
        assert!(needs(move |_| assert_eq!(many[0], 1)), "it is boxed");
        assert!(needs(move |_| assert_eq!(*held, 1)));
    }
}
