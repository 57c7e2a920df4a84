//! Node, where it is on the PATH: one process a case, which stays, so that its code is warm.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::Failure;
use crate::cases::javascript::Kind;
use crate::measure::{Batch, Case};

/// The program, as it is looked for on the PATH.
pub const PROGRAM: &str = "node";

/// Whether there is one.
pub fn is_there() -> bool {
    let version = Command::new(PROGRAM).arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

struct Node {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// So many operations, timed by Node itself.
///
/// # Errors
/// When Node can't be started.
pub fn batches(kind: Kind, operations: u64) -> Result<Case, Failure> {
    let source = kind.source(operations) + include_str!("../cases/javascript/on_node.js");
    let mut child = Command::new(PROGRAM)
        .args(["-e", &source])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("Node was started without pipes".into());
    };
    let mut node = Node { child, input, output: BufReader::new(output) };
    Ok(Box::new(move || {
        node.input.write_all(b"\n")?;
        let mut line = String::new();
        node.output.read_line(&mut line)?;
        let ns = line.trim().parse().map_err(|_| format!("Node told no time, but `{line}`"))?;
        Ok(Batch { time: Duration::from_nanos(ns), operations })
    }))
}
