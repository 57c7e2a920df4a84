//! Posts what waits of one kind, one request after the other, until it has arrived.
//!
//! **Invariant**: each request ends in one of three ways: taken, dropped for a reason that is
//! counted, or superseded. A receiver that fails is never called without a pause.

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::answer::Taken;
use super::backoff::Backoff;
use super::outage::{Outage, words};
use super::post::{Post, PushError, Signal};
use super::queue::{Dropped, Queue, Request};
use crate::monitor::Monitor;

/// Why log records are given up, as label values of `export_dropped_total`.
pub(super) mod reason {
    /// Overwritten by newer ones before anybody looked.
    pub(crate) const OVERWRITTEN: &str = "overwritten";
    /// No room for them while the receiver failed.
    pub(crate) const QUEUE_FULL: &str = "queue_full";
    /// The receiver does not want them.
    pub(crate) const REJECTED: &str = "rejected";
    /// Nobody knows whether they have arrived: the answer was no OTLP.
    pub(crate) const UNCONFIRMED: &str = "unconfirmed";
    /// Still undelivered at the end.
    pub(crate) const SHUTDOWN: &str = "shutdown";
    /// Metrics: a newer request has taken the place of one that was not sent.
    pub(crate) const SUPERSEDED: &str = "superseded";
    /// All that log records can have.
    pub(crate) const OF_LOGS: [&str; 5] =
        [OVERWRITTEN, QUEUE_FULL, REJECTED, UNCONFIRMED, SHUTDOWN];
}

/// When to have ended; `None`: not asked to end.
pub(super) type Deadline = Option<Instant>;

/// See the module.
pub(super) struct Sender<'a, P> {
    signal: Signal,
    poster: &'a P,
    queue: &'a Queue,
    monitor: &'a Monitor,
    closing: watch::Receiver<Deadline>,
    backoff: Backoff,
    outage: Outage,
    tell: &'a Tell<'a>,
}

/// Tells the user a line.
pub(super) type Tell<'a> = dyn Fn(&str) + Sync + 'a;

impl<'a, P: Post> Sender<'a, P> {
    pub(super) fn new(
        signal: Signal,
        poster: &'a P,
        queue: &'a Queue,
        monitor: &'a Monitor,
        closing: watch::Receiver<Deadline>,
        tell: &'a Tell<'a>,
    ) -> Sender<'a, P> {
        let kind = match signal {
            Signal::Metrics => "metrics",
            Signal::Logs => "stalls",
        };
        let outage = Outage::new(format!("OTLP push of {kind} to {}", poster.place()));
        Sender { signal, poster, queue, monitor, closing, backoff: Backoff::new(), outage, tell }
    }

    /// Posts until it is asked to end and nothing is left, or until the deadline.
    pub(super) async fn run(mut self) {
        let deadline = deadline(self.closing.clone());
        tokio::select! {
            () = self.deliver_all() => {}
            () = deadline => {}
        }
        let records = self.queue.clear(self.signal);
        self.lost(reason::SHUTDOWN, records);
        self.tell(self.outage.ended(records));
    }

    async fn deliver_all(&mut self) {
        loop {
            let request = tokio::select! {
                biased;
                request = self.queue.take(self.signal) => request,
                () = closed(self.closing.clone()) => return,
            };
            if !self.deliver(&request).await {
                return;
            }
        }
    }

    /// Whether to go on with the next one, which may be the same again.
    async fn deliver(&mut self, request: &Request) -> bool {
        let Some(answer) = self.post(request).await else {
            self.give_back();
            return true;
        };
        let error = match answer {
            Ok(taken) => {
                self.queue.done(self.signal);
                self.taken(taken, request.records);
                return true;
            }
            Err(error) => error,
        };
        self.failed(&error);
        if error.is_retryable() {
            self.give_back();
            return self.pause(&error).await;
        }
        self.queue.done(self.signal);
        self.lost(reason_of(&error), request.records);
        true
    }

    /// `None`: it was stopped on its way, as there is no time for it and for the last one, which
    /// has all that it has.
    async fn post(&self, request: &Request) -> Option<Result<Taken, PushError>> {
        let can_stop = self.signal == Signal::Metrics && !self.is_closing();
        tokio::select! {
            answer = self.poster.post(request.body.clone()) => Some(answer),
            () = closed(self.closing.clone()), if can_stop => None,
        }
    }

    fn taken(&mut self, taken: Taken, records: u64) {
        self.backoff.reset();
        if self.signal == Signal::Logs {
            self.outage.dropped(self.queue.had_no_room());
        }
        match taken {
            Taken::Whole => {
                let line = self.outage.worked();
                self.tell(line);
            }
            Taken::Partly(count, why) => {
                let parts = match self.signal {
                    Signal::Metrics => "points",
                    Signal::Logs => "stalls",
                };
                self.failed(&PushError::Rejected(format!("{count} {parts}: {}", words(&why))));
                self.lost(reason::REJECTED, count.min(records));
            }
        }
    }

    fn failed(&mut self, error: &PushError) {
        self.monitor.export_failed(self.signal.exporter(), error.reason());
        let line = self.outage.failed(error);
        self.tell(line);
    }

    fn give_back(&mut self) {
        let dropped = self.queue.give_back(self.signal);
        count(self.monitor, dropped);
    }

    /// Counts log records that will not arrive.
    fn lost(&mut self, reason: &'static str, records: u64) {
        if records > 0 {
            self.monitor.export_dropped(self.signal.exporter(), reason, records);
            self.outage.dropped(records);
        }
    }

    /// Waits before the next try; whether there is to be one. At the end there is none but for a
    /// receiver that answers, and has only too much to do.
    async fn pause(&mut self, error: &PushError) -> bool {
        let wait = self.backoff.wait(error.after());
        if !self.is_closing() {
            tokio::select! {
                () = sleep(wait) => {}
                () = closed(self.closing.clone()) => {}
            }
            return true;
        }
        let answers = matches!(error, PushError::Throttled(_) | PushError::Server(..));
        if answers {
            sleep(wait).await;
        }
        answers
    }

    fn tell(&self, line: Option<String>) {
        line.iter().for_each(|line| (self.tell)(line));
    }

    fn is_closing(&self) -> bool {
        self.closing.borrow().is_some()
    }
}

/// Counts what had no room.
pub(super) fn count(monitor: &Monitor, dropped: Dropped) {
    let Dropped { superseded, records } = dropped;
    if superseded > 0 {
        monitor.export_dropped(Signal::Metrics.exporter(), reason::SUPERSEDED, superseded);
    }
    if records > 0 {
        monitor.export_dropped(Signal::Logs.exporter(), reason::QUEUE_FULL, records);
    }
}

fn reason_of(error: &PushError) -> &'static str {
    match error {
        PushError::Garbage => reason::UNCONFIRMED,
        _ => reason::REJECTED,
    }
}

/// Is done when an end is asked for.
async fn closed(mut closing: watch::Receiver<Deadline>) {
    // Without a sender there is nobody who could want more.
    let _ = closing.wait_for(Option::is_some).await;
}

/// Is done when the end must have come.
async fn deadline(mut closing: watch::Receiver<Deadline>) {
    let at = closing.wait_for(Option::is_some).await.ok().and_then(|at| *at);
    if let Some(at) = at {
        sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::time::Duration;

    use axum::body::Bytes;
    use axum::http::StatusCode;
    use loop_core::snapshot::{ClockKind, Snapshot};

    use super::*;
    use crate::push::backoff::LONGEST;
    use crate::push::queue::{BYTES_MAX, REQUESTS_MAX};
    use crate::source::Observe;

    struct Nothing;

    impl Observe for Nothing {
        fn snapshot(&self) -> Snapshot {
            Snapshot::empty(ClockKind::Real)
        }
    }

    /// Answers as it is told, and notes when it was asked for what.
    #[derive(Default)]
    struct Scripted {
        answers: RefCell<VecDeque<Result<Taken, PushError>>>,
        asked: RefCell<Vec<(Instant, usize)>>,
    }

    impl Post for Scripted {
        async fn post(&self, body: Bytes) -> Result<Taken, PushError> {
            self.asked.borrow_mut().push((Instant::now(), body.len()));
            self.answers.borrow_mut().pop_front().unwrap_or(Ok(Taken::Whole))
        }

        fn place(&self) -> String {
            "http://h".to_owned()
        }
    }

    impl Scripted {
        fn of(answers: impl IntoIterator<Item = Result<Taken, PushError>>) -> Scripted {
            Scripted { answers: RefCell::new(answers.into_iter().collect()), ..Scripted::default() }
        }

        /// The times between one try and the next.
        fn waits(&self) -> Vec<Duration> {
            self.asked.borrow().windows(2).map(|two| two[1].0 - two[0].0).collect()
        }
    }

    fn down() -> Result<Taken, PushError> {
        Err(PushError::Server(StatusCode::SERVICE_UNAVAILABLE, None))
    }

    fn request(bytes: usize, records: u64) -> Request {
        Request { body: Bytes::from(vec![0; bytes]), records }
    }

    /// Runs a sender while `meanwhile` runs, and then to its end. What was dropped, by reason, and
    /// what was told.
    async fn run(
        post: &Scripted,
        queue: &Queue,
        meanwhile: impl AsyncFnOnce(&Monitor),
    ) -> (Vec<(&'static str, u64)>, Vec<String>) {
        let monitor = Monitor::default();
        let (close, closing) = watch::channel(None);
        let lines = Mutex::new(Vec::new());
        let tell = |line: &str| lines.lock().unwrap().push(line.to_owned());
        let sender = Sender::new(Signal::Logs, post, queue, &monitor, closing, &tell);
        tokio::join!(sender.run(), async {
            meanwhile(&monitor).await;
            close.send_replace(Some(Instant::now() + Duration::from_secs(5)));
        });
        let dropped = monitor.stats(&Nothing, &Nothing.snapshot()).export_dropped;
        let dropped = dropped.into_iter().map(|((_, reason), count)| (reason, count)).collect();
        (dropped, lines.into_inner().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_tried_again_after_longer_and_longer_waits() {
        let post = Scripted::of((0..12).map(|_| down()));
        let queue = Queue::default();
        let (dropped, told) = run(&post, &queue, async |_| {
            let _ = queue.put(Signal::Logs, request(1, 3));
            sleep(Duration::from_secs(3_600)).await;
        })
        .await;
        assert_eq!(dropped, []);
        assert!(told[1].contains("12 attempts failed, nothing was lost"), "{told:?}");
        let waits = post.waits();
        assert_eq!(waits.len(), 12, "until it was taken");
        for (wait, due_s) in waits.iter().zip([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0]) {
            let due = Duration::from_secs_f64(due_s);
            let slack = Duration::from_millis(2);
            assert!(due / 2 <= *wait && *wait <= due + slack, "{wait:?} of {due:?}");
        }
        assert!(waits.iter().all(|wait| *wait <= LONGEST + Duration::from_millis(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_asked_for_is_kept_to() {
        let asked = Duration::from_secs(600);
        let post = Scripted::of([Err(PushError::Throttled(Some(asked))), down()]);
        let queue = Queue::default();
        run(&post, &queue, async |_| {
            let _ = queue.put(Signal::Logs, request(1, 1));
            sleep(Duration::from_secs(3_600)).await;
        })
        .await;
        assert!(post.waits()[0] >= asked, "{:?}", post.waits());
    }

    /// An hour without a receiver, and more than fits. All is taken or counted.
    #[tokio::test(start_paused = true)]
    async fn what_has_no_room_in_a_long_outage_is_counted() {
        let post = Scripted::of((0..200).map(|_| down()));
        let queue = Queue::default();
        let put = 3 * REQUESTS_MAX as u64;
        let (dropped, told) = run(&post, &queue, async |monitor| {
            for _ in 0..put {
                count(monitor, queue.put(Signal::Logs, request(BYTES_MAX / 100, 2)));
                assert!(queue.bytes() <= BYTES_MAX);
                sleep(Duration::from_secs(2)).await;
            }
            sleep(Duration::from_secs(3_600)).await;
        })
        .await;
        let taken = post.asked.borrow().len() as u64 - 200;
        assert!(taken >= 100, "{taken}");
        assert_eq!(dropped, [(reason::QUEUE_FULL, 2 * (put - taken))]);
        // What is dropped while the rest is sent is dropped, too.
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].contains("200 attempts failed, ") && !told[1].contains("nothing"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_waits_for_nobody_who_is_not_there() {
        let gone = || Err(PushError::Connect("refused".to_owned()));
        let post = Scripted::of([gone(), gone(), gone()]);
        let queue = Queue::default();
        let start = Instant::now();
        let (dropped, told) = run(&post, &queue, async |_| {
            let _ = queue.put(Signal::Logs, request(1, 3));
            let _ = queue.put(Signal::Logs, request(1, 4));
            sleep(Duration::from_millis(1)).await;
        })
        .await;
        assert_eq!(dropped, [(reason::SHUTDOWN, 7)]);
        assert!(told[1].contains("7 stalls not delivered"), "{told:?}");
        assert_eq!(post.asked.borrow().len(), 2, "once more, at once");
        assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_gives_one_who_is_busy_what_time_there_is() {
        let busy = || Err(PushError::Throttled(None));
        let post = Scripted::of([busy(), busy()]);
        let queue = Queue::default();
        let (dropped, told) = run(&post, &queue, async |_| {
            let _ = queue.put(Signal::Logs, request(1, 3));
        })
        .await;
        assert_eq!((dropped, told.len()), (vec![], 2));
        let post = Scripted::of((0..1_000).map(|_| busy()));
        let start = Instant::now();
        let (dropped, told) = run(&post, &queue, async |_| {
            let _ = queue.put(Signal::Logs, request(1, 3));
        })
        .await;
        assert_eq!((dropped, told.len()), (vec![(reason::SHUTDOWN, 3)], 2));
        assert!(start.elapsed() <= Duration::from_millis(5_100), "{:?}", start.elapsed());
    }
}
