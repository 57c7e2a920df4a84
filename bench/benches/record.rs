//! One value into a histogram, by our recorder and by others. An element is a value.

mod support;

use loopscope_bench::Failure;
use loopscope_bench::cases::record::{hdrhistogram, prometheus, prometheus_client, recorder};

fn main() -> Result<(), Failure> {
    support::bench(
        "record",
        vec![
            ("recorder", recorder()),
            ("hdrhistogram", hdrhistogram()?),
            ("prometheus", prometheus()?),
            ("prometheus-client", prometheus_client()),
        ],
    )
}
