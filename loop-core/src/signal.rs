//! Signals, as libuv's `uv_signal`: any number of handles, of any number of loops, for a signal.
//!
//! ```text
//!  signal ──handler──> one byte into the pipe of each handle ──poll──> its callback, once a byte
//! ```
//!
//! The handler is signal-hook's. Signals that come while the system still holds one of their number
//! back are one, by the system's rule; those that reached the handler are counted by their bytes,
//! up to what a pipe holds (64 KiB on Linux), and none of them is lost.
//!
//! Cost: two descriptors a handle; a turn without a signal costs nothing.
//!
//! **Invariant**: a signal does what it does by default exactly while no handle of any loop watches
//! it, as far as that can be had: the signal must have a name, which real-time signals do not.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{ErrorKind, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mio::unix::pipe::{self, Receiver};
use mio::{Interest, Registry};
use signal_hook::SigId;
use signal_hook::consts::FORBIDDEN;

use crate::error::{About, SysError};
use crate::event_loop::Loop;
use crate::handle::{Callback, HandleId, Kind};
use crate::io::token_of;
use crate::limits::SIGNALS_A_TURN;
use crate::recorder::Record;

/// What watches a signal for one handle.
pub(crate) struct SignalWatch<R: Record> {
    pipe: Receiver,
    /// `None` until the signal is watched and when it is no longer.
    watched: Option<Watched>,
    callback: Option<Callback<R>>,
    /// Signals taken from the pipe whose callbacks have yet to run.
    waiting: usize,
}

impl<R: Record> SignalWatch<R> {
    pub(crate) fn stop(&mut self, registry: &Registry) {
        self.watched = None;
        // Fails only for a pipe that isn't registered, which is what is wanted.
        let _ = registry.deregister(&mut self.pipe);
    }
}

/// Writes into a pipe when the signal comes, for as long as it lives.
struct Watched {
    signum: i32,
    action: SigId,
}

impl Watched {
    fn new(signum: i32, sender: pipe::Sender) -> std::io::Result<Watched> {
        count_watch(signum);
        signal_hook::low_level::pipe::register(signum, sender)
            .map(|action| Watched { signum, action })
            .inspect_err(|_| count_unwatch(signum))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        signal_hook::low_level::unregister(self.action);
        count_unwatch(self.signum);
    }
}

/// How many handles of the process watch a signal.
struct Watches {
    count: usize,
    /// Whether there are none, for the handler to know.
    none: Arc<AtomicBool>,
}

static WATCHES: Mutex<BTreeMap<i32, Watches>> = Mutex::new(BTreeMap::new());

fn count_watch(signum: i32) {
    let mut watches = WATCHES.lock().unwrap_or_else(PoisonError::into_inner);
    let watch = watches.entry(signum).or_insert_with(|| {
        let none = Arc::new(AtomicBool::new(false));
        // Fails for a signal without a name, or one that can't be watched either.
        let _ = signal_hook::flag::register_conditional_default(signum, none.clone());
        Watches { count: 0, none }
    });
    watch.count += 1;
    watch.none.store(false, Ordering::SeqCst);
}

fn count_unwatch(signum: i32) {
    let mut watches = WATCHES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(watch) = watches.get_mut(&signum) {
        watch.count -= 1;
        watch.none.store(watch.count == 0, Ordering::SeqCst);
    }
}

impl<R: Record> fmt::Debug for SignalWatch<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalWatch").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

impl<R: Record> Loop<R> {
    /// Watches a signal, such as 2 (`SIGINT`), until the handle is closed. The callback runs in the
    /// poll phase, once for each time that the system has handed the signal out. The handle keeps
    /// the loop alive unless it is unreferenced.
    ///
    /// # Errors
    /// `EINVAL` (call `signal_start`) for a number that is no signal, for `SIGKILL` and `SIGSTOP`,
    /// and for `SIGSEGV`, `SIGILL` and `SIGFPE`, whose handlers have nothing to return to; `EMFILE`
    /// when there are no two descriptors left.
    pub fn signal_start(
        &mut self,
        signum: i32,
        callback: impl FnMut(&mut Self) + 'static,
    ) -> Result<HandleId, SysError> {
        let about = About::Signal(signum);
        if signum <= 0 || FORBIDDEN.contains(&signum) {
            return Err(SysError::errno_of("signal_start", libc::EINVAL, about));
        }
        let failed = |error| SysError::new("signal_start", error).about(about.clone());
        let (sender, pipe) = pipe::new().map_err(failed)?;
        let callback: Callback<R> = Box::new(callback);
        let watch = SignalWatch { pipe, watched: None, callback: Some(callback), waiting: 0 };
        let id = self.handles.insert(Kind::Signal(Box::new(watch)), true);
        self.watch_signal(id, signum, sender).map_err(|error| {
            self.handles.remove(id);
            failed(error)
        })?;
        Ok(id)
    }

    /// The poll comes first: what the handler writes is seen from the first byte on.
    fn watch_signal(
        &mut self,
        id: HandleId,
        signum: i32,
        sender: pipe::Sender,
    ) -> std::io::Result<()> {
        if let Some(handle) = self.handles.get_mut(id)
            && let Kind::Signal(watch) = &mut handle.kind
        {
            self.io.registry().register(&mut watch.pipe, token_of(id), Interest::READABLE)?;
            watch.watched = Some(Watched::new(signum, sender)?);
        }
        Ok(())
    }

    fn signal(&mut self, id: HandleId) -> Option<&mut SignalWatch<R>> {
        match &mut self.handles.get_mut(id).filter(|handle| !handle.closing)?.kind {
            Kind::Signal(watch) => Some(watch),
            _ => None,
        }
    }

    pub(crate) fn signal_ready(&mut self, id: HandleId) {
        let Some(watch) = self.signal(id) else { return };
        let mut bytes = [0; SIGNALS_A_TURN];
        let room = SIGNALS_A_TURN.saturating_sub(watch.waiting);
        let count = loop {
            match watch.pipe.read(&mut bytes[..room]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result.unwrap_or(0),
            }
        };
        watch.waiting += count;
        let more = count == room;
        while !self.rejections.fatal() && self.run_signal(id) {}
        if let Some(watch) = self.signal(id)
            && (more || watch.waiting > 0)
        {
            self.io.readable.push(id);
        }
    }

    /// Runs the callback once, if there is a signal for it.
    fn run_signal(&mut self, id: HandleId) -> bool {
        let Some(watch) = self.signal(id).filter(|watch| watch.waiting > 0) else { return false };
        watch.waiting -= 1;
        let Some(mut callback) = watch.callback.take() else { return false };
        self.callback(|lp| {
            callback(lp);
            if let Some(watch) = lp.signal(id) {
                watch.callback = Some(callback);
            }
        });
        true
    }
}
