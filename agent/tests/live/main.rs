//! `loopscope attach` against real, unmodified Node.js of every release line.
//!
//! The targets are small programs in `targets/` that tell their own truth; the agent is the real
//! binary. What can't run here says `SKIPPED` with the reason, which `.ci/test` counts. The tests
//! run one after another, as they measure. `LOOPSCOPE_LIVE=long` runs the long form: every test on
//! every release, and the harm tests for longer.

#![cfg(target_os = "linux")]

#[path = "../support/browser.rs"]
mod browser;
#[path = "../common/mod.rs"]
mod common;
#[path = "../support/mod.rs"]
mod support;

mod agent;
mod attach;
mod check;
mod groups;
mod kernel;
mod load;
mod names;
mod nodes;
mod report;
mod target;
mod text;

mod alerts;
mod culprits;
mod daemon;
mod dashboards;
mod dying;
mod ends;
mod exec;
mod extremes;
mod family;
mod first;
mod gate;
mod governor;
mod harm;
mod hostile;
mod nested;
mod oracle;
mod passive;
mod peers;
mod pictures;
mod places;
mod record;
mod refusals;
mod releases;
mod serving;
mod sources;
mod throttled;
mod tiers;
mod top;
mod truth;
mod waiting;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits until no other test runs; a test that failed does not keep the next from running.
fn alone() -> MutexGuard<'static, ()> {
    static RUNNING: Mutex<()> = Mutex::new(());
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the long form is asked for.
fn long() -> bool {
    std::env::var_os("LOOPSCOPE_LIVE").is_some_and(|form| form == "long")
}

/// How often to do something: in CI, and in the long form.
fn times(quick: usize, in_long_form: usize) -> usize {
    if long() { in_long_form } else { quick }
}
