//! What loopscope costs, measured: the cases that benches and the `goals` command share.
//!
//! ```text
//!  cases, peers ──> measure (interleaved rounds) ──> benches (criterion), bin/goals (the table)
//! ```
//!
//! A case is a closure that does one batch of something and says how long that took. Benches run
//! cases one by one; `goals` runs rivals in turn, so that noise hits all of them alike.
//!
//! **Invariant**: a peer is compared within one process and one run, never with a number from
//! elsewhere. No timing is asserted in a test.

#![deny(unsafe_code)]

pub mod cases;
pub mod counting;
pub mod measure;
pub mod peers;

/// Why something could not be measured.
pub type Failure = Box<dyn std::error::Error>;
