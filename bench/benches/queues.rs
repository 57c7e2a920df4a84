//! Node's queues on a measured loop. An element is a job, queued and run.

mod support;

use loopscope_bench::Failure;
use loopscope_bench::cases::measured;
use loopscope_bench::cases::queues::{
    drains_of_one, microtasks_chained, microtasks_flat, ticks_chained, ticks_flat,
};
use loopscope_bench::cases::turn::immediates;

fn main() -> Result<(), Failure> {
    support::bench(
        "queues",
        vec![
            ("microtasks, flat", microtasks_flat(measured()?)),
            ("microtasks, chained", microtasks_chained(measured()?)),
            ("nextTicks, flat", ticks_flat(measured()?)),
            ("nextTicks, chained", ticks_chained(measured()?)),
            ("drains of one", drains_of_one(measured()?)),
            ("immediates, 1,000 a turn", immediates(measured()?, 100, 1_000)),
        ],
    )
}
