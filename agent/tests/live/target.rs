//! A target: a Node.js that runs a program of `targets/`, and its truth.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::common::{self, until, wait};
use crate::nodes::Node;

/// Longer than any target takes on the slowest machine; only a hang gets there.
const LIMIT: Duration = Duration::from_secs(60);

/// A running target. It is killed when this is dropped, however the test ends.
#[derive(Debug)]
pub(crate) struct Target {
    name: String,
    child: Child,
    /// Its number, if the child is only what has started it.
    started: Option<u32>,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What it has printed before `ready`.
    told: Vec<String>,
}

impl Target {
    /// Starts a program of `targets/` and waits until it is ready.
    pub(crate) fn start(node: &Node, script: &str) -> Target {
        Target::start_with(node, script, &[])
    }

    /// The same with arguments behind the program's name.
    pub(crate) fn start_with(node: &Node, script: &str, args: &[&str]) -> Target {
        let mut command = node.command(script);
        command.args(args);
        Target::spawn(&format!("{script} on Node {}", node.version), command)
    }

    /// Starts what becomes a target in the end, by `exec` or as it is, and waits until it is ready.
    pub(crate) fn spawn(name: &str, mut command: Command) -> Target {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = command.spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // The test may be over.
                let _ = sender.send(line);
            }
        });
        let (name, stdin) = (name.to_owned(), child.stdin.take());
        let mut target = Target { name, child, started: None, stdin, lines, told: Vec::new() };
        target.told = target.lines_until("ready");
        target
    }

    /// The same for a command that starts it as its only child.
    pub(crate) fn spawn_child(name: &str, command: Command) -> Target {
        let mut target = Target::spawn(name, command);
        let children = target.children();
        assert_eq!(children.len(), 1, "{target} has children {children:?}");
        target.started = Some(children[0]);
        target
    }

    pub(crate) fn pid(&self) -> u32 {
        self.started.unwrap_or(self.child.id())
    }

    /// The word behind `before` in what it printed before it was ready.
    pub(crate) fn told(&self, before: &str) -> &str {
        let found = self.told.iter().find_map(|line| line.strip_prefix(before));
        found.unwrap_or_else(|| panic!("{self} has not told `{before}`: {:?}", self.told))
    }

    /// Lets it begin.
    pub(crate) fn go(&mut self) {
        self.write("go\n");
    }

    /// Ends the time that its truth is about, if it tells one of a stretch of time.
    pub(crate) fn mark(&mut self) {
        self.write("mark\n");
    }

    /// Waits until its work is over.
    pub(crate) fn done(&mut self) {
        self.lines_until("done");
    }

    pub(crate) fn go_and_be_done(&mut self) {
        self.go();
        self.done();
    }

    /// Ends it. It must do so by itself, with exit status 0 and its truth as its last line.
    pub(crate) fn end(mut self) -> Value {
        self.write("end\n");
        self.stdin = None;
        let line = self.line("its truth");
        let truth = serde_json::from_str(&line);
        let truth = truth.unwrap_or_else(|error| panic!("{self}: {error}: `{line}`"));
        let code = wait(&mut self.child);
        assert_eq!(code, Some(0), "{self} ended with {code:?}, not with 0");
        truth
    }

    /// The letter that the kernel has for its state: `T` is stopped, `t` traced.
    pub(crate) fn state(&self) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()));
        let stat = stat.unwrap_or_else(|error| panic!("{self} is gone: {error}"));
        let state = stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next());
        state.unwrap_or_else(|| panic!("no state in `{stat}`"))
    }

    /// Waits until its main thread has slept for a while, so that it is in no turn.
    pub(crate) fn rest(&self) {
        let sleeps = || {
            thread::sleep(Duration::from_millis(5));
            self.state() == 'S'
        };
        until("it rests", || (0..10).all(|_| sleeps()));
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        common::signal(&self.child, name);
    }

    /// Waits until it is ready, or ready again.
    pub(crate) fn ready(&mut self) {
        self.lines_until("ready");
    }

    /// Kills it and waits for its end.
    pub(crate) fn kill(&mut self) -> ExitStatus {
        let _ = self.child.kill();
        self.child.wait().expect("it can be waited for")
    }

    /// The direct children that it has.
    pub(crate) fn children(&self) -> Vec<u32> {
        let pid = self.pid();
        let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let text = text.expect("the children can be read");
        text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }

    fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("its input is open");
        let written = stdin.write_all(text.as_bytes());
        written.unwrap_or_else(|error| panic!("{} takes no input: {error}", self.name));
    }

    fn lines_until(&mut self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line(&format!("`{last}`"));
            if line == last {
                return lines;
            }
            lines.push(line);
        }
    }

    fn line(&mut self, what: &str) -> String {
        let line = self.lines.recv_timeout(LIMIT);
        line.unwrap_or_else(|error| {
            let ended = self.child.try_wait();
            panic!("{self}: waiting for {what}: {error}; ended: {ended:?}")
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {})", self.name, self.pid())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // Fails only if it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
