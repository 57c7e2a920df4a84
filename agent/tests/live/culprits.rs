//! Stalls name the function that is to blame, its file and line, and where their time went.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::agent::Agent;
use crate::alone;
use crate::attach::Attach;
use crate::check::Check;
use crate::common::folder;
use crate::kernel::can_attach;
use crate::nodes;
use crate::report::Report;
use crate::target::Target;

/// The share of what a function of a kind can do that must be told of its kind: what the machine
/// takes from it is told as such, and no part of that.
const SHARE: f64 = 0.8;

/// What others have taken from the thread.
const TAKEN: [&str; 3] = ["frozen", "throttled", "run_queue"];

fn ns(of: &Value, key: &str) -> f64 {
    of[key].as_f64().unwrap_or(0.0)
}

/// Where others have taken more than this share of a stall, too little is left to tell parts by.
const TAKEN_MOST: f64 = 0.5;

/// The listed stall that covers most of a time.
fn covers<'a>(stalls: &'a [Value], truth: &Value, offset_ns: f64) -> Option<&'a Value> {
    let (from, lasted) = (ns(truth, "start_ns") + offset_ns, ns(truth, "duration_ns"));
    let overlap = |stall: &&Value| {
        let start = ns(stall, "start_unix_ns");
        let end = start + ns(stall, "duration_ns");
        end.min(from + lasted) - start.max(from)
    };
    let best = stalls.iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)))?;
    (overlap(&best) > lasted / 2.0).then_some(best)
}

/// From the clock of targets to the time since the Unix epoch.
fn offset_ns() -> f64 {
    let now = rustix_now();
    let unix = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    unix.unwrap_or_default().as_nanos() as f64 - now
}

fn rustix_now() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}

/// One stall against what the target says of it.
fn judge(stall: &Value, truth: &Value, check: &mut Check) {
    let what = truth["function"].as_str().unwrap_or_default();
    let ledger = &stall["ledger_ns"];
    let duration = ns(stall, "duration_ns");
    let all: f64 =
        ledger.as_object().map_or(0.0, |keys| keys.keys().map(|key| ns(ledger, key)).sum());
    check.between(&format!("{what}: sum of the ledger"), duration * 0.99, all, duration * 1.01);
    let taken: f64 = TAKEN.iter().map(|key| ns(ledger, key)).sum();
    if taken > duration * TAKEN_MOST {
        return;
    }
    blame(stall, truth, check);
    let key = truth["key"].as_str().unwrap_or_default();
    let least = (duration - taken) * SHARE;
    check.holds(ns(ledger, key) >= least, format!("{what}: not {key}: {ledger:#}"));
}

/// Who is blamed for it.
fn blame(stall: &Value, truth: &Value, check: &mut Check) {
    let what = truth["function"].as_str().unwrap_or_default();
    let culprit = &stall["culprit"];
    let function = culprit["function"].as_str().unwrap_or("nobody");
    let told = function.rsplit('.').next().unwrap_or_default();
    check.holds(told == what, format!("{what}: {function} is blamed: {stall:#}"));
    let file = culprit["file"].as_str().unwrap_or("no file");
    check.holds(file.ends_with("/culprits.js"), format!("{what}: in {file}"));
    let line = culprit["line"].as_u64().unwrap_or(0);
    let bounds = |index: usize| truth["lines"][index].as_u64().unwrap_or(0);
    let within = (bounds(0)..=bounds(1)).contains(&line);
    check.holds(within, format!("{what}: line {line}, of {}", truth["lines"]));
    check.holds(culprit["share"].as_f64().is_some_and(|share| share >= 0.5), what);
}

#[test]
fn functions_of_every_kind() {
    let _alone = alone();
    let test = "functions_of_every_kind";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::all(test) {
        let mut target = Target::start(&node, "culprits.js");
        let attach = Attach::to(&[&target]);
        target.go_and_be_done();
        let report = attach.stop();
        check.about(&target);
        let Some(main) = report.main(target.pid(), &mut check) else { continue };
        let stalls = main.value()["stalls"].as_array().cloned().unwrap_or_default();
        let truth = target.end();
        let offset_ns = offset_ns();
        for one in truth["stalls"].as_array().expect("it tells them") {
            match covers(&stalls, one, offset_ns) {
                Some(stall) => judge(stall, one, &mut check),
                None => check.holds(false, format!("no stall for {one}")),
            }
        }
        waits(&stalls, &mut check);
    }
    check.end();
}

/// The daemon gives up rights after its start, that by which the kernel opens any file among them.
#[test]
fn who_has_given_up_rights_names_them_too() {
    let _alone = alone();
    let test = "who_has_given_up_rights_names_them_too";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        let file = folder(&format!("{test}-{}", node.version)).join("stalls.jsonl");
        let output = file.to_str().expect("a path in UTF-8");
        let agent = Agent::start(&["--discovery-interval", "200ms", "--output", output]);
        let mut target = Target::start(&node, "culprits.js");
        check.about(&target);
        agent.metrics_with(&format!("pid=\"{}\"", target.pid()));
        target.go_and_be_done();
        // It writes them once a second, and what it could not name is written as well.
        sleep(Duration::from_secs(2));
        let pid = target.pid();
        let truth = target.end();
        agent.stop();
        let told = fs::read_to_string(&file).expect("there were stalls");
        let lines = told.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        let stalls: Vec<Value> =
            lines.filter(|line: &Value| line["pid"] == pid && line["running"] == false).collect();
        let offset_ns = offset_ns();
        for one in truth["stalls"].as_array().expect("it tells them") {
            match covers(&stalls, one, offset_ns) {
                Some(stall) => blame(stall, one, &mut check),
                None => check.holds(false, format!("no stall for {one}")),
            }
        }
        waits(&stalls, &mut check);
    }
    check.end();
}

/// What was waited for is told: the file, the child.
fn waits(stalls: &[Value], check: &mut Check) {
    let told = |call: &str, subject: &str| {
        stalls.iter().filter_map(|stall| stall["waits"].as_array()).flatten().any(|wait| {
            wait["call"].as_str().is_some_and(|of| of.starts_with(call))
                && wait["subject"].as_str().is_some_and(|of| of.contains(subject))
        })
    };
    check.holds(told("openat", "/tmp/loopscope-culprits-"), "the file that was opened");
    // Node 18 waits by `epoll_wait`, later ones by `epoll_pwait`.
    check.holds(told("epoll_", "sleep"), "the child that was waited for");
}

/// What is told of a loop that has been stuck for long; `None`: nothing is told of the process.
fn stuck(target: &Target, check: &mut Check) -> Option<(Report, Value)> {
    std::thread::sleep(Duration::from_millis(300));
    let pid = target.pid().to_string();
    let ran = crate::common::run(&["attach", &pid, "--duration", "2s", "--report", "json"]);
    check.about(target);
    check.equal("status", Some(0), ran.code);
    let report = Report::read(&ran.stdout);
    let main = report.main(target.pid(), check)?;
    let running = main.value()["stalls"].as_array().and_then(|stalls| stalls.last().cloned());
    let stall = running.unwrap_or_default();
    check.holds(stall["running"] == true, "it goes on");
    Some((report, stall))
}

/// It hits no probe, and is named all the same.
#[test]
fn a_loop_that_is_stuck_already() {
    let _alone = alone();
    let test = "a_loop_that_is_stuck_already";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::all(test) {
        let target = Target::start_with(&node, "forever.js", &["--at-once"]);
        let Some((_, stall)) = stuck(&target, &mut check) else { continue };
        computes(&stall, Some("forever"), &mut check);
    }
    check.end();
}

/// Half of it at least is told as JavaScript of this function; or all of it as not known.
fn computes(stall: &Value, function: Option<&str>, check: &mut Check) {
    check.equal("function", function, stall["culprit"]["function"].as_str());
    let key = if function.is_some() { "javascript" } else { "unknown" };
    let part = ns(&stall["ledger_ns"], key);
    check.holds(part >= ns(stall, "duration_ns") / 2.0, format!("not {key}: {stall:#}"));
}

/// A build without V8's metadata: what the process was told to write of its code names the
/// function, and else it is told that nothing does.
#[test]
fn names_that_the_process_writes_itself() {
    let _alone = alone();
    let test = "names_that_the_process_writes_itself";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::both_ends(test) {
        let folder = folder(test);
        let program = folder.join("node");
        let line = "sed s/v8dbg_/v8dbx_/g \"$0\" > \"$1\" && chmod +x \"$1\"";
        let mut sed = Command::new("sh");
        let made = sed.args(["-c", line]).arg(&node.program).arg(&program).status();
        assert!(made.is_ok_and(|status| status.success()), "sed makes {}", program.display());
        for (writes, function) in [(true, Some("forever")), (false, None)] {
            let mut command = Command::new(&program);
            let options = ["--perf-basic-prof", "--interpreted-frames-native-stack"];
            // V8 leaves a log where it runs, too.
            command.args(options.iter().filter(|_| writes)).current_dir(&folder);
            command.arg(nodes::script_path("forever.js")).arg("--at-once");
            let name = format!("forever.js on Node {}, which writes: {writes}", node.version);
            let target = Target::spawn(&name, command);
            let told = stuck(&target, &mut check);
            let _ = fs::remove_file(format!("/tmp/perf-{}.map", target.pid()));
            let Some((report, stall)) = told else { continue };
            computes(&stall, function, &mut check);
            let limits = report.target(target.pid())["limits"].to_string();
            let cure = limits.contains("has no v8dbg_") && limits.contains("--perf-basic-prof");
            check.holds(cure != writes, limits);
        }
        fs::remove_dir_all(&folder).expect("the folder can be removed");
    }
    check.end();
}

/// A process that computes on the first CPU, until this is dropped.
struct Neighbour(std::process::Child);

impl Neighbour {
    fn start() -> Neighbour {
        let mut command = Command::new("taskset");
        command.args(["-c", "0", "sh", "-c", "while :; do :; done"]);
        Neighbour(command.spawn().expect("taskset starts it"))
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// For how long a thread has waited for a CPU, as the kernel accounts it.
fn run_delay_ns(tid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{tid}/schedstat")).expect("it runs");
    let number = text.split_ascii_whitespace().nth(1).and_then(|word| word.parse().ok());
    number.expect("the kernel accounts it")
}

/// What others take from a stall is told while it goes on.
#[test]
fn a_stall_that_goes_on_beside_a_neighbour() {
    let _alone = alone();
    let test = "a_stall_that_goes_on_beside_a_neighbour";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::some(test) {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(&node.program).arg(nodes::script_path("forever.js"));
        let mut target = Target::spawn(&format!("forever.js on Node {}", node.version), command);
        let attach = Attach::to(&[&target]);
        let neighbour = Neighbour::start();
        let before_ns = run_delay_ns(target.pid());
        target.go();
        std::thread::sleep(Duration::from_secs(2));
        let taken_ns = run_delay_ns(target.pid()) - before_ns;
        let report = attach.stop();
        let taken_most_ns = run_delay_ns(target.pid()) - before_ns;
        drop(neighbour);
        check.about(&target);
        let Some(main) = report.main(target.pid(), &mut check) else { continue };
        let stalls = main.value()["stalls"].as_array().cloned().unwrap_or_default();
        let running = stalls.iter().find(|stall| stall["running"] == true).cloned();
        let ledger = &running.unwrap_or_default()["ledger_ns"];
        let told_ns = ns(ledger, "run_queue");
        check.holds(taken_ns > 0.2e9, format!("the neighbour took {taken_ns} ns"));
        check.between("run_queue", taken_ns * 0.9, told_ns, taken_most_ns * 1.1);
    }
    check.end();
}

/// Whoever is stopped sees nothing meanwhile; the machine went on.
#[test]
fn an_agent_that_was_stopped_tells_of_no_pause() {
    let _alone = alone();
    let test = "an_agent_that_was_stopped_tells_of_no_pause";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::some(test) {
        let mut target = Target::start(&node, "forever.js");
        let attach = Attach::to(&[&target]);
        target.go();
        for _ in 0..4 {
            std::thread::sleep(Duration::from_millis(300));
            attach.send("STOP");
            std::thread::sleep(Duration::from_millis(100));
            attach.send("CONT");
        }
        std::thread::sleep(Duration::from_millis(300));
        let report = attach.stop();
        check.about(&target);
        let Some(main) = report.main(target.pid(), &mut check) else { continue };
        let stalls = main.value()["stalls"].as_array().cloned().unwrap_or_default();
        check.holds(!stalls.is_empty(), "no stall");
        for stall in &stalls {
            let waits = stall["waits"].as_array().cloned().unwrap_or_default();
            check.holds(waits.iter().all(|wait| wait["call"] != "machine paused"), "a pause");
            check.equal("frozen", 0.0, ns(&stall["ledger_ns"], "frozen"));
        }
    }
    check.end();
}
