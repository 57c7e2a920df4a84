//! JavaScript on the loop: jobs, ticks, immediates and timeouts, an operation each; and a start.
//!
//! A script defines `batch`, which does `COUNT` operations and calls what it is given at the end of
//! the last. The same source runs in the bare engine and in Node ([`crate::peers`]).

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use loop_core::{Clock, Loop, Options};
use loopscope_workloads::Script;

use crate::Failure;
use crate::measure::{Batch, Case};

/// What a script does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Promises with two reactions each: an operation is a reaction.
    Then,
    /// `queueMicrotask`, chained.
    Microtask,
    /// `await null`.
    Await,
    /// `process.nextTick`, chained.
    Tick,
    /// `setImmediate`, many at once.
    Immediate,
    /// `setTimeout`, many at once.
    Timeout,
}

impl Kind {
    /// The source of a script with so many operations a batch.
    pub fn source(self, operations: u64) -> String {
        let source = match self {
            Kind::Then => include_str!("javascript/then.js"),
            Kind::Microtask => include_str!("javascript/microtask.js"),
            Kind::Await => include_str!("javascript/await.js"),
            Kind::Tick => include_str!("javascript/tick.js"),
            Kind::Immediate => include_str!("javascript/immediate.js"),
            Kind::Timeout => include_str!("javascript/timeout.js"),
        };
        format!("'use strict';\nconst COUNT = {operations};\n{source}")
    }
}

/// So many operations on a loop of its own.
///
/// # Errors
/// When the kernel grants no descriptors, or there is no memory for an engine.
pub fn on_loop(kind: Kind, operations: u64, clock: Clock) -> Result<Case, Failure> {
    let source = kind.source(operations) + include_str!("javascript/on_loop.js");
    let script =
        Script { file: "batch.js".into(), source: Some(source.leak()), ..Script::default() };
    let mut lp = Loop::new(Options { clock: clock.clone(), ..Options::default() })?;
    let running = script.begin(&mut lp, clock)?;
    // Tells the script that nothing is left to do, whereupon it prepares the first batch.
    running.go_on(&mut lp)?;
    Ok(Box::new(move || {
        let (batch, ended) = Batch::timed_with(operations, || running.go_on(&mut lp));
        match ended? {
            None => Ok(batch),
            Some(status) => Err(format!("the script has ended with status {status}").into()),
        }
    }))
}

/// From the start of a program to the first byte that it writes: an operation is a start.
pub fn start_of(program: PathBuf, arguments: Vec<String>) -> Case {
    Box::new(move || {
        let start = Instant::now();
        let mut child = Command::new(&program)
            .args(&arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let read = match &mut child.stdout {
            Some(stdout) => io::Read::read_exact(stdout, &mut [0]),
            None => Ok(()),
        };
        let time = start.elapsed();
        child.wait()?;
        read?;
        Ok(Batch { time, operations: 1 })
    })
}

/// A script of one line.
pub fn first_line() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "src/cases/javascript/first.js"].iter().collect()
}

/// Runs that script on the loop, as [`start_of`] has this program do.
///
/// # Errors
/// As [`on_loop`].
pub fn run_first_line() -> Result<(), Failure> {
    let clock = Clock::real();
    let mut lp = Loop::new(Options { clock: clock.clone(), ..Options::default() })?;
    let script = Script { file: first_line(), ..Script::default() };
    match script.run(&mut lp, clock)? {
        0 => Ok(()),
        status => Err(format!("the script has ended with status {status}").into()),
    }
}
