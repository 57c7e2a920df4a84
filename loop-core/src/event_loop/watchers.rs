//! Idle, prepare and check handles: callbacks that run once in every turn.
//!
//! As in libuv the one started last runs first. An active idle handle keeps the poll from waiting.

use std::fmt;

use super::Loop;
use crate::handle::{Callback, HandleId, Kind, Watcher, WatcherList};
use crate::phase::Phase;
use crate::recorder::Record;

/// The started watchers of one phase, in the order in which they were started.
pub(crate) struct Watchers<R: Record> {
    started: Vec<Started<R>>,
    /// How many passes there have been.
    passes: u64,
    /// Whether a pass is being run, which counts on the places of all.
    running: bool,
    /// Whether some were stopped in a pass and are still in the list.
    stopped: bool,
}

struct Started<R: Record> {
    id: HandleId,
    live: bool,
    /// The pass before which it was started; a pass runs only those started before it.
    before_pass: u64,
    /// `None` while it runs.
    callback: Option<Callback<R>>,
}

impl<R: Record> Watchers<R> {
    pub(super) fn new() -> Self {
        Watchers { started: Vec::new(), passes: 0, running: false, stopped: false }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.started.is_empty()
    }

    fn find(&mut self, id: HandleId) -> Option<&mut Started<R>> {
        self.started.iter_mut().find(|started| started.live && started.id == id)
    }

    fn push(&mut self, id: HandleId, callback: Option<Callback<R>>) {
        self.started.push(Started { id, live: true, before_pass: self.passes, callback });
    }

    /// Takes a watcher from the list, and returns its callback unless it is running.
    pub(crate) fn remove(&mut self, id: HandleId) -> Option<Callback<R>> {
        let started = self.find(id)?;
        started.live = false;
        let callback = started.callback.take();
        self.stopped = true;
        self.compact();
        callback
    }

    /// Takes the next one to run from below `end`, with its place. `end` moves down to it.
    #[inline]
    fn next(&mut self, end: &mut usize, pass: u64) -> Option<(HandleId, Callback<R>)> {
        while *end > 0 {
            *end -= 1;
            let started = &mut self.started[*end];
            if started.live
                && started.before_pass < pass
                && let Some(callback) = started.callback.take()
            {
                return Some((started.id, callback));
            }
        }
        None
    }

    /// Forgets those that were stopped, unless a pass counts on their places.
    fn compact(&mut self) {
        if self.stopped && !self.running {
            self.started.retain(|started| started.live);
            self.stopped = false;
        }
    }
}

impl<R: Record> fmt::Debug for Watchers<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchers").field("started", &self.started.len()).finish_non_exhaustive()
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
        let Some(handle) = self.handles.get_mut(id) else { return };
        if let Kind::Watcher(watcher) = &mut handle.kind
            && let Some(callback) = self.watchers[watcher.list as usize].remove(id)
        {
            watcher.callback = Some(callback);
        }
        self.set_watching(id, false);
    }

    /// Starts a stopped handle again, first in its phase from the next turn on.
    pub fn watcher_restart(&mut self, id: HandleId) {
        let Some(handle) = self.handles.get_mut(id).filter(|h| !h.active && !h.closing) else {
            return;
        };
        if let Kind::Watcher(watcher) = &mut handle.kind {
            let callback = watcher.callback.take();
            self.watchers[watcher.list as usize].push(id, callback);
        }
        self.set_watching(id, true);
    }

    fn set_watching(&mut self, id: HandleId, active: bool) {
        self.handles.update(id, |handle| {
            if matches!(handle.kind, Kind::Watcher(_)) {
                handle.active = active;
            }
        });
    }

    fn watcher_start(&mut self, list: WatcherList, callback: Callback<R>) -> HandleId {
        let id = self.handles.insert(Kind::Watcher(Watcher { list, callback: None }), true);
        self.watchers[list as usize].push(id, Some(callback));
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

    #[inline]
    fn run_watchers(&mut self, list: WatcherList) {
        let watchers = &mut self.watchers[list as usize];
        watchers.passes += 1;
        watchers.running = true;
        let (pass, mut end) = (watchers.passes, watchers.started.len());
        while !self.rejections.fatal()
            && let Some((id, mut callback)) = self.watchers[list as usize].next(&mut end, pass)
        {
            self.callback(|lp| {
                callback(lp);
                lp.put_back(list, end, id, callback);
            });
        }
        let watchers = &mut self.watchers[list as usize];
        watchers.running = false;
        watchers.compact();
    }

    /// A watcher's callback has run: puts it back where it was, or where it belongs now that the
    /// watcher was stopped, started again or closed.
    #[inline]
    fn put_back(&mut self, list: WatcherList, place: usize, id: HandleId, callback: Callback<R>) {
        let watchers = &mut self.watchers[list as usize];
        let started = match &mut watchers.started[place] {
            same if same.live => Some(same),
            _ => watchers.find(id),
        };
        if let Some(started) = started {
            started.callback = Some(callback);
        } else if let Some(handle) = self.handles.get_mut(id)
            && let Kind::Watcher(watcher) = &mut handle.kind
        {
            watcher.callback = Some(callback);
        }
    }
}
