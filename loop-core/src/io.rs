//! The way to the kernel: the poll, and the inbox by which other threads wake the loop.
//!
//! Cost: a wait is one `epoll_wait`; waking a loop that was woken already is a
//! push under a lock that nobody holds for longer.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mio::{Events, Poll, Registry, Token, Waker};

use crate::handle::HandleId;
use crate::limits::POLL_EVENTS;
use crate::pool::Completion;

const WAKE: Token = Token(usize::MAX);

/// One thing that the kernel found ready.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) handle: HandleId,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Io {
    poll: Poll,
    events: Events,
    inbox: Arc<Inbox>,
    /// Streams that may hold more than was read in their turn.
    pub(crate) readable: Vec<HandleId>,
    /// What streams read into, one after the other.
    pub(crate) read_buffer: Vec<u8>,
}

impl Io {
    pub(crate) fn new() -> io::Result<Io> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let inbox = Arc::new(Inbox { waker, letters: Mutex::default() });
        Ok(Io {
            poll,
            events: Events::with_capacity(POLL_EVENTS),
            inbox,
            readable: Vec::new(),
            read_buffer: Vec::new(),
        })
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    pub(crate) fn inbox(&self) -> Arc<Inbox> {
        self.inbox.clone()
    }

    pub(crate) fn has_readable(&self) -> bool {
        !self.readable.is_empty()
    }

    /// Waits for events, `None` for as long as it takes. A signal ends the wait without an event.
    #[inline]
    pub(crate) fn wait(&mut self, timeout_ms: Option<u64>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout_ms.map(Duration::from_millis)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            result => result,
        }
    }

    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        self.events.is_empty()
    }

    /// Moves what is ready into `ready`. Returns whether another thread has woken the loop, and
    /// whether the kernel may have more.
    pub(crate) fn take_ready(&mut self, ready: &mut Vec<Ready>) -> (bool, bool) {
        let mut woken = false;
        let mut events = 0;
        for event in &self.events {
            events += 1;
            if event.token() == WAKE {
                woken = true;
                continue;
            }
            ready.push(Ready {
                handle: handle_of(event.token()),
                readable: event.is_readable() || event.is_read_closed() || event.is_error(),
                writable: event.is_writable() || event.is_write_closed() || event.is_error(),
            });
        }
        self.events.clear();
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

    /// Takes everything, leaving the emptied `letters` for use.
    pub(crate) fn take(&self, letters: &mut Letters) {
        std::mem::swap(&mut *self.lock(), letters);
    }

    fn lock(&self) -> MutexGuard<'_, Letters> {
        // Nothing that can panic runs under the lock, so a poisoned one is whole.
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
