//! Targets that make it hard: they die, fork without end, or are killed for what probes might do.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use crate::attach::Attach;
use crate::check::Check;
use crate::kernel::{Objects, can_attach};
use crate::nodes::{self, script_path};
use crate::report::Report;
use crate::target::Target;
use crate::truth::{self, number};
use crate::{alone, times};

/// At whatever moment a target dies, the agent ends in an orderly way.
#[test]
fn a_target_that_dies_meanwhile() {
    let _alone = alone();
    let test = "a_target_that_dies_meanwhile";
    if !can_attach(test) {
        return;
    }
    for node in nodes::some(test) {
        let count = times(12, 120);
        for turn in 0..count {
            let mut target = Target::start(&node, "busy.js");
            let pids = [target.pid()];
            let late = turn * 600 / count;
            let killer = std::thread::spawn(move || {
                sleep(Duration::from_millis(late as u64));
                target.kill();
            });
            let ran = crate::common::run(&[
                "attach",
                &pids[0].to_string(),
                "--duration",
                "20s",
                "--report",
                "json",
            ]);
            killer.join().expect("the target was killed");
            let what = format!("killed after {late} ms, Node {}: {ran:?}", node.version);
            assert!(!ran.stderr.contains("panicked"), "{what}");
            match ran.code {
                Some(0) => drop(Report::read(&ran.stdout)),
                // Gone before it was there, or in the middle.
                Some(2 | 4 | 5) => assert!(!ran.stderr.is_empty(), "{what}"),
                _ => panic!("{what}"),
            }
        }
    }
}

/// Children by the hundred, each gone before one can look.
#[test]
fn hundreds_of_short_lived_processes() {
    let _alone = alone();
    let test = "hundreds_of_short_lived_processes";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let processes = times(500, 5_000);
    let mut target = Target::start_with(&node, "churn.js", &[&processes.to_string()]);
    let attach = Attach::with(&[&target], &["--children"]);
    // What is accounted to a loop's thread is read from a file that is open from its first turn on.
    target.mark();
    let before = (settled_descriptors(attach.pid()), memory_kib(attach.pid()));
    target.go_and_be_done();
    // It looks at those that it has found a few times a second, and has files open as it does.
    sleep(Duration::from_millis(1_000));
    let after = (settled_descriptors(attach.pid()), memory_kib(attach.pid()));
    let objects = Objects::of(attach.pid());
    let report = attach.stop();
    objects.until_gone();
    let pid = target.pid();
    let truth = target.end();
    assert_eq!(number(&truth["well"]), processes as f64, "{truth}");
    assert_eq!(report.loops(pid).len(), 1, "the loop of the parent");
    // What has ended is told of, and none of its descriptors is kept.
    let nodes = report.targets() - 1;
    println!("{test}: {nodes} Nodes, {} descriptors before and {} after", before.0, after.0);
    assert!(nodes <= processes / 50, "{nodes} Nodes of {processes} processes");
    assert!(after.0 <= before.0, "from {} descriptors to {}, {nodes} Nodes", before.0, after.0);
    // Its allocator keeps some of what the files of symbols took.
    assert!(after.1 < before.1 + 16 * 1_024, "from {} KiB to {}", before.1, after.1);
}

/// Once it has opened what it needs for what it observes: it reads symbols when it serves already.
pub(crate) fn settled_descriptors(pid: u32) -> usize {
    const STEADY: u32 = 20;
    const LOOKS_MAX: u32 = 600;
    let (mut count, mut same) = (descriptors(pid), 0);
    for _ in 0..LOOKS_MAX {
        if same == STEADY {
            return count;
        }
        sleep(Duration::from_millis(50));
        let now = descriptors(pid);
        same = if now == count { same + 1 } else { 0 };
        count = now;
    }
    panic!("the descriptors of the agent never come to rest: {count}")
}

pub(crate) fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

pub(crate) fn memory_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the agent runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.expect("the kernel tells its memory")
}

/// Probes on returns come back by a system call that a filter may forbid on pain of death. There
/// are none, and the data flow.
#[test]
fn a_filter_that_kills_for_probes() {
    let _alone = alone();
    let test = "a_filter_that_kills_for_probes";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        let mut command = Command::new("python3");
        command.arg(script_path("no_probe_calls.py")).arg(&node.program);
        command.arg(script_path("drains.js"));
        let name = format!("filtered drains.js on Node {}", node.version);
        let mut target = Target::spawn(&name, command);
        check.about(&target);
        let attach = Attach::to(&[&target]);
        target.go_and_be_done();
        sleep(Duration::from_millis(times(300, 60_000) as u64));
        let report = attach.stop();
        let pid = target.pid();
        let truth = target.end();
        if let Some(main) = report.main(pid, &mut check) {
            truth::drains(&main, &truth["drains"], &mut check);
        }
    }
    check.end();
}
