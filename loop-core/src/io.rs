//! The way to the kernel: the poll, and the inbox by which other threads wake the loop.
//!
//! Cost: a wait is one system call; waking a loop that was woken already is a
//! push under a lock that nobody holds for longer.

use std::collections::VecDeque;
use std::io;
#[cfg(unix)]
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::{Registry, Token, Waker};

use crate::handle::HandleId;
use crate::limits::POLL_EVENTS;
use crate::pool::Completion;
use crate::selector::{Selector, Source};

const WAKE: Token = Token(usize::MAX);

/// One thing that the kernel found ready.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) handle: HandleId,
    pub(crate) readable: bool,
    /// Whether the other side has ended its stream.
    pub(crate) ended: bool,
    /// Whether we have, too.
    pub(crate) hung_up: bool,
    pub(crate) writable: bool,
}

impl Ready {
    /// It is to be read, and nothing else is known.
    pub(crate) fn to_read(handle: HandleId) -> Ready {
        Ready { handle, readable: true, ended: false, hung_up: false, writable: false }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Io {
    selector: Selector,
    inbox: Arc<Inbox>,
    /// Streams that may hold more than was read in their turn.
    pub(crate) unread: Vec<HandleId>,
    /// Streams of which the kernel is to tell anew what they have.
    pub(crate) untold: Vec<HandleId>,
    /// What is to be tried though the kernel does not tell of it.
    pub(crate) readable: Vec<HandleId>,
    /// What streams read into, one after the other.
    pub(crate) read_buffer: Vec<u8>,
}

impl Io {
    pub(crate) fn new() -> io::Result<Io> {
        let selector = Selector::new()?;
        let waker = Waker::new(selector.registry(), WAKE)?;
        let inbox = Arc::new(Inbox { waker, letters: Mutex::default() });
        Ok(Io {
            selector,
            inbox,
            unread: Vec::new(),
            untold: Vec::new(),
            readable: Vec::new(),
            read_buffer: Vec::new(),
        })
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.selector.registry()
    }

    /// The poll's descriptor.
    #[cfg(unix)]
    pub(crate) fn descriptor(&self) -> RawFd {
        self.registry().as_raw_fd()
    }

    pub(crate) fn inbox(&self) -> Arc<Inbox> {
        self.inbox.clone()
    }

    pub(crate) fn has_readable(&self) -> bool {
        !self.readable.is_empty() || !self.unread.is_empty() || !self.untold.is_empty()
    }

    /// Waits for events, `None` for as long as it takes. A signal ends the wait without an event.
    #[inline(always)]
    pub(crate) fn wait(&mut self, timeout_ms: Option<u64>) -> io::Result<()> {
        self.selector.wait(timeout_ms)
    }

    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        self.selector.is_quiet()
    }

    /// Moves what is ready into `ready`. Returns whether another thread has woken the loop, and
    /// whether the kernel may have more.
    pub(crate) fn take_ready(&mut self, ready: &mut VecDeque<Ready>) -> (bool, bool) {
        let mut woken = false;
        let events = self.selector.len();
        for source in self.selector.ready() {
            let Source { token, readable, ended, hung_up, writable } = source;
            if token == WAKE {
                woken = true;
                continue;
            }
            let handle = handle_of(token);
            ready.push_back(Ready { handle, readable, ended, hung_up, writable });
        }
        self.selector.clear();
        (woken, events == POLL_EVENTS)
    }
}

/// The token by which the kernel's events name a handle.
pub(crate) fn token_of(handle: HandleId) -> Token {
    Token(handle.index as usize | (handle.generation as usize) << 32)
}

fn handle_of(token: Token) -> HandleId {
    HandleId { index: token.0 as u32, generation: (token.0 >> 32) as u32 }
}

/// What other threads have left for the loop.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    pub(crate) wakes: VecDeque<HandleId>,
    pub(crate) done: VecDeque<Completion>,
}

impl Letters {
    pub(crate) fn is_empty(&self) -> bool {
        self.wakes.is_empty() && self.done.is_empty()
    }

    /// Puts `older` letters before these.
    pub(crate) fn put_before(&mut self, older: &mut Letters) {
        for done in older.done.drain(..).rev() {
            self.done.push_front(done);
        }
        for wake in older.wakes.drain(..).rev() {
            if !self.wakes.contains(&wake) {
                self.wakes.push_front(wake);
            }
        }
    }
}

/// Where other threads leave it.
#[derive(Debug)]
pub(crate) struct Inbox {
    waker: Waker,
    letters: Mutex<Letters>,
}

impl Inbox {
    /// Leaves something and wakes the loop, once for everything that it has not yet taken.
    pub(crate) fn post(&self, write: impl FnOnce(&mut Letters)) {
        let mut letters = self.lock();
        let first = letters.is_empty();
        write(&mut letters);
        if first {
            // Fails only when the loop's descriptor is gone, and then nobody reads the inbox.
            let _ = self.waker.wake();
        }
    }

    /// Puts back what was taken and has not been opened, and wakes the loop whatever it was told:
    /// what the kernel has announced once it does not announce again.
    pub(crate) fn put_back(&self, older: &mut Letters) {
        self.lock().put_before(older);
        let _ = self.waker.wake();
    }

    /// Takes everything, leaving the emptied `letters` for use.
    pub(crate) fn take(&self, letters: &mut Letters) {
        std::mem::swap(&mut *self.lock(), letters);
    }

    fn lock(&self) -> MutexGuard<'_, Letters> {
        // Nothing that can panic runs under the lock, so a poisoned one is whole.
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
