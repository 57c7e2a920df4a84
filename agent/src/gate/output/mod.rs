//! What came of a comparison, in every form: for people, for CI systems, for programs.
//!
//! ```text
//! Comparison ──> words ──┬── table      for a terminal or a log
//!                        ├── junit      XML that CI systems show as tests
//!                        ├── github     annotations beside the code, and the summary of a step
//!                        ├── json       everything, `loopscope.gate/1`
//!                        └── smaller    trends: github-action-benchmark's `customSmallerIsBetter`
//! ```
//!
//! Cost: milliseconds, once, after the last run.
//!
//! **Invariant**: every form is made of the comparison alone: nothing here reads a file, a clock or
//! the environment.
//!
//! **Invariant**: what a command is called, and what its functions and files are called, ends no
//! line, moves no cursor, and is no markup.

mod annotations;
mod figures;
mod json;
mod junit;
mod smaller;
mod summary;
mod table;
mod words;
mod xml;

pub use annotations::annotations;
pub use json::{SCHEMA, json};
pub use junit::junit;
pub use smaller::smaller;
pub use summary::summary;
pub use table::table;

#[cfg(test)]
mod names_tests;
