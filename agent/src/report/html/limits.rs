//! How much a page holds at most. What is left out is counted in the page.

/// Loops that are drawn; the worst come first.
pub(super) const LOOPS_MAX: usize = 40;

/// Columns of a loop's timeline: more than there are points on a screen for each.
pub(super) const COLUMNS_MAX: usize = 600;

/// Functions of the tree of all stalls.
pub(super) const ALL_NODES_MAX: usize = 4_000;

/// Functions of the tree of one stall.
pub(super) const STALL_NODES_MAX: usize = 600;

/// Functions of the trees of single stalls together, some 30 bytes each; the longest stalls come
/// first.
pub(super) const NODES_MAX: usize = 60_000;

/// Frames of a stack.
pub(super) const FRAMES_MAX: usize = 64;

/// Verdicts that are told.
pub(super) const DIAGNOSES_MAX: usize = 30;

/// Stalls that are told where there is no script.
pub(super) const PLAIN_STALLS_MAX: usize = 20;

const _: () = assert!(STALL_NODES_MAX <= ALL_NODES_MAX && ALL_NODES_MAX <= NODES_MAX);
