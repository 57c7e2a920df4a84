//! Workloads that tell a story, those that refuse something, and those that use the whole machine.

mod common;

use std::process::{Command, Stdio};

use common::{command, finish, folder, run, signal};
use serde_json::Value;

const LINES: [&str; 5] =
    ["foo", "baz", "promise: right after baz, before bar", "promise: queued by a promise", "bar"];

fn told() -> String {
    LINES.map(|line| format!("{line}\n")).concat()
}

#[test]
fn a_transcript_stands_before_the_report() {
    for clock in ["real", "virtual"] {
        let ran = run(&["run", "promise-before-timeout", "--clock", clock]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stdout.starts_with(&(told() + "\npromise-before-timeout, pid ")), "{ran:?}");
        assert!(ran.stdout.contains("✓ transcript"), "{}", ran.stdout);
    }
    let ran = run(&["run", "promise-before-timeout", "--report", "none", "--repeat", "3"]);
    assert_eq!(ran.stdout, told(), "one round is told, and all are checked");
}

#[test]
fn a_transcript_is_in_the_json_report_or_beside_it() {
    let args = ["run", "promise-before-timeout", "--report", "json"];
    let report: Value = serde_json::from_str(&run(&args).stdout).expect("is JSON and no more");
    assert_eq!(report["workload"]["story"], serde_json::json!(LINES));
    assert_eq!(report["workload"]["variant"], "story");

    let path = folder("a_transcript_is_beside_the_report").join("report.json");
    let ran = run(&[&args[..], &["--output", path.to_str().expect("UTF-8")]].concat());
    assert_eq!(ran.stdout, told());
    let text = std::fs::read_to_string(&path).expect("it was written");
    assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");

    let quick = ["run", "sync-promises", "--count", "9", "--work", "0", "--report", "json"];
    let report: Value = serde_json::from_str(&run(&quick).stdout).expect("is JSON");
    assert_eq!(report["workload"].get("story"), None);
}

fn refused(ran: &common::Ran, code: i32, wants: &[&str]) {
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    for want in wants {
        assert!(ran.stderr.contains(want), "`{want}` not in {}", ran.stderr);
    }
}

#[test]
fn a_story_has_no_twin() {
    refused(&run(&["run", "poll-wait", "--fixed"]), 2, &["poll-wait", "no fixed twin", "--fixed"]);
}

#[test]
fn what_is_real_cannot_run_under_the_virtual_clock() {
    let list = run(&["workloads", "--report", "json"]);
    let list: Value = serde_json::from_str(&list.stdout).expect("is JSON");
    let workloads = list["workloads"].as_array().expect("a list");
    let real: Vec<&str> = workloads
        .iter()
        .filter(|workload| workload["virtual_clock"] == false)
        .map(|workload| workload["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(real, ["sync-io", "poll-flood", "thread-pool-saturation", "cpu-starved"]);
    for name in real {
        let ran = run(&["run", name, "--clock", "virtual"]);
        refused(&ran, 2, &[name, "real sockets or threads", "--clock real"]);
        let ran = run(&["gate", "--lock", "/nowhere", "--", name]);
        refused(&ran, 2, &[name, "real sockets or threads", "leave it out here"]);
        assert!(!ran.stderr.contains("--clock"), "the gate has no such option: {}", ran.stderr);
    }
}

#[test]
fn parameters_have_bounds() {
    let check = |args: &[&str], wants: &[&str]| refused(&run(args), 2, wants);
    check(&["run", "lambda-freeze", "--gap", "1ms"], &["--gap", "`1ms`", "between 200 ms and"]);
    check(&["run", "cpu-starved", "--neighbours", "257"], &["--neighbours", "0 to 256"]);
    check(&["run", "sync-io", "--delay", "2h"], &["--delay", "`2h`"]);
    check(&["run", "cpu-starved", "--work", "50ms"], &["--work", "`50ms`", "and 49.0 ms"]);
    check(&["run", "poll-flood", "--count", "20001"], &["--count", "20000"]);
}

/// Runs the program where so many descriptors are allowed.
fn with_descriptors(soft: u32, hard: u32, args: &[&str]) -> common::Ran {
    let program = command(args);
    let limits = format!("ulimit -Sn {soft}; ulimit -Hn {hard}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.args(["-c", &limits]).arg(program.get_program()).args(program.get_args());
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(shell.spawn().expect("sh is there"))
}

#[test]
fn a_run_without_descriptors_is_refused_with_the_cure() {
    // 12 are enough where the loop opens its own after the background has looked for room.
    for descriptors in [8, 10, 11] {
        let ran = with_descriptors(descriptors, descriptors, &["run", "phase-order"]);
        refused(&ran, 5, &["Too many open files", "(`ulimit -n`)"]);
    }
}

#[test]
fn more_sockets_than_are_allowed_are_refused_with_the_cure() {
    let limited = |soft: u32, hard: u32, count: &str| {
        let args = ["run", "poll-flood", "--work", "0", "--report", "none", "--count", count];
        with_descriptors(soft, hard, &args)
    };
    refused(&limited(264, 264, "200"), 5, &["464 descriptors", "--count 100", "ulimit -Hn"]);
    let raised = limited(64, 564, "200");
    assert_eq!(raised.code, Some(0), "{raised:?}");
    // A truth that a busy machine spoils is told; nothing else may be.
    let is_truth = |line: &str| line.contains("did not show what it must");
    assert!(raised.stderr.lines().all(is_truth), "{raised:?}");
    refused(&limited(64, 64, "200"), 5, &["464 descriptors", "(`ulimit -n`)"]);
}

#[test]
fn a_starved_loop_ends_by_ctrl_c_with_its_neighbours() {
    let args = ["run", "cpu-starved", "--repeat", "forever", "--report", "json"];
    let child = command(&args).spawn().expect("the binary starts");
    let tasks = format!("/proc/{}/task", child.id());
    let neighbours = || {
        let listed = std::fs::read_dir(&tasks).into_iter().flatten().flatten();
        let names = listed.flat_map(|task| std::fs::read_to_string(task.path().join("comm")));
        names.filter(|name| name.starts_with("neighbour-")).count()
    };
    common::until("sixteen neighbours", || neighbours() == 16);
    signal(&child, "INT");
    let ran = finish(child);
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    assert_eq!(neighbours(), 0);
    assert!(serde_json::from_str::<Value>(&ran.stdout).is_ok(), "{}", ran.stdout);
}
