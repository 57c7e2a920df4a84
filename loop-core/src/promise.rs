//! Promises whose reactions are microtasks, with JavaScript's job counts.
//!
//! A reaction to a settled promise is queued at once; one to a pending promise when it settles.
//! Either way it is exactly one job. Resolving a promise with another one takes two more, as the
//! language has it.
//!
//! Cost: a promise is one allocation; a reaction to a settled promise none but for what it
//! returns.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::rc::Rc;

use crate::event_loop::Loop;
use crate::recorder::{Record, Recorder};

/// Why a promise was rejected.
#[derive(Clone)]
pub struct Reason(Rc<dyn Error>);

impl Reason {
    /// A reason from any error.
    pub fn new(error: impl Into<Box<dyn Error>>) -> Reason {
        Reason(error.into().into())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

type Outcome<T> = Result<T, Reason>;
type Reaction<T, R> = Box<dyn FnOnce(&mut Loop<R>, Outcome<T>)>;

enum State<T, R: Record> {
    Pending(Vec<Reaction<T, R>>),
    Settled(Outcome<T>),
}

struct PromiseCell<T, R: Record> {
    state: RefCell<State<T, R>>,
    /// Whether it is decided how it will be settled: the first resolution counts, also where that
    /// is to follow another promise.
    resolved: Cell<bool>,
    handled: Rc<Cell<bool>>,
}

/// A value that may come later. Clones are the same promise.
pub struct Promise<T, R: Record = Recorder>(Rc<PromiseCell<T, R>>);

impl<T, R: Record> Clone for Promise<T, R> {
    fn clone(&self) -> Self {
        Promise(self.0.clone())
    }
}

impl<T, R: Record> fmt::Debug for Promise<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.0.state.borrow() {
            State::Pending(_) => "pending",
            State::Settled(Ok(_)) => "fulfilled",
            State::Settled(Err(_)) => "rejected",
        };
        f.debug_tuple("Promise").field(&state).finish()
    }
}

/// Settles a promise. Only the first settlement counts.
#[derive(Debug)]
pub struct Resolver<T, R: Record = Recorder>(Promise<T, R>);

impl<T, R: Record> Clone for Resolver<T, R> {
    fn clone(&self) -> Self {
        Resolver(self.0.clone())
    }
}

impl<T: Clone + 'static, R: Record> Promise<T, R> {
    /// A promise and what settles it: as `Promise.withResolvers()`.
    pub fn pending() -> (Promise<T, R>, Resolver<T, R>) {
        let promise = Promise::with(State::Pending(Vec::new()));
        (promise.clone(), Resolver(promise))
    }

    /// A promise that is fulfilled already: as `Promise.resolve(value)`.
    pub fn resolved(value: T) -> Promise<T, R> {
        Promise::with(State::Settled(Ok(value)))
    }

    /// A promise that is rejected already: as `Promise.reject(reason)`.
    pub fn rejected(lp: &mut Loop<R>, reason: Reason) -> Promise<T, R> {
        let (promise, resolver) = Promise::pending();
        resolver.reject(lp, reason);
        promise
    }

    fn with(state: State<T, R>) -> Promise<T, R> {
        let resolved = Cell::new(matches!(state, State::Settled(_)));
        Promise(Rc::new(PromiseCell {
            state: RefCell::new(state),
            resolved,
            handled: Rc::default(),
        }))
    }

    /// Runs `f` with the value, in a job of its own: as `promise.then(f)`. A rejection is passed
    /// on to the promise that is returned.
    pub fn then<U: Clone + 'static>(
        &self,
        lp: &mut Loop<R>,
        f: impl FnOnce(&mut Loop<R>, T) -> U + 'static,
    ) -> Promise<U, R> {
        let (promise, resolver) = Promise::pending();
        self.react(lp, move |lp, outcome| match outcome {
            Ok(value) => {
                let value = f(lp, value);
                resolver.resolve(lp, value);
            }
            Err(reason) => resolver.reject(lp, reason),
        });
        promise
    }

    /// As [`Promise::then`], for a function that may fail: as one that throws.
    pub fn then_try<U: Clone + 'static>(
        &self,
        lp: &mut Loop<R>,
        f: impl FnOnce(&mut Loop<R>, T) -> Result<U, Reason> + 'static,
    ) -> Promise<U, R> {
        let (promise, resolver) = Promise::pending();
        self.react(lp, move |lp, outcome| {
            let outcome = outcome.and_then(|value| f(lp, value));
            resolver.decide(lp, outcome);
        });
        promise
    }

    /// As [`Promise::then`], for a function that returns a promise, which is then waited for.
    pub fn then_promise<U: Clone + 'static>(
        &self,
        lp: &mut Loop<R>,
        f: impl FnOnce(&mut Loop<R>, T) -> Promise<U, R> + 'static,
    ) -> Promise<U, R> {
        let (promise, resolver) = Promise::pending();
        self.react(lp, move |lp, outcome| match outcome {
            Ok(value) => {
                let inner = f(lp, value);
                resolver.resolve_with(lp, inner);
            }
            Err(reason) => resolver.reject(lp, reason),
        });
        promise
    }

    /// Runs `f` with the reason of a rejection: as `promise.catch(f)`.
    pub fn catch(
        &self,
        lp: &mut Loop<R>,
        f: impl FnOnce(&mut Loop<R>, Reason) -> T + 'static,
    ) -> Promise<T, R> {
        let (promise, resolver) = Promise::pending();
        self.react(lp, move |lp, outcome| {
            let value = match outcome {
                Ok(value) => value,
                Err(reason) => f(lp, reason),
            };
            resolver.resolve(lp, value);
        });
        promise
    }

    /// Runs `f` when the promise is settled, either way: the bare reaction, one job, without a
    /// promise of its own. As what `await` does.
    pub fn react(&self, lp: &mut Loop<R>, f: impl FnOnce(&mut Loop<R>, Outcome<T>) + 'static) {
        self.0.handled.set(true);
        let mut state = self.0.state.borrow_mut();
        match &mut *state {
            State::Pending(reactions) => reactions.push(Box::new(f)),
            State::Settled(outcome) => {
                let outcome = outcome.clone();
                lp.queue_microtask(move |lp| f(lp, outcome));
            }
        }
    }

    /// Fulfilled with all values when all are: as `Promise.all`. One job for each promise.
    pub fn all(lp: &mut Loop<R>, promises: &[Promise<T, R>]) -> Promise<Vec<T>, R> {
        let (all, resolver) = Promise::pending();
        let values = Rc::new(RefCell::new(vec![None; promises.len()]));
        let missing = Rc::new(Cell::new(promises.len()));
        if promises.is_empty() {
            resolver.resolve(lp, Vec::new());
        }
        for (index, promise) in promises.iter().enumerate() {
            let (values, missing, resolver) = (values.clone(), missing.clone(), resolver.clone());
            promise.react(lp, move |lp, outcome| match outcome {
                Ok(value) => {
                    values.borrow_mut()[index] = Some(value);
                    missing.set(missing.get() - 1);
                    if missing.get() == 0 {
                        let values = values.take().into_iter().flatten().collect();
                        resolver.resolve(lp, values);
                    }
                }
                Err(reason) => resolver.reject(lp, reason),
            });
        }
        all
    }

    /// Settled as the first of them: as `Promise.race`. One job for each promise, not only for the
    /// first.
    pub fn race(lp: &mut Loop<R>, promises: &[Promise<T, R>]) -> Promise<T, R> {
        let (first, resolver) = Promise::pending();
        for promise in promises {
            let resolver = resolver.clone();
            promise.react(lp, move |lp, outcome| resolver.decide(lp, outcome));
        }
        first
    }
}

impl<T: Clone + 'static, R: Record> Resolver<T, R> {
    /// Fulfils the promise.
    pub fn resolve(&self, lp: &mut Loop<R>, value: T) {
        self.decide(lp, Ok(value));
    }

    /// Rejects the promise.
    pub fn reject(&self, lp: &mut Loop<R>, reason: Reason) {
        self.decide(lp, Err(reason));
    }

    /// Settles the promise as another one will be. Takes two jobs more than a value, as in
    /// JavaScript: one that asks the other promise, and its reaction. A promise that would wait
    /// for itself is rejected.
    pub fn resolve_with(&self, lp: &mut Loop<R>, other: Promise<T, R>) {
        if self.0.0.resolved.replace(true) {
            return;
        }
        if Rc::ptr_eq(&self.0.0, &other.0) {
            self.settle(lp, Err(Reason::new("chaining cycle detected for a promise")));
            return;
        }
        let resolver = self.clone();
        // It counts as handled from now on: the job that will handle it is queued.
        other.0.handled.set(true);
        lp.queue_microtask(move |lp| {
            other.react(lp, move |lp, outcome| resolver.settle(lp, outcome));
        });
    }

    /// Settles the promise unless it is decided already.
    fn decide(&self, lp: &mut Loop<R>, outcome: Outcome<T>) {
        if !self.0.0.resolved.replace(true) {
            self.settle(lp, outcome);
        }
    }

    fn settle(&self, lp: &mut Loop<R>, outcome: Outcome<T>) {
        let cell = &self.0.0;
        let reactions = {
            let mut state = cell.state.borrow_mut();
            let State::Pending(reactions) = &mut *state else { return };
            let reactions = std::mem::take(reactions);
            *state = State::Settled(outcome.clone());
            reactions
        };
        if let (Err(reason), false) = (&outcome, cell.handled.get()) {
            lp.rejections.push(cell.handled.clone(), reason.clone());
            lp.exceptional = true;
        }
        for reaction in reactions {
            let outcome = outcome.clone();
            lp.queue_microtask(move |lp| reaction(lp, outcome));
        }
    }
}

/// Rejections that nobody handles yet, and what to do about those nobody ever does.
pub(crate) struct Rejections<R: Record> {
    waiting: Vec<(Rc<Cell<bool>>, Reason)>,
    handler: Option<Handler<R>>,
    fatal: Option<Reason>,
}

type Handler<R> = Box<dyn FnMut(&mut Loop<R>, Reason)>;

impl<R: Record> Rejections<R> {
    pub(crate) fn new() -> Self {
        Rejections { waiting: Vec::new(), handler: None, fatal: None }
    }

    #[inline]
    pub(crate) fn waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    #[inline]
    pub(crate) fn fatal(&self) -> bool {
        self.fatal.is_some()
    }

    pub(crate) fn take_fatal(&mut self) -> Option<Reason> {
        self.fatal.take()
    }

    fn push(&mut self, handled: Rc<Cell<bool>>, reason: Reason) {
        self.waiting.push((handled, reason));
    }
}

impl<R: Record> Loop<R> {
    /// Sets what is run for a rejection that is still unhandled when both queues are empty: as
    /// `process.on('unhandledRejection')`. Without one, [`Loop::run`] ends with an error.
    pub fn on_unhandled_rejection(&mut self, handler: impl FnMut(&mut Self, Reason) + 'static) {
        self.rejections.handler = Some(Box::new(handler));
    }

    /// Tells of rejections that are still unhandled. Returns whether the queues may hold more now.
    pub(crate) fn process_rejections(&mut self) -> bool {
        let waiting = std::mem::take(&mut self.rejections.waiting);
        let mut told = false;
        for (handled, reason) in waiting {
            if handled.replace(true) {
                continue;
            }
            told = true;
            match self.rejections.handler.take() {
                Some(mut handler) => {
                    handler(self, reason);
                    self.rejections.handler.get_or_insert(handler);
                }
                None => {
                    self.rejections.fatal.get_or_insert(reason);
                }
            }
        }
        told
    }
}
