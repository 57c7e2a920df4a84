//! Random scheduling programs, run by loopscope and by Node.
//!
//! ```text
//!  seed ──> generate ──> tree ──> run ──┬── Node ───────┬──> judge ──> batch ──> show
//!                                       └── loopscope ──┘      │
//!                                                              └──> shrink, where they differ
//! ```

pub(crate) mod batch;
pub(crate) mod counts;
pub(crate) mod generate;
pub(crate) mod judge;
pub(crate) mod mutants;
pub(crate) mod random;
pub(crate) mod recorded;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod shrink;
pub(crate) mod tree;
