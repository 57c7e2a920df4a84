//! `loopscope exec` by probes: the Nodes behind wrappers, those that no longer have a parent, and
//! what is told of what was missed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::alone;
use crate::check::{Check, Tolerance};
use crate::common::{Ran, command, finish, folder, until};
use crate::kernel::can_attach;
use crate::nodes::{self, Node};

/// Two drains, 777 and 555 jobs long, and the end: it lives for as long as Node takes to start.
const SHORT: &str = "for (let i = 0; i < 777; i++) Promise.resolve().then(() => {});
    setTimeout(() => { for (let i = 0; i < 555; i++) queueMicrotask(() => {}); }, 1);";

/// Starts it so many times, each a moment after the one before has ended.
const PARENT: &str = "const { spawn } = require('node:child_process');
    let left = 4;
    (function next() {
      if (left-- === 0) return;
      spawn(process.execPath, [process.argv[2]]).on('exit', () => setTimeout(next, 1200));
    })();";

/// Waits for three children that share no pipe with it: only a signal tells that one has ended.
const WAITS: &str = "const { spawn } = require('node:child_process');
    let left = 3;
    (function next() {
      if (left-- === 0) return;
      spawn('sleep', ['2'], { stdio: 'ignore' }).on('exit', next);
    })();";

/// Holds the loop up before it turns for the first time. No garbage is made, no job is queued.
const BLOCKS: &str = "const { performance } = require('node:perf_hooks');
    (function compute() { const end = Date.now() + 200; while (Date.now() < end); })();
    // Runs behind the first poll, which does not wait.
    setImmediate(() => {
      const ms = performance.now() - performance.nodeTiming.bootstrapComplete;
      console.log(ms);
    });";

/// What lies between the poll and the callback behind it, and what else the CPU had to do.
const TURN: Tolerance = Tolerance { share: 0.01, below_ns: 10e6, above_ns: 10e6 };

struct Observed {
    ran: Ran,
    report: Value,
}

/// Runs `exec -- WORDS` in this folder, by probes, with this Node first on the path.
fn exec(place: &Path, node: &Node, words: &[&str]) -> Observed {
    exec_with(&[], place, node, words)
}

fn exec_with(options: &[&str], place: &Path, node: &Node, words: &[&str]) -> Observed {
    let file = place.join("report.json");
    let path = file.to_str().expect("UTF-8");
    let own = ["exec", "--report", "json", "--output", path];
    let mut command = command(&[&own, options, &["--"], words].concat());
    let bin = node.program.parent().expect("a folder");
    let search = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    command.env("LOOPSCOPE_SOURCE", "ebpf").env("PATH", search).current_dir(place);
    let ran = finish(command.spawn().expect("it starts"));
    let report = serde_json::from_slice(&fs::read(&file).expect("a report")).expect("JSON");
    Observed { ran, report }
}

fn scripts(test: &str) -> PathBuf {
    let place = folder(test);
    fs::write(place.join("short.js"), SHORT).expect("it can be written");
    fs::write(place.join("parent.js"), PARENT).expect("it can be written");
    place
}

impl Observed {
    fn targets(&self) -> &[Value] {
        self.report["targets"].as_array().expect("a list")
    }

    /// How many processes of this name were observed, and how many of them wholly. Of each of the
    /// others it is told that something is missing.
    fn short(&self) -> (usize, usize) {
        let (mut all, mut whole) = (0, 0);
        for target in self.targets().iter().filter(|target| target["name"] == "short.js") {
            let loops = self.report["loops"].as_array().expect("a list");
            let own = loops.iter().filter(|seen| seen["pid"] == target["pid"]);
            let jobs: f64 =
                own.filter_map(|seen| seen["microtask_drain_length"]["sum"].as_f64()).sum();
            let limits = target["limits"].as_array().expect("a list");
            let is_late = |limit: &Value| {
                limit["what"].as_str().is_some_and(|what| what.starts_with("its first "))
            };
            assert!(jobs <= 1_332.0, "{target} {jobs}");
            assert!(jobs == 1_332.0 || limits.iter().any(is_late), "{target} {jobs}");
            all += 1;
            whole += usize::from(jobs == 1_332.0);
        }
        (all, whole)
    }

    /// Of how many it is told that they were missed.
    fn missed(&self) -> usize {
        let mut words = self.ran.stderr.lines().filter(|line| line.contains("could be observed"));
        let count = words.next().and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        count.unwrap_or(0)
    }
}

/// Nothing is seen of a program that only computes until it polls; its turn is known from where
/// Node hands over to it.
#[test]
fn the_first_turn_begins_with_the_program() {
    let _alone = alone();
    let test = "the_first_turn_begins_with_the_program";
    if !can_attach(test) {
        return;
    }
    let place = scripts(test);
    fs::write(place.join("blocks.js"), BLOCKS).expect("it can be written");
    let mut check = Check::new();
    for node in nodes::all(test) {
        for tier in ["full", "turn"] {
            let Observed { ran, report } =
                exec_with(&["--tier", tier], &place, &node, &["node", "blocks.js"]);
            check.about(format!("Node {} at tier {tier}", node.version));
            let truth: f64 = ran.stdout.trim().parse().expect("a number");
            let stalls = &report["loops"][0]["stalls"];
            check.equal("stalls", Some(1), stalls.as_array().map(Vec::len));
            let told = stalls[0]["duration_ns"].as_f64().unwrap_or(0.0);
            check.near("duration_ns", truth * 1e6, told, TURN);
        }
    }
    check.end();
}

/// However short they live: what is not seen of them is told.
#[test]
fn short_ones_behind_a_shell_and_behind_a_node() {
    let _alone = alone();
    let test = "short_ones_behind_a_shell_and_behind_a_node";
    if !can_attach(test) {
        return;
    }
    let place = scripts(test);
    for node in nodes::both_ends(test) {
        let shell = "for i in 1 2 3 4; do sleep 0.6; node short.js; done";
        for words in [vec!["sh", "-c", shell], vec!["node", "parent.js", "./short.js"]] {
            let observed = exec(&place, &node, &words);
            assert_eq!(observed.ran.code, Some(0), "{:?}", observed.ran);
            let (all, whole) = observed.short();
            assert_eq!(all + observed.missed(), 4, "{words:?} {:?}", observed.ran);
            assert!(whole > 0, "Node {} {words:?}: none was seen wholly", node.version);
        }
    }
}

/// Nodes that run no program, and several at once: the kernel tells of each.
#[test]
fn each_node_is_observed_or_told_as_missed() {
    let _alone = alone();
    let test = "each_node_is_observed_or_told_as_missed";
    if !can_attach(test) {
        return;
    }
    let place = scripts(test);
    for node in nodes::both_ends(test) {
        let shell = "for i in 1 2 3 4 5; do node -v & (node -v; :) & env node -v; done; wait";
        let observed = exec(&place, &node, &["sh", "-c", shell]);
        assert_eq!(observed.ran.code, Some(0), "{:?}", observed.ran);
        let told = observed.targets().len() + observed.missed();
        assert_eq!(told, 15, "Node {}: {:?}", node.version, observed.ran);
    }
}

/// A Node whose parent has ended is nobody's child, and still the command's.
#[test]
fn a_daemon_is_found() {
    let _alone = alone();
    let test = "a_daemon_is_found";
    if !can_attach(test) {
        return;
    }
    let place = scripts(test);
    for node in nodes::some(test) {
        let daemon = "setsid sh -c \"node -e 'setTimeout(() => {}, 4000)' & echo \\$!\"";
        let observed = exec(&place, &node, &["sh", "-c", &format!("{daemon}; sleep 3")]);
        let pid: u32 = observed.ran.stdout.trim().parse().expect("its number");
        let told: Vec<_> = observed.targets().iter().map(|target| &target["pid"]).collect();
        assert_eq!(told, [pid], "{:?}", observed.ran);
        let goes_on = format!("process {pid} ([eval]) goes on behind the command, and the report");
        assert!(observed.ran.stderr.contains(&goes_on), "{:?}", observed.ran);
        until_gone(pid);
        // The command ends before anybody looks for it, as a rule.
        let observed = exec(&place, &node, &["sh", "-c", &format!("{daemon}; sleep 0.7")]);
        let pid: u32 = observed.ran.stdout.trim().parse().expect("its number");
        let goes_on = format!("process {pid} ([eval]) goes on behind the command, and ");
        let cure = format!("`loopscope attach {pid}` observes it");
        let told = &observed.ran.stderr;
        assert!(told.contains(&goes_on) && told.contains(&cure), "{told}");
        until_gone(pid);
    }
}

/// A Node that somebody else starts meanwhile is left alone.
#[test]
fn strangers_are_left_alone() {
    let _alone = alone();
    let test = "strangers_are_left_alone";
    if !can_attach(test) {
        return;
    }
    let place = scripts(test);
    for node in nodes::some(test) {
        let program = node.program.clone();
        let stranger = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            let mut daemon = Command::new("setsid");
            let line = "\"$0\" -e 'setTimeout(() => {}, 3000)' & echo $!";
            daemon.env_clear().args(["--wait", "sh", "-c", line]).arg(program);
            daemon.output().expect("setsid is there")
        });
        let observed = exec(&place, &node, &["sh", "-c", "sleep 2.5"]);
        let told = stranger.join().expect("it was started");
        let pid: u32 = String::from_utf8_lossy(&told.stdout).trim().parse().unwrap_or(0);
        assert!(observed.targets().is_empty(), "{:?}", observed.report["targets"]);
        assert!(observed.ran.stderr.contains("is it Node.js?"), "{:?}", observed.ran);
        assert!(!observed.ran.stderr.contains("goes on"), "{:?}", observed.ran);
        if pid > 0 {
            until_gone(pid);
        }
    }
}

fn until_gone(pid: u32) {
    let state = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('?')
    };
    until("its end", || matches!(state(pid), '?' | 'Z'));
}

/// libuv takes such a wait for work. Nobody else may.
#[test]
fn a_wait_that_a_signal_ends_is_no_turn() {
    let _alone = alone();
    let test = "a_wait_that_a_signal_ends_is_no_turn";
    if !can_attach(test) {
        return;
    }
    let place = folder(test);
    fs::write(place.join("waits.js"), WAITS).expect("it can be written");
    for node in nodes::both_ends(test) {
        let observed = exec(&place, &node, &["node", "waits.js"]);
        let seen = &observed.report["loops"][0];
        let ns = |figure: &str, of: &str| seen[figure][of].as_f64().expect("a number");
        let what = format!("Node {}: {seen:#}", node.version);
        assert_eq!(ns("turn_ns", "count"), seen["turns"].as_f64().expect("a number"), "{what}");
        for figure in ["turn_ns", "arrival_delay_ns"] {
            assert!(ns(figure, "max") < 1e9, "{figure}: {what}");
        }
        assert!(seen["phases"]["poll"]["max"].as_f64() < Some(1e9), "{what}");
        assert!(seen["utilization"].as_f64() < Some(0.5), "{what}");
        assert!(ns("poll_wait_ns", "max") > 1e9 && ns("poll_wait_ns", "sum") > 5e9, "{what}");
        // Where others take all CPUs, its start may be one.
        let stalls = seen["stalls"].as_array().expect("a list");
        assert!(stalls.iter().all(|stall| stall["duration_ns"].as_f64() < Some(1e9)), "{what}");
    }
}

/// Of how many a flood was made, and which function ran most in it.
#[test]
fn a_flood_is_told_with_what_it_was_made_of() {
    let _alone = alone();
    let test = "a_flood_is_told_with_what_it_was_made_of";
    if !can_attach(test) {
        return;
    }
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/js");
    let floods = [
        ("promise-race-pool.js", 501_500, 1_000, "emptyPool"),
        ("await-all-growing.js", 501_500, 1, "collect"),
        ("promise-chain-fanout.js", 3_000, 1_000, "render"),
    ];
    for node in nodes::both_ends(test) {
        for (script, jobs, queued, function) in floods {
            let path = scripts.join(script);
            let path = path.to_str().expect("UTF-8");
            let observed = exec(&folder(test), &node, &["node", path]);
            let what = format!("Node {} {script}: {:#}", node.version, observed.report);
            let stalls = observed.report["loops"][0]["stalls"].as_array().expect("a list");
            let stall = stalls.iter().max_by_key(|stall| stall["microtasks"].as_u64());
            let drain = &stall.expect("a stall")["drain"];
            assert_eq!(
                (&drain["jobs"], &drain["queued"]),
                (&jobs.into(), &queued.into()),
                "{what}"
            );
            let reaction = &drain["reactions"][0];
            assert_eq!(reaction["function"], function, "{what}");
            assert!(reaction["file"].as_str().is_some_and(|at| at.ends_with(script)), "{what}");
            let told = observed.report["diagnoses"].as_array().expect("a list");
            let flood = told.iter().find(|told| told["id"] == "microtask-flood");
            let evidence = flood.expect("it is told")["evidence"].to_string();
            let named = "what ran in it, by samples: ";
            assert!(evidence.contains(named) && evidence.contains(function), "{what}");
            if jobs > 10 * queued {
                let from = "501,500 jobs from";
                let square = "501,500 jobs of a queue that grew to";
                assert!(evidence.contains(from) || evidence.contains(square), "{what}");
            }
        }
    }
}
