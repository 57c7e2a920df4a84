//! Where a Node.js may be, and in which shape: its file deleted or replaced, stripped, with shared
//! libraries, in other namespaces, on an overlay; and what it may become.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use crate::alone;
use crate::attach::Attach;
use crate::check::Check;
use crate::common::folder;
use crate::kernel::can_attach;
use crate::nodes::{self, Node, script_path};
use crate::report::Report;
use crate::target::Target;
use crate::truth;

/// How much of a target must be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sees {
    /// All, as of any other.
    All,
    /// What can be found for certain; what is told must be right, and the report says what tier.
    WhatItCan,
}

/// Attaches to a target that runs `drains.js`, and compares.
fn observe(mut target: Target, sees: Sees, check: &mut Check) {
    check.about(&target);
    let attach = match sees {
        Sees::All => Attach::to(&[&target]),
        Sees::WhatItCan => Attach::start(&[target.pid()], &[]),
    };
    target.go_and_be_done();
    let report = attach.stop();
    let pid = target.pid();
    let truth = target.end();
    seen(&report, pid, &truth, sees, check);
}

fn seen(report: &Report, pid: u32, truth: &serde_json::Value, sees: Sees, check: &mut Check) {
    let tier = report.target(pid)["tier"].as_str().unwrap_or("null").to_owned();
    let Some(main) = report.main(pid, check) else { return };
    check.between("utilization", 0.0, main.number("utilization"), 1.0);
    if sees == Sees::All {
        check.equal("tier", "full", tier.as_str());
    }
    check.holds(report.limits(pid) > 0, "it is not told what can't be seen, and why");
    if sees == Sees::All || !main.is_null("microtask_drain_length") {
        truth::drains(&main, &truth["drains"], check);
    }
}

fn each(test: &str, sees: Sees, command: impl Fn(&Node, &Path) -> Command) {
    let _alone = alone();
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::some(test) {
        let folder = folder(&format!("{test}-{}", node.version));
        let name = format!("{test}: drains.js on Node {}", node.version);
        observe(Target::spawn(&name, command(&node, &folder)), sees, &mut check);
        fs::remove_dir_all(&folder).expect("the folder can be removed");
    }
    check.end();
}

/// A copy of the program in a folder.
fn copy(node: &Node, folder: &Path, name: &str) -> PathBuf {
    let copy = folder.join(name);
    fs::copy(&node.program, &copy).expect("the program can be copied");
    copy
}

fn drains_by(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(script_path("drains.js"));
    command
}

/// A line for `sh` in new namespaces, with the program as `$1` and the script as `$2`.
fn unshared(options: &[&str], line: &str, node: &Node) -> Command {
    let mut command = Command::new("unshare");
    command.args(options).args(["sh", "-c", line, "sh"]);
    command.arg(&node.program).arg(script_path("drains.js"));
    command
}

#[test]
fn another_name() {
    each("another_name", Sees::All, |node, folder| drains_by(&copy(node, folder, "my-service")));
}

/// Starts a copy of the program and changes the file before it is attached to.
fn changed_while_it_runs(test: &str, change: impl Fn(&Path)) {
    let _alone = alone();
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::some(test) {
        let folder = folder(test);
        let program = copy(&node, &folder, "node");
        let name = format!("{test}: drains.js on Node {}", node.version);
        let target = Target::spawn(&name, drains_by(&program));
        change(&program);
        observe(target, Sees::All, &mut check);
        fs::remove_dir_all(&folder).expect("the folder can be removed");
    }
    check.end();
}

#[test]
fn deleted_while_it_runs() {
    changed_while_it_runs("deleted_while_it_runs", |program| {
        fs::remove_file(program).expect("it can be removed");
    });
}

/// As a package manager upgrades: the process goes on with a file that has no name any more, and
/// another file has its name.
#[test]
fn replaced_while_it_runs() {
    let test = "replaced_while_it_runs";
    let Some(other) = Node::of_line("20", test) else { return };
    changed_while_it_runs(test, |program| {
        let new = program.with_extension("new");
        fs::copy(&other.program, &new).expect("the program can be copied");
        fs::rename(new, program).expect("it can be replaced");
    });
}

#[test]
fn jitless() {
    each("jitless", Sees::All, |node, _| {
        let mut command = Command::new(&node.program);
        command.arg("--jitless").arg(script_path("drains.js"));
        command
    });
}

/// Up to Node 22 what it takes is found without the symbols. Later it is not, which the report
/// says.
#[test]
fn stripped() {
    let _alone = alone();
    let test = "stripped";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        let folder = folder(test);
        let program = copy(&node, &folder, "node");
        let status = Command::new("strip").arg(&program).status().expect("strip is there");
        assert!(status.success(), "strip: {status}");
        let name = format!("{test}: drains.js on Node {}", node.version);
        let sees = if node.line() <= 22 { Sees::All } else { Sees::WhatItCan };
        observe(Target::spawn(&name, drains_by(&program)), sees, &mut check);
        fs::remove_dir_all(&folder).expect("the folder can be removed");
    }
    check.end();
}

/// A small program, with V8 and libuv in stripped libraries of their own.
#[test]
fn debian() {
    let _alone = alone();
    let test = "debian";
    if !can_attach(test) {
        return;
    }
    let Some(root) = nodes::debian(test) else { return };
    // A part of its library is JavaScript in files of fixed names.
    let line = "mount --bind \"$1/usr/share\" /usr/share && \
                LD_LIBRARY_PATH=$1/usr/lib/x86_64-linux-gnu exec \"$1/usr/bin/node\" \"$2\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", line, "sh"]).arg(root).arg(script_path("drains.js"));
    let mut check = Check::new();
    observe(Target::spawn("drains.js on Debian's Node", command), Sees::All, &mut check);
    check.end();
}

/// A file that only the target's mount namespace has.
#[test]
fn in_a_mount_namespace() {
    each("in_a_mount_namespace", Sees::All, |node, _| {
        let line = "mount -t tmpfs none /mnt && cp \"$1\" /mnt/node && exec /mnt/node \"$2\"";
        unshared(&["--mount"], line, node)
    });
}

/// As the images of containers are.
#[test]
fn on_an_overlay() {
    each("on_an_overlay", Sees::All, |node, _| {
        let line = "mount -t tmpfs none /mnt && mkdir /mnt/up /mnt/work /mnt/all && \
                    mount -t overlay -o \
                    lowerdir=$(dirname \"$1\"),upperdir=/mnt/up,workdir=/mnt/work none /mnt/all \
                    && exec /mnt/all/node \"$2\"";
        unshared(&["--mount"], line, node)
    });
}

#[test]
fn in_a_user_namespace() {
    each("in_a_user_namespace", Sees::All, |node, _| {
        unshared(&["--user", "--map-root-user"], "exec \"$1\" \"$2\"", node)
    });
}

/// It is process 1 there, and has another number here.
#[test]
fn in_a_pid_namespace() {
    let _alone = alone();
    let test = "in_a_pid_namespace";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::some(test) {
        let options = ["--pid", "--fork", "--mount-proc", "--kill-child"];
        let command = unshared(&options, "exec \"$1\" \"$2\"", &node);
        let name = format!("{test}: drains.js on Node {}", node.version);
        observe(Target::spawn_child(&name, command), Sees::All, &mut check);
    }
    check.end();
}

/// The process goes on under its number, but it is another program.
#[test]
fn it_becomes_another_program() {
    let _alone = alone();
    let test = "it_becomes_another_program";
    if !can_attach(test) {
        return;
    }
    let Some(node) = Node::of_line("24", test) else { return };
    let mut check = Check::new();
    let script = script_path("drains.js");
    let script = script.to_str().expect("a path of letters");
    let mut target = Target::start_with(&node, "again.js", &[script]);
    check.about(&target);
    let attach = Attach::to(&[&target]);
    target.go();
    target.ready();
    target.go_and_be_done();
    let report = attach.stop();
    let pid = target.pid();
    let truth = target.end();
    // It is followed, and told once.
    check.equal("targets", 1, report.targets());
    check.equal("loops", 1, report.loops(pid).len());
    if let Some(main) = report.main(pid, &mut check) {
        truth::drains(&main, &truth["drains"], &mut check);
    }
    let mut asleep = Target::start_with(&node, "again.js", &["/bin/sleep", "1"]);
    let attach = Attach::to(&[&asleep]);
    asleep.go();
    sleep(Duration::from_millis(400));
    // There is no Node any more, so it has ended by itself.
    let ended = attach.ended();
    check.about(&asleep);
    check.equal("exit code", Some(0), ended.code);
    let report = Report::read(&ended.stdout);
    check.equal("targets", 1, report.targets());
    check.equal("loops", 1, report.loops(asleep.pid()).len());
    check.end();
}

/// The number of a process that has ended is given to another: that one is nobody that was asked
/// about.
#[test]
fn its_number_is_given_to_another() {
    let _alone = alone();
    let test = "its_number_is_given_to_another";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let mut first = Target::start(&node, "drains.js");
    let stays = Target::start(&node, "idle.js");
    let attach = Attach::to(&[&first, &stays]);
    first.go_and_be_done();
    sleep(Duration::from_millis(300));
    let pid = first.pid();
    let truth = first.end();
    let Some(mut second) = (0..20).find_map(|_| with_number(&node, pid)) else {
        println!("SKIPPED: {test}: the number {pid} was taken by others, or can't be chosen here");
        return;
    };
    second.go_and_be_done();
    let report = attach.stop();
    second.end();
    stays.end();
    let mut check = Check::new();
    check.about(format!("drains.js on Node {}, whose number was given away", node.version));
    if let Some(main) = report.main(pid, &mut check) {
        truth::drains(&main, &truth["drains"], &mut check);
    }
    check.equal("loops of the number", 1, report.loops(pid).len());
    check.end();
}

/// A target that has this number, if nobody was faster.
fn with_number(node: &Node, pid: u32) -> Option<Target> {
    fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).ok()?;
    let target = Target::start(node, "drains.js");
    (target.pid() == pid).then_some(target)
}
