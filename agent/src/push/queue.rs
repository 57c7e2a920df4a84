//! Requests that wait to be posted, encoded and compressed, in a bounded amount of memory.
//!
//! Of metrics only the newest request is kept: they are cumulative, so it has all that those before
//! it had. Requests with logs are kept in order, and each counts.
//!
//! **Invariant**: what waits and what is on its way is never more than [`BYTES_MAX`] together. What
//! has no room is dropped, the oldest logs first, and whoever calls is told how much that was.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use tokio::sync::Notify;

use super::post::Signal;

/// Bytes of all requests: eight thousand stalls and more, or half a minute of a host on which
/// every loop stalls all the time.
pub(super) const BYTES_MAX: usize = 8 * 1024 * 1024;

/// Requests with logs that wait: with one look a second, eight minutes of them.
pub(super) const REQUESTS_MAX: usize = 512;

/// An encoded request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    /// As it is posted.
    pub(super) body: Bytes,
    /// How many log records are in it.
    pub(super) records: u64,
}

/// What had to be given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub(super) struct Dropped {
    /// Requests with metrics, for a newer one.
    pub(super) superseded: u64,
    /// Log records, for want of room.
    pub(super) records: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    metrics_came: Notify,
    logs_came: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    metrics: Line,
    logs: Line,
    /// Log records that had no room, since somebody asked.
    no_room: u64,
}

/// The requests of one kind.
#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Request>,
    on_its_way: Option<Request>,
}

impl Queue {
    /// Adds a request.
    pub(super) fn put(&self, signal: Signal, request: Request) -> Dropped {
        let mut inner = self.inner();
        let dropped = match signal {
            Signal::Metrics => {
                let superseded = inner.metrics.waiting.len() as u64;
                inner.metrics.waiting.clear();
                inner.metrics.waiting.push_back(request);
                Dropped { superseded, records: 0 }
            }
            Signal::Logs => {
                inner.logs.waiting.push_back(request);
                Dropped::default()
            }
        };
        let dropped = inner.fit(dropped);
        drop(inner);
        self.came(signal).notify_one();
        dropped
    }

    /// The next request, which is on its way from now on. Whoever takes one has to say how it
    /// went, by [`Queue::done`] or [`Queue::give_back`], before it takes another.
    pub(super) async fn take(&self, signal: Signal) -> Request {
        loop {
            if let Some(request) = self.try_take(signal) {
                return request;
            }
            self.came(signal).notified().await;
        }
    }

    /// The same, if there is one.
    pub(super) fn try_take(&self, signal: Signal) -> Option<Request> {
        let mut inner = self.inner();
        let line = inner.line(signal);
        let request = line.waiting.pop_front()?;
        line.on_its_way = Some(request.clone());
        Some(request)
    }

    /// What was on its way has arrived, or is given up.
    pub(super) fn done(&self, signal: Signal) {
        self.inner().line(signal).on_its_way = None;
    }

    /// What was on its way is to be tried again: it is the next one. Metrics are not, where newer
    /// ones have come.
    pub(super) fn give_back(&self, signal: Signal) -> Dropped {
        let mut inner = self.inner();
        let line = inner.line(signal);
        let Some(request) = line.on_its_way.take() else { return Dropped::default() };
        if signal == Signal::Metrics && !line.waiting.is_empty() {
            return Dropped { superseded: 1, records: 0 };
        }
        line.waiting.push_front(request);
        inner.fit(Dropped::default())
    }

    /// How many log records had no room since this was asked last.
    pub(super) fn had_no_room(&self) -> u64 {
        std::mem::take(&mut self.inner().no_room)
    }

    /// Empties it, also of what is on its way. How many log records were in it.
    pub(super) fn clear(&self, signal: Signal) -> u64 {
        let line = std::mem::take(self.inner().line(signal));
        line.waiting.iter().chain(&line.on_its_way).map(|request| request.records).sum()
    }

    /// The bytes of all requests.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.inner().bytes()
    }

    fn came(&self, signal: Signal) -> &Notify {
        match signal {
            Signal::Metrics => &self.metrics_came,
            Signal::Logs => &self.logs_came,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn line(&mut self, signal: Signal) -> &mut Line {
        match signal {
            Signal::Metrics => &mut self.metrics,
            Signal::Logs => &mut self.logs,
        }
    }

    fn bytes(&self) -> usize {
        self.metrics.bytes() + self.logs.bytes()
    }

    /// Drops logs, the oldest first, until there is room; then metrics, which the next request has
    /// as well.
    fn fit(&mut self, mut dropped: Dropped) -> Dropped {
        while self.bytes() > BYTES_MAX || self.logs.waiting.len() > REQUESTS_MAX {
            if let Some(oldest) = self.logs.waiting.pop_front() {
                dropped.records += oldest.records;
                self.no_room += oldest.records;
            } else if self.metrics.waiting.pop_front().is_some() {
                dropped.superseded += 1;
            } else {
                break;
            }
        }
        dropped
    }
}

impl Line {
    fn bytes(&self) -> usize {
        self.waiting.iter().chain(&self.on_its_way).map(|request| request.body.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(bytes: usize, records: u64) -> Request {
        Request { body: Bytes::from(vec![0; bytes]), records }
    }

    #[test]
    fn of_metrics_the_newest_is_kept() {
        let queue = Queue::default();
        let put = |bytes| queue.put(Signal::Metrics, request(bytes, 0)).superseded;
        assert_eq!((put(1), put(2)), (0, 1));
        assert_eq!(queue.try_take(Signal::Metrics).unwrap().body.len(), 2);
        assert_eq!(put(3), 0, "the other one is on its way");
        assert_eq!(queue.give_back(Signal::Metrics).superseded, 1);
        assert_eq!(queue.try_take(Signal::Metrics).unwrap().body.len(), 3);
        assert_eq!(queue.give_back(Signal::Metrics), Dropped::default());
        queue.clear(Signal::Metrics);
        assert_eq!(queue.bytes(), 0);
    }

    #[test]
    fn logs_keep_their_order_and_the_oldest_is_dropped() {
        let queue = Queue::default();
        let third = BYTES_MAX / 3;
        for records in [1, 2, 4] {
            assert_eq!(queue.put(Signal::Logs, request(third, records)), Dropped::default());
        }
        assert_eq!(queue.put(Signal::Logs, request(third, 8)).records, 1);
        assert_eq!((queue.had_no_room(), queue.had_no_room()), (1, 0));
        assert_eq!(queue.try_take(Signal::Logs).unwrap().records, 2);
        assert_eq!(queue.put(Signal::Logs, request(third, 16)).records, 4, "2 is on its way");
        assert_eq!(queue.give_back(Signal::Logs), Dropped::default());
        assert_eq!(queue.try_take(Signal::Logs).unwrap().records, 2, "and is the next again");
        queue.done(Signal::Logs);
        assert_eq!(queue.clear(Signal::Logs), 8 + 16);
    }

    #[test]
    fn what_never_fits_is_dropped_at_once() {
        let queue = Queue::default();
        assert_eq!(queue.put(Signal::Logs, request(BYTES_MAX + 1, 5)).records, 5);
        assert_eq!(queue.put(Signal::Metrics, request(BYTES_MAX + 1, 0)).superseded, 1);
        for _ in 0..REQUESTS_MAX {
            assert_eq!(queue.put(Signal::Logs, request(1, 1)), Dropped::default());
        }
        assert_eq!(queue.put(Signal::Logs, request(1, 1)).records, 1);
    }

    proptest! {
        /// Whatever comes and goes: the memory is bounded, and every record is told of once.
        #[test]
        fn all_records_are_accounted_for(
            steps in prop::collection::vec((0_u8..6, 0_usize..4_000_000, 1_u64..100), 1..60)
        ) {
            let queue = Queue::default();
            let (mut put, mut gone) = (0, 0);
            let mut flying: Option<Request> = None;
            for (what, bytes, records) in steps {
                match (what, flying.take()) {
                    (0..=2, of) => {
                        put += records;
                        gone += queue.put(Signal::Logs, request(bytes, records)).records;
                        flying = of;
                    }
                    (3, of) => {
                        gone += queue.put(Signal::Metrics, request(bytes, 0)).records;
                        flying = of;
                    }
                    (4, Some(request)) => {
                        gone += request.records;
                        queue.done(Signal::Logs);
                    }
                    (_, Some(_)) => gone += queue.give_back(Signal::Logs).records,
                    (_, None) => flying = queue.try_take(Signal::Logs),
                }
                prop_assert!(queue.bytes() <= BYTES_MAX);
            }
            prop_assert_eq!(put, gone + queue.clear(Signal::Logs));
        }
    }
}
