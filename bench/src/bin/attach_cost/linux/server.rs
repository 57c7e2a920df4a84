//! A server in Node, and what the kernel accounts to it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use loopscope_bench::Failure;

use super::cpus::Cpus;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/attach_cost/linux/server.js");

/// A running server. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pub(super) port: u16,
}

/// What was accounted to the loop's thread since it began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    pub(super) cpu_ns: u64,
    /// How often it slept.
    pub(super) sleeps: u64,
}

impl Server {
    /// Starts the server of this kind, and waits until it listens.
    pub(super) fn start(node: &str, kind: &str, cpus: Cpus) -> Result<Server, Failure> {
        let mut command = Command::new(node);
        command.args([SCRIPT, kind]).stdin(Stdio::null()).stdout(Stdio::piped());
        let spawned = cpus.on_the_targets(|| Ok(command.spawn()));
        let child = spawned?.map_err(|error| format!("{node} does not start: {error}"))?;
        let mut server = Server { child, port: 0 };
        let mut line = String::new();
        if let Some(output) = server.child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        server.port = line.trim().parse().map_err(|_| format!("{node} has told no port"))?;
        Ok(server)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The account of the main thread, which runs the loop.
    pub(super) fn account(&self) -> Result<Account, Failure> {
        let pid = self.pid();
        let status = fs::read_to_string(format!("/proc/{pid}/task/{pid}/status"))?;
        let sleeps = number_behind(&status, "voluntary_ctxt_switches:")
            .ok_or("the kernel does not tell how often a thread sleeps")?;
        Ok(Account { cpu_ns: cpu_ns(pid, pid)?, sleeps })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The CPU time of a thread since it began.
pub(super) fn cpu_ns(pid: u32, tid: u32) -> Result<u64, Failure> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/schedstat"))?;
    let ns = text.split_ascii_whitespace().next().and_then(|word| word.parse().ok());
    Ok(ns.filter(|&ns| ns > 0).ok_or("the kernel does not account CPU time to threads")?)
}

/// The first number of the line that begins so.
pub(super) fn number_behind(text: &str, begin: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(begin))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}
