//! The bounds of what is counted of one stall, each with its reason.

/// Functions counted in one stall; others can't be blamed.
pub(super) const FUNCTIONS_MAX: usize = 1_024;

/// Stacks told apart in one stall. What is seen first is what is seen often.
pub(super) const STACKS_MAX: usize = 256;

/// Lines, and leaves, told apart in one function.
pub(super) const PLACES_MAX: usize = 32;

/// Frames of a stack that are told.
pub(super) const FRAMES_TOLD: usize = 16;

/// The least share of the samples that must have seen code of the program: below it, nobody is
/// blamed for what the rest did.
pub(super) const SEEN_SHARE_MIN: f64 = 0.1;

/// The share of the samples that makes a culprit.
pub(super) const CULPRIT_SHARE: f64 = 0.5;
