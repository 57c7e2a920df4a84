//! Idle, prepare and check handles: callbacks that run once in every turn.
//!
//! As in libuv the one started last runs first. An active idle handle keeps the poll from waiting.

use super::Loop;
use crate::handle::{Callback, HandleId, Kind, Watcher, WatcherList};
use crate::phase::Phase;
use crate::recorder::Record;

/// The active watchers of one phase, in the order in which they were started.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    active: Vec<HandleId>,
    /// Used again by every pass, so that a pass does not allocate.
    scratch: Vec<HandleId>,
    /// How many passes there have been.
    passes: u64,
}

impl Watchers {
    pub(super) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    pub(crate) fn remove(&mut self, id: HandleId) {
        self.active.retain(|&active| active != id);
    }
}

impl<R: Record> Loop<R> {
    /// Starts an idle handle: its callback runs in every turn, right before the prepare handles,
    /// and the poll never waits.
    pub fn idle_start(&mut self, callback: impl FnMut(&mut Self) + 'static) -> HandleId {
        self.watcher_start(WatcherList::Idle, Box::new(callback))
    }

    /// Starts a prepare handle: its callback runs in every turn, right before the poll.
    pub fn prepare_start(&mut self, callback: impl FnMut(&mut Self) + 'static) -> HandleId {
        self.watcher_start(WatcherList::Prepare, Box::new(callback))
    }

    /// Starts a check handle: its callback runs in every turn, right after the poll.
    pub fn check_start(&mut self, callback: impl FnMut(&mut Self) + 'static) -> HandleId {
        self.watcher_start(WatcherList::Check, Box::new(callback))
    }

    /// Stops an idle, prepare or check handle. It can be started again.
    pub fn watcher_stop(&mut self, id: HandleId) {
        let Some(handle) = self.handles.get(id) else { return };
        if let Kind::Watcher(Watcher { list, .. }) = handle.kind {
            self.watchers[list as usize].remove(id);
            self.handles.update(id, |handle| handle.active = false);
        }
    }

    /// Starts a stopped handle again, first in its phase from the next turn on.
    pub fn watcher_restart(&mut self, id: HandleId) {
        if self.is_active(id) {
            return;
        }
        let Some(handle) = self.handles.get_mut(id).filter(|handle| !handle.closing) else {
            return;
        };
        if let Kind::Watcher(watcher) = &mut handle.kind {
            let watchers = &mut self.watchers[watcher.list as usize];
            watcher.started = watchers.passes;
            watchers.active.push(id);
            self.handles.update(id, |handle| handle.active = true);
        }
    }

    fn watcher_start(&mut self, list: WatcherList, callback: Callback<R>) -> HandleId {
        let watchers = &mut self.watchers[list as usize];
        let watcher = Watcher { list, started: watchers.passes, callback: Some(callback) };
        let id = self.handles.insert(Kind::Watcher(watcher), true);
        watchers.active.push(id);
        id
    }

    #[inline]
    pub(super) fn idle_is_empty(&self) -> bool {
        self.watchers[WatcherList::Idle as usize].is_empty()
    }

    #[inline]
    pub(super) fn run_idle(&mut self) {
        if !self.idle_is_empty() {
            self.in_phase(Phase::Idle, |lp| lp.run_watchers(WatcherList::Idle));
        }
    }

    #[inline]
    pub(super) fn run_prepare(&mut self) {
        if !self.watchers[WatcherList::Prepare as usize].is_empty() {
            self.in_phase(Phase::Prepare, |lp| lp.run_watchers(WatcherList::Prepare));
        }
    }

    #[inline]
    pub(super) fn run_check(&mut self) {
        let watchers = !self.watchers[WatcherList::Check as usize].is_empty();
        if watchers || !self.immediates.is_empty() {
            self.in_phase(Phase::Check, |lp| {
                lp.run_watchers(WatcherList::Check);
                lp.run_immediates();
            });
        }
    }

    fn run_watchers(&mut self, list: WatcherList) {
        let watchers = &mut self.watchers[list as usize];
        watchers.passes += 1;
        let pass = watchers.passes;
        let mut scratch = std::mem::take(&mut watchers.scratch);
        scratch.extend(watchers.active.iter().rev());
        for id in scratch.drain(..) {
            self.run_watcher(id, pass);
        }
        self.watchers[list as usize].scratch = scratch;
    }

    /// Runs one watcher, unless it has been stopped in this pass (and perhaps started again: then
    /// its turn is the next).
    fn run_watcher(&mut self, id: HandleId, pass: u64) {
        let Some(handle) = self.handles.get_mut(id).filter(|handle| handle.active) else { return };
        let Kind::Watcher(watcher) = &mut handle.kind else { return };
        if watcher.started >= pass {
            return;
        }
        let Some(mut callback) = watcher.callback.take() else { return };
        self.callback(|lp| {
            callback(lp);
            if let Some(handle) = lp.handles.get_mut(id)
                && let Kind::Watcher(watcher) = &mut handle.kind
            {
                watcher.callback = Some(callback);
            }
        });
    }
}
