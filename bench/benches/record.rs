//! One value into a histogram, by our recorder and by others. An element is a value.

mod support;

use loopscope_bench::Failure;
use loopscope_bench::cases::record::{histogram, recorder};
use loopscope_bench::peers::histograms::{
    hdrhistogram, opentelemetry, prometheus, prometheus_client,
};

fn main() -> Result<(), Failure> {
    support::bench(
        "record",
        vec![
            ("histogram", histogram()),
            ("recorder", recorder()),
            ("hdrhistogram", hdrhistogram()?),
            ("prometheus", prometheus()?),
            ("prometheus-client", prometheus_client()),
            ("opentelemetry", opentelemetry(false)),
            ("opentelemetry, 3 attributes", opentelemetry(true)),
        ],
    )
}
