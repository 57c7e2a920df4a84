//! Promises by JavaScript's rules: each reaction is one job, a promise that follows another takes
//! two more, and what is rejected without a reaction is told of when all queues are empty.

use super::host::Once;
use super::slow_loop::SlowLoop;

/// `true` for fulfilled.
type Outcome = bool;
type Reaction = Box<dyn FnOnce(&mut SlowLoop, Outcome)>;

#[derive(Default)]
pub(crate) struct Promise {
    outcome: Option<Outcome>,
    /// Whether its outcome is decided, if only as that of another promise.
    resolved: bool,
    handled: bool,
    reactions: Vec<Reaction>,
}

impl SlowLoop {
    pub(crate) fn new_promise(&mut self) -> usize {
        self.promises.push(Promise::default());
        self.promises.len() - 1
    }

    pub(crate) fn react(&mut self, promise: usize, reaction: Reaction) {
        self.promises[promise].handled = true;
        match self.promises[promise].outcome {
            None => self.promises[promise].reactions.push(reaction),
            Some(outcome) => {
                self.microtasks.push_back(Box::new(move |lp| reaction(lp, outcome)));
            }
        }
    }

    /// Resolves or rejects a promise, unless that is decided.
    pub(crate) fn decide(&mut self, promise: usize, outcome: Outcome) {
        if !std::mem::replace(&mut self.promises[promise].resolved, true) {
            self.settle(promise, outcome);
        }
    }

    fn settle(&mut self, promise: usize, outcome: Outcome) {
        self.promises[promise].outcome = Some(outcome);
        if !outcome && !self.promises[promise].handled {
            self.rejected.push(promise);
        }
        for reaction in std::mem::take(&mut self.promises[promise].reactions) {
            self.microtasks.push_back(Box::new(move |lp| reaction(lp, outcome)));
        }
    }

    /// Resolves a promise with another one: a job that asks the other, then its reaction.
    pub(crate) fn resolve_with(&mut self, promise: usize, other: usize) {
        if std::mem::replace(&mut self.promises[promise].resolved, true) {
            return;
        }
        if promise == other {
            self.settle(promise, false);
            return;
        }
        self.promises[other].handled = true;
        self.microtasks.push_back(Box::new(move |lp| {
            lp.react(other, Box::new(move |lp, outcome| lp.settle(promise, outcome)));
        }));
    }

    /// A promise of what `run` makes of an outcome of the kind `on`; the other kind is passed on.
    pub(crate) fn derive(&mut self, promise: usize, on: Outcome, run: Once<Self>) -> usize {
        let derived = self.new_promise();
        self.react(
            promise,
            Box::new(move |lp, outcome| {
                if outcome == on {
                    run(lp);
                    lp.decide(derived, true);
                } else {
                    lp.decide(derived, outcome);
                }
            }),
        );
        derived
    }

    pub(crate) fn all_of(&mut self, promises: &[usize]) -> usize {
        let all = self.new_promise();
        if promises.is_empty() {
            self.decide(all, true);
        }
        let missing = std::rc::Rc::new(std::cell::Cell::new(promises.len()));
        for &promise in promises {
            let missing = missing.clone();
            self.react(
                promise,
                Box::new(move |lp, outcome| {
                    missing.set(missing.get() - usize::from(outcome));
                    if !outcome || missing.get() == 0 {
                        lp.decide(all, outcome);
                    }
                }),
            );
        }
        all
    }

    pub(crate) fn race_of(&mut self, promises: &[usize]) -> usize {
        let first = self.new_promise();
        for &promise in promises {
            self.react(promise, Box::new(move |lp, outcome| lp.decide(first, outcome)));
        }
        first
    }

    /// Tells of promises that were rejected and that nobody handles. Returns whether there were
    /// any.
    pub(crate) fn tell_rejections(&mut self) -> bool {
        let mut told = false;
        for promise in std::mem::take(&mut self.rejected) {
            if !std::mem::replace(&mut self.promises[promise].handled, true) {
                told = true;
                match self.on_unhandled.take() {
                    Some(mut handler) => {
                        handler(self);
                        self.on_unhandled = Some(handler);
                    }
                    None => self.fatal = true,
                }
            }
        }
        told
    }
}
