//! Which hot paths are counted. An operation is what its case says.
//!
//! **Invariant**: a case does the same in every run. Those that read the real clock do so but for
//! its alignments: less than a thousandth where nothing else runs, a hundredth where much does.

use loop_core::Clock;
use loopscope_bench::Failure;
use loopscope_bench::cases::javascript::{Kind, on_loop};
use loopscope_bench::cases::timers::{Durations, Part, timers};
use loopscope_bench::cases::turn::{immediates_chained, turns};
use loopscope_bench::cases::{
    measured, queues, read, record, under_virtual_time, unmeasured, unmeasured_under_virtual_time,
};
use loopscope_bench::measure::Case;

/// One path.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    /// Whether it reads the real clock, whose path depends on the machine.
    pub(crate) real_clock: bool,
    /// Whether it runs in the JavaScript engine, which a C compiler has made.
    pub(crate) engine: bool,
    pub(crate) make: fn() -> Result<Case, Failure>,
}

const TURNS: u64 = 2_000;
const FEW_TURNS: u64 = 200;
const TIMERS: usize = 10_000;
const OPERATIONS: u64 = 10_000;

/// All of them, in the order of the lock.
pub(crate) const PATHS: &[Path] = &[
    real("turn-unmeasured", || Ok(turns(unmeasured()?, TURNS, 0))),
    real("turn-measured", || Ok(turns(measured()?, TURNS, 0))),
    path("turn-unmeasured-virtual", || Ok(turns(unmeasured_under_virtual_time()?, TURNS, 0))),
    path("turn-measured-virtual", || Ok(turns(under_virtual_time()?, TURNS, 0))),
    path("turn-100-immediates-unmeasured", || {
        Ok(turns(unmeasured_under_virtual_time()?, FEW_TURNS, 100))
    }),
    path("turn-100-immediates-measured", || Ok(turns(under_virtual_time()?, FEW_TURNS, 100))),
    path("immediate-chained", || Ok(immediates_chained(under_virtual_time()?, FEW_TURNS, 100))),
    path("microtask-flat", || Ok(queues::microtasks_flat(under_virtual_time()?))),
    path("microtask-chained", || Ok(queues::microtasks_chained(under_virtual_time()?))),
    path("next-tick-flat", || Ok(queues::ticks_flat(under_virtual_time()?))),
    path("next-tick-chained", || Ok(queues::ticks_chained(under_virtual_time()?))),
    path("drain-of-one-measured", || Ok(queues::drains_of_one(under_virtual_time()?))),
    path("record-histogram", || Ok(record::histogram())),
    path("record-loop", || Ok(record::recorder())),
    path("record-run-of-64", || Ok(record::runs())),
    path("timer-insert-spread", || timer(Durations::Spread, Part::Insert)),
    path("timer-cancel-spread", || timer(Durations::Spread, Part::Cancel)),
    path("timer-expire-spread", || timer(Durations::Spread, Part::Expire)),
    path("timer-insert-same", || timer(Durations::Same, Part::Insert)),
    path("timer-cancel-same", || timer(Durations::Same, Part::Cancel)),
    path("timer-expire-same", || timer(Durations::Same, Part::Expire)),
    engine("javascript-then", || script(Kind::Then)),
    engine("javascript-microtask", || script(Kind::Microtask)),
    engine("javascript-await", || script(Kind::Await)),
    engine("javascript-next-tick", || script(Kind::Tick)),
    engine("javascript-immediate", || script(Kind::Immediate)),
    engine("javascript-timeout", || script(Kind::Timeout)),
    path("reader-copy", read::snapshot_copy),
    path("text-page", read::text_page),
];

const fn path(name: &'static str, make: fn() -> Result<Case, Failure>) -> Path {
    Path { name, real_clock: false, engine: false, make }
}

const fn real(name: &'static str, make: fn() -> Result<Case, Failure>) -> Path {
    Path { name, real_clock: true, engine: false, make }
}

fn timer(which: Durations, part: Part) -> Result<Case, Failure> {
    Ok(timers(under_virtual_time, TIMERS, which, part))
}

const fn engine(name: &'static str, make: fn() -> Result<Case, Failure>) -> Path {
    Path { name, real_clock: false, engine: true, make }
}

fn script(kind: Kind) -> Result<Case, Failure> {
    on_loop(kind, OPERATIONS, Clock::virtual_time())
}
