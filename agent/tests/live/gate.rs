//! `loopscope gate` by probes: what is the same passes, what got worse fails and is named.

use std::fs;
use std::path::Path;

use crate::alone;
use crate::common::{Ran, command, finish, folder};
use crate::kernel::can_attach;
use crate::nodes::{self, Node};

/// A drain of so many microtasks that it is a stall, each of which computes a little.
const DRAIN: &str = "const count = Number(process.argv[2]);
function settle(sum) {
  for (let step = 0; step < 500; step++) sum = (sum * 31 + step) % 65521;
  return sum;
}
setTimeout(() => {
  for (let job = 0; job < count; job++) Promise.resolve(job).then(settle);
}, 20);";

/// Drains of so many microtasks, by a function that makes them. Its third line is the one to tell.
const SHORT: &str = "const count = Number(process.argv[2]);
function settle() {
  for (let job = 0; job < count; job++) Promise.resolve(job).then(() => job + 1);
}
let left = 30;
setTimeout(function again() { settle(); if (--left > 0) setTimeout(again, 2); }, 20);";

/// How often something may be tried that samples must see: the machine may be busy.
const TRIES: usize = 4;

/// Turns that compute for some milliseconds each.
const WORK: &str = "const rounds = Number(process.argv[2]);
let [left, sum] = [30, 1];
function turn() {
  for (let round = 0; round < rounds; round++) sum = (sum * 31 + round) % 65521;
  if (--left > 0) setTimeout(turn, 0);
}
setTimeout(turn, 1);";

fn gate(place: &Path, node: &Node, options: &[&str]) -> Ran {
    let mut command = command(&[&["gate", "--source", "ebpf"], options].concat());
    let bin = node.program.parent().expect("a folder");
    let search = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    finish(command.env("PATH", search).current_dir(place).spawn().expect("it starts"))
}

fn compare(place: &Path, node: &Node, base: &str, head: &str, pairs: &str) -> Ran {
    let time = ["--max-time", "20s", "--pairs", pairs];
    gate(place, node, &[&["--base", base, "--head", head], &time[..]].concat())
}

/// The newest Node.js, and a folder with the programs.
fn prepare(test: &str) -> Option<(Node, std::path::PathBuf)> {
    if !can_attach(test) {
        return None;
    }
    let node = nodes::both_ends(test).pop()?;
    let place = folder(test);
    fs::write(place.join("drain.js"), DRAIN).expect("it can be written");
    fs::write(place.join("short.js"), SHORT).expect("it can be written");
    fs::write(place.join("work.js"), WORK).expect("it can be written");
    Some((node, place))
}

/// On a busy machine it may not be able to tell; it never says that the same is worse.
#[test]
fn identical_commands_pass() {
    let _alone = alone();
    let Some((node, place)) = prepare("identical_commands_pass") else { return };
    for program in ["node drain.js 40000", "node work.js 500000"] {
        let ran = compare(&place, &node, program, program, "10");
        assert!(matches!(ran.code, Some(0 | 3)), "{program}: {ran:?}");
    }
}

#[test]
fn a_drain_that_grows_by_a_twentieth_fails_with_its_line() {
    let _alone = alone();
    let Some((node, place)) = prepare("a_drain_that_grows") else { return };
    let ran = compare(&place, &node, "node drain.js 40000", "node drain.js 42000", "4");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let line = ran.stdout.lines().find(|line| line.contains("longest drain"));
    let line = line.unwrap_or_else(|| panic!("{ran:?}"));
    assert!(line.contains("+5.0 %"), "{line}");
    assert!(ran.stdout.contains("drain.js:"), "{ran:?}");
}

/// Drains of a few milliseconds, most of them, which are no stalls. They are seen when head is run
/// once more and looked at closer.
#[test]
fn the_line_of_a_short_drain_is_known_too() {
    let _alone = alone();
    let Some((node, place)) = prepare("the_line_of_a_short_drain") else { return };
    let named = (0..TRIES).any(|_| {
        let ran = compare(&place, &node, "node short.js 20000", "node short.js 21000", "4");
        assert_eq!(ran.code, Some(1), "{ran:?}");
        // What makes the jobs, or what they run: both stand there.
        ran.stdout.contains("short.js:3)")
    });
    assert!(named);
}

#[test]
fn what_takes_much_longer_fails() {
    let _alone = alone();
    let Some((node, place)) = prepare("what_takes_much_longer") else { return };
    // Twice as long, as other tests and machines are noisy; the proof is about a fifth.
    let ran = compare(&place, &node, "node work.js 500000", "node work.js 1000000", "10");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("time in turns"), "{ran:?}");
}

/// Turns of some milliseconds, by the clock: those that have a CPU are as long on any machine.
const SPIN: &str = "const ns = BigInt(process.argv[2]) * 1000000n;
let left = 25;
function turn() {
  const end = process.hrtime.bigint() + ns;
  while (process.hrtime.bigint() < end);
  if (--left > 0) setTimeout(turn, 1);
}
setTimeout(turn, 1);";

/// On a machine that is busy all the time it may not be able to tell, and says so.
#[test]
fn turns_that_are_a_fifth_longer_fail() {
    let _alone = alone();
    let Some((node, place)) = prepare("turns_that_are_a_fifth_longer") else { return };
    fs::write(place.join("spin.js"), SPIN).expect("it can be written");
    let both = ["--base", "node spin.js 20", "--head", "node spin.js 24"];
    let found = (0..TRIES).any(|_| {
        let ran = gate(&place, &node, &[&both[..], &["--max-time", "40s"]].concat());
        assert!(matches!(ran.code, Some(1 | 3)), "{ran:?}");
        let is_worse = |what: &str| ran.stdout.contains(&format!("✗ {what}"));
        assert!(!is_worse("microtasks") && !is_worse("longest drain"), "counts are as before");
        ran.code == Some(1) && (is_worse("p50 turn") || is_worse("time in turns"))
    });
    assert!(found);
}

/// A turn that takes something else in each run, by how often it was run.
const VARY: &str = "const fs = require('fs');
fs.appendFileSync('runs', '.');
const ms = [4, 60, 12, 90, 7, 40, 20, 30][fs.statSync('runs').size * 3 % 8];
setTimeout(() => {
  const end = performance.now() + ms;
  while (performance.now() < end);
}, 1);";

#[test]
fn a_gate_goes_on_to_more_pairs_while_it_is_undecided() {
    let _alone = alone();
    let Some((node, place)) = prepare("a_gate_goes_on_to_more_pairs") else { return };
    fs::write(place.join("vary.js"), VARY).expect("it can be written");
    let both = ["--base", "node vary.js", "--head", "node vary.js", "--save", "kept"];
    let time = ["--pairs", "4", "--max-time", "45s", "--json", "told.json"];
    let ran = gate(&place, &node, &[&both[..], &time].concat());
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    assert!(ran.stdout.contains("after 4 pairs it was undecided, so"), "{ran:?}");
    let looks = |run: usize| {
        let path = place.join(format!("kept/head/{run:03}.loopscope"));
        loopscope::recording::read(&path).expect("it was kept").head.looks
    };
    assert_eq!([looks(1), looks(4), looks(5)], [0, 0, 1], "it is judged again as it was");
    let told = fs::read_to_string(place.join("told.json")).expect("it was written");
    let told: serde_json::Value = serde_json::from_str(&told).expect("it is JSON");
    assert!(told["base"]["runs"].as_u64() > Some(4), "{told}");
}

/// Computes for so long before the loop has polled, and then polls or not.
const START: &str = "const [ms, polls] = process.argv.slice(2).map(Number);
const end = performance.now() + ms;
while (performance.now() < end);
if (polls) setTimeout(() => {}, 1);";

#[test]
fn what_comes_before_the_first_poll_is_no_pass_behind_a_shell() {
    let _alone = alone();
    let Some((node, place)) = prepare("what_comes_before_the_first_poll") else { return };
    fs::write(place.join("start.js"), START).expect("it can be written");
    let untimed = "true && node start.js 60 0";
    let ran = compare(&place, &node, untimed, untimed, "4");
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    let is_timed = ran.stdout.contains("time before the first poll");
    assert!(ran.code == Some(3) || is_timed, "what nobody has timed is no pass: {ran:?}");
    let slower = ["true && node start.js 100 1", "true && node start.js 300 1"];
    // A process that a busy machine lets nobody find in time has no start that was seen.
    let ran = compare(&place, &node, slower[0], slower[1], "10");
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:?}");
    assert!(ran.stdout.contains("time before the first poll"), "{ran:?}");
}

/// What it reads last is not all that there was, whatever it was in each run.
#[test]
fn the_tier_passive_decides_no_count() {
    let _alone = alone();
    let Some((node, place)) = prepare("the_tier_passive_decides") else { return };
    let both = ["--base", "node drain.js 40000", "--head", "node drain.js 80000"];
    let few = ["--tier", "passive", "--pairs", "4", "--max-time", "1ms"];
    let ran = gate(&place, &node, &[&both[..], &few].concat());
    assert!(matches!(ran.code, Some(3 | 4)), "{ran:?}");
    assert!(ran.code == Some(4) || ran.stdout.contains("the tier passive reads"), "{ran:?}");
}

/// A program of Node's name that ends at once is gone before anything can look at it.
#[test]
fn a_run_that_was_not_seen_is_made_again() {
    let _alone = alone();
    let Some((node, place)) = prepare("a_run_that_was_not_seen") else { return };
    fs::create_dir_all(place.join("short")).expect("it can be made");
    fs::copy("/bin/true", place.join("short/node")).expect("it can be copied");
    let said = (0..TRIES).any(|_| {
        let _ = fs::remove_file(place.join("once"));
        let once = "test -e once || { touch once; ./short/node; }; node work.js 1000";
        let ran = compare(&place, &node, once, "node work.js 1000", "4");
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        ran.stdout.contains("1 run was made again: a Node.js process had ended before")
    });
    assert!(said);
    let always = "./short/node; node work.js 1000";
    let refused = (0..TRIES).any(|_| {
        let ran = compare(&place, &node, always, "node work.js 1000", "4");
        ran.code == Some(4) && ran.stdout.contains("ended before it could be observed")
    });
    assert!(refused);
}

#[test]
fn budgets_are_about_times_too() {
    let _alone = alone();
    let Some((node, place)) = prepare("budgets_are_about_times") else { return };
    let check = |budget: &str, code: i32| {
        fs::write(place.join("budget.txt"), budget).expect("it can be written");
        let program = ["--budget", "budget.txt", "--", "node", "drain.js", "40000"];
        let ran = gate(&place, &node, &program);
        assert_eq!(ran.code, Some(code), "{budget}: {ran:?}");
    };
    check("p99 turn < 60s\nmax turn < 60s\nstalls over 60s = 0\nlongest drain <= 40000", 0);
    check("longest turn < 100us", 1);
    check("stalls over 1ms = 0", 1);
    check("longest drain < 40000", 1);
}

#[test]
fn a_failing_command_shows_its_output() {
    let _alone = alone();
    let Some((node, place)) = prepare("a_failing_command") else { return };
    let ran = compare(&place, &node, "node work.js 1000", "node no-such-file.js", "4");
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("MODULE_NOT_FOUND"), "{}", ran.stderr);
}
