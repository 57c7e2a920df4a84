//! Snapshot to bytes: the one list of metrics, and one exporter a format.
//!
//! ```text
//!  Snapshot ──┐
//!             ├──> View ──> metrics (the list) ──┬──> text: Prometheus 0.0.4
//!  SelfStats ─┘    one entry a loop              └──> otlp: protobuf
//! ```
//!
//! No exporter knows a metric by name: each walks [`metrics::all`], so a metric added to the list
//! is in every format, in `METRICS.md` and demanded of the dashboard.
//!
//! **Invariant**: no sockets, no clock, no state. The same snapshot gives the same bytes.
//!
//! **Invariant**: what a source can't see is `None` in the snapshot and has no series here.

#![forbid(unsafe_code)]

pub mod classic;
pub mod dashboard;
pub mod exponential;
mod label;
pub mod limits;
pub mod metrics;
mod otlp;
mod self_stats;
mod text;
mod view;

use std::io;

use loop_core::snapshot::Snapshot;

pub use otlp::{Otlp, OtlpOptions};
pub use self_stats::{Build, SelfStats, TargetCounts};
pub use text::PrometheusText;
pub use view::{LoopView, View};

/// Turns a snapshot into the bytes of one format.
pub trait Exporter {
    /// The value of the `Content-Type` header that goes with the bytes.
    fn content_type(&self) -> &'static str;

    /// Writes `snapshot`, and what the agent knows of itself, to `out`.
    ///
    /// # Errors
    /// Only those of `out`. Part of the bytes may have been written by then.
    fn export(
        &self,
        snapshot: &Snapshot,
        stats: &SelfStats,
        out: &mut dyn io::Write,
    ) -> io::Result<()>;
}
