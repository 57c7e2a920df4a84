//! Who knows which function held up the loop: whatever runs the code of its callbacks, and takes
//! samples of it.

use std::fmt;
use std::sync::Arc;

use crate::snapshot::{Culprit, Profile};

/// Tells of stalls by when their turns began, from any thread.
///
/// **Invariant**: it never makes the loop wait.
pub trait Blame: Send + Sync + fmt::Debug {
    /// What is known of the turn that began at `start_ns` of the loop's clock, whether it has ended
    /// or not. `None`: nothing.
    fn blame(&self, start_ns: u64) -> Option<Blamed>;
}

/// What was seen in a turn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Blamed {
    /// The function to look at.
    pub culprit: Option<Culprit>,
    /// The stack most often seen, innermost frame first.
    pub stack: Option<Vec<String>>,
    /// The samples.
    pub profile: Option<Arc<Profile>>,
}
