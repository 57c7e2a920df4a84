//! Stacks that were sampled while a loop was held up, counted, and who they blame.
//!
//! ```text
//! whoever takes stacks ──Frames──> Tally ──> Blamed: the culprit, and the stack seen most
//! ```
//!
//! The rule is the same for scripts on the embedded loop and for a live Node.js.

mod frame;
mod limits;
mod tally;

pub use frame::{Frame, Place, TOP_LEVEL};
pub use tally::{Lines, Tally};
