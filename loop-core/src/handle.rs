//! Handles: what a loop watches, under names that stay valid when the thing is gone.
//!
//! **Invariant**: the loop stays alive by exactly those handles that are active and referenced, or
//! owe a callback (of a connection, a write, an end, a datagram sent: libuv's requests, which hold
//! the loop whether their handle does or not), and that are not closing; `holding` is their number.

use std::fmt;

use crate::event_loop::Loop;
use crate::net::{Listener, Owed, Stream, Udp};
use crate::recorder::Record;
use crate::signal::SignalWatch;
use crate::task::Task;
use crate::timers::TimerHeap;

/// The name of a handle. Using one whose handle is closed does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HandleId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl HandleId {
    /// The one loop timer behind Node's timers. It is no entry of the slab.
    pub(crate) const NODE_TIMERS: HandleId = HandleId { index: u32::MAX, generation: 0 };
}

/// A callback that may run many times.
pub(crate) type Callback<R> = Box<dyn FnMut(&mut Loop<R>)>;

/// What a handle is.
pub(crate) enum Kind<R: Record> {
    Watcher(Watcher<R>),
    Timer(LoopTimer<R>),
    Async(Option<Callback<R>>),
    Listener(Listener<R>),
    Stream(Stream<R>),
    Udp(Box<Udp<R>>),
    Signal(Box<SignalWatch<R>>),
}

impl<R: Record> Kind<R> {
    /// Gives back what the handle holds, all but the callbacks that it still owes.
    pub(crate) fn into_owed(self) -> Vec<Owed<R>> {
        match self {
            Kind::Stream(stream) => stream.into_owed(),
            Kind::Udp(udp) => udp.into_owed(),
            Kind::Watcher(_)
            | Kind::Timer(_)
            | Kind::Async(_)
            | Kind::Listener(_)
            | Kind::Signal(_) => Vec::new(),
        }
    }
}

/// An idle, prepare or check handle.
pub(crate) struct Watcher<R: Record> {
    pub(crate) list: WatcherList,
    /// Kept here while it is stopped; a started one has it in its list.
    pub(crate) callback: Option<Callback<R>>,
}

/// Which list a watcher stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WatcherList {
    Idle = 0,
    Prepare = 1,
    Check = 2,
}

/// One of the loop's own timers.
pub(crate) struct LoopTimer<R: Record> {
    pub(crate) place: Option<crate::timers::Place>,
    /// To the nanosecond, though the order goes by milliseconds.
    pub(crate) due_ns: u64,
    pub(crate) repeat_ms: u64,
    pub(crate) callback: Option<Callback<R>>,
}

pub(crate) struct Handle<R: Record> {
    pub(crate) kind: Kind<R>,
    pub(crate) active: bool,
    pub(crate) referenced: bool,
    /// Whether a callback is owed, apart from that of closing.
    pub(crate) owes: bool,
    pub(crate) closing: bool,
    /// Whether it is the loop's own and not shown to others.
    hidden: bool,
    pub(crate) on_close: Option<Task<Loop<R>>>,
}

impl<R: Record> Handle<R> {
    fn holds(&self) -> bool {
        (self.active && self.referenced || self.owes) && !self.closing
    }
}

/// All handles of a loop.
pub(crate) struct Handles<R: Record> {
    slots: Vec<(u32, Option<Handle<R>>)>,
    free: Vec<u32>,
    holding: usize,
}

impl<R: Record> Handles<R> {
    pub(crate) fn new() -> Self {
        Handles { slots: Vec::new(), free: Vec::new(), holding: 0 }
    }

    /// How many handles keep the loop alive.
    pub(crate) fn holding(&self) -> usize {
        self.holding
    }

    /// Adds a handle, referenced and active as told.
    pub(crate) fn insert(&mut self, kind: Kind<R>, active: bool) -> HandleId {
        let handle = Handle {
            kind,
            active,
            referenced: true,
            owes: false,
            closing: false,
            hidden: false,
            on_close: None,
        };
        self.holding += usize::from(handle.holds());
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.slots.push((0, None));
                (self.slots.len() - 1) as u32
            }
        };
        let slot = &mut self.slots[index as usize];
        slot.1 = Some(handle);
        HandleId { index, generation: slot.0 }
    }

    #[inline]
    pub(crate) fn get(&self, id: HandleId) -> Option<&Handle<R>> {
        let (generation, handle) = self.slots.get(id.index as usize)?;
        handle.as_ref().filter(|_| *generation == id.generation)
    }

    /// A handle that may be changed, but not in what counts for liveness.
    #[inline]
    pub(crate) fn get_mut(&mut self, id: HandleId) -> Option<&mut Handle<R>> {
        let (generation, handle) = self.slots.get_mut(id.index as usize)?;
        handle.as_mut().filter(|_| *generation == id.generation)
    }

    /// An idle, prepare or check handle.
    pub(crate) fn watcher(&mut self, id: HandleId) -> Option<&mut Watcher<R>> {
        match &mut self.get_mut(id)?.kind {
            Kind::Watcher(watcher) => Some(watcher),
            _ => None,
        }
    }

    /// Changes what counts for liveness. Returns false when there is no such handle.
    pub(crate) fn update(&mut self, id: HandleId, change: impl FnOnce(&mut Handle<R>)) -> bool {
        let Some(handle) = self.get_mut(id) else { return false };
        let before = handle.holds();
        change(handle);
        let after = handle.holds();
        self.holding = self.holding + usize::from(after) - usize::from(before);
        true
    }

    /// The names of all handles that are not hidden.
    fn shown(&self) -> impl Iterator<Item = HandleId> {
        self.slots.iter().enumerate().filter_map(|(index, (generation, handle))| {
            handle.as_ref().filter(|handle| !handle.hidden)?;
            Some(HandleId { index: index as u32, generation: *generation })
        })
    }

    /// Takes a handle out; its name is never given again.
    pub(crate) fn remove(&mut self, id: HandleId) -> Option<Handle<R>> {
        self.get(id)?;
        let slot = &mut self.slots[id.index as usize];
        let handle = slot.1.take()?;
        slot.0 = slot.0.wrapping_add(1);
        self.holding -= usize::from(handle.holds());
        self.free.push(id.index);
        Some(handle)
    }
}

impl<R: Record> fmt::Debug for Handles<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handles").field("holding", &self.holding).finish_non_exhaustive()
    }
}

impl<R: Record> Loop<R> {
    /// Lets an active handle keep the loop alive (as it does from the start).
    pub fn handle_ref(&mut self, handle: HandleId) {
        self.handles.update(handle, |handle| handle.referenced = true);
    }

    /// Lets the loop end though this handle is active. Callbacks that it owes are still waited for.
    pub fn handle_unref(&mut self, handle: HandleId) {
        self.handles.update(handle, |handle| handle.referenced = false);
    }

    /// Whether a handle is referenced, active or not, as it is from the start; `false` for one that
    /// is closed.
    pub fn has_ref(&self, handle: HandleId) -> bool {
        self.handles.get(handle).is_some_and(|handle| handle.referenced)
    }

    /// Whether a handle is being closed or is closed already.
    pub fn is_closing(&self, handle: HandleId) -> bool {
        self.handles.get(handle).is_none_or(|handle| handle.closing)
    }

    /// All handles that are not closed yet, as libuv's `uv_walk`: active or not, closing ones
    /// included. Cost: a look at each place for a handle that was ever used.
    pub fn handles(&self) -> impl Iterator<Item = HandleId> {
        self.handles.shown()
    }

    /// Keeps a handle of the loop's own out of [`Loop::handles`].
    pub(crate) fn hide(&mut self, handle: HandleId) {
        if let Some(handle) = self.handles.get_mut(handle) {
            handle.hidden = true;
        }
    }

    /// Whether a handle is active: started, and neither stopped nor closing.
    pub fn is_active(&self, handle: HandleId) -> bool {
        self.handles.get(handle).is_some_and(|handle| handle.active && !handle.closing)
    }

    /// Closes a handle: it is stopped at once, and forgotten in the close phase of this turn.
    pub fn close(&mut self, handle: HandleId) {
        self.close_with(handle, |_| {});
    }

    /// As [`Loop::close`], with a callback for the close phase.
    pub fn close_with(&mut self, handle: HandleId, on_close: impl FnOnce(&mut Self) + 'static) {
        let known = self.handles.get(handle).is_some_and(|handle| !handle.closing);
        if !known {
            return;
        }
        self.stop_watching(handle);
        self.handles.update(handle, |handle| {
            handle.active = false;
            handle.closing = true;
            handle.on_close = Some(Task::new(on_close));
        });
        self.closing.push(handle);
    }

    fn stop_watching(&mut self, id: HandleId) {
        let heap: &mut TimerHeap = &mut self.timer_heap;
        let Some(handle) = self.handles.get_mut(id) else { return };
        match &mut handle.kind {
            Kind::Watcher(_) => self.forget_watcher(id),
            Kind::Timer(timer) => {
                if let Some(place) = timer.place.take() {
                    heap.remove(place);
                }
            }
            Kind::Async(_) => {}
            Kind::Listener(listener) => listener.close_socket(self.io.registry()),
            Kind::Stream(stream) => stream.close_socket(self.io.registry()),
            Kind::Udp(udp) => udp.deregister(self.io.registry()),
            Kind::Signal(watch) => watch.stop(self.io.registry()),
        }
    }
}
