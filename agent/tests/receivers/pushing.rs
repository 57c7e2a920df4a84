//! A pusher on a thread of its own, over stalls that a test makes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use loop_core::snapshot::{ClockKind, LedgerKey, LoopSnapshot, Snapshot, Stall};
use loopscope::monitor::Monitor;
use loopscope::push::{Config, Endpoint, Outlet};
use loopscope::source::Observe;
use loopscope_exporters::SelfStats;
use tokio::sync::oneshot;

/// The names of the exporters.
pub(crate) const LOGS: &str = "otlp-logs";
pub(crate) const METRICS: &str = "otlp";

const PID: u32 = 4711;

/// Often enough that a test does not wait.
const INTERVAL: Duration = Duration::from_millis(5);

fn endpoint(address: SocketAddr, path: &str) -> Option<Endpoint> {
    let url = format!("http://{address}{path}").parse().expect("a URL");
    // Long enough for an answer on a busy machine, and short enough to wait for.
    Some(Endpoint { timeout: Duration::from_secs(2), ..Endpoint::new(url) })
}

pub(crate) fn logs_to(address: SocketAddr) -> Config {
    let logs = endpoint(address, "/v1/logs");
    Config { logs, logs_interval: INTERVAL, ..Config::default() }
}

pub(crate) fn metrics_to(address: SocketAddr) -> Config {
    let metrics = endpoint(address, "/v1/metrics");
    Config { metrics, metrics_interval: INTERVAL, ..Config::default() }
}

/// A loop whose stalls are made by the test.
#[derive(Default)]
struct Made {
    stalls: Mutex<Vec<Stall>>,
    looks: AtomicU64,
    /// Whether it tells how many there are.
    counts: bool,
}

impl Observe for Made {
    fn snapshot(&self) -> Snapshot {
        let stalls = self.stalls.lock().expect("nothing panics in here");
        let newest = stalls[stalls.len().saturating_sub(64)..].to_vec();
        let count = stalls.len() as u64;
        drop(stalls);
        let mut seen = LoopSnapshot {
            pid: PID,
            tid: PID,
            thread: "main".to_owned(),
            stalls: newest,
            ..LoopSnapshot::default()
        };
        seen.stall_totals.set(LedgerKey::Unknown, count, count);
        self.looks.fetch_add(1, Ordering::SeqCst);
        Snapshot { loops: vec![seen], ..Snapshot::empty(ClockKind::Real) }
    }

    fn stalls_ended(&self) -> Option<u64> {
        let count = self.stalls.lock().expect("nothing panics in here").len() as u64;
        self.counts.then_some(count)
    }
}

/// What the monitor has counted.
#[derive(Debug)]
pub(crate) struct Counts(SelfStats);

impl Counts {
    pub(crate) fn failed(&self, exporter: &'static str, reason: &str) -> u64 {
        let found =
            self.0.export_failures.iter().find(|((of, why), _)| *of == exporter && *why == reason);
        found.map_or(0, |(_, count)| *count)
    }

    pub(crate) fn dropped(&self, exporter: &'static str, reason: &str) -> u64 {
        let found =
            self.0.export_dropped.iter().find(|((of, why), _)| *of == exporter && *why == reason);
        *found.unwrap_or_else(|| panic!("no {reason} of {exporter} in {self:?}")).1
    }

    pub(crate) fn all_failed(&self) -> u64 {
        self.0.export_failures.values().sum()
    }

    pub(crate) fn all_dropped(&self) -> u64 {
        self.0.export_dropped.values().sum()
    }
}

/// A pusher at work.
pub(crate) struct Pushing {
    made: Arc<Made>,
    monitor: Arc<Monitor>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Pushing {
    pub(crate) fn start(config: Config) -> Pushing {
        Pushing::of(Made::default(), config)
    }

    /// The same, of a source that tells how many stalls have ended.
    pub(crate) fn start_counting(config: Config) -> Pushing {
        Pushing::of(Made { counts: true, ..Made::default() }, config)
    }

    fn of(made: Made, config: Config) -> Pushing {
        let (made, monitor) = (Arc::new(made), Arc::new(Monitor::default()));
        let outlet = Outlet::open(config).expect("a good configuration");
        let observed = Arc::clone(&made) as Arc<dyn Observe>;
        let pusher = outlet.pusher(observed, Arc::clone(&monitor));
        let (stop, mut stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                pusher.run(Box::pin(async move { drop((&mut stopped).await) })).await;
            });
        });
        let pushing = Pushing { made, monitor, stop, thread };
        super::common::until("the first look", || pushing.looks() > 0);
        pushing
    }

    /// Makes stalls; their ids. All of them are seen by one look, or by none.
    pub(crate) fn feed(&self, count: usize) -> Vec<String> {
        self.add(count, &Stall { duration_ns: 60_000_000, ..Stall::default() })
    }

    /// The same with 4 KB in each.
    pub(crate) fn feed_large(&self, count: usize) -> Vec<String> {
        let stack = (0..60).map(|frame| format!("frame {frame} of {}", "x".repeat(50)));
        let stack = Some(stack.collect());
        self.add(count, &Stall { duration_ns: 60_000_000, stack, ..Stall::default() })
    }

    fn add(&self, count: usize, like: &Stall) -> Vec<String> {
        let mut stalls = self.made.stalls.lock().expect("nothing panics in here");
        let first = stalls.len() as u64;
        let new = (0..count as u64).map(|number| 1_700_000_000_000_000_000 + first + number);
        let new: Vec<u64> = new.collect();
        stalls.extend(new.iter().map(|&start_unix_ns| Stall { start_unix_ns, ..like.clone() }));
        new.iter().map(|&start| format!("{PID}-{PID}-{start}")).collect()
    }

    /// How often anybody has looked.
    pub(crate) fn looks(&self) -> u64 {
        self.made.looks.load(Ordering::SeqCst)
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts(self.monitor.stats(&*self.made, &Snapshot::empty(ClockKind::Real)))
    }

    /// Ends it, and tells what was counted.
    pub(crate) fn finish(self) -> Counts {
        self.finish_and_look().0
    }

    /// The same, and how often it has looked in all.
    pub(crate) fn finish_and_look(self) -> (Counts, u64) {
        let Pushing { made, monitor, stop, thread } = self;
        drop(stop);
        thread.join().expect("it ends");
        let counts = Counts(monitor.stats(&*made, &Snapshot::empty(ClockKind::Real)));
        (counts, made.looks.load(Ordering::SeqCst))
    }
}
