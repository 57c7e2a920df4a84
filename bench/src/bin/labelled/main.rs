//! The labelled suite: what loopscope says of programs that tell the truth about themselves.
//!
//! ```text
//! program (Node, or the embedded loop) ──> truth: stalls, causes, functions, ledgers ──┐
//!        ^                                                                            ├──> judge
//!        └── loopscope attach, exec, run ──> report ──────────────────────────────────┘
//! ```
//!
//! Judged are the first diagnosis, each stall's duration, function and ledger, and that no stall is
//! invented. A program whose thread had to wait for a CPU is run again before a miss of it counts.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("labelled: `loopscope attach` needs Linux");
    std::process::ExitCode::from(4)
}
