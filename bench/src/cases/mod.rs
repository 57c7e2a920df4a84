//! What of ours is measured: one file a part of the loop.
//!
//! Every case is made for a loop of either kind, measured ([`loop_core::Recorder`]) or not
//! ([`loop_core::NoRecord`]), so that both run the same code but for the recorder.

pub mod queues;
pub mod read;
pub mod record;
pub mod timers;
pub mod turn;

use loop_core::{Clock, Loop, NoRecord, Options};

use crate::Failure;

/// A measured loop.
///
/// # Errors
/// When the kernel grants no descriptors.
pub fn measured() -> Result<Loop, Failure> {
    Ok(Loop::new(Options::default())?)
}

/// A loop that isn't measured.
///
/// # Errors
/// As [`measured`].
pub fn unmeasured() -> Result<Loop<NoRecord>, Failure> {
    Ok(Loop::unmeasured(Options::default())?)
}

/// A measured loop under virtual time.
///
/// # Errors
/// As [`measured`].
pub fn under_virtual_time() -> Result<Loop, Failure> {
    Ok(Loop::new(Options { clock: Clock::virtual_time(), ..Options::default() })?)
}
