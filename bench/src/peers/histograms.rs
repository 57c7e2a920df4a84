//! What others ask for one value in a histogram, held by a handle that was made before. An
//! operation is a value.

use std::hint::black_box;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};

use super::BOUNDS_SECONDS;
use crate::Failure;
use crate::cases::record::passes;
use crate::measure::Case;

/// `hdrhistogram` with two significant digits.
///
/// # Errors
/// Never, with these bounds.
pub fn hdrhistogram() -> Result<Case, Failure> {
    let mut histogram = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 3_600_000_000_000, 2)?;
    // Nobody else sees this histogram, so its sums would stay in registers from value to value, as
    // they can't in a program that does something between two of them.
    Ok(passes(move |value| black_box(&mut histogram).saturating_record(value)))
}

/// `prometheus`, 19 bounds as in our exporter, in seconds.
///
/// # Errors
/// Never, with these bounds.
pub fn prometheus() -> Result<Case, Failure> {
    let bounds = BOUNDS_SECONDS.to_vec();
    let options = prometheus::HistogramOpts::new("turn", "turn").buckets(bounds);
    let histogram = prometheus::Histogram::with_opts(options)?;
    Ok(passes(move |value| histogram.observe(value as f64 * 1e-9)))
}

/// `prometheus-client`, with the same bounds.
pub fn prometheus_client() -> Case {
    let histogram = prometheus_client::metrics::histogram::Histogram::new(BOUNDS_SECONDS);
    passes(move |value| histogram.observe(value as f64 * 1e-9))
}

/// OpenTelemetry's SDK, with the same bounds, and three attributes with each value or none.
pub fn opentelemetry(with_attributes: bool) -> Case {
    let reader = PeriodicReader::builder(Nowhere).with_interval(NEVER).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    let histogram = provider
        .meter("bench")
        .f64_histogram("turn")
        .with_boundaries(BOUNDS_SECONDS.to_vec())
        .build();
    let attributes = [
        KeyValue::new("target", "bench"),
        KeyValue::new("pid", 1_234),
        KeyValue::new("thread", "main"),
    ];
    let attributes = if with_attributes { attributes.to_vec() } else { Vec::new() };
    passes(move |value| {
        // A histogram whose provider is gone records nothing.
        let _ = &provider;
        histogram.record(value as f64 * 1e-9, &attributes);
    })
}

/// Longer than any run: nothing is exported while it is measured.
const NEVER: Duration = Duration::from_secs(86_400);

/// Takes what is exported at the end.
#[derive(Debug)]
struct Nowhere;

impl PushMetricExporter for Nowhere {
    async fn export(&self, _: &ResourceMetrics) -> OTelSdkResult {
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_records() {
        let mut cases = vec![hdrhistogram().unwrap(), prometheus().unwrap(), prometheus_client()];
        cases.extend([opentelemetry(false), opentelemetry(true)]);
        for case in &mut cases {
            assert!(case().unwrap().operations > 0);
        }
    }
}
