//! The agent: `loopscope attach` as a process, and what it takes for itself.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use loopscope_bench::Failure;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::server::{cpu_ns, number_behind};

/// What it says when it observes, behind its name.
const SERVING: &str = "serving http://127.0.0.1:";

/// A running agent. It is killed when this is dropped without [`Agent::end`].
#[derive(Debug)]
pub(super) struct Agent {
    child: Child,
    tier: &'static str,
    pub(super) port: u16,
    report: BufReader<ChildStdout>,
}

/// What it takes. Bytes and counts of one moment, CPU time since it began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Takes {
    pub(super) cpu_ns: u64,
    pub(super) rss_bytes: u64,
    pub(super) peak_rss_bytes: u64,
    pub(super) map_bytes: u64,
    pub(super) descriptors: u64,
    pub(super) threads: u64,
}

impl Agent {
    /// Attaches to these processes, with `more` options, and waits until it observes them.
    pub(super) fn attach(
        loopscope: &Path,
        pids: &[u32],
        tier: &'static str,
        more: &[&str],
    ) -> Result<Agent, Failure> {
        let mut command = Command::new(loopscope);
        command.arg("attach").args(pids.iter().map(u32::to_string));
        // The tier stays what it is: what it costs is to be seen.
        command.args(["--tier", tier, "--duration", "1h", "--overhead-budget", "100"]);
        command.args(["--listen", "127.0.0.1:0", "--report", "json"]).args(more);
        Agent::start(command, tier)
    }

    /// Starts the one that finds its targets by itself, and waits until it serves.
    pub(super) fn daemon(loopscope: &Path) -> Result<Agent, Failure> {
        let mut command = Command::new(loopscope);
        command.args(["agent", "--listen", "127.0.0.1:0"]);
        Agent::start(command, "passive")
    }

    fn start(mut command: Command, tier: &'static str) -> Result<Agent, Failure> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (Some(report), Some(says)) = (child.stdout.take(), child.stderr.take()) else {
            return Err("loopscope was started without pipes".into());
        };
        let mut agent = Agent { child, tier, port: 0, report: BufReader::new(report) };
        agent.port = port(BufReader::new(says))?;
        Ok(agent)
    }

    /// Ends the one that finds its targets by itself.
    pub(super) fn stop(mut self) -> Result<(), Failure> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let status = self.child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the daemon has ended: {status}").into())
        }
    }

    /// Ends it, and looks whether it has observed all of its targets as it was told to.
    pub(super) fn end(mut self, targets: usize) -> Result<(), Failure> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::INT)?;
        let mut text = String::new();
        self.report.read_to_string(&mut text)?;
        self.child.wait()?;
        check(&serde_json::from_str(&text)?, self.tier, targets)
    }

    /// The CPU time of its thread of this name.
    pub(super) fn thread_cpu_ns(&self, name: &str) -> Result<u64, Failure> {
        let pid = self.child.id();
        for tid in numbers_in(&format!("/proc/{pid}/task"))? {
            if fs::read_to_string(format!("/proc/{pid}/task/{tid}/comm"))?.trim_end() == name {
                return cpu_ns(pid, tid);
            }
        }
        Err(format!("loopscope has no thread {name}").into())
    }

    /// What it takes now.
    pub(super) fn takes(&self) -> Result<Takes, Failure> {
        let pid = self.child.id();
        let folder = format!("/proc/{pid}");
        let status = fs::read_to_string(format!("{folder}/status"))?;
        let kib = |name: &str| {
            number_behind(&status, name).ok_or_else(|| format!("{folder}/status lacks {name}"))
        };
        let tids: Vec<u32> = numbers_in(&format!("{folder}/task"))?;
        let cpu_ns: Result<Vec<u64>, Failure> = tids.iter().map(|&tid| cpu_ns(pid, tid)).collect();
        Ok(Takes {
            cpu_ns: cpu_ns?.iter().sum(),
            rss_bytes: kib("VmRSS:")? << 10,
            peak_rss_bytes: kib("VmHWM:")? << 10,
            map_bytes: map_bytes(&folder)?,
            descriptors: numbers_in(&format!("{folder}/fd"))?.len() as u64,
            threads: tids.len() as u64,
        })
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port that it serves at; what it has said, if it does not.
fn port(says: impl BufRead) -> Result<u16, Failure> {
    let mut said = String::new();
    for line in says.lines() {
        let line = line?;
        if let Some((_, address)) = line.split_once(SERVING) {
            let digits = address.split('/').next().unwrap_or_default();
            return Ok(digits.parse()?);
        }
        said.push_str(&line);
    }
    Err(format!("it does not observe: {said}").into())
}

/// Whether all targets were observed at this tier, and whether something was seen of them.
fn check(report: &Value, tier: &str, targets: usize) -> Result<(), Failure> {
    let list = |name: &str| report[name].as_array().cloned().unwrap_or_default();
    let tiers: Vec<Value> = list("targets").iter().map(|of| of["tier"].clone()).collect();
    if tiers.len() != targets || tiers.iter().any(|of| of != tier) {
        return Err(format!("{targets} targets at tier {tier} were wanted, not {tiers:?}").into());
    }
    let loops = list("loops");
    let seen = loops.iter().filter(|of| of["utilization"].as_f64().is_some()).count();
    if seen < targets { Err(format!("only {seen} loops were observed").into()) } else { Ok(()) }
}

/// The memory of the kernel's maps that the process holds, each counted once.
fn map_bytes(folder: &str) -> Result<u64, Failure> {
    let mut maps = BTreeMap::new();
    for number in numbers_in(&format!("{folder}/fdinfo"))? {
        // It may be closed meanwhile.
        let text = fs::read_to_string(format!("{folder}/fdinfo/{number}")).unwrap_or_default();
        let (map, bytes) = (number_behind(&text, "map_id:"), number_behind(&text, "memlock:"));
        maps.extend(map.zip(bytes));
    }
    Ok(maps.values().sum())
}

fn numbers_in(folder: &str) -> Result<Vec<u32>, Failure> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_port_is_found_and_else_what_was_said_is_told() {
        let says = "loopscope: a word\nloopscope: serving http://127.0.0.1:4711/metrics\n";
        assert_eq!(port(says.as_bytes()).unwrap(), 4711);
        let refused = port(&b"loopscope: no rights\n"[..]).unwrap_err().to_string();
        assert!(refused.contains("no rights"), "{refused}");
    }

    #[test]
    fn a_lower_tier_or_a_target_less_is_no_measurement() {
        let report = json!({
            "targets": [{ "tier": "full" }, { "tier": "full" }],
            "loops": [{ "utilization": 0.1 }, { "utilization": 0.2 }],
        });
        assert!(check(&report, "full", 2).is_ok());
        assert!(check(&report, "turn", 2).is_err());
        assert!(check(&report, "full", 3).is_err());
        let blind = json!({ "targets": [{ "tier": "full" }], "loops": [{}] });
        assert!(check(&blind, "full", 1).is_err());
    }
}
