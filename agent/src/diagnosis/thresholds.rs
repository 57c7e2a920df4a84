//! Every number that a rule compares with, and why it is that one.
//!
//! [`TABLE`] tells them to people: each page of `agent/docs/diagnoses` holds its rows, and a test
//! holds the pages against this file.

use std::fmt;

use loop_core::units::{format_count, format_ns};

use super::Id;

/// A drain of so many jobs is a flood. A job costs 50 ns at the very least and some 10 µs as code
/// is written in practice: a thousand are 10 ms in which no timer, no request and no reply is
/// served. A program that yields between batches stays far below, whatever its load.
pub const FLOOD_JOBS: u64 = 1_000;

/// A wait of so long hurts whoever waits: it is what a turn counts as a stall from, unless the
/// user says otherwise. Callbacks that take less each are harmless one by one, a stall in which
/// the loop itself worked for so long would have been one on an idle machine, too, and a job or a
/// timer that waits for so long waits as long as behind a stall.
pub const STALL_NS: u64 = 50_000_000;

/// So many callbacks of a phase in one turn are many: at the usual stall threshold each has taken
/// half a millisecond or less, which is how long a plain request handler runs, and shortening any
/// one of them would not help.
pub const MANY_CALLBACKS: u64 = 100;

/// A callback that took this share of a stall explains it alone.
pub const LONGEST_SHARE: f64 = 0.5;

/// Stalls by waiting for a CPU are starvation from so many on. One or two are blips: a kernel
/// hands out slices of 3 to 4 ms, and a burst of other work delays a thread by tens of
/// milliseconds now and then on any shared machine.
pub const STARVED_STALLS: u64 = 3;

/// Stalls by waiting for a CPU must take this share of the observed time, together with their
/// number: three blips in an hour are none of the user's business.
pub const STARVED_SHARE: f64 = 0.05;

/// A single stall by waiting for a CPU that is so long is no blip: four times the usual threshold,
/// and fifty slices of others.
pub const STARVED_NS: u64 = 200_000_000;

/// A thread that waits for a CPU so many times as long as it runs is starved even if no single
/// turn became a stall. Beside one busy neighbour on the same CPU it waits as long as it runs; it
/// takes four to get there.
pub const STARVED_RATIO: u64 = 4;

/// That wait must be so long in all: every thread waits a little when it starts.
pub const STARVED_WAIT_NS: u64 = 1_000_000_000;

/// That wait must be this share of the observed time: a loop that hardly runs hardly suffers.
pub const STARVED_WAIT_SHARE: f64 = 0.1;

/// A timer that is late by so much more than the loop's turns and its waits for a CPU explain, was
/// late because the process was stopped, or the machine under it. On a machine that is busy, timers
/// come tens of milliseconds late now and then although the kernel accounts for no wait: this is
/// four stall thresholds, which no slice of a neighbour explains.
pub const UNEXPLAINED_NS: u64 = 200_000_000;

/// Garbage collection that takes this share of the time in which the loop is active. A heap of
/// reasonable size costs a few percent.
pub const GC_SHARE: f64 = 0.1;

/// Where no turn became a stall by it, one full collection must have held up the loop for so long:
/// a fifth of the usual stall threshold. Collections of what is young are short, and cost only CPU.
pub const GC_PAUSE_NS: u64 = 10_000_000;

/// So many jobs must have waited for the pool at once: as many as it has threads by default, so
/// that the last of them waits for a whole job, and not for a thread that is about to wake up.
pub const POOL_QUEUED: u64 = 4;

/// One job in ten must have waited for too long: a burst now and then that delays a few of
/// thousands is what a queue is for.
pub const POOL_SHARE: f64 = 0.1;

/// The jobs that ran must explain this share of the longest wait, or the threads were late to wake
/// up and not busy. With one thread, the last job waits for all others in a row, and between two
/// of them for the thread itself: their own time never adds up to the wait. Half of it leaves room
/// for that, and a thread that wakes up late behind short jobs stays far below.
pub const POOL_BUSY_SHARE: f64 = 0.5;

/// A part of a stall's ledger is worth telling from so much of it on; below, it is noise beside
/// the cause.
pub const PART_SHARE: f64 = 0.01;

/// A wait is told from this part of its stall on: what is shorter than a tenth of it explains
/// nothing.
pub const WAIT_SHARE: f64 = 0.1;

/// A timer's lateness is evidence from here on: timers have a resolution of 1 ms.
pub const LATE_NS: u64 = 1_000_000;

/// A number as it is told to people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// How many.
    Count(u64),
    /// How long, in nanoseconds.
    Time(u64),
    /// A part of a whole, from 0 to 1.
    Share(f64),
    /// So many times as much.
    Times(u64),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Value::Count(count) => f.write_str(&format_count(count)),
            Value::Time(ns) => f.write_str(&format_ns(ns)),
            Value::Share(share) => write!(f, "{:.0} %", share * 100.0),
            Value::Times(times) => write!(f, "{times} times"),
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Threshold {
    /// What the number is compared with.
    pub what: &'static str,
    /// The number.
    pub value: Value,
    /// The diagnoses that depend on it.
    pub ids: &'static [Id],
}

impl Threshold {
    /// The row as the pages hold it.
    pub fn row(&self) -> String {
        format!("| {} | {} |", self.what, self.value)
    }
}

const fn row(what: &'static str, value: Value, ids: &'static [Id]) -> Threshold {
    Threshold { what, value, ids }
}

const POOL: &[Id] = &[Id::ThreadPoolSaturation];

const STORMS: &[Id] = &[Id::TimerStorm, Id::PollFlood, Id::ImmediateFlood, Id::CpuBoundCallback];

/// Every number that decides between diagnoses.
pub const TABLE: [Threshold; 22] = [
    row(
        "jobs in one drain, at least",
        Value::Count(FLOOD_JOBS),
        &[Id::MicrotaskFlood, Id::NextTickStarvation],
    ),
    row("callbacks of the phase in one turn that are many", Value::Count(MANY_CALLBACKS), STORMS),
    row("mean time of a callback from which each is too long", Value::Time(STALL_NS), STORMS),
    row("share of a stall by which one callback explains it", Value::Share(LONGEST_SHARE), STORMS),
    row(
        "work of its own from which a stall is the loop's fault",
        Value::Time(STALL_NS),
        &[Id::CpuStarved, Id::Frozen, Id::CpuBoundCallback],
    ),
    row("such stalls, at least", Value::Count(STARVED_STALLS), &[Id::CpuStarved]),
    row("and their share of the observed time", Value::Share(STARVED_SHARE), &[Id::CpuStarved]),
    row("or the time of the longest, at least", Value::Time(STARVED_NS), &[Id::CpuStarved]),
    row(
        "or, without stalls, waiting against running",
        Value::Times(STARVED_RATIO),
        &[Id::CpuStarved],
    ),
    row("where the wait is, at least", Value::Time(STARVED_WAIT_NS), &[Id::CpuStarved]),
    row("and its share of the observed time", Value::Share(STARVED_WAIT_SHARE), &[Id::CpuStarved]),
    row("share of active time, at least", Value::Share(GC_SHARE), &[Id::GcPressure]),
    row("and time of all pauses, at least", Value::Time(STALL_NS), &[Id::GcPressure]),
    row("and the longest full collection, at least", Value::Time(GC_PAUSE_NS), &[Id::GcPressure]),
    row("time frozen in all, at least", Value::Time(STALL_NS), &[Id::Frozen]),
    row("a timer late by more than the longest turn, by", Value::Time(STALL_NS), &[Id::Frozen]),
    row("or stopped when the observation ends, for at least", Value::Time(STALL_NS), &[Id::Frozen]),
    row(
        "or, with none seen, by more than two turns and waits for a CPU",
        Value::Time(UNEXPLAINED_NS),
        &[Id::Frozen],
    ),
    row("jobs waiting at once, at least", Value::Count(POOL_QUEUED), POOL),
    row("share of the jobs that waited too long", Value::Share(POOL_SHARE), POOL),
    row("a wait that is too long, from", Value::Time(STALL_NS), POOL),
    row("share of the longest wait in which jobs ran", Value::Share(POOL_BUSY_SHARE), POOL),
];
