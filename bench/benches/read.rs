//! What readers cost: the copy of a recorder, the text page. An element is one of them.

mod support;

use loopscope_bench::Failure;
use loopscope_bench::cases::read::{scrape, snapshot_copy, text_page};

fn main() -> Result<(), Failure> {
    support::bench(
        "read",
        vec![
            ("snapshot copy", snapshot_copy()?),
            ("text page", text_page()?),
            ("scrape", scrape()?),
        ],
    )
}
