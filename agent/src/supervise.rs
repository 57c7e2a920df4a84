//! Waits for the end of a run: it ends by itself, its time is up, or somebody wants it to end.
//!
//! **Invariant**: the wait depends on no answer from the loop's thread.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::exit::Interrupt;

/// How often the watcher is called: ten times a second, as often as an eye follows a number.
const TICK: Duration = Duration::from_millis(100);

/// What may end a run.
#[derive(Debug)]
pub enum Event<T> {
    /// What runs on the loop has ended, well or not.
    Ended(io::Result<T>),
    /// Ctrl-C, or a request to end.
    Interrupted(Interrupt),
}

/// How a run ended.
#[derive(Debug)]
pub enum Outcome<T> {
    /// By itself.
    Ended(io::Result<T>),
    /// Its time was up.
    TimedOut,
    /// By Ctrl-C, or a request to end.
    Interrupted(Interrupt),
}

/// When a time that starts now is up; `None` for one that never is.
pub fn deadline(timeout_ns: Option<u64>) -> Option<Instant> {
    timeout_ns.and_then(|ns| Instant::now().checked_add(Duration::from_nanos(ns)))
}

/// Waits for the end, calling `watch` meanwhile. What has happened by then outranks the deadline.
pub fn wait<T>(
    events: &Receiver<Event<T>>,
    deadline: Option<Instant>,
    mut watch: impl FnMut(),
) -> Outcome<T> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        match events.recv_timeout(left.unwrap_or(TICK).min(TICK)) {
            Ok(Event::Ended(result)) => return Outcome::Ended(result),
            Ok(Event::Interrupted(by)) => return Outcome::Interrupted(by),
            Err(RecvTimeoutError::Timeout) if left.is_some_and(|left| left <= TICK) => {
                return Outcome::TimedOut;
            }
            Err(RecvTimeoutError::Timeout) => watch(),
            Err(RecvTimeoutError::Disconnected) => {
                return Outcome::Ended(Err(io::Error::other("the loop's thread is gone")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn each_end_is_told_apart() {
        let (sender, events) = channel();
        let wait = |timeout_ns| wait(&events, deadline(timeout_ns), || {});
        assert!(matches!(wait(Some(0)), Outcome::TimedOut));
        assert!(matches!(wait(Some(1)), Outcome::TimedOut));
        sender.send(Event::Interrupted(Interrupt::Terminate)).unwrap();
        assert!(matches!(wait(Some(0)), Outcome::Interrupted(Interrupt::Terminate)));
        sender.send(Event::Ended(Ok(()))).unwrap();
        assert!(matches!(wait(Some(u64::MAX)), Outcome::Ended(Ok(()))));
        drop(sender);
        assert!(matches!(wait(None), Outcome::Ended(Err(_))));
    }
}
