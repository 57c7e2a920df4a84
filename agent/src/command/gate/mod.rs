//! `gate`: fails what got worse, against another command, against budgets, or against a lock.

#[cfg(target_os = "linux")]
mod command_line;
#[cfg(target_os = "linux")]
mod kept;
mod lock;
#[cfg(target_os = "linux")]
mod outcome;
#[cfg(target_os = "linux")]
mod progress;
#[cfg(target_os = "linux")]
mod runner;
#[cfg(target_os = "linux")]
mod series;

use std::ffi::OsString;

use crate::cli::{GateAction, GateArgs, LockArgs};
use crate::exit::{Exit, Failure};
#[cfg(target_os = "linux")]
pub use command_line::CommandLine;
#[cfg(target_os = "linux")]
pub use runner::{Ran, Run, Runner, Watched};

pub(super) fn execute(args: &GateArgs) -> Result<Exit, Failure> {
    if let Some(GateAction::Accept(args)) = &args.action {
        return lock::accept(args);
    }
    match lock_args(args)? {
        Some(args) => lock::check(&args),
        None => compare(args),
    }
}

#[cfg(target_os = "linux")]
fn compare(args: &GateArgs) -> Result<Exit, Failure> {
    let runs = &args.runs;
    match runs.base_from.is_some() || runs.head_from.is_some() {
        true => kept::execute(args),
        false => series::execute(args),
    }
}

#[cfg(not(target_os = "linux"))]
fn compare(_: &GateArgs) -> Result<Exit, Failure> {
    Err(Failure::refused("commands are observed on Linux; use `loopscope gate --lock FILE` here"))
}

/// What is compared with the lock, if there is one.
fn lock_args(args: &GateArgs) -> Result<Option<LockArgs>, Failure> {
    let Some(lock) = &args.lock else { return Ok(None) };
    let runs = &args.runs;
    let recorded = runs.base_from.is_some() || runs.head_from.is_some() || runs.save.is_some();
    if runs.base.is_some() || runs.head.is_some() || runs.budget.is_some() || recorded {
        return Err(Failure::usage(
            "--lock is for workloads under virtual time, and --base, --head and --budget are for \
             commands; run `loopscope gate` for each",
        ));
    }
    if let Some((option, _)) = args.output.files().next() {
        return Err(Failure::usage(format!(
            "{option} is for commands; --lock writes what is found to standard output, and no file"
        )));
    }
    if args.words.is_empty() {
        return Err(Failure::usage(
            "missing <NAME>; write which workloads to compare behind `--`, as in \
             `loopscope gate --lock gate.lock -- sync-promises`",
        ));
    }
    let text = |word: &OsString| {
        word.to_str().map(str::to_owned).ok_or_else(|| {
            Failure::usage("a workload's name is not valid UTF-8; `loopscope workloads` lists them")
        })
    };
    let names = args.words.iter().map(text).collect::<Result<_, _>>()?;
    Ok(Some(LockArgs { lock: lock.clone(), timeout_ns: args.timeout_ns, names }))
}
