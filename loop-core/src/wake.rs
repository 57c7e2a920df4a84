//! Waking a loop from another thread (libuv's `uv_async`).

use std::fmt;
use std::sync::Arc;

use crate::event_loop::Loop;
use crate::handle::{HandleId, Kind};
use crate::io::Inbox;
use crate::recorder::Record;

/// Wakes a loop from any thread.
#[derive(Clone)]
pub struct Waker {
    inbox: Arc<Inbox>,
    handle: HandleId,
}

impl Waker {
    /// Lets the loop run the callback of this waker in its next poll phase. Calls that come before
    /// the loop gets there are one.
    pub fn wake(&self) {
        self.inbox.post(|letters| {
            if !letters.wakes.contains(&self.handle) {
                letters.wakes.push_back(self.handle);
            }
        });
    }

    /// The handle behind it, to close, `ref` and `unref` it.
    pub fn handle(&self) -> HandleId {
        self.handle
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waker").field("handle", &self.handle).finish()
    }
}

impl<R: Record> Loop<R> {
    /// Makes a waker. Its handle keeps the loop alive until it is closed or unreferenced.
    pub fn waker(&mut self, callback: impl FnMut(&mut Self) + 'static) -> Waker {
        let handle = self.handles.insert(Kind::Async(Some(Box::new(callback))), true);
        Waker { inbox: self.io.inbox(), handle }
    }
}
