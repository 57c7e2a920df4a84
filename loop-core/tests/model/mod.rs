//! Programs of random scheduling actions, and a model of the loop that runs them by the rules.
//!
//! ```text
//!  program ──> script ──┬── Host for Loop (the real one)  ──> what happened, line by line
//!                       └── Host for SlowLoop (the model) ──> what should have, and counts
//! ```

pub(crate) mod host;
pub(crate) mod program;
mod real;
pub(crate) mod script;
mod slow_host;
pub(crate) mod slow_loop;
mod slow_promises;
mod slow_timers;
