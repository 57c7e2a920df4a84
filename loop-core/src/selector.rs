//! The kernel's selector: which descriptors are ready.
//!
//! Descriptors are registered through mio, everywhere. The wait itself is mio's, too, but on Linux:
//! there every turn of a busy loop is little more than this one system call, so it is made without
//! a detour over durations, the C library and its cancellation points.
//!
//! Cost: on Linux one `epoll_pwait` and a dozen instructions.

use std::io;

use mio::{Registry, Token};

use crate::limits::POLL_EVENTS;

/// What the kernel says of one registered descriptor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) token: Token,
    /// There is something to read, an end or an error among it.
    pub(crate) readable: bool,
    /// The other side has ended its stream, or there is an error.
    pub(crate) ended: bool,
    /// So have we.
    pub(crate) hung_up: bool,
    /// There is room to write, or an error to be had.
    pub(crate) writable: bool,
}

#[cfg(target_os = "linux")]
pub(crate) use epoll::Selector;
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::Selector;

#[cfg(target_os = "linux")]
mod epoll {
    use std::fmt;

    use super::*;
    use rustix::buffer::spare_capacity;
    use rustix::event::Timespec;
    use rustix::event::epoll::{Event, EventFlags, wait};
    use rustix::io::Errno;

    /// Milliseconds in the longest wait that `epoll_pwait` takes; a longer one is cut to it, and
    /// the loop then waits again.
    const WAIT_MAX_MS: u64 = i32::MAX as u64;

    /// See the module.
    pub(crate) struct Selector {
        poll: mio::Poll,
        events: Vec<Event>,
    }

    impl fmt::Debug for Selector {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Selector").field("ready", &self.events.len()).finish_non_exhaustive()
        }
    }

    impl Selector {
        pub(crate) fn new() -> io::Result<Selector> {
            Ok(Selector { poll: mio::Poll::new()?, events: Vec::with_capacity(POLL_EVENTS) })
        }

        pub(crate) fn registry(&self) -> &Registry {
            self.poll.registry()
        }

        /// Waits for events, `None` for as long as it takes. A signal ends the wait without one.
        #[inline(always)]
        pub(crate) fn wait(&mut self, timeout_ms: Option<u64>) -> io::Result<()> {
            self.events.clear();
            let timeout = timeout_ms.map(timespec);
            let room = spare_capacity(&mut self.events);
            match wait(self.poll.registry(), room, timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => Ok(()),
                Err(errno) => Err(errno.into()),
            }
        }

        #[inline]
        pub(crate) fn is_quiet(&self) -> bool {
            self.events.is_empty()
        }

        pub(crate) fn len(&self) -> usize {
            self.events.len()
        }

        pub(crate) fn clear(&mut self) {
            self.events.clear();
        }

        pub(crate) fn ready(&self) -> impl Iterator<Item = Source> {
            const READ: EventFlags = EventFlags::IN
                .union(EventFlags::PRI)
                .union(EventFlags::RDHUP)
                .union(EventFlags::HUP)
                .union(EventFlags::ERR);
            const END: EventFlags = EventFlags::RDHUP.union(EventFlags::HUP).union(EventFlags::ERR);
            const WRITE: EventFlags = EventFlags::OUT.union(EventFlags::HUP).union(EventFlags::ERR);
            self.events.iter().map(|event| {
                // The kernel packs the event, so it is read by copying.
                let (flags, data) = (event.flags, event.data);
                Source {
                    token: Token(data.u64() as usize),
                    readable: flags.intersects(READ),
                    ended: flags.intersects(END),
                    hung_up: flags.intersects(EventFlags::HUP),
                    writable: flags.intersects(WRITE),
                }
            })
        }
    }

    #[inline]
    fn timespec(ms: u64) -> Timespec {
        let ms = ms.min(WAIT_MAX_MS);
        Timespec { tv_sec: (ms / 1_000) as i64, tv_nsec: (ms % 1_000 * 1_000_000) as i64 }
    }
}

#[cfg(any(test, not(target_os = "linux")))]
mod portable {
    use super::*;
    use std::time::Duration;

    /// See the module.
    #[derive(Debug)]
    pub(crate) struct Selector {
        poll: mio::Poll,
        events: mio::Events,
    }

    impl Selector {
        pub(crate) fn new() -> io::Result<Selector> {
            Ok(Selector {
                poll: mio::Poll::new()?,
                events: mio::Events::with_capacity(POLL_EVENTS),
            })
        }

        pub(crate) fn registry(&self) -> &Registry {
            self.poll.registry()
        }

        /// Waits for events, `None` for as long as it takes. A signal ends the wait without one.
        pub(crate) fn wait(&mut self, timeout_ms: Option<u64>) -> io::Result<()> {
            match self.poll.poll(&mut self.events, timeout_ms.map(Duration::from_millis)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    self.events.clear();
                    Ok(())
                }
                result => result,
            }
        }

        pub(crate) fn is_quiet(&self) -> bool {
            self.events.is_empty()
        }

        pub(crate) fn len(&self) -> usize {
            self.events.iter().count()
        }

        pub(crate) fn clear(&mut self) {
            self.events.clear();
        }

        pub(crate) fn ready(&self) -> impl Iterator<Item = Source> {
            self.events.iter().map(|event| Source {
                token: event.token(),
                readable: event.is_readable() || event.is_read_closed() || event.is_error(),
                ended: event.is_read_closed() || event.is_error(),
                hung_up: event.is_read_closed() && event.is_write_closed(),
                writable: event.is_writable() || event.is_write_closed() || event.is_error(),
            })
        }
    }
}

#[cfg(all(test, target_os = "linux", not(loom)))]
mod tests {
    use super::*;
    use mio::Interest;
    use mio::net::UnixStream;
    use std::io::Write;

    /// What both say of a socket of a pair, after something was done to the other one.
    fn told(act: impl Fn(&mut UnixStream)) -> [Vec<(usize, bool, bool)>; 2] {
        macro_rules! ready {
            ($selector:expr) => {{
                let mut selector = $selector.unwrap();
                let (mut ours, mut theirs) = UnixStream::pair().unwrap();
                let both = Interest::READABLE | Interest::WRITABLE;
                selector.registry().register(&mut ours, Token(7 << 32 | 3), both).unwrap();
                act(&mut theirs);
                selector.wait(Some(1_000)).unwrap();
                assert!(!selector.is_quiet() && selector.len() == 1);
                let ready = selector.ready().map(|s| (s.token.0, s.readable, s.writable));
                let ready = ready.collect();
                selector.clear();
                assert!(selector.is_quiet());
                selector.wait(Some(0)).unwrap();
                assert!(selector.is_quiet(), "what was told once is told again");
                ready
            }};
        }
        [ready!(epoll::Selector::new()), ready!(portable::Selector::new())]
    }

    #[test]
    fn both_selectors_say_the_same() {
        let all = [
            told(|_| ()),
            told(|stream| stream.write_all(b"x").unwrap()),
            told(|stream| stream.shutdown(std::net::Shutdown::Write).unwrap()),
            told(|stream| *stream = UnixStream::pair().unwrap().0),
        ];
        for ([ours, mios], readable) in all.into_iter().zip([false, true, true, true]) {
            assert_eq!(ours, mios);
            assert_eq!(ours, [(7 << 32 | 3, readable, true)]);
        }
    }

    #[test]
    fn a_wait_ends_when_its_time_is_over() {
        let mut selector = epoll::Selector::new().unwrap();
        let start = std::time::Instant::now();
        selector.wait(Some(20)).unwrap();
        assert!(selector.is_quiet() && start.elapsed().as_millis() >= 20);
    }
}
