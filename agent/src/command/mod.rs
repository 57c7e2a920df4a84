//! The commands: each puts the other modules together to do what was asked.

#[cfg(target_os = "linux")]
mod agent;
#[cfg(target_os = "linux")]
mod attach;
mod diagnoses;
mod doctor;
#[cfg(target_os = "linux")]
mod exec;
mod explain;
mod gate;
pub mod gate_output;
#[cfg(target_os = "linux")]
mod lines;
mod output;
mod pages;
#[cfg(target_os = "linux")]
mod record;
mod report;
mod run;
#[cfg(target_os = "linux")]
mod tape;
#[cfg(target_os = "linux")]
mod top;
mod ways;
mod workloads;

use std::io;

use loop_core::SysError;
use loopscope_workloads::Workload;

use crate::cli::Command;
use crate::exit::{Exit, Failure};
#[cfg(target_os = "linux")]
pub use gate::{CommandLine, Ran, Run, Runner, Watched};

/// Does what was asked.
///
/// # Errors
/// [`Failure`] with the exit code and the line to tell.
pub fn execute(command: Command) -> Result<Exit, Failure> {
    #[cfg(target_os = "linux")]
    if !matches!(command, Command::ExecGate(_)) {
        outlive_file_limits();
    }
    match command {
        Command::Run(args) => run::execute(&args),
        #[cfg(target_os = "linux")]
        Command::Attach(args) => attach::execute(&args, None),
        #[cfg(target_os = "linux")]
        Command::Top(args) => top::execute(&args),
        #[cfg(target_os = "linux")]
        Command::Agent(args) => agent::execute(&args),
        #[cfg(target_os = "linux")]
        Command::Check(args) => agent::check(&args),
        Command::Exec(args) => exec::execute(&args, None),
        #[cfg(target_os = "linux")]
        Command::ExecGate(args) => Err(exec::pass_gate(&args)),
        #[cfg(not(target_os = "linux"))]
        Command::Exec(_) | Command::ExecGate(_) => {
            Err(Failure::refused("`exec` needs Linux; use `loopscope run FILE` here"))
        }
        #[cfg(target_os = "linux")]
        Command::Record(args) => record::execute(args),
        Command::Report(args) => report::execute(&args),
        Command::Explain(args) => explain::execute(&args),
        Command::Doctor(args) => doctor::execute(&args),
        Command::Workloads(args) => workloads::execute(&args),
        Command::Diagnoses(args) => diagnoses::execute(&args),
        Command::Gate(args) => gate::execute(&args),
        Command::Completions(args) => pages::completions(&args),
        Command::Man(args) => pages::man(&args),
    }
}

/// What is written beyond the limit on files (`ulimit -f`) is an error like others from now on. The
/// kernel sends a signal with it, which would end us. Commands that we start have it as we had it.
#[cfg(target_os = "linux")]
fn outlive_file_limits() {
    use signal_hook::consts::signal::SIGXFSZ;

    if !crate::background::ignores(SIGXFSZ) {
        // Where it can't be caught it ends us, as it would any program.
        let _ = signal_hook::flag::register(SIGXFSZ, std::sync::Arc::default());
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

/// The loop or the threads about it can't be made.
fn cannot_start(error: io::Error) -> Failure {
    let errno = error.raw_os_error().map(io::Error::from_raw_os_error);
    match errno.map(|error| SysError::new("open", error).name()) {
        Some("EMFILE" | "ENFILE") => Failure::refused(format!(
            "the run can't be started ({error}); raise the limit of descriptors (`ulimit -n`)"
        )),
        _ => Failure::run(format!(
            "the run can't be started ({error}); see `ulimit -a` for the limits"
        )),
    }
}
