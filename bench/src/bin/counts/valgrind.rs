//! Counts the instructions of a path: this program runs itself under valgrind's callgrind, which
//! looks only at the timed part of a batch.
//!
//! ```text
//!  counts ──> valgrind --toggle-collect=TIMED_PART counts --child NAME --batches 1  ──> a
//!         ──> valgrind --toggle-collect=TIMED_PART counts --child NAME --batches 3  ──> b
//!                                           (b - a) / operations of two batches
//! ```
//!
//! The first batch warms up: it finds memory and fills logs. What it costs is in both counts and
//! falls out.

use std::process::Command;

use loopscope_bench::Failure;
use loopscope_bench::measure::TIMED_PART;

use crate::plan::Path;

const FEWER_BATCHES: u64 = 1;
const MORE_BATCHES: u64 = 3;

/// What the child prints its number of operations behind.
const OPERATIONS: &str = "operations ";

/// Whether valgrind can be run.
pub(crate) fn is_there() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Instructions an operation of a path.
pub(crate) fn count(path: &Path) -> Result<f64, Failure> {
    let (fewer, _) = run(path.name, FEWER_BATCHES)?;
    let (more, operations) = run(path.name, MORE_BATCHES)?;
    if fewer == 0 || more <= fewer {
        return Err(format!(
            "valgrind found no `{TIMED_PART}` in this program: was it stripped of its symbols?"
        )
        .into());
    }
    Ok((more - fewer) as f64 / (operations * (MORE_BATCHES - FEWER_BATCHES)) as f64)
}

/// The instructions of so many batches, and the operations of one.
fn run(name: &str, batches: u64) -> Result<(u64, u64), Failure> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect={TIMED_PART}*"))
        .arg(std::env::current_exe()?)
        .args(["--child", name, "--batches", &batches.to_string()])
        .env_clear()
        .envs(std::env::vars().filter(|(name, _)| matches!(name.as_str(), "PATH" | "VALGRIND_LIB")))
        .output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("valgrind failed on `{name}`:\n{told}").into());
    }
    let instructions = told.lines().find_map(collected).ok_or("valgrind told no count")?;
    let operations = printed.lines().find_map(|line| line.strip_prefix(OPERATIONS)?.parse().ok());
    Ok((instructions, operations.ok_or("the counted program told no operations")?))
}

/// The number in `==123== Collected : 456`.
fn collected(line: &str) -> Option<u64> {
    line.split_once("Collected :")?.1.trim().parse().ok()
}

/// The counted program: so many batches of one path.
pub(crate) fn child(path: &Path, batches: u64) -> Result<(), Failure> {
    let mut case = (path.make)()?;
    let mut operations = 0;
    for _ in 0..batches {
        operations = case()?.operations;
    }
    println!("{OPERATIONS}{operations}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_what_valgrind_tells() {
        assert_eq!(collected("==77== Collected : 385195"), Some(385_195));
        assert_eq!(collected("==77== Events    : Ir"), None);
    }
}
