//! Idle, prepare and check handles: callbacks that run once in every turn.
//!
//! As in libuv the one started last runs first. An active idle handle keeps the poll from waiting.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::Loop;
use crate::handle::{Callback, HandleId, Kind, Watcher, WatcherList};
use crate::phase::Phase;
use crate::recorder::Record;

/// The started watchers of one phase, in the order in which they were started.
///
/// **Invariant**: a pass borrows the rows, so that it calls each where it stands. What callbacks
/// start and stop meanwhile is put down in `changes` and done behind the pass.
pub(crate) struct Watchers<R: Record> {
    rows: Rc<RefCell<Vec<Row<R>>>>,
    /// How many rows there are.
    started: usize,
    /// Whether a pass is being run.
    running: bool,
    changes: Vec<Change<R>>,
}

struct Row<R: Record> {
    id: HandleId,
    callback: Callback<R>,
}

/// What a callback wants of the list of which it is a part.
enum Change<R: Record> {
    Start(HandleId, Callback<R>),
    /// Starts again what was stopped, perhaps in this same pass.
    Restart(HandleId),
    Stop(HandleId),
}

impl<R: Record> Watchers<R> {
    pub(super) fn new() -> Self {
        Watchers { rows: Rc::default(), started: 0, running: false, changes: Vec::new() }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.started == 0
    }

    fn push(&mut self, id: HandleId, callback: Callback<R>) {
        self.rows.borrow_mut().push(Row { id, callback });
        self.started += 1;
    }

    fn take(&mut self, id: HandleId) -> Option<Callback<R>> {
        let mut rows = self.rows.borrow_mut();
        let at = rows.iter().position(|row| row.id == id)?;
        self.started -= 1;
        Some(rows.remove(at).callback)
    }

    /// Whether this pass has stopped a watcher before its callback came.
    fn has_stopped(&self, id: HandleId) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::Stop(other) if *other == id))
    }
}

impl<R: Record> fmt::Debug for Watchers<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchers").field("started", &self.started).finish_non_exhaustive()
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
        if let Some(list) = self.watcher_list(id, true) {
            self.change_watchers(list, Change::Stop(id));
            self.set_watching(id, false);
        }
    }

    /// Starts a stopped handle again, first in its phase from the next turn on.
    pub fn watcher_restart(&mut self, id: HandleId) {
        if let Some(list) = self.watcher_list(id, false) {
            self.change_watchers(list, Change::Restart(id));
            self.set_watching(id, true);
        }
    }

    /// The list of a watcher that is not closing, and is active or not as asked.
    fn watcher_list(&self, id: HandleId, active: bool) -> Option<WatcherList> {
        let handle = self.handles.get(id).filter(|h| h.active == active && !h.closing)?;
        match &handle.kind {
            Kind::Watcher(watcher) => Some(watcher.list),
            _ => None,
        }
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
        self.change_watchers(list, Change::Start(id, callback));
        id
    }

    /// Takes a watcher that is about to be closed from its list.
    pub(crate) fn forget_watcher(&mut self, id: HandleId) {
        if let Some(list) = self.watcher_list(id, true) {
            self.change_watchers(list, Change::Stop(id));
        }
    }

    fn change_watchers(&mut self, list: WatcherList, change: Change<R>) {
        let watchers = &mut self.watchers[list as usize];
        watchers.changes.push(change);
        if !watchers.running {
            self.settle_watchers(list);
        }
    }

    /// Ends a pass, if there is one, and does what its callbacks have asked for.
    fn settle_watchers(&mut self, list: WatcherList) {
        self.watchers[list as usize].running = false;
        for change in std::mem::take(&mut self.watchers[list as usize].changes) {
            let watchers = &mut self.watchers[list as usize];
            match change {
                Change::Start(id, callback) => watchers.push(id, callback),
                Change::Restart(id) => {
                    if let Some(watcher) = self.handles.watcher(id)
                        && let Some(callback) = watcher.callback.take()
                    {
                        watchers.push(id, callback);
                    }
                }
                Change::Stop(id) => {
                    let callback = watchers.take(id);
                    if let Some(watcher) = self.handles.watcher(id) {
                        watcher.callback = callback;
                    }
                }
            }
        }
    }

    /// A callback has panicked, perhaps in a pass.
    pub(super) fn settle_all_watchers(&mut self) {
        for list in [WatcherList::Idle, WatcherList::Prepare, WatcherList::Check] {
            self.settle_watchers(list);
        }
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
        if self.rejections.fatal() {
            return;
        }
        let detail = R::ON && self.record.detail();
        let rows = self.watchers[list as usize].rows.clone();
        self.watchers[list as usize].running = true;
        let mut ran = 0;
        for Row { id, callback } in rows.borrow_mut().iter_mut().rev() {
            let watchers = &self.watchers[list as usize];
            if !watchers.changes.is_empty() && watchers.has_stopped(*id) {
                continue;
            }
            ran += 1;
            if detail {
                self.timed_in_detail(callback);
            } else {
                callback(self);
                self.stale = true;
            }
            if self.needs_drain() {
                let may_go_on = self.drain();
                self.interrupted = false;
                if !may_go_on {
                    break;
                }
            }
        }
        self.record.callbacks(ran);
        if self.watchers[list as usize].changes.is_empty() {
            self.watchers[list as usize].running = false;
        } else {
            self.settle_watchers(list);
        }
    }
}
