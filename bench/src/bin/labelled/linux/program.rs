//! Runs a script under observation: on the embedded loop, by `exec`, or by `attach`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use loopscope_bench::Failure;

use super::cases::{Case, Kind, linger, resolver};
use super::guarded::Guarded;
use super::nodes::Node;
use super::report::Seen;
use super::truth::Truth;

/// What `attach` says when it observes.
const SERVING: &str = "serving http://";

/// Gives the script a resolver's configuration of its own, and becomes it.
const WITH_RESOLVER: &str = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";

/// Becomes a command that comes before others: Linux shares CPUs between sessions first, and only
/// then between the processes of each.
const FIRST: [&str; 5] = ["setsid", "sh", "-c", BE_FIRST, "sh"];
const BE_FIRST: &str = "{ echo -20 >/proc/self/autogroup; } 2>/dev/null; exec \"$@\"";

/// What runs the script.
#[derive(Clone, Copy, Debug)]
pub(super) enum Runtime<'a> {
    /// The loop in loopscope.
    Embedded,
    /// A Node.js.
    Node(&'a Node),
}

impl Runtime<'_> {
    /// For a person.
    pub(super) fn name(self) -> String {
        match self {
            Runtime::Embedded => "embedded".to_owned(),
            Runtime::Node(node) => format!("Node {}", node.version),
        }
    }
}

/// What is loaded into Node before the script.
#[derive(Clone, Copy, Debug)]
pub(super) struct Preload<'a> {
    pub(super) script: &'a Path,
    /// Where it is to write; it is told by `LABELLED_PEERS`.
    pub(super) output: &'a Path,
}

/// What a script said, and what was said of it.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    pub(super) truth: Truth,
    pub(super) seen: Seen,
}

/// How scripts are run.
#[derive(Clone, Debug)]
pub(super) struct Runner {
    /// The program.
    pub(super) loopscope: PathBuf,
    /// A folder of our own.
    pub(super) folder: PathBuf,
}

impl Runner {
    /// Runs a script once.
    pub(super) fn run(
        &self,
        case: &Case,
        runtime: Runtime<'_>,
        preload: Option<Preload<'_>>,
    ) -> Result<Ran, Failure> {
        let Runtime::Node(node) = runtime else {
            return self.started("run", &[case.path.clone().into()], None);
        };
        let target = target(case, node, preload);
        match case.kind {
            Kind::Waits => self.attached(&target, preload),
            Kind::AtOnce => self.started("exec", &target, preload),
        }
    }

    /// By a command of loopscope that starts the script itself.
    fn started(
        &self,
        how: &str,
        target: &[OsString],
        preload: Option<Preload<'_>>,
    ) -> Result<Ran, Failure> {
        let mut command = Command::new(FIRST[0]);
        command.args(&FIRST[1..]).arg(&self.loopscope);
        command.args([how, "--report", "json", "--timeout", "60s", "--output"]).arg(self.report());
        command.args((how == "exec").then_some("--")).args(target);
        with(&mut command, preload).stdin(Stdio::null());
        let output = command.output()?;
        if !output.status.success() {
            let says = last_line(&String::from_utf8_lossy(&output.stderr));
            return Err(format!("loopscope {how}: {}: {says}", output.status).into());
        }
        self.ran(&String::from_utf8_lossy(&output.stdout), None)
    }

    /// The script is started and waits, is attached to, and begins.
    fn attached(&self, target: &[OsString], preload: Option<Preload<'_>>) -> Result<Ran, Failure> {
        let complaints = self.folder.join("stderr");
        let mut node = Command::new(FIRST[0]);
        node.args(&FIRST[1..]).args(target).arg("--wait");
        node.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut node = Guarded::start(with(&mut node, preload).stderr(File::create(&complaints)?))?;
        let pipes = node.child.stdin.take().zip(node.child.stdout.take());
        let (mut go, output) = pipes.ok_or("the script was started without pipes")?;
        let mut output = BufReader::new(output);
        let mut text = String::new();
        output.read_line(&mut text)?;
        let pid = node.child.id();
        let agent = self.attach(pid);
        if agent.is_ok() {
            go.write_all(b"go\n")?;
            output.read_to_string(&mut text)?;
        }
        drop(go);
        let (agent, mut says) = agent?;
        let status = node.end()?;
        if !status.success() {
            let says = last_line(&fs::read_to_string(&complaints)?);
            return Err(format!("the script: {status}: {says}").into());
        }
        let mut rest = String::new();
        says.read_to_string(&mut rest)?;
        let status = agent.end()?;
        if !status.success() {
            return Err(format!("loopscope attach: {status}: {}", last_line(&rest)).into());
        }
        self.ran(&text, Some(pid))
    }

    /// Attaches to a process, and waits until it is observed.
    fn attach(&self, pid: u32) -> Result<(Guarded, impl Read), Failure> {
        let mut command = Command::new(FIRST[0]);
        command.args(&FIRST[1..]).arg(&self.loopscope);
        command.args(["attach", &pid.to_string(), "--report", "json", "--duration", "60s"]);
        command.args(["--listen", "127.0.0.1:0", "--output"]).arg(self.report());
        let mut agent = Guarded::start(command.stdin(Stdio::null()).stderr(Stdio::piped()))?;
        let says = agent.child.stderr.take().ok_or("loopscope was started without a pipe")?;
        let mut says = BufReader::new(says);
        let mut said = String::new();
        while !said.contains(SERVING) {
            if says.read_line(&mut said)? == 0 {
                return Err(format!("it can't be attached to: {}", last_line(&said)).into());
            }
        }
        Ok((agent, says))
    }

    fn report(&self) -> PathBuf {
        self.folder.join("report.json")
    }

    fn ran(&self, output: &str, pid: Option<u32>) -> Result<Ran, Failure> {
        let truth = Truth::find(output).ok_or("the script has told no truth")?;
        let path = self.report();
        let seen = Seen::read(&fs::read_to_string(&path)?, pid)?;
        fs::remove_file(&path)?;
        Ok(Ran { truth, seen })
    }
}

/// The command that is, or becomes, Node with the script.
fn target(case: &Case, node: &Node, preload: Option<Preload<'_>>) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    if case.needs_resolver {
        words.extend(["unshare", "--mount", "sh", "-c", WITH_RESOLVER].map(OsString::from));
        words.push(resolver().into());
    }
    words.push(node.program.clone().into());
    words.extend(case.flags.iter().map(OsString::from));
    if case.kind == Kind::AtOnce {
        words.extend(["--require".into(), linger().into()]);
    }
    if let Some(Preload { script, .. }) = preload {
        words.extend(["--require".into(), script.into()]);
    }
    words.push(case.path.clone().into());
    words
}

fn with<'a>(command: &'a mut Command, preload: Option<Preload<'_>>) -> &'a mut Command {
    match preload {
        Some(Preload { output, .. }) => command.env("LABELLED_PEERS", output),
        None => command,
    }
}

/// What is said last and is no empty line.
fn last_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing").to_owned()
}
