//! A million timers under virtual time: set, cleared in random order, expired. An element is a
//! timer.

mod support;

use loopscope_bench::Failure;
use loopscope_bench::cases::timers::{Durations, Part, first_timers, scattered_timers, timers};
use loopscope_bench::cases::under_virtual_time;

const TIMERS: usize = 1_000_000;

fn main() -> Result<(), Failure> {
    let case = |which, part| timers(under_virtual_time, TIMERS, which, part);
    let first = |which| first_timers(under_virtual_time, TIMERS, which);
    let scattered = |which| scattered_timers(under_virtual_time, TIMERS, which);
    support::bench(
        "timers",
        vec![
            ("spread, first insert", first(Durations::Spread)),
            ("spread, insert after random clears", scattered(Durations::Spread)),
            ("spread, insert", case(Durations::Spread, Part::Insert)),
            ("spread, cancel", case(Durations::Spread, Part::Cancel)),
            ("spread, expire", case(Durations::Spread, Part::Expire)),
            ("same, first insert", first(Durations::Same)),
            ("same, insert after random clears", scattered(Durations::Same)),
            ("same, insert", case(Durations::Same, Part::Insert)),
            ("same, cancel", case(Durations::Same, Part::Cancel)),
            ("same, expire", case(Durations::Same, Part::Expire)),
        ],
    )
}
