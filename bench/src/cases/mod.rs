//! What of ours is measured: one file a part of the loop.
//!
//! Every case is made for a loop of either kind, measured ([`loop_core::Recorder`]) or not
//! ([`loop_core::NoRecord`]), so that both run the same code but for the recorder.
//!
//! **Invariant**: loops by the real clock are handed out with their clock calibrated, so that what
//! is measured is a loop that has run for a while.

pub mod javascript;
pub mod queues;
pub mod read;
pub mod record;
pub mod timers;
pub mod turn;

use std::time::Duration;

use loop_core::{Clock, Loop, NoRecord, Options, Record, RunMode};

use crate::Failure;

/// A measured loop.
///
/// # Errors
/// When the kernel grants no descriptors.
pub fn measured() -> Result<Loop, Failure> {
    settled(Loop::new(Options::default())?)
}

/// A measured loop that times every callback, too.
///
/// # Errors
/// As [`measured`].
pub fn measured_in_detail() -> Result<Loop, Failure> {
    settled(Loop::new(Options { detail: true, ..Options::default() })?)
}

/// A loop that isn't measured.
///
/// # Errors
/// As [`measured`].
pub fn unmeasured() -> Result<Loop<NoRecord>, Failure> {
    settled(Loop::unmeasured(Options::default())?)
}

/// A measured loop under virtual time.
///
/// # Errors
/// As [`measured`].
pub fn under_virtual_time() -> Result<Loop, Failure> {
    Ok(Loop::new(Options { clock: Clock::virtual_time(), ..Options::default() })?)
}

/// A loop under virtual time that isn't measured.
///
/// # Errors
/// As [`measured`].
pub fn unmeasured_under_virtual_time() -> Result<Loop<NoRecord>, Failure> {
    Ok(Loop::unmeasured(Options { clock: Clock::virtual_time(), ..Options::default() })?)
}

/// The rate of the CPU's counter is taken from two readings that are at least 50 ms apart. More
/// than two are offered, for the loop leaves out those that a preemption has parted.
fn settled<R: Record>(mut lp: Loop<R>) -> Result<Loop<R>, Failure> {
    const APART: Duration = Duration::from_millis(55);
    const READINGS: usize = 100;
    let mut read_clock = || (0..READINGS).try_for_each(|_| lp.run(RunMode::NoWait).map(drop));
    read_clock()?;
    std::thread::sleep(APART);
    read_clock()?;
    Ok(lp)
}
