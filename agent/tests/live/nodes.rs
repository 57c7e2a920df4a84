//! The Node.js programs that `.ci/node-versions` has fetched.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::long;

/// One Node.js.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Its exact version, `20.20.2`.
    pub(crate) version: String,
    /// The program.
    pub(crate) program: PathBuf,
}

impl Node {
    /// The newest release of a line; `None` after telling that `test` is skipped.
    pub(crate) fn of_line(line: &str, test: &str) -> Option<Node> {
        let listed = listed();
        let version = listed.iter().find(|version| version.split('.').next() == Some(line));
        let version = version.unwrap_or_else(|| panic!("the list has no Node {line}")).clone();
        let program = folder().join(&version).join("bin/node");
        if !program.is_file() {
            skip(test, &format!("Node {version} is missing; run .ci/node-versions"));
            return None;
        }
        Some(Node { version, program })
    }

    /// The first number of the version.
    pub(crate) fn line(&self) -> u32 {
        let line = self.version.split('.').next().and_then(|line| line.parse().ok());
        line.unwrap_or_else(|| panic!("no line in `{}`", self.version))
    }

    /// The program with a target of `targets/` as its first argument.
    pub(crate) fn command(&self, script: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(script_path(script));
        command
    }
}

/// The file of a target.
pub(crate) fn script_path(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/targets").join(script)
}

/// The nodes that a test of one thing runs on: the newest, and in the long form all.
pub(crate) fn some(test: &str) -> Vec<Node> {
    let lines = lines();
    let wanted = if long() { &lines[..] } else { &lines[lines.len() - 1..] };
    wanted.iter().filter_map(|line| Node::of_line(line, test)).collect()
}

/// Those of every release line.
pub(crate) fn all(test: &str) -> Vec<Node> {
    lines().iter().filter_map(|line| Node::of_line(line, test)).collect()
}

/// The oldest and the newest, or all.
pub(crate) fn both_ends(test: &str) -> Vec<Node> {
    let mut lines = lines();
    if !long() {
        lines.drain(1..lines.len() - 1);
    }
    lines.iter().filter_map(|line| Node::of_line(line, test)).collect()
}

/// Debian's own Node.js: its files, where it was unpacked.
pub(crate) fn debian(test: &str) -> Option<PathBuf> {
    let found = folder().join("debian");
    if !found.join("usr/bin/node").is_file() {
        skip(test, "Debian's Node.js is missing; run .ci/node-versions on Debian 12");
        return None;
    }
    Some(found)
}

/// Tells that a test can't run here. Where all that `.ci/setup` fetches must be there, it fails.
fn skip(test: &str, why: &str) {
    let required = env::var_os("LOOPSCOPE_REQUIRE_SERVERS").is_some_and(|value| value == "1");
    assert!(!required, "{test}: {why}");
    println!("SKIPPED: {test}: {why}");
}

/// The release lines of the list, oldest first.
pub(crate) fn lines() -> Vec<String> {
    listed().iter().filter_map(|version| Some(version.split('.').next()?.to_owned())).collect()
}

fn listed() -> Vec<String> {
    let list = root().join(".ci/node-versions.list");
    let text = fs::read_to_string(&list).expect("the list of releases can be read");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

fn folder() -> PathBuf {
    env::var_os("LOOPSCOPE_NODES").map_or_else(|| root().join("target/node"), PathBuf::from)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
