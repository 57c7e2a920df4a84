//! Every number that a rule compares with, and why it is that one.

/// A drain of so many jobs is a flood. A job costs 50 ns at the very least and some 10 µs as code
/// is written in practice: a thousand are 10 ms in which no timer, no request and no reply is
/// served. A program that yields between batches stays far below, whatever its load.
pub const FLOOD_JOBS: u64 = 1_000;

/// A part of a stall's ledger is worth telling from so much of it on; below, it is noise beside
/// the cause.
pub const PART_SHARE: f64 = 0.01;

/// A timer's lateness is evidence from here on: timers have a resolution of 1 ms.
pub const LATE_NS: u64 = 1_000_000;
