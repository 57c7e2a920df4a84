//! OTLP over HTTP in protobuf: metrics, and stalls as log records.
//!
//! ```text
//!  every minute: snapshot -> metrics ──┐
//!  every second: new stalls -> logs ───┴──> Queue (8 MiB) -> Sender (one a kind) -> receiver
//! ```
//!
//! Metrics are cumulative, so of those that can't be sent only the newest is kept, and nothing of
//! their totals is lost. A stall is told once: its record is kept until it has arrived, for as long
//! as there is room. Where an answer is lost on its way, a record may arrive twice; its stall id
//! tells.
//!
//! Cost: a snapshot at each look, and while no stall ends a look for stalls only once in ten
//! seconds; 120 µs to encode a loop's metrics, by `read` in `bench`.
//!
//! **Invariant**: a push that fails never fails the run, and never keeps it for longer than
//! [`LAST_PUSH_MAX`]. What is not delivered is counted by its reason; what is told is when an
//! endpoint begins to fail, and when it works again.

mod answer;
mod backoff;
mod body;
mod config;
mod looks;
mod outage;
mod pairs;
mod post;
mod queue;
mod resource;
mod sender;
mod tls;
mod variables;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use loop_core::snapshot::Snapshot;
use loopscope_exporters::{Exporter, NewStalls, Otlp, OtlpLogs, OtlpOptions, StallMarks};
use prost::Message;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::monitor::Monitor;
use crate::source::Observe;
use crate::terminal::tell;
pub use config::{
    Compression, Config, ConfigError, Endpoint, LOGS_INTERVAL, METRICS_INTERVAL, TIMEOUT, TlsFiles,
};
use looks::Looks;
pub use post::PushError;
use post::{Poster, Signal};
use queue::{Queue, Request};
use resource::{host_name, of_agent, of_targets};
use sender::{Deadline, Sender, count, reason};

/// The last push may not keep the user waiting for longer.
pub const LAST_PUSH_MAX: Duration = Duration::from_secs(5);

/// Stalls in one request: some 500 KB before they are compressed. Receivers take 4 MB and more.
const STALLS_MAX: usize = 512;

/// What a configuration asks for, with its files read and found good. Nothing is sent yet.
#[derive(Debug)]
pub struct Outlet {
    config: Config,
    metrics: Option<Poster>,
    logs: Option<Poster>,
    /// What this host is called in what is pushed.
    host: Option<String>,
}

impl Outlet {
    /// Reads what the configuration names.
    ///
    /// # Errors
    /// [`ConfigError`] where a file can't be used, so that nothing could ever arrive.
    pub fn open(config: Config) -> Result<Outlet, ConfigError> {
        let poster = |endpoint: &Option<Endpoint>, signal| {
            endpoint.clone().map(|endpoint| Poster::new(endpoint, signal)).transpose()
        };
        let metrics = poster(&config.metrics, Signal::Metrics)?;
        let logs = poster(&config.logs, Signal::Logs)?;
        Ok(Outlet { config, metrics, logs, host: host_name() })
    }

    /// The same, with what `hide` makes of the host's name in its place. What the configuration
    /// gives as attributes is told as it was given.
    #[must_use]
    pub fn hiding_host(mut self, hide: impl Fn(&str) -> String) -> Outlet {
        self.host = self.host.as_deref().map(hide);
        self
    }

    /// What was asked for.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// A pusher for an observation that begins now.
    pub fn pusher(self, observed: Arc<dyn Observe>, monitor: Arc<Monitor>) -> Pusher {
        Pusher { outlet: self, observed, monitor, start_unix_ns: unix_ns() }
    }
}

/// Pushes what is observed, at intervals and once more at the end.
pub struct Pusher {
    outlet: Outlet,
    observed: Arc<dyn Observe>,
    monitor: Arc<Monitor>,
    start_unix_ns: u64,
}

impl fmt::Debug for Pusher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pusher").field("outlet", &self.outlet).finish_non_exhaustive()
    }
}

impl Pusher {
    /// Pushes until `stop` is done, and then a last time.
    pub async fn run(self, stop: impl Future<Output = ()> + Unpin) {
        let queue = Queue::default();
        let (close, closing) = watch::channel(None);
        tokio::join!(
            self.produce(&queue, stop, close),
            self.send(Signal::Metrics, &self.outlet.metrics, &queue, closing.clone()),
            self.send(Signal::Logs, &self.outlet.logs, &queue, closing.clone()),
        );
    }

    async fn send(
        &self,
        signal: Signal,
        poster: &Option<Poster>,
        queue: &Queue,
        closing: watch::Receiver<Deadline>,
    ) {
        if let Some(poster) = poster {
            Sender::new(signal, poster, queue, &self.monitor, closing, &tell).run().await;
        }
    }

    /// Puts requests into the queue, and closes it with the last ones.
    async fn produce(
        &self,
        queue: &Queue,
        mut stop: impl Future<Output = ()> + Unpin,
        close: watch::Sender<Deadline>,
    ) {
        let Config { metrics_interval, logs_interval, .. } = self.outlet.config;
        let mut metrics = self.outlet.metrics.as_ref().map(|_| {
            self.monitor.export_dropped(Signal::Metrics.exporter(), reason::SUPERSEDED, 0);
            let ticks = every(metrics_interval, METRICS_INTERVAL);
            self.monitor.reads_every(Signal::Metrics.exporter(), ticks.period());
            ticks
        });
        let mut logs = self.outlet.logs.as_ref().map(|_| {
            let exporter = Signal::Logs.exporter();
            reason::OF_LOGS.iter().for_each(|why| self.monitor.export_dropped(exporter, why, 0));
            every(logs_interval, LOGS_INTERVAL)
        });
        let (mut marks, mut looks) = (StallMarks::default(), Looks::default());
        loop {
            tokio::select! {
                () = tick(&mut metrics) => self.put_metrics(queue),
                () = tick(&mut logs) => {
                    self.monitor.read_by(Signal::Logs.exporter());
                    if looks.is_due(self.observed.stalls_ended(), Instant::now()) {
                        self.put_logs(queue, &mut marks, StallMarks::take);
                    }
                }
                () = &mut stop => break,
            }
        }
        self.put_logs(queue, &mut marks, StallMarks::take_last);
        self.put_metrics(queue);
        close.send_replace(Some(Instant::now() + LAST_PUSH_MAX));
    }

    fn put_metrics(&self, queue: &Queue) {
        let Some(poster) = &self.outlet.metrics else { return };
        let reading = self.monitor.read_by(Signal::Metrics.exporter());
        let mut snapshot = self.observed.snapshot();
        let mut stats = self.monitor.stats(&*self.observed, &snapshot);
        self.monitor.leave_out(reading, &mut snapshot, &mut stats);
        let exporter = Otlp {
            options: OtlpOptions {
                resource: of_agent(&self.outlet.config.resource, self.outlet.host.as_deref()),
                start_unix_ns: self.start_unix_ns,
                end_unix_ns: unix_ns(),
            },
        };
        let mut message = Vec::new();
        match exporter.export(&snapshot, &stats, &mut message) {
            Ok(()) => self.put(queue, poster, Signal::Metrics, &message, 0),
            Err(error) => {
                tell(&format!("the metrics can't be encoded for OTLP: {error}"));
                self.monitor.export_failed(Signal::Metrics.exporter(), "encode");
            }
        }
    }

    fn put_logs(
        &self,
        queue: &Queue,
        marks: &mut StallMarks,
        take: impl for<'a> Fn(&mut StallMarks, &'a Snapshot) -> NewStalls<'a>,
    ) {
        let Some(poster) = &self.outlet.logs else { return };
        let snapshot = self.observed.snapshot();
        let new = take(marks, &snapshot);
        if new.lost > 0 {
            let exporter = Signal::Logs.exporter();
            self.monitor.export_dropped(exporter, reason::OVERWRITTEN, new.lost);
        }
        let resource = of_targets(&self.outlet.config.resource, self.outlet.host.as_deref());
        let exporter = OtlpLogs { resource, observed_unix_ns: unix_ns() };
        for stalls in new.stalls.chunks(STALLS_MAX) {
            let message = exporter.request(snapshot.clock, stalls).encode_to_vec();
            self.put(queue, poster, Signal::Logs, &message, stalls.len() as u64);
        }
    }

    fn put(&self, queue: &Queue, poster: &Poster, signal: Signal, message: &[u8], records: u64) {
        let body = body::encoded(message, poster.endpoint.compression);
        count(&self.monitor, queue.put(signal, Request { body, records }));
    }
}

/// Ticks after each `interval`, or each `default` where none is given.
fn every(interval: Duration, default: Duration) -> Interval {
    let interval = if interval.is_zero() { default } else { interval };
    let mut ticks = interval_at(Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn tick(interval: &mut Option<Interval>) {
    match interval {
        Some(interval) => drop(interval.tick().await),
        None => std::future::pending().await,
    }
}

fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
