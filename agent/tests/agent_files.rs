//! How many files `agent` may open, what it starts with, and what it writes lines of JSON to.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use common::{command, folder, get, signal, until, wait};

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

/// An agent that writes here, once it serves, and what it has logged so far.
fn writing(output: &Path) -> (Child, BufReader<ChildStderr>, SocketAddr) {
    let output = output.to_str().expect("a path in UTF-8");
    let args = ["agent", "--listen", "127.0.0.1:0", "--output", output];
    let mut child = command(&args).spawn().expect("it starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut log = String::new();
    let address = loop {
        assert!(stderr.read_line(&mut log).expect("a line") > 0, "it has ended: {log}");
        let told = log.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        if let Some(address) = told.and_then(|address| address.parse().ok()) {
            break address;
        }
    };
    (child, stderr, address)
}

#[test]
fn all_metrics_are_written_at_the_end() {
    let file = folder("all_metrics_are_written_at_the_end").join("lines.jsonl");
    fs::write(&file, "{\"torn").expect("it can be written");
    let (mut child, _stderr, _) = writing(&file);
    signal(&child, "TERM");
    assert_eq!(wait(&mut child), Some(0));
    let text = fs::read_to_string(&file).expect("it is there");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "{\"torn", "what was cut off is no part of a line");
    assert!(lines.len() > 1, "{text}");
    for line in &lines[1..] {
        serde_json::from_str::<serde_json::Value>(line).expect("a line of JSON");
    }
    assert!(text.contains("loopscope_build_info"), "{text}");
}

#[test]
fn lines_that_can_not_be_written_are_counted() {
    let (mut child, mut stderr, address) = writing(Path::new("/dev/full"));
    let page = get(address, "/metrics").1;
    let none = "loopscope_export_dropped_total{exporter=\"json-lines\",reason=\"write\"} 0";
    assert!(page.contains(none), "{page}");
    signal(&child, "TERM");
    assert_eq!(wait(&mut child), Some(0), "and it ends as it would");
    let mut log = String::new();
    stderr.read_to_string(&mut log).expect("a text");
    assert!(log.contains("/dev/full can't be written"), "{log}");
}

/// It waits for a reader of the pipe that it writes to, long before it serves.
#[test]
fn a_hang_up_while_it_starts_does_not_end_it() {
    let pipe = folder("a_hang_up_while_it_starts_does_not_end_it").join("lines");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there").success());
    let output = pipe.to_str().expect("a path in UTF-8");
    let args = ["agent", "--listen", "127.0.0.1:0", "--output", output];
    let mut child = command(&args).spawn().expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    until("it waits, with SIGHUP caught", || {
        let status = fs::read_to_string(&status).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0) & 1 == 1
    });
    signal(&child, "HUP");
    let _reader = fs::File::open(&pipe).expect("it is there");
    let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut log = String::new();
    while !log.contains("http://") {
        assert!(stderr.read_line(&mut log).expect("a line") > 0, "it has ended: {log}");
    }
    signal(&child, "TERM");
    assert_eq!(wait(&mut child), Some(0), "{log}");
}

#[test]
fn what_is_started_keeps_the_limit_that_it_was_given() {
    let line = "ulimit -S -n 200 && exec \"$0\" exec --report none -- sh -c 'ulimit -S -n'";
    let mut command = Command::new("sh");
    command.args(["-c", line, env!("CARGO_BIN_EXE_loopscope")]);
    let ran = command.env("LOOPSCOPE_SOURCE", "v8-trace").output().expect("sh is there");
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "200\n", "{ran:?}");
}
