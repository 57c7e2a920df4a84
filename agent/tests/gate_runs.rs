//! `gate` over commands, by V8's trace events: what is run, what is told, how it ends.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use serde_json::Value;

use common::{Ran, command, finish, folder, run, signal, until};

/// A drain of so many microtasks, and another that stays as it is.
const APP: &str = "const count = Number(process.argv[2]);
    for (let job = 0; job < count; job++) Promise.resolve().then(() => {});
    setTimeout(() => { for (let job = 0; job < 10; job++) queueMicrotask(() => {}); }, 1);";

/// A folder with the program in it; `None` after telling that the test is skipped.
fn place(test: &str) -> Option<PathBuf> {
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    if !node.is_ok_and(|status| status.success()) {
        println!("SKIPPED: {test}: there is no node; install it");
        return None;
    }
    let place = folder(&format!("gate-{test}"));
    fs::write(place.join("app.js"), APP).expect("it can be written");
    Some(place)
}

fn start(place: &Path, options: &[&str]) -> Child {
    let mut command = command(&[&["gate", "--source", "v8-trace"], options].concat());
    command.current_dir(place).env_remove("NODE_OPTIONS").spawn().expect("the binary starts")
}

fn gate(place: &Path, options: &[&str]) -> Ran {
    finish(start(place, options))
}

fn pair(place: &Path, base: &str, head: &str, options: &[&str]) -> Ran {
    let few = ["--pairs", "4", "--max-time", "1ms", "--base", base, "--head", head];
    gate(place, &[&few, options].concat())
}

#[test]
fn counts_are_exact_and_times_are_not_told() {
    let Some(place) = place("counts_are_exact") else { return };
    let (same, grown) = ("node app.js 1000", "node app.js 1050");
    let ran = pair(&place, same, same, &[]);
    assert_eq!(ran.code, Some(3), "nothing is known of times: {ran:?}");
    assert!(ran.stdout.contains("v8-trace"), "{}", ran.stdout);
    let ran = pair(&place, same, same, &["--on-inconclusive", "pass"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("inconclusive"), "{}", ran.stderr);
    let ran = pair(&place, same, same, &["--on-inconclusive", "fail"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let ran = pair(&place, same, grown, &["--on-inconclusive", "pass"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("longest drain"), "{}", ran.stdout);
    let lenient = ["--on-inconclusive", "pass", "--exact-tolerance", "5%"];
    assert_eq!(pair(&place, same, grown, &lenient).code, Some(0));
    assert_eq!(pair(&place, grown, same, &lenient).code, Some(0), "less is no regression");
}

/// A user without any rights: counts decide, and nothing is said of times.
#[test]
fn who_has_no_rights_compares_counts() {
    const NOBODY: u32 = 65_534;
    let Some(place) = place("without_rights") else { return };
    let name = format!("loopscope-nobody-{}", std::process::id());
    let public = std::env::temp_dir().join(name);
    fs::create_dir_all(&public).expect("it can be made");
    fs::copy(place.join("app.js"), public.join("app.js")).expect("it can be copied");
    let program = public.join("loopscope");
    let built = env!("CARGO_BIN_EXE_loopscope");
    if fs::hard_link(built, &program).is_err() {
        fs::copy(built, &program).expect("it can be copied");
    }
    let gate = |head: &str| {
        let mut command = Command::new(&program);
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let few = ["gate", "--pairs", "4", "--max-time", "1ms", "--base", "node app.js 1000"];
        command.args(few).args(["--head", head]).env_remove("NODE_OPTIONS");
        command.current_dir(&public).stdin(Stdio::null()).stdout(Stdio::piped());
        finish(command.stderr(Stdio::piped()).spawn().expect("the binary starts"))
    };
    let same = gate("node app.js 1000");
    assert_eq!(same.code, Some(3), "{same:?}");
    assert!(same.stdout.contains("source v8-trace"), "{}", same.stdout);
    let grown = gate("node app.js 1050");
    assert_eq!(grown.code, Some(1), "{grown:?}");
    assert!(grown.stdout.contains("grew from 1,000 to 1,050 microtasks (+5.0 %)"), "{grown:?}");
    fs::remove_dir_all(&public).expect("it can be removed");
}

#[test]
fn a_command_that_fails_shows_its_own_output() {
    let Some(place) = place("a_command_that_fails") else { return };
    let head = "echo to-stdout; echo to-stderr >&2; exit 7";
    let ran = pair(&place, "node app.js 5", head, &[]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    for want in ["head failed (exit status 7)", "to-stdout", "to-stderr"] {
        assert!(ran.stderr.contains(want), "`{want}` not in {}", ran.stderr);
    }
    assert!(ran.stdout.contains("run it by itself"), "{}", ran.stdout);
    let ran = pair(&place, "kill -SEGV $$", "node app.js 5", &[]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("base failed (signal 11)"), "{}", ran.stderr);
}

#[test]
fn a_command_without_node_is_no_run() {
    let Some(place) = place("a_command_without_node") else { return };
    let ran = pair(&place, "true", "true", &[]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stdout.contains("is it Node.js?"), "{}", ran.stdout);
}

#[test]
fn budgets_hold_or_are_exceeded_and_what_is_not_seen_is_no_pass() {
    let Some(place) = place("budgets_hold") else { return };
    let check = |budgets: &str, code: i32, want: &str| {
        fs::write(place.join("budget.txt"), budgets).expect("it can be written");
        let ran = gate(&place, &["--budget", "budget.txt", "--", "node", "app.js", "1000"]);
        assert_eq!(ran.code, Some(code), "{budgets}: {ran:?}");
        assert!(ran.stdout.contains(want), "`{want}` not in {}", ran.stdout);
    };
    check("longest drain < 1001 # jobs\nmicrotasks <= 1010\n", 0, "longest drain < 1001");
    check("microtasks <= 1010\nlongest drain < 1000", 1, "longest drain < 1000");
    check("p99 turn < 50ms", 4, "v8-trace full does not see it");
    let both = ["--budget", "budget.txt", "--on-inconclusive", "pass"];
    fs::write(place.join("budget.txt"), "longest drain < 1000").expect("it can be written");
    let same = "node app.js 1000";
    assert_eq!(pair(&place, same, same, &both).code, Some(1), "as before, and too much");
}

#[test]
fn variables_may_stand_before_the_command() {
    let Some(place) = place("variables_before") else { return };
    let source =
        "for (let job = Number(process.env.COUNT); job > 0; job--) queueMicrotask(() => {});";
    fs::write(place.join("variables.js"), source).expect("it can be written");
    fs::write(place.join("budget.txt"), "longest drain = 700").expect("it can be written");
    let budget = ["--budget", "budget.txt", "--", "OTHER=a b", "COUNT=700", "node", "variables.js"];
    let ran = gate(&place, &budget);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = gate(&place, &[&budget[..3], &["COUNT=700"]].concat());
    assert_eq!(ran.code, Some(4), "there is no command: {ran:?}");
    assert!(ran.stderr.contains("`COUNT=700` is a variable and no program"), "{}", ran.stderr);
}

/// Its turns are as many however long it waits. The trace may add some, and fails nothing by that.
#[test]
fn turns_of_the_trace_itself_fail_no_budget() {
    let Some(place) = place("turns_of_the_trace") else { return };
    fs::write(place.join("wait.js"), "setTimeout(() => {}, Number(process.argv[2]));")
        .expect("it can be written");
    let turns = |budget: &str, wait_ms: &str| {
        fs::write(place.join("budget.txt"), budget).expect("it can be written");
        let words = ["--runs", "1", "--budget", "budget.txt", "--json", "gate.json"];
        let ran = gate(&place, &[&words[..], &["--", "node", "wait.js", wait_ms]].concat());
        let json = fs::read_to_string(place.join("gate.json")).expect("it was written");
        let told: Value = serde_json::from_str(&json).expect("JSON");
        (ran, told["metrics"][0]["head"][0].as_u64())
    };
    let (ran, own) = turns("turns >= 0", "1");
    let own = own.unwrap_or_else(|| panic!("{ran:?}"));
    let (ran, _) = turns(&format!("turns <= {own}"), "3500");
    assert!(matches!(ran.code, Some(0 | 4)), "{own} turns: {ran:?}");
    if ran.code == Some(4) {
        assert!(ran.stdout.contains("turns may be none of the program"), "{ran:?}");
    }
    let (ran, least) = turns("turns >= 0", "3500");
    assert!(ran.code == Some(0) && least <= Some(own), "{own} turns, {least:?}: {ran:?}");
}

#[test]
fn runs_that_are_kept_say_the_same_again() {
    let Some(place) = place("runs_that_are_kept") else { return };
    let lenient = ["--on-inconclusive", "pass"];
    let ran = pair(&place, "node app.js 1000", "node app.js 1050", &["--save", "kept"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let again = |base: &str, head: &str| {
        let args = ["gate", "--base-from", base, "--head-from", head, "--report", "text"];
        let mut command = command(&[&args[..], &lenient[..]].concat());
        finish(command.current_dir(&place).spawn().expect("the binary starts"))
    };
    let ran = again("kept/base", "kept/head");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for want in ["longest drain grew from 1,000 to 1,050", "kept/head, 4 runs"] {
        assert!(ran.stdout.contains(want), "`{want}` not in {}", ran.stdout);
    }
    assert_eq!(again("kept/base", "kept/base").code, Some(0), "the same runs are the same");

    let ran = pair(&place, "node app.js 5", "node app.js 5", &["--save", "kept"]);
    assert_eq!(ran.code, Some(2), "the runs are not written over: {ran:?}");
    // One that was cut is not compared.
    let first = place.join("kept/head/001.loopscope");
    let bytes = fs::read(&first).expect("it is there");
    fs::write(&first, &bytes[..bytes.len() - 9]).expect("it can be written");
    let ran = again("kept/base", "kept/head");
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stdout.contains("was cut"), "{}", ran.stdout);
    fs::remove_file(&first).expect("it is there");
    let ran = again("kept/base", "kept/head");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("has 4 runs and kept/head has 3"), "{}", ran.stderr);
}

#[test]
fn what_is_asked_for_wrongly_runs_nothing() {
    let place = folder("gate-asked-for-wrongly");
    let made = place.join("made").display().to_string();
    let touch = format!("touch {made}");
    fs::write(place.join("bad.txt"), "turns < 5\np99 trun < 50ms\n").expect("it can be written");
    let bad = place.join("bad.txt").display().to_string();
    fs::write(place.join("ticks.txt"), "turns < 5\nticks < 5\n").expect("it can be written");
    let ticks = place.join("ticks.txt").display().to_string();
    let of_ticks = ["ticks.txt: `ticks < 5`", "no source that observes Node.js", "`microtasks`"];
    let cases: [(&[&str], &[&str]); 15] = [
        (&["--budget", &ticks, "--head", &touch], &of_ticks),
        (&["--lock", "x", "--junit", &made, "--", "sync-promises"], &["--junit is for commands"]),
        (&["--head", &touch], &["--base", "--budget"]),
        (&["--base", &touch, "--head", " "], &["--head is empty"]),
        (&["--base", "", "--head", &touch], &["--base is empty"]),
        (&["--budget", &bad], &["no command", "--"]),
        (&["--budget", &bad, "--head", &touch], &["bad.txt:2: `p99 trun`", "utilization"]),
        (&["--budget", "/no/such", "--head", &touch], &["/no/such", "--budget"]),
        (&["--budget", &bad, "--head", &touch, "--", "touch", &made], &["given twice"]),
        (&["--lock", "x", "--head", &touch], &["--lock"]),
        (&["--lock", "x"], &["<NAME>"]),
        (&["--base-from", "x", "--head", &touch], &["--head-from"]),
        (&["--head-from", "/no/such"], &["--base-from DIR", "--budget"]),
        (&["--head-from", "/no/such", "--base-from", "/"], &["/no/such can't be read"]),
        (&["--head-from", "/", "--base-from", "/"], &["0 recordings", "--save"]),
    ];
    for (options, wants) in cases {
        let ran = run(&[&["gate"], options].concat());
        assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1), "{options:?}: {ran:?}");
        for want in wants {
            assert!(ran.stderr.contains(want), "`{want}` not in {}", ran.stderr);
        }
    }
    assert!(!Path::new(&made).exists());
}

#[test]
fn a_commands_own_options_of_node_hold() {
    let Some(place) = place("own_options") else { return };
    let more = "for (let job = 0; job < 2000; job++) queueMicrotask(() => {});";
    fs::write(place.join("more.js"), more).expect("it can be written");
    let head = "NODE_OPTIONS=--require=./more.js node app.js 1000";
    let ran = pair(&place, "node app.js 1000", head, &["--on-inconclusive", "pass"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("grew from 1,000 to "), "{ran:?}");
}

/// A terminal tells all processes of a job, also the one that is about to become the command.
#[test]
fn ctrl_c_of_a_terminal_is_one_at_any_moment() {
    let Some(place) = place("ctrl_c_of_a_terminal") else { return };
    fs::write(place.join("mark.js"), "require('node:fs').writeFileSync('began', '');")
        .expect("it can be written");
    let began = place.join("began");
    for after_ms in (0..24).map(|step| step * 17) {
        let few = ["gate", "--source", "v8-trace", "--pairs", "4", "--max-time", "1m"];
        let mut command = command(&few);
        command.args(["--base", "node mark.js", "--head", "node mark.js"]);
        let child = command.current_dir(&place).process_group(0).spawn().expect("it starts");
        let group = Pid::from_child(&child);
        until("the first run", || began.exists());
        fs::remove_file(&began).expect("it is there");
        thread::sleep(Duration::from_millis(after_ms));
        kill_process_group(group, Signal::INT).expect("it runs");
        let ran = finish(child);
        assert_eq!(ran.code, Some(130), "after {after_ms} ms: {ran:?}");
    }
}

#[test]
fn a_command_that_can_not_be_run_is_told() {
    let place = folder("gate-not-run");
    let ran = gate(&place, &["--budget", "/dev/null", "--", "node"]);
    assert_eq!(ran.code, Some(2), "there is no budget: {ran:?}");
    fs::write(place.join("budget.txt"), "turns < 5").expect("it can be written");
    let ran = gate(&place, &["--budget", "budget.txt", "--", "no-such-command-anywhere"]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("is not found"), "{}", ran.stderr);
}

/// A program that says that it runs, by its number, and goes on for ever.
const ENDLESS: &str = "require('node:fs').writeFileSync('pid', String(process.pid));
    setInterval(() => {}, 1000);";

#[test]
fn ctrl_c_and_timeout_end_the_commands_processes() {
    let Some(place) = place("ctrl_c_and_timeout") else { return };
    fs::write(place.join("endless.js"), ENDLESS).expect("it can be written");
    let pid = place.join("pid");
    let endless = "node endless.js & wait";
    let is_gone = || {
        let pid = fs::read_to_string(&pid).expect("it ran");
        let state = fs::read_to_string(format!("/proc/{pid}/stat"));
        state.map_or(true, |stat| stat.contains(") Z "))
    };
    let ran = pair(&place, endless, endless, &["--timeout", "2s"]);
    assert_eq!(ran.code, Some(124), "{ran:?}");
    until("the end of the command's child", is_gone);

    for (name, code) in [("INT", 130), ("TERM", 143)] {
        fs::remove_file(&pid).expect("it was written");
        let child = start(&place, &["--base", endless, "--head", endless]);
        until("the command's child", || pid.exists());
        signal(&child, name);
        let ran = finish(child);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stderr.contains("cut short"), "{}", ran.stderr);
        until("the end of the command's child", is_gone);
    }
}
