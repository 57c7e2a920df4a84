//! The statistics of the time tier: what is drawn, how a middle is estimated, how sure it is.
//!
//! Everything is a function of its input alone: the same runs give the same verdict.

mod holm;
mod interval;
mod middle;
mod random;
mod wilcoxon;

pub use holm::holm;
pub use interval::{DRAWS, interval, spread};
pub use middle::{median, middle};
pub use random::Random;
pub use wilcoxon::{Tails, wilcoxon};
