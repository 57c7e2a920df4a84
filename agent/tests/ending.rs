//! However a run ends, it reports, and the exit code says how it ended.

mod common;

use std::process::Stdio;

use common::{Ran, command, finish, get, run, serving, signal, until, wait};
use serde_json::Value;

/// Two microtasks of an hour each: the loop never comes back.
const ENDLESS: [&str; 8] =
    ["run", "sync-promises", "--count", "1", "--work", "1h", "--report", "json"];

fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

fn assert_caught_in_the_act(report: &Value) {
    let observed = &report["loops"][0];
    assert!(observed["current_turn_ns"].as_u64().expect("a number") > 0);
    let running = observed["stalls"].as_array().expect("a list").last().cloned();
    assert_eq!(running.expect("a stall")["running"], true);
    assert!(report["workload"]["truth"].is_null(), "the truth of a part is not known");
}

#[test]
fn a_timeout_still_reports() {
    let ran = run(&[&ENDLESS[..], &["--timeout", "300ms"]].concat());
    assert_eq!(ran.code, Some(124));
    assert_caught_in_the_act(&report(&ran));
}

#[test]
fn ctrl_c_still_reports_from_an_endless_drain() {
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let args = [&ENDLESS[..], &["--stall-threshold", "1ms", "--listen", ":0"]].concat();
        let (mut child, address, stderr) = serving(&args);
        // It is in the drain as soon as the stall is seen.
        until("the turn", || get(address, "/").1.contains("in a turn for"));
        std::thread::sleep(std::time::Duration::from_millis(20));
        child.stderr = Some(stderr.into_inner());
        signal(&child, name);
        let ran = finish(child);
        assert_eq!(ran.code, Some(code), "{name}");
        assert_caught_in_the_act(&report(&ran));
    }
}

/// As `nohup` starts it.
#[cfg(target_os = "linux")]
#[test]
fn what_is_started_to_outlive_its_terminal_does() {
    let line = "trap '' HUP; exec \"$@\"";
    let args = [&ENDLESS[..], &["--listen", ":0", "--timeout", "2s"]].concat();
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", line, "sh", env!("CARGO_BIN_EXE_loopscope")]).args(args);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().expect("sh is there");
    let mut told = [0];
    let stderr = child.stderr.as_mut().expect("it is piped");
    std::io::Read::read_exact(stderr, &mut told).expect("it says where it serves");
    signal(&child, "HUP");
    assert_eq!(finish(child).code, Some(124));
}

#[test]
fn rounds_without_end_are_ended_by_ctrl_c() {
    let args = ["run", "sync-promises", "--count", "10", "--work", "0", "--repeat", "forever"];
    let (mut child, address, stderr) =
        serving(&[&args[..], &["--pause", "1ms", "--listen", ":0", "--report", "json"]].concat());
    assert!(get(address, "/-/ready").0.starts_with("HTTP/1.1 200"));
    child.stderr = Some(stderr.into_inner());
    signal(&child, "INT");
    let ran = finish(child);
    assert_eq!(ran.code, Some(130));
    assert_eq!(report(&ran)["diagnoses"][0]["id"], "healthy");
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() {
    let quick = ["run", "sync-promises", "--count", "9", "--work", "0"];
    for args in [&quick[..], &["workloads"], &["--help"]] {
        let mut child = command(args).stderr(Stdio::piped()).spawn().expect("starts");
        drop(child.stdout.take());
        let ran = finish(child);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn a_closed_standard_error_is_no_failure() {
    let args = ["run", "sync-promises", "--work", "1h", "--timeout", "700ms", "--report", "none"];
    let mut child = command(&args).spawn().expect("starts");
    drop(child.stderr.take());
    assert_eq!(wait(&mut child), Some(124));
}

#[test]
fn a_full_disk_is_a_failure() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let mut run = command(&["run", "sync-promises", "--count", "9", "--work", "0"]);
    let ran = finish(run.stdout(full).spawn().expect("starts"));
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stderr.starts_with("loopscope: standard output can't be written"), "{ran:?}");
}

#[test]
fn progress_shows_the_stall_growing_without_escapes() {
    let ran = run(&[&ENDLESS[..], &["--timeout", "2500ms"]].concat());
    let lines: Vec<_> = ran.stderr.lines().filter(|line| line.contains("blocked for")).collect();
    assert!(lines.len() >= 2, "{}", ran.stderr);
    assert!(!ran.stderr.contains('\x1b') && !ran.stderr.contains('\r'));
}
