//! `exec` as a user runs it: the command's files and exit status are its own.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Ran, command, finish, folder, run};

const NOT_NODE: &str = "is it Node.js?";

fn sh(script: &str) -> Ran {
    run(&["exec", "--", "sh", "-c", script])
}

/// That there is one line of ours with this in it, and nothing else.
fn assert_one_line(ran: &Ran, what: &str) {
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    assert!(ran.stderr.starts_with("loopscope: ") && ran.stderr.contains(what), "{ran:?}");
}

#[test]
fn the_exit_status_is_the_commands() {
    for (script, code) in [("exit 0", 0), ("exit 3", 3), ("exit 255", 255)] {
        let ran = sh(script);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{script}");
        assert_one_line(&ran, NOT_NODE);
    }
    for (signal, code) in [("KILL", 137), ("TERM", 143), ("SEGV", 139)] {
        assert_eq!(sh(&format!("kill -{signal} $$")).code, Some(code), "{signal}");
    }
}

#[test]
fn what_can_not_be_run_has_the_status_of_a_shell() {
    let folder = folder("exec-not-run");
    let plain = folder.join("plain");
    fs::write(&plain, "x").expect("it can be written");
    let plain = plain.to_str().expect("UTF-8");
    let cases = [
        ("no-such-command-anywhere", 127, "is not found"),
        ("./no/such/file", 127, "is not found"),
        ("A=1", 127, "is a variable and no program; write `env` before it, as in `env A=1 "),
        ("", 127, "is not found"),
        (plain, 126, "no program that you may run"),
        ("/tmp", 126, "no program that you may run"),
    ];
    for (name, code, what) in cases {
        let ran = run(&["exec", "--", name]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{name}: {ran:?}");
        assert_one_line(&ran, what);
    }
}

#[test]
fn usage_that_is_wrong_starts_nothing() {
    let cases: [(&[&str], &str); 4] = [
        (&["exec"], "missing"),
        (&["exec", "--tier", "turn", "--source", "v8-trace", "--", "echo", "x"], "tier"),
        (&["exec", "--stall-threshold", "0", "--", "echo", "x"], "stall"),
        (&["exec-gate", "no-such-socket", "--", "echo", "x"], "loopscope exec -- CMD"),
    ];
    for (args, what) in cases {
        let ran = run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{args:?}: {ran:?}");
        assert_one_line(&ran, what);
    }
}

#[test]
fn without_a_place_for_traces_nothing_is_started() {
    let mut command = command(&["exec", "--", "echo", "x"]);
    let ran = finish(command.env("TMPDIR", "/no/such/folder").spawn().expect("it starts"));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), ""), "{ran:?}");
    assert_one_line(&ran, "set TMPDIR");
}

#[test]
fn standard_input_and_output_are_the_commands() {
    let mut child = command(&["exec", "--report", "none", "--", "sh", "-c", "cat; echo e >&2"]);
    let mut child = child.stdin(Stdio::piped()).spawn().expect("it starts");
    let text = "line\n".repeat(400_000);
    let mut stdin = child.stdin.take().expect("it is piped");
    let written = text.clone();
    let writer = std::thread::spawn(move || stdin.write_all(written.as_bytes()));
    let ran = finish(child);
    writer.join().expect("no panic").expect("all is read");
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout == text, "{} bytes of {}", ran.stdout.len(), text.len());
    assert!(ran.stderr.starts_with("e\nloopscope: no trace"), "{}", ran.stderr);
}

#[test]
fn a_command_whose_reader_goes_away_ends_as_always() {
    let ran = sh("yes | head -n 1; yes 2>/dev/null | head -c 0; echo \"${?}\"");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "y\n0\n"));
}

#[test]
fn nothing_else_is_passed_to_the_command() {
    // What is open in it: what is open in us, and the folder that `ls` reads.
    let mut alone = Command::new("ls");
    alone.arg("/proc/self/fd").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let alone = finish(alone.spawn().expect("ls is there"));
    assert_eq!(run(&["exec", "--", "ls", "/proc/self/fd"]).stdout, alone.stdout);
    let ran = run(&["exec", "--", "sh", "-c", "ps -o pid= -o args= -p $$ 2>/dev/null || true"]);
    assert!(!ran.stdout.contains("exec-gate"), "{ran:?}");
}

#[test]
fn a_script_without_a_first_line_is_run_by_the_shell() {
    let script = folder("exec-script").join("script");
    fs::write(&script, "echo ran \"$@\"\n").expect("it can be written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&script, mode).expect("its mode can be set");
    let ran = run(&["exec", "--", script.to_str().expect("UTF-8"), "a b", "--report"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "ran a b --report\n"), "{ran:?}");
}

#[test]
fn the_folder_is_removed_however_the_command_ends() {
    let place = folder("exec-folder");
    let is_empty = |place: &Path| fs::read_dir(place).expect("a folder").next().is_none();
    for script in ["true", "kill -9 $$", "ls $TMPDIR/loopscope-*/ask"] {
        let mut command = command(&["exec", "--", "sh", "-c", script]);
        let ran = finish(command.env("TMPDIR", &place).spawn().expect("it starts"));
        assert_eq!(ran.stdout.contains("/ask"), script.starts_with("ls"), "{ran:?}");
        assert!(is_empty(&place), "{script}");
    }
    let mut command = command(&["exec", "--", "no-such-command"]);
    finish(command.env("TMPDIR", &place).spawn().expect("it starts"));
    assert!(is_empty(&place));
}

#[test]
fn a_report_for_programs_is_written_whatever_the_command_was() {
    let file = folder("exec-json").join("report.json");
    let path = file.to_str().expect("UTF-8");
    let args = ["exec", "--report", "json", "--output", path, "--", "sh", "-c", "exit 5"];
    let ran = run(&args);
    assert_eq!(ran.code, Some(5));
    assert_one_line(&ran, NOT_NODE);
    let text = fs::read_to_string(&file).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["command"]["status"], 5);
    assert!(report["command"]["signal"].is_null());
    assert_eq!(report["loops"].as_array().map(Vec::len), Some(0));
}
