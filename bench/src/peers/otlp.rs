//! OpenTelemetry's SDK: as many histograms as our page of one loop has, collected and encoded as a
//! request of OTLP. An operation is a request.

use std::hint::black_box;
use std::sync::{Arc, Weak};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, MeterProvider};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{
    Aggregation, Instrument, InstrumentKind, ManualReader, Pipeline, SdkMeterProvider, Stream,
    Temporality,
};
use prost::Message;

use super::BOUNDS_SECONDS;
use crate::Failure;
use crate::measure::{Batch, Case};

/// Requests in a batch.
const REQUESTS: u64 = 20;

/// Values in each histogram, from 50 ns to 50 ms as those of our loop.
const VALUES: u32 = 1_000;

/// A reader that is asked when we want it, while the provider has it.
#[derive(Clone, Debug)]
struct Shared(Arc<ManualReader>);

impl MetricReader for Shared {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}

/// What a histogram counts into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 19 bounds, as in our exporter.
    Explicit,
    /// Up to 160 buckets by powers of two, as ours are when they are pushed.
    Exponential,
}

/// A provider and what reads it.
fn provider(kind: Kind) -> (SdkMeterProvider, Shared) {
    let reader = Shared(Arc::new(ManualReader::builder().build()));
    let builder = SdkMeterProvider::builder().with_reader(reader.clone());
    let exponential = |_: &Instrument| {
        let aggregation = Aggregation::Base2ExponentialHistogram {
            max_size: 160,
            max_scale: 20,
            record_min_max: true,
        };
        Stream::builder().with_aggregation(aggregation).build().ok()
    };
    match kind {
        Kind::Explicit => (builder.build(), reader),
        Kind::Exponential => (builder.with_view(exponential).build(), reader),
    }
}

fn histogram(provider: &SdkMeterProvider, number: usize) -> Histogram<f64> {
    let meter = provider.meter("bench");
    let builder = meter.f64_histogram(format!("histogram_{number}"));
    builder.with_description("A histogram.").with_boundaries(BOUNDS_SECONDS.to_vec()).build()
}

/// Collects all of them, into memory that is used again, and encodes the request.
///
/// # Errors
/// When the SDK collects nothing.
pub fn push(histograms: usize, kind: Kind) -> Result<Case, Failure> {
    let (provider, reader) = provider(kind);
    let attributes = [KeyValue::new("thread", "main")];
    for number in 0..histograms {
        let histogram = histogram(&provider, number);
        for number in 0..VALUES {
            let value = 50e-9 * 1e6_f64.powf(f64::from(number) / f64::from(VALUES));
            histogram.record(value, &attributes);
        }
    }
    let mut metrics = ResourceMetrics::default();
    let mut body = Vec::new();
    Ok(Box::new(move || {
        // A reader whose provider is gone collects nothing.
        let _ = &provider;
        Batch::try_timed(REQUESTS, || {
            for _ in 0..REQUESTS {
                reader.collect(&mut metrics)?;
                body.clear();
                ExportMetricsServiceRequest::from(black_box(&metrics)).encode(&mut body)?;
            }
            if body.len() < histograms {
                Err("nothing was collected".into())
            } else {
                Ok::<_, Failure>(())
            }
        })
    }))
}

/// What makes so many histograms with a value in each, when it is called; what it returns keeps
/// them.
pub(super) fn made(count: usize) -> impl FnOnce() -> (SdkMeterProvider, Vec<Histogram<f64>>) {
    let (provider, _) = provider(Kind::Explicit);
    move || {
        let all: Vec<_> = (0..count).map(|number| histogram(&provider, number)).collect();
        all.iter().for_each(|histogram| histogram.record(1e-3, &[]));
        (provider, all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_hold_what_was_recorded() {
        for kind in [Kind::Explicit, Kind::Exponential] {
            assert_eq!(push(3, kind).unwrap()().unwrap().operations, REQUESTS, "{kind:?}");
        }
    }
}
