//! Snapshot to bytes: the one list of metrics, and one exporter a format.
//!
//! ```text
//!                                                ┌──> text: Prometheus 0.0.4     ┐
//!  Snapshot ──┐                                  ├──> openmetrics: 1.0, exemplars ├ negotiate
//!             ├──> View ──> metrics (the list) ──┼──> protobuf: native histograms ┘
//!  SelfStats ─┘    one entry a loop              ├──> json_lines: for logs
//!                                                └──> otlp: protobuf, to be pushed
//!
//!  Snapshot ──> otlp_logs: its stalls as log records
//! ```
//!
//! [`Format::of`] chooses one of the first three, which are pages, by what a server accepts.
//!
//! [`profile`] writes the samples of stalls, in formats of their own. [`colours`] are those of all
//! pictures.
//!
//! No exporter knows a metric by name: each walks [`metrics::all`], so a metric added to the list
//! is in every format, in `METRICS.md` and demanded of the dashboard.
//!
//! **Invariant**: no sockets, no clock, no state. The same snapshot gives the same bytes.
//!
//! **Invariant**: what a source can't see is `None` in the snapshot and has no series here.

#![forbid(unsafe_code)]

pub mod classic;
pub mod colours;
mod compat;
pub mod dashboard;
mod exemplar;
pub mod exponential;
mod json_lines;
mod label;
pub mod limits;
pub mod metrics;
mod negotiate;
mod openmetrics;
mod otlp;
pub mod otlp_logs;
mod page;
pub mod profile;
pub mod protobuf;
mod self_stats;
mod stall_id;
mod text;
mod view;

use std::io;

use loop_core::snapshot::Snapshot;

pub use compat::Compat;
pub use json_lines::JsonLines;
pub use negotiate::{Format, takes_gzip};
pub use openmetrics::OpenMetrics;
pub use otlp::{Otlp, OtlpOptions};
pub use otlp_logs::{NewStall, NewStalls, OtlpLogs, StallMarks};
pub use protobuf::Protobuf;
pub use self_stats::{Build, Folded, ProcessStats, SelfStats, TargetCounts};
pub use stall_id::stall_id;
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
