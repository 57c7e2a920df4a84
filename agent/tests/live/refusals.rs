//! What `attach` refuses: one clear line, and the exit code that scripts branch on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::common::{Ran, command, finish, folder, run};
use crate::kernel::can_attach;
use crate::nodes;
use crate::target::Target;

const NOBODY: u32 = 65_534;

/// One line that says what was wrong and what to do, on standard error, and nothing else.
fn refused(ran: &Ran, code: i32, wants: &[&str]) {
    assert_eq!(ran.code, Some(code), "{ran:?}");
    assert_eq!(ran.stdout, "", "{ran:?}");
    assert_eq!(ran.stderr.trim_end().lines().count(), 1, "{ran:?}");
    let line = &ran.stderr;
    assert!(line.starts_with("loopscope: ") && line.contains("; "), "{line}");
    for want in wants {
        assert!(line.contains(want), "no `{want}` in {line}");
    }
}

fn attach(pid: u32) -> Ran {
    run(&["attach", &pid.to_string(), "--duration", "1s"])
}

/// A process that is killed with the test.
struct Other(Child);

impl Other {
    fn start(program: &Path) -> Other {
        let child = Command::new(program).arg("100").stdout(Stdio::null()).spawn();
        Other(child.expect("it starts"))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sleep_program() -> PathBuf {
    fs::canonicalize("/bin/sleep").expect("there is a sleep")
}

#[test]
fn a_process_that_is_gone() {
    let mut child = Command::new("true").spawn().expect("it starts");
    child.wait().expect("it ends");
    let pid = child.id();
    refused(&attach(pid), 2, &[&pid.to_string()]);
}

#[test]
fn a_process_that_is_no_node() {
    let other = Other::start(&sleep_program());
    let pid = other.0.id();
    refused(&attach(pid), 5, &[&pid.to_string(), "Node"]);
}

/// It goes by what is in the file, not by its name.
#[test]
fn a_process_that_is_only_called_node() {
    let copy = folder("only_called_node").join("node");
    fs::copy(sleep_program(), &copy).expect("it can be copied");
    let other = Other::start(&copy);
    refused(&attach(other.0.id()), 5, &["Node"]);
}

#[test]
fn a_thread_of_the_kernel() {
    if fs::read_to_string("/proc/2/comm").unwrap_or_default().trim() != "kthreadd" {
        println!("SKIPPED: a_thread_of_the_kernel: process 2 is none here");
        return;
    }
    refused(&attach(2), 5, &["2"]);
}

/// It has ended, and waits only for its parent to ask how.
#[test]
fn a_zombie() {
    let child = Command::new("true").spawn().expect("it starts");
    let stat = format!("/proc/{}/stat", child.id());
    crate::common::until("a zombie", || {
        fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") Z "))
    });
    let ran = attach(child.id());
    refused(&ran, 2, &[&child.id().to_string()]);
    drop(Other(child));
}

#[test]
fn input_that_makes_no_sense() {
    let bad: [&[&str]; 8] = [
        &["attach"],
        &["attach", "node"],
        &["attach", "0"],
        &["attach", "-5"],
        &["attach", "99999999999"],
        &["attach", "1", "--duration", "soon"],
        &["attach", "1", "--tier", "best"],
        &["attach", "1", "--stall-threshold", "-1ms"],
    ];
    for args in bad {
        let ran = run(args);
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
        assert!(!ran.stderr.is_empty() && ran.stdout.is_empty(), "{args:?}: {ran:?}");
        assert!(!ran.stderr.contains("panicked"), "{args:?}: {ran:?}");
    }
}

/// One bad process among good ones refuses all, before any probe is set.
#[test]
fn one_of_several_that_is_no_node() {
    let test = "one_of_several_that_is_no_node";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let target = Target::start(&node, "idle.js");
    let other = Other::start(&sleep_program());
    let pids = [target.pid().to_string(), other.0.id().to_string()];
    let ran = run(&["attach", &pids[0], &pids[1], "--duration", "1s"]);
    refused(&ran, 5, &[&pids[1]]);
    target.end();
}

/// Another user's process can't be read; the line says which right would do.
#[test]
fn somebody_without_rights() {
    let _alone = crate::alone();
    let test = "somebody_without_rights";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let target = Target::start(&node, "idle.js");
    // Where anybody can reach it.
    let program = std::env::temp_dir().join(format!("loopscope-live-{}", std::process::id()));
    fs::copy(env!("CARGO_BIN_EXE_loopscope"), &program).expect("it can be copied");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let ran = {
        let mut nobody = Command::new(&program);
        nobody.args(["attach", &target.pid().to_string(), "--duration", "1s"]);
        nobody.env_clear().uid(NOBODY).gid(NOBODY).current_dir("/");
        nobody.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        finish(nobody.spawn().expect("it starts"))
    };
    fs::remove_file(&program).expect("it was ours");
    refused(&ran, 5, &[&target.pid().to_string()]);
    target.end();
}

#[test]
fn help_tells_how() {
    let ran = finish(command(&["attach", "--help"]).spawn().expect("it starts"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for want in ["PID", "--duration", "--children", "--tier", "--listen"] {
        assert!(ran.stdout.contains(want), "no `{want}` in {}", ran.stdout);
    }
}
