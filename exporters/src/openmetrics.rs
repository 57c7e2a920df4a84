//! OpenMetrics 1.0 as text: what [`crate::text`] tells, with units, exemplars and an end.
//!
//! ```text
//!  # TYPE loopscope_eventloop_turn_duration_seconds histogram
//!  # UNIT loopscope_eventloop_turn_duration_seconds seconds
//!  # HELP ...
//!  ..._bucket{...,le="0.25"} 7 # {stall_id="812-812-1700000000123456789"} 0.2103 1700000000.33
//!  ...
//!  # EOF
//! ```
//!
//! A family of counters is named without `_total`, its samples with it.
//!
//! An exemplar is the newest completed stall of its bucket. Its value is how long the stall
//! lasted, its time when the stall was over.
//!
//! There are no lines `_created`. A server makes a series of each unless told otherwise: 55 more
//! a loop, past its ceiling, to say 55 times when the agent began. [`crate::protobuf`] tells it at
//! no such cost.

use std::io;

use loop_core::snapshot::Snapshot;

use crate::metrics::Metric;
use crate::page::{self, Dialect};
use crate::{Exporter, SelfStats, View};

/// OpenMetrics 1.0 as text; histograms are classic ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenMetrics;

impl Exporter for OpenMetrics {
    fn content_type(&self) -> &'static str {
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    }

    fn export(
        &self,
        snapshot: &Snapshot,
        stats: &SelfStats,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        page::write::<Self>(&View::new(snapshot, stats), out)
    }
}

impl Dialect for OpenMetrics {
    fn put_header(bytes: &mut Vec<u8>, metric: &Metric) {
        let family = metric.family_name();
        page::put_quoted(bytes, "TYPE", family, page::kind(metric));
        if let Some(unit) = metric.unit_word() {
            page::put_quoted(bytes, "UNIT", family, unit);
        }
        page::put_quoted(bytes, "HELP", family, metric.help);
    }

    const EXEMPLARS: bool = true;
    const END: &'static [u8] = b"# EOF\n";
}
