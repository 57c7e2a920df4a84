//! What readers cost: the copy of a recorder, the page of each format. An element is one of them.

mod support;

use loopscope_bench::Failure;
use loopscope_bench::cases::read::{
    json_line, openmetrics_page, otlp_request, protobuf_page, scrape, snapshot_copy, text_page,
};

fn main() -> Result<(), Failure> {
    support::bench(
        "read",
        vec![
            ("snapshot copy", snapshot_copy()?),
            ("text page", text_page()?),
            ("OpenMetrics page", openmetrics_page()?),
            ("protobuf page", protobuf_page()?),
            ("JSON line", json_line()?),
            ("OTLP request", otlp_request()?),
            ("scrape", scrape()?),
        ],
    )
}
