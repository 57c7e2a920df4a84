//! The gate's proof: how often it cries wolf, and what it catches, beside what people use today.
//!
//! ```text
//! simulated noise ──> thousands of comparisons ──┐
//!                                                ├──> rules: the gate's, and its rivals' ──> table
//! a real Node.js, slowed down, by turns ─────────┘
//! ```
//!
//! Rivals see the same noise. What they do differs: they run one command after the other, and
//! compare means, or one run, or ranks.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("gate_proof: `loopscope gate` observes commands on Linux");
    std::process::ExitCode::from(4)
}
