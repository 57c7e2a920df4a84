//! The commands: each puts the other modules together to do what was asked.

mod diagnoses;
mod gate;
mod output;
mod run;
mod workloads;

use std::io;

use loopscope_workloads::Workload;

use crate::cli::Command;
use crate::exit::{Exit, Failure};

/// Does what was asked.
///
/// # Errors
/// [`Failure`] with the exit code and the line to tell.
pub fn execute(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Run(args) => run::execute(&args),
        Command::Workloads(args) => workloads::execute(&args),
        Command::Diagnoses(args) => diagnoses::execute(&args),
        Command::Gate(args) => gate::execute(&args),
    }
}

/// Standard output can't be written, and not because its reader has gone.
pub fn unwritable_stdout(error: &io::Error) -> Failure {
    Failure::run(format!(
        "standard output can't be written ({error}); send it elsewhere, or use --output"
    ))
}

/// Time on a socket or another thread is real and can't be made to stand still. `cure` is what to
/// do instead.
fn refuse_real_time(workload: &Workload, cure: &str) -> Result<(), Failure> {
    if workload.virtual_clock {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{} uses real sockets or threads and can't run under the virtual clock; {cure}",
        workload.name
    )))
}
