//! The bounds of sampling, each with its reason.

/// From one sample to the next, in nanoseconds: 1 kHz, which tells apart what takes milliseconds.
pub(super) const PERIOD_NS: u64 = 1_000_000;

/// The part of the stall threshold that a turn must have been open for: a stall is then known from
/// its first fifth on, and what is no stall costs nothing.
pub(super) const OPEN_PARTS: u64 = 5;

/// Ended stalls that are kept: the loop lists as many.
pub(super) const STALLS_KEPT: usize = 64;

/// Files whose calls are known, and the size up to which they are.
pub(super) const FILES_MAX: usize = 256;
pub(super) const FILE_BYTES_MAX: u64 = 8 << 20;
