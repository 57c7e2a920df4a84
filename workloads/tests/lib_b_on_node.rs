//! The JavaScript library for events, buffers, text, paths and URLs does what Node's own does.
//!
//! The comparison itself is `lib_b/run.js`, run by the `node` in the search path: some ten
//! thousands of cases, part of them random from a seed that it prints. Skipped where there is no
//! Node 20, whose words and quirks are the measure.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A run takes some three seconds.
const RUN_SECONDS_MAX: u64 = 100;

/// Why there is nothing to compare with; `None` where there is a Node 20.
fn missing() -> Option<String> {
    let Ok(told) = Command::new("node").arg("--version").output() else {
        return Some("`node` is missing; install Node 20".to_owned());
    };
    let version = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    let other = !version.starts_with("v20.");
    other.then(|| format!("`node` is {version}; put a Node 20 first in the search path"))
}

#[test]
fn the_library_equals_nodes_own() {
    if let Some(why) = missing() {
        println!("SKIPPED: the_library_equals_nodes_own: {why}");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lib_b/run.js");
    let mut node = Command::new("node")
        .args(["--expose-internals", "--no-warnings"])
        .arg(script)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = node.stdout.take().unwrap();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).map(|_| text)
    });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = node.try_wait().unwrap() {
            break Some(status);
        }
        if start.elapsed() > Duration::from_secs(RUN_SECONDS_MAX) {
            node.kill().unwrap();
            break None;
        }
        thread::sleep(Duration::from_millis(10));
    };
    let text = reader.join().unwrap().unwrap();
    println!("{text}");
    let status = status.expect("the comparison did not end");
    assert!(status.success(), "the library differs from Node's: {status}\n{text}");
    assert!(text.lines().all(|line| line.contains(" 0 differences")) && !text.is_empty());
}
