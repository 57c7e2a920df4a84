//! Turns with one poll each, on a loop that is measured and on one that isn't. An element is a
//! turn.

mod support;

use loopscope_bench::Failure;
use loopscope_bench::cases::turn::{tcp_turns, turns};
use loopscope_bench::cases::{measured, unmeasured};

fn main() -> Result<(), Failure> {
    support::bench(
        "turn",
        vec![
            ("empty, unmeasured", turns(unmeasured()?, 10_000, 0)),
            ("empty, measured", turns(measured()?, 10_000, 0)),
            ("100 immediates, unmeasured", turns(unmeasured()?, 1_000, 100)),
            ("100 immediates, measured", turns(measured()?, 1_000, 100)),
            ("socket event, unmeasured", tcp_turns(unmeasured()?, 1_000)?),
            ("socket event, measured", tcp_turns(measured()?, 1_000)?),
        ],
    )
}
