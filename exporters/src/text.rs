//! Prometheus' text format 0.0.4: the lines of [`crate::page`], with neither units nor exemplars.

use std::io;

use loop_core::snapshot::Snapshot;

use crate::metrics::Metric;
use crate::page::{self, Dialect};
use crate::{Exporter, SelfStats, View};

/// Prometheus' text format 0.0.4, read by every server; histograms are classic ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrometheusText;

impl Exporter for PrometheusText {
    fn content_type(&self) -> &'static str {
        "text/plain; version=0.0.4; charset=utf-8"
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

impl Dialect for PrometheusText {
    fn put_header(bytes: &mut Vec<u8>, metric: &Metric) {
        page::put_unquoted(bytes, "HELP", metric.name, metric.help);
        page::put_unquoted(bytes, "TYPE", metric.name, page::kind(metric));
    }

    const EXEMPLARS: bool = false;
    const END: &'static [u8] = b"";
}
