//! The poll phase: wait for the kernel, then run what it found ready.
//!
//! **Invariant**: a turn ends where the poll begins and the next one begins where it ends, so a
//! stall is never cut in two by anything but a poll. A loop is idle only in a poll that may wait:
//! one that goes round and round without waiting is busy, as libuv has it.

use std::collections::VecDeque;
use std::io;
#[cfg(unix)]
use std::os::fd::{AsRawFd, RawFd};

use super::Loop;
use crate::handle::{HandleId, Kind};
use crate::io::{Letters, Ready};
use crate::limits::{NS_PER_MS, POLL_PASSES};
use crate::phase::Phase;
use crate::recorder::Record;

/// Memory that polls use again and again.
#[derive(Debug, Default)]
pub(super) struct PollScratch {
    ready: VecDeque<Ready>,
    letters: Letters,
}

impl<R: Record> Loop<R> {
    #[inline(always)]
    pub(super) fn poll(&mut self, timeout_ms: Option<u64>) -> io::Result<()> {
        let start_ns = if R::ON { self.fresh_now_ns() } else { self.now_ns };
        let waits = timeout_ms != Some(0);
        if !waits && !self.io.untold.is_empty() {
            self.ask_again();
        }
        self.record.close_turn(start_ns);
        if waits {
            self.record.open_wait(start_ns);
        }
        let result = self.wait(timeout_ms);
        let end_ns = self.take_time();
        if waits {
            self.record.close_wait(end_ns, end_ns - start_ns);
        } else {
            self.record.passed_poll(end_ns - start_ns);
        }
        self.record.open_turn(end_ns);
        self.loop_ns = end_ns;
        result?;
        if !self.io.is_quiet() || self.io.has_readable() || self.has_leftovers() {
            self.in_phase(Phase::Poll, Self::run_ready_passes);
        }
        Ok(())
    }

    #[inline(always)]
    fn wait(&mut self, timeout_ms: Option<u64>) -> io::Result<()> {
        match timeout_ms {
            Some(ms) if self.clock.is_virtual() => {
                self.io.wait(Some(0))?;
                if ms > 0 && self.io.is_quiet() {
                    // Nothing is ready, so waiting is moving the clock to the next timer: to its
                    // very millisecond, which may be less than `ms` away.
                    let now_ns = self.fresh_now_ns();
                    let due_ms = (now_ns / NS_PER_MS).saturating_add(ms);
                    self.clock.advance(due_ms.saturating_mul(NS_PER_MS).saturating_sub(now_ns));
                    if self.clock.now_ns() == now_ns {
                        return Err(io::Error::other(
                            "virtual time is at its end, after 584 years",
                        ));
                    }
                }
                Ok(())
            }
            _ => self.io.wait(timeout_ms),
        }
    }

    fn run_ready_passes(&mut self) {
        for pass in 0..POLL_PASSES {
            let (woken, more) = self.io.take_ready(&mut self.poll_scratch.ready);
            if pass == 0 {
                self.add_still_readable();
            }
            while !self.rejections.fatal()
                && let Some(ready) = self.poll_scratch.ready.pop_front()
            {
                self.run_ready(ready);
            }
            if woken {
                self.open_letters();
            }
            // What is asked for after the last pass would be lost: it is announced only once.
            let last = pass + 1 == POLL_PASSES || self.rejections.fatal();
            if last || !more || self.io.wait(Some(0)).is_err() || self.io.is_quiet() {
                break;
            }
        }
    }

    /// Whether something that was ready has not had its turn: after a fatal rejection or a panic.
    pub(super) fn has_leftovers(&self) -> bool {
        !self.poll_scratch.ready.is_empty()
    }

    /// A callback has panicked, perhaps among those of a poll: what other threads have left is to
    /// be found by the next one, though the kernel has announced it already.
    pub(super) fn recover_letters(&mut self) {
        self.io.inbox().put_back(&mut self.poll_scratch.letters);
    }

    /// What had more than it could take in its last turn comes first, as the kernel would list it
    /// for libuv, and what is to be tried otherwise last. What is ready besides has its turn once:
    /// there is a bound on what it may take in one. The search is as short as those that are
    /// flooded are few, and nothing against what they are about to read.
    fn add_still_readable(&mut self) {
        let ready = &mut self.poll_scratch.ready;
        for handle in self.io.unread.drain(..).rev() {
            let at = ready.iter().position(|one| one.handle == handle);
            let told = at.and_then(|at| ready.remove(at));
            let again = told.unwrap_or(Ready::to_read(handle));
            ready.push_front(Ready { readable: true, ..again });
        }
        for handle in self.io.readable.drain(..) {
            if !ready.iter().any(|one| one.readable && one.handle == handle) {
                ready.push_back(Ready::to_read(handle));
            }
        }
    }

    fn run_ready(&mut self, ready: Ready) {
        let Some(handle) = self.handles.get(ready.handle).filter(|handle| !handle.closing) else {
            return;
        };
        match handle.kind {
            Kind::Listener(_) => self.accept_ready(ready.handle),
            Kind::Stream(_) => self.stream_ready(ready),
            Kind::Udp(_) => self.udp_ready(ready),
            Kind::Signal(_) => self.signal_ready(ready.handle),
            Kind::Watcher(_) | Kind::Timer(_) | Kind::Async(_) => {}
        }
    }

    /// Runs what other threads have left until now; what they leave meanwhile is for the next
    /// poll. After a fatal rejection the rest stays for the next run.
    fn open_letters(&mut self) {
        self.io.inbox().take(&mut self.poll_scratch.letters);
        while !self.rejections.fatal()
            && let Some(completion) = self.poll_scratch.letters.done.pop_front()
        {
            self.run_completion(completion);
        }
        while !self.rejections.fatal()
            && let Some(handle) = self.poll_scratch.letters.wakes.pop_front()
        {
            self.run_async(handle);
        }
        if !self.poll_scratch.letters.is_empty() {
            self.io.inbox().put_back(&mut self.poll_scratch.letters);
        }
    }

    fn run_async(&mut self, id: HandleId) {
        let Some(handle) = self.handles.get_mut(id).filter(|handle| !handle.closing) else {
            return;
        };
        let Kind::Async(callback) = &mut handle.kind else { return };
        let Some(mut run) = callback.take() else { return };
        self.callback(|lp| {
            run(lp);
            if let Some(handle) = lp.handles.get_mut(id)
                && let Kind::Async(callback) = &mut handle.kind
            {
                *callback = Some(run);
            }
        });
    }
}

/// The descriptor that is readable when the loop has something to do besides timers, to wait for
/// in another loop (libuv's `uv_backend_fd`; see [`Loop::backend_timeout_ms`]).
#[cfg(unix)]
impl<R: Record> AsRawFd for Loop<R> {
    fn as_raw_fd(&self) -> RawFd {
        self.io.descriptor()
    }
}
