//! What is measured, in groups whose cases take turns, and against which limits. Why a goal is
//! missed stands beside the goal, true for the code as it is; it is printed only beside a miss.

pub(crate) mod pairs;
mod reads;
mod records;
mod scripts;
mod timers;
mod turns;

use loopscope_bench::Failure;

use crate::row::Row;
pub(crate) use scripts::FIRST_LINE;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    rounds: usize,
    turns: u64,
    timers: usize,
    timer_rounds: usize,
}

/// A minute or two.
pub(crate) const FULL: Size =
    Size { rounds: 61, turns: 20_000, timers: 1_000_000, timer_rounds: 5 };

/// Some seconds.
pub(crate) const QUICK: Size = Size { rounds: 15, turns: 5_000, timers: 100_000, timer_rounds: 3 };

/// Cases that are measured together.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) measure: fn(&Size) -> Result<Vec<Row>, Failure>,
}

/// All of them, in the order of the table.
pub(crate) const GROUPS: &[Group] = &[
    Group { name: "turn", title: "turns with one poll", measure: turns::empty },
    Group { name: "socket", title: "turns with a socket event", measure: turns::socket },
    Group { name: "immediates", title: "turns with immediates", measure: turns::immediates },
    Group { name: "detail", title: "the time of single callbacks", measure: turns::detail },
    Group { name: "record", title: "a value in a histogram", measure: records::records },
    Group { name: "queues", title: "microtasks and ticks", measure: turns::jobs },
    Group { name: "timers", title: "timers", measure: timers::all },
    Group { name: "javascript", title: "scripts", measure: scripts::all },
    Group { name: "read", title: "readers", measure: reads::reads },
    Group { name: "memory", title: "memory", measure: reads::memory },
];

/// Why libuv is missing from a table.
const NO_LIBUV: &str = "build with `--features libuv` (needs libclang: bench/README.md)";
