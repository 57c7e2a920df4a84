//! The bounds of sampling, each with its reason.

/// From one sample to the next, in nanoseconds: 1 kHz, which tells apart what takes milliseconds.
pub(super) const PERIOD_NS: u64 = 1_000_000;

/// The part of the stall threshold that a turn must have been open for: a stall is then known from
/// its first fifth on, and what is no stall costs nothing.
pub(super) const OPEN_PARTS: u64 = 5;

/// Functions counted in one stall; others can't be blamed.
pub(super) const FUNCTIONS_MAX: usize = 1_024;

/// Stacks told apart in one stall. What is seen first is what is seen often.
pub(super) const STACKS_MAX: usize = 256;

/// Lines, and leaves, told apart in one function.
pub(super) const PLACES_MAX: usize = 32;

/// Frames of a stack that are told.
pub(super) const FRAMES_TOLD: usize = 16;

/// Ended stalls that are kept: the loop lists as many.
pub(super) const STALLS_KEPT: usize = 64;

/// The least share of the samples that must have seen code of the program: below it, nobody is
/// blamed for what the rest did.
pub(super) const SEEN_SHARE_MIN: f64 = 0.1;

/// The share of the samples that makes a culprit.
pub(super) const CULPRIT_SHARE: f64 = 0.5;

/// Files whose calls are known, and the size up to which they are.
pub(super) const FILES_MAX: usize = 256;
pub(super) const FILE_BYTES_MAX: u64 = 8 << 20;
