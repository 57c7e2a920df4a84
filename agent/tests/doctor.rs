//! `doctor` on real processes: in other namespaces, with files that were renamed, deleted or
//! replaced, without rights; and that bad input gets one line.
//!
//! What the machine does not allow says `SKIPPED` with the reason.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{Ran, command, finish, folder, run};
use loopscope::process::{Discovery, Identity, ProcFs, Process, children_of};
use serde_json::Value;

const SCRIPT: &str = "console.log('ready'); setInterval(() => {}, 1000);";

/// The `node` of the search path and its version.
fn node(test: &str) -> Option<(PathBuf, String)> {
    let ran =
        Command::new("node").args(["-p", "process.execPath + ' ' + process.version"]).output();
    let text = ran.map(|ran| String::from_utf8_lossy(&ran.stdout).into_owned()).unwrap_or_default();
    let found = text.trim().split_once(" v").map(|(path, version)| (path.into(), version.into()));
    if found.is_none() {
        println!("SKIPPED: {test}: no `node` in the search path");
    }
    found
}

/// A process that is ended with the test, and its folder removed.
struct Target {
    child: Child,
    /// The process itself, where another one started it.
    pid: u32,
    folder: PathBuf,
}

impl Target {
    /// Starts a command on a folder and waits until a Node runs in it; `None` after telling why
    /// it does not.
    fn start(test: &str, folder: &Path, mut command: Command) -> Option<Target> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut line = String::new();
        let mut output = std::io::BufReader::new(child.stdout.take().expect("it is piped"));
        std::io::BufRead::read_line(&mut output, &mut line).expect("it can be read");
        if line.trim() == "ready" {
            let pid = innermost(child.id());
            return Some(Target { child, pid, folder: folder.to_owned() });
        }
        let ran = child.wait_with_output().expect("it has ended");
        let why = String::from_utf8_lossy(&ran.stderr).replace('\n', " ");
        println!("SKIPPED: {test}: {why}");
        None
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The last in a line of only children.
fn innermost(pid: u32) -> u32 {
    let children = children_of(&ProcFs::default(), &BTreeSet::from([pid]));
    children.expect("/proc can be listed").first().map_or(pid, |&child| innermost(child))
}

/// What `doctor` says of one process.
fn told(ran: &Ran) -> Value {
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
    let report: Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(report["schema"], "loopscope.doctor/1");
    report["targets"][0].clone()
}

fn doctor(pid: u32) -> Ran {
    run(&["doctor", &pid.to_string(), "--report", "json"])
}

/// As root without the right to follow the kernel's own links to mapped files. `None`: there is no
/// way to give it up.
fn doctor_with_less(pid: u32) -> Option<Ran> {
    let mut less = Command::new("setpriv");
    less.arg("--bounding-set=-sys_admin,-checkpoint_restore");
    less.args([env!("CARGO_BIN_EXE_loopscope"), "doctor", &pid.to_string(), "--report", "json"]);
    let child = less.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let ran = finish(child.ok()?);
    (!ran.stderr.starts_with("setpriv")).then_some(ran)
}

/// A folder with a script.
fn laid(test: &str) -> PathBuf {
    let folder = folder(&format!("doctor-{test}"));
    fs::write(folder.join("app.js"), SCRIPT).expect("it can be written");
    folder
}

/// A Node that was started so, after this change, is seen as what it is, also with fewer rights.
fn check(
    test: &str,
    start: impl Fn(&Path, &Path) -> Command,
    change: impl Fn(&Path),
) -> Option<Target> {
    let (node, version) = node(test)?;
    let folder = laid(test);
    let target = Target::start(test, &folder, start(&node, &folder))?;
    change(&folder);
    let check = |told: &Value| {
        assert_eq!(told["pid"], target.pid, "{told}");
        assert_eq!(told["runtime_version"], version.as_str(), "{told}");
        assert_eq!(told["name"], "app.js", "{told}");
        assert!(told["tier"].is_string(), "{told}");
    };
    check(&told(&doctor(target.pid)));
    match doctor_with_less(target.pid) {
        Some(ran) => check(&told(&ran)),
        None => println!("SKIPPED: {test}: with fewer rights: no `setpriv`, or not root"),
    }
    Some(target)
}

fn unchanged(_: &Path) {}

/// A copy of Node in the folder. Another process makes it: what another test forks just now would
/// hold a file open for writing that this one has open, and such a file can't be executed.
fn copy(node: &Path, folder: &Path, name: &str) -> PathBuf {
    let copy = folder.join(name);
    let copied = Command::new("cp").args([node, &copy]).status().expect("there is `cp`");
    assert!(copied.success(), "{} can be copied", node.display());
    copy
}

/// A script of the shell in new namespaces: `$1` is Node, `$2` the folder.
fn unshared(options: &[&str], script: &str, node: &Path, folder: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(options).args(["sh", "-e", "-c", script, "sh"]).arg(node).arg(folder);
    command
}

fn plainly(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(folder.join("app.js"));
    command
}

#[test]
fn by_another_name() {
    let start = |node: &Path, folder: &Path| plainly(&copy(node, folder, "my-service"), folder);
    check("by_another_name", start, unchanged);
}

#[test]
fn a_file_that_was_removed() {
    let start = |node: &Path, folder: &Path| plainly(&copy(node, folder, "node"), folder);
    check("a_file_that_was_removed", start, |folder| {
        fs::remove_file(folder.join("node")).expect("it can be removed");
    });
}

/// As a package manager upgrades: another program has its path.
#[test]
fn a_file_that_was_replaced() {
    let start = |node: &Path, folder: &Path| plainly(&copy(node, folder, "node"), folder);
    let target = check("a_file_that_was_replaced", start, |folder| {
        let new = copy(Path::new("/bin/sh"), folder, "new");
        fs::rename(new, folder.join("node")).expect("it can be replaced");
    });
    let Some(target) = target else { return };
    let process = Process::open(target.pid).expect("it is there");
    let modules = process.modules().expect("they can be opened");
    let node = modules.iter().find(|module| module.holds.node).expect("it is a Node");
    assert!(node.deleted);
    let bytes = node.open().and_then(|file| file.metadata()).expect("it is open").len();
    assert!(bytes > fs::metadata(&node.path).expect("the new one is there").len());
    let by_path = fs::metadata(node.probe_path()).expect("the kernel finds it");
    assert_eq!(by_path.len(), bytes);
}

#[test]
fn in_a_mount_namespace_with_another_root() {
    let test = "in_a_mount_namespace_with_another_root";
    check(
        test,
        |node, folder| {
            let script = "mount -t tmpfs none /mnt; cd /mnt; mkdir old srv usr proc dev
            cp \"$1\" srv/node; cp \"$2/app.js\" srv
            mount --rbind /usr usr; mount --rbind /proc proc; mount --rbind /dev dev
            for name in lib lib32 lib64; do ln -s usr/$name $name; done
            pivot_root . old; umount -l /old; exec /srv/node /srv/app.js";
            unshared(&["--mount"], script, node, folder)
        },
        unchanged,
    );
}

#[test]
fn on_an_overlay() {
    check(
        "on_an_overlay",
        |node, folder| {
            let script = "mount -t tmpfs none /mnt; cd /mnt; mkdir low up work all
            cp \"$1\" low/node
            mount -t overlay -o lowerdir=/mnt/low,upperdir=/mnt/up,workdir=/mnt/work none all
            exec /mnt/all/node \"$2/app.js\"";
            unshared(&["--mount"], script, node, folder)
        },
        unchanged,
    );
}

#[test]
fn in_a_user_namespace() {
    check(
        "in_a_user_namespace",
        |node, folder| {
            let options = ["--user", "--map-root-user"];
            unshared(&options, "exec \"$1\" \"$2/app.js\"", node, folder)
        },
        unchanged,
    );
}

#[test]
fn in_a_pid_namespace_of_its_own() {
    let test = "in_a_pid_namespace_of_its_own";
    let target = check(
        test,
        |node, folder| {
            let options = ["--pid", "--fork", "--mount-proc", "--kill-child"];
            unshared(&options, "exec \"$1\" \"$2/app.js\"", node, folder)
        },
        unchanged,
    );
    let Some(target) = target else { return };
    let told = told(&doctor(target.pid));
    assert_eq!(told["own_pid"], 1, "{told}");
    let own = Process::open(std::process::id()).expect("it is there");
    let inner = Process::open(target.pid).expect("it is there");
    assert_ne!(inner.pid_namespace().expect("it tells"), own.pid_namespace().expect("it tells"));
}

#[test]
fn a_node_is_found_by_what_it_executes() {
    let test = "a_node_is_found_by_what_it_executes";
    let Some((node, _)) = node(test) else { return };
    let folder = laid(test);
    let program = copy(&node, &folder, "my-service");
    let Some(target) = Target::start(test, &folder, plainly(&program, &folder)) else { return };
    // By name it is a Node; it is a shell.
    let fake = folder.join("node");
    fs::copy("/bin/sh", &fake).expect("it can be copied");
    let shell = Command::new(&fake).stdin(Stdio::piped()).spawn().expect("it starts");
    let shell = Target { pid: shell.id(), child: shell, folder: folder.clone() };
    let mut discovery = Discovery::default();
    for _ in 0..2 {
        let found = discovery.look(&ProcFs::default()).expect("/proc can be listed");
        assert!(found.nodes.contains(&target.pid), "{found:?}");
        assert!(!found.nodes.contains(&shell.pid), "{found:?}");
    }
    let ran = run(&["doctor"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains(&format!("Process {}, app.js", target.pid)), "{}", ran.stdout);
    let refused = run(&["doctor", &shell.pid.to_string()]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    let want = format!("loopscope: process {} (node) is no Node.js; ", shell.pid);
    assert!(refused.stderr.starts_with(&want), "{}", refused.stderr);
    assert!(refused.stdout.contains("can't be observed"), "{}", refused.stdout);
}

#[test]
fn without_rights_the_one_that_is_missing_is_told() {
    let test = "without_rights_the_one_that_is_missing_is_told";
    let Some((node, _)) = node(test) else { return };
    let folder = laid(test);
    let Some(target) = Target::start(test, &folder, plainly(&node, &folder)) else { return };
    // Where only this user may go, the other one can't execute it.
    let program = std::env::temp_dir().join(format!("loopscope-{test}-{}", std::process::id()));
    fs::copy(env!("CARGO_BIN_EXE_loopscope"), &program).expect("it can be copied");
    let as_other = |pid: u32| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--clear-groups"]).arg(&program);
        command.args(["doctor", &pid.to_string()]);
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        piped.spawn().map(finish)
    };
    let ran = as_other(target.pid);
    fs::remove_file(&program).expect("it can be removed");
    let Ok(ran) = ran else { return println!("SKIPPED: {test}: no `setpriv`") };
    if ran.stderr.starts_with("setpriv") {
        return println!("SKIPPED: {test}: {}", ran.stderr.trim());
    }
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let want = ["belongs to user", "CAP_SYS_PTRACE is missing", "run as that user, as root, or"];
    assert!(want.iter().all(|part| ran.stderr.contains(part)), "{}", ran.stderr);
    let missing = "CAP_BPF and CAP_PERFMON are missing";
    assert!(ran.stdout.contains(missing), "{}", ran.stdout);
}

#[test]
fn bad_input_gets_one_line() {
    let check = |args: &[&str], code: i32, wants: &[&str]| {
        let ran = run(args);
        assert_eq!(ran.code, Some(code), "{args:?}: {ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(wants.iter().all(|want| ran.stderr.contains(want)), "{wants:?}: {}", ran.stderr);
    };
    check(&["doctor", "x"], 2, &["`x`", "`[PID]...`"]);
    check(&["doctor", "0"], 2, &["`0`", "write the number of a process"]);
    check(&["doctor", "99999999999"], 2, &["`99999999999`"]);
    check(&["doctor", "4194304"], 2, &["there is no process 4194304"]);
    check(&["doctor", "--report", "xml"], 2, &["`xml`", "text, json"]);
    check(&["doctor", "--output", "/nowhere/x"], 2, &["/nowhere/x", "--output"]);
    // That it is not there is told before that another one can't be observed.
    let own = std::process::id().to_string();
    check(&["doctor", &own, "4194304"], 2, &["4194304"]);
    check(&["doctor", &own], 5, &["is no Node.js"]);
    let json = command(&["doctor"]).env("LOOPSCOPE_REPORT", "json").spawn().expect("starts");
    assert!(finish(json).stdout.starts_with('{'));
}

#[test]
fn a_number_that_is_given_out_again_is_another_process() {
    let test = "a_number_that_is_given_out_again_is_another_process";
    let sleep = || Command::new("sleep").arg("60").spawn().expect("sleep starts");
    let mut first = sleep();
    let pid = first.id();
    let process = Process::open(pid).expect("it is there");
    let identity = process.identity();
    assert!(process.is_same_image() && identity.is_alive());
    first.kill().and_then(|()| first.wait()).expect("it ends");
    // A tick of the kernel's clock, at least.
    std::thread::sleep(Duration::from_millis(20));
    let again = (0..50).find_map(|_| {
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).ok()?;
        let mut next = sleep();
        if next.id() == pid {
            return Some(next);
        }
        next.kill().and_then(|()| next.wait()).expect("it ends");
        None
    });
    let Some(mut again) = again else {
        return println!("SKIPPED: {test}: the number can't be given out again at will");
    };
    let second = Identity::of(pid).expect("it is there");
    assert_ne!(second, identity);
    assert!(second.is_alive() && !identity.is_alive());
    assert!(!process.is_same_image());
    assert!(process.maps().is_err() && process.threads().is_err() && process.modules().is_err());
    assert!(process.read("comm").is_err());
    again.kill().and_then(|()| again.wait()).expect("it ends");
}
