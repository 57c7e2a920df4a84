//! How many files `agent` may open, and what it starts with.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::{signal, wait};

/// The soft and the hard limit of open files of a process.
fn limits(pid: u32) -> (String, String) {
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).expect("it lives");
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"));
    let mut words = line.expect("a line").split_whitespace().map(str::to_owned);
    (words.next().expect("a soft limit"), words.next().expect("a hard limit"))
}

#[test]
fn the_agent_may_open_as_many_files_as_it_is_allowed_to() {
    let line = "ulimit -S -n 200 && exec \"$0\" agent --listen 127.0.0.1:0";
    let mut child = Command::new("sh")
        .args(["-c", line, env!("CARGO_BIN_EXE_loopscope")])
        .env_remove("LOOPSCOPE_CONFIG")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sh is there");
    let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut log = String::new();
    while !log.contains("http://") {
        assert!(stderr.read_line(&mut log).expect("a line") > 0, "it has ended: {log}");
    }
    let (soft, hard) = limits(child.id());
    let (_, own) = limits(std::process::id());
    signal(&child, "TERM");
    assert_eq!(wait(&mut child), Some(0), "{log}");
    assert_eq!((soft, &hard), (hard.clone(), &own));
    assert_ne!(hard, "200");
}

#[test]
fn what_is_started_keeps_the_limit_that_it_was_given() {
    let line = "ulimit -S -n 200 && exec \"$0\" exec --report none -- sh -c 'ulimit -S -n'";
    let mut command = Command::new("sh");
    command.args(["-c", line, env!("CARGO_BIN_EXE_loopscope")]);
    let ran = command.env("LOOPSCOPE_SOURCE", "v8-trace").output().expect("sh is there");
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "200\n", "{ran:?}");
}
