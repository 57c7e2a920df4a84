//! A loop that waits for a socket or a pipe: who is at the other end is told.

use std::io::{Read, Write, pipe};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread::sleep;
use std::time::Duration;

use crate::alone;
use crate::attach::Attach;
use crate::check::Check;
use crate::kernel::can_attach;
use crate::nodes::{self, Node};
use crate::report::Report;
use crate::target::Target;

/// For how long it is let wait.
const WAITS: Duration = Duration::from_millis(600);

/// The target with this as its standard error, attached to. It waits already.
fn start(node: &Node, other_end: OwnedFd, options: &[&str]) -> (Target, Attach) {
    let mut command = node.command("peers.js");
    command.args(options).stderr(other_end);
    let mut target = Target::spawn(&format!("peers.js on Node {}", node.version), command);
    let attach = Attach::to(&[&target]);
    target.go();
    sleep(WAITS);
    (target, attach)
}

/// What is told of its wait once it is over: the call and what it was for.
fn told((mut target, attach): (Target, Attach), call: &str, check: &mut Check) -> String {
    target.done();
    let report: Report = attach.stop();
    check.about(&target);
    let main = report.main(target.pid(), check);
    let stalls = main.and_then(|main| main.value()["stalls"].as_array().cloned());
    let waits = stalls.iter().flatten().filter_map(|stall| stall["waits"].as_array()).flatten();
    let mut of_call = waits.filter(|wait| wait["call"] == call);
    target.end();
    let subject = of_call.next().and_then(|wait| wait["subject"].as_str());
    subject.unwrap_or("nothing").to_owned()
}

#[test]
fn the_other_end_of_what_is_waited_for() {
    let _alone = alone();
    let test = "the_other_end_of_what_is_waited_for";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::some(test) {
        for host in ["127.0.0.1", "[::1]"] {
            internet(&node, host, &mut check);
        }
        unix(&node, &mut check);
        pipes(&node, &mut check);
    }
    check.end();
}

fn internet(node: &Node, host: &str, check: &mut Check) {
    let listener = TcpListener::bind(format!("{host}:0")).expect("a free port");
    let address = listener.local_addr().expect("it has one");
    let ours = TcpStream::connect(address).expect("it listens");
    let (mut theirs, _) = listener.accept().expect("it was connected");
    let observed = start(node, ours.into(), &[]);
    theirs.write_all(b"x").expect("it reads");
    let told = told(observed, "read", check);
    check.equal("a socket", format!("tcp {address}"), told);
}

fn unix(node: &Node, check: &mut Check) {
    let path = std::env::temp_dir().join(format!("loopscope-peers-{}", std::process::id()));
    let listener = UnixListener::bind(&path).expect("a new path");
    let ours = UnixStream::connect(&path).expect("it listens");
    let (mut theirs, _) = listener.accept().expect("it was connected");
    std::fs::remove_file(&path).expect("it is there");
    let observed = start(node, ours.into(), &[]);
    theirs.write_all(b"x").expect("it reads");
    let told = told(observed, "read", check);
    check.equal("a Unix socket", format!("unix {}", path.display()), told);
}

fn pipes(node: &Node, check: &mut Check) {
    let (mut theirs, ours) = pipe().expect("a pipe");
    let observed = start(node, ours.into(), &["--write"]);
    let reader = std::thread::spawn(move || theirs.read_to_end(&mut Vec::new()));
    let subject = told(observed, "write", check);
    let us = format!(" ({})", std::process::id());
    check.holds(subject.starts_with("pipe to ") && subject.ends_with(&us), subject);
    reader.join().expect("it reads").expect("it ends with the target");
}
