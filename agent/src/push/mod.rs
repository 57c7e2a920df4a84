//! OTLP over HTTP in protobuf, to where the `OTEL_*` variables say.
//!
//! Everything pushed is cumulative, so a push that fails loses nothing: the next one has it all,
//! and nothing is queued or sent again.
//!
//! **Invariant**: a push that fails never fails the run. It is counted by its reason, and each
//! reason is told once.

mod config;
mod pairs;
mod post;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use loopscope_exporters::{Exporter, Otlp, OtlpOptions};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::monitor::Monitor;
use crate::source::Observe;
use crate::terminal::tell;
pub use config::{Config, ConfigError};
use post::Poster;
pub use post::PushError;

/// The name in `export_failures_total`.
const EXPORTER: &str = "otlp";

/// The last push may not keep the user waiting for longer.
pub const LAST_PUSH_MAX: Duration = Duration::from_secs(5);

/// Pushes what is observed, at intervals and once more at the end.
pub struct Pusher {
    config: Config,
    observed: Arc<dyn Observe>,
    monitor: Arc<Monitor>,
    start_unix_ns: u64,
}

impl fmt::Debug for Pusher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pusher").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Pusher {
    /// A pusher for an observation that begins now.
    pub fn new(config: Config, observed: Arc<dyn Observe>, monitor: Arc<Monitor>) -> Self {
        Pusher { config, observed, monitor, start_unix_ns: unix_ns() }
    }

    /// Pushes until `stop` is done, and then a last time.
    pub async fn run(self, mut stop: impl Future<Output = ()> + Unpin) {
        let poster = Poster::new();
        let first = Instant::now() + self.config.interval;
        let mut interval = interval_at(first, self.config.interval);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let last = tokio::select! {
                _ = interval.tick() => false,
                () = &mut stop => true,
            };
            if last {
                return self.push(&poster, self.config.timeout.min(LAST_PUSH_MAX)).await;
            }
            // A push may take as long as the timeout; a stop must not wait for it.
            tokio::select! {
                () = self.push(&poster, self.config.timeout) => {}
                () = &mut stop => {
                    return self.push(&poster, self.config.timeout.min(LAST_PUSH_MAX)).await;
                }
            }
        }
    }

    async fn push(&self, poster: &Poster, timeout: Duration) {
        let Err(error) = self.try_push(poster, timeout).await else { return };
        let failures = self.monitor.export_failed(EXPORTER, error.reason());
        if failures == 1 {
            tell(&format!(
                "OTLP push to {} failed: {error} (told once; \
                 loopscope_export_failures_total counts on)",
                self.config.place()
            ));
        }
    }

    async fn try_push(&self, poster: &Poster, timeout: Duration) -> Result<(), PushError> {
        let snapshot = self.observed.snapshot();
        let stats = self.monitor.stats(&snapshot);
        let exporter = Otlp {
            options: OtlpOptions {
                resource: self.config.resource.clone(),
                start_unix_ns: self.start_unix_ns,
                end_unix_ns: unix_ns(),
            },
        };
        let mut body = Vec::new();
        exporter
            .export(&snapshot, &stats, &mut body)
            .map_err(|error| PushError::Encode(error.to_string()))?;
        poster.post(&self.config, exporter.content_type(), body, timeout).await
    }
}

fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
