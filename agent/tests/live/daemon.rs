//! `loopscope agent` on this host: who is found, what it is called, what a stall leaves behind.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use crate::agent::Agent;
use crate::check::Check;
use crate::common::{folder, until};
use crate::dashboards::agent_of;
use crate::kernel::{Objects, can_attach};
use crate::nodes::{self, Node, script_path};
use crate::serving::value;
use crate::target::Target;
use crate::truth::number;
use crate::{alone, times};

const STALLS: &str = "loopscope_eventloop_stalls_total";

/// A target that calls itself so.
fn named(node: &Node, script: &str, name: &str) -> Target {
    let mut command = node.command(script);
    command.env("OTEL_SERVICE_NAME", name);
    Target::spawn(name, command)
}

fn label(name: &str) -> String {
    format!("target=\"{name}\"")
}

/// The sum of a counter of a target over all other labels.
fn sum(page: &str, metric: &str, name: &str) -> f64 {
    let start = format!("{metric}{{");
    let lines = page.lines().filter(|line| line.starts_with(&start) && line.contains(&label(name)));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[test]
fn every_node_is_found_named_and_let_go() {
    let _alone = alone();
    let test = "every_node_is_found_named_and_let_go";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::all(test) {
        let before = named(&node, "idle.js", "there-before");
        let agent = Agent::start(&["--discovery-interval", "200ms"]);
        check.about(&before);
        let after = named(&node, "idle.js", "came-later");
        let page = agent.metrics_with(&label("came-later"));
        let pid = format!("pid=\"{}\"", before.pid());
        check.holds(page.contains(&pid) && page.contains(&label("there-before")), "one is missing");
        until("its version is in the log", || agent.log().contains(&node.version));
        let gone = after.pid();
        drop(after);
        // It reads at intervals, as a server does: in the second one there is nothing left.
        let mut readings = 0;
        until("the series of the one that has ended are gone", || {
            sleep(Duration::from_millis(1_100));
            readings += 1;
            !agent.metrics().contains(&format!("pid=\"{gone}\""))
        });
        check.holds(readings <= 2, format!("it took {readings} readings"));
        check.holds(agent.metrics().contains(&label("there-before")), "the other one is gone, too");
        let (code, log) = agent.stop();
        check.holds(code == Some(0), format!("it ended with {code:?}: {log}"));
        check.holds(!log.contains("panicked"), log);
    }
    check.end();
}

/// Without a probe until then, and with all of them for a while after.
#[test]
fn a_stall_opens_a_window() {
    let _alone = alone();
    let test = "a_stall_opens_a_window";
    if !can_attach(test) {
        return;
    }
    let mut check = Check::new();
    for node in nodes::some(test) {
        let mut target = named(&node, "stalls.js", "held-up");
        check.about(&target);
        let file = folder(&format!("{test}-{}", node.version)).join("stalls.jsonl");
        let output = file.to_str().expect("a path in UTF-8");
        let agent = Agent::start(&["--discovery-interval", "200ms", "--output", output]);
        let page = agent.metrics_with(&label("held-up"));
        check.equal("windows_total", 0.0, value_of(&page, "loopscope_windows_total"));
        check.equal("no link", 0.0, Objects::of(agent.pid()).links() as f64);
        target.go_and_be_done();
        let truth_is_told = |page: &str| sum(page, STALLS, "held-up") >= 40.0;
        until("all stalls are told", || truth_is_told(&agent.metrics()));
        let page = agent.metrics();
        check.equal("stalls_total", 40.0, sum(&page, STALLS, "held-up"));
        check.between("windows_total", 1.0, value_of(&page, "loopscope_windows_total"), 2.0);
        let tier = [String::from("tier=\"full\"")];
        let phases = "loopscope_eventloop_phase_duration_seconds_count";
        check.holds(sum(&page, phases, "held-up") > 0.0, "the window has shown no phase");
        let pid = target.pid();
        let truth = target.end();
        let lasted: f64 = truth["stalls"]
            .as_array()
            .expect("the truth has stalls")
            .iter()
            .map(|stall| number(&stall["duration_ns"]) / 1e9)
            .sum();
        let told = sum(&page, "loopscope_eventloop_stall_seconds_total", "held-up");
        check.between("stall_seconds_total", lasted * 0.97, told, lasted * 1.03);
        until("no process has probes", || {
            value(&agent.metrics(), "loopscope_targets_by_tier", &tier) == 0.0
        });
        check.holds(agent.log().contains(&format!("pid={pid}")), "no stall in the log");
        let told = || {
            let lines = fs::read_to_string(&file).unwrap_or_default();
            let stalls = lines.lines().map(|line| serde_json::from_str(line).expect("JSON"));
            stalls.filter(|stall: &serde_json::Value| stall["pid"] == pid).count()
        };
        // It writes once a second.
        until("all of them are lines of JSON", || told() >= 40);
        check.equal("lines of JSON", 40.0, told() as f64);
        let objects = Objects::of(agent.pid());
        agent.stop();
        objects.until_gone();
    }
    check.end();
}

fn value_of(page: &str, metric: &str) -> f64 {
    let line = page.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
}

/// The second one begins with nothing of the first: nothing is counted twice, and the time between
/// them is no turn.
#[test]
fn each_window_tells_of_itself_alone() {
    let _alone = alone();
    let test = "each_window_tells_of_itself_alone";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let mut command = Command::new(&node.program);
    // Holds its loop up for 100 ms, twice a second.
    let script = "setInterval(() => { const end = Date.now() + 100; while (Date.now() < end); }, \
                  500); console.log('ready')";
    command.args(["-e", script]).env("OTEL_SERVICE_NAME", "twice");
    let _target = Target::spawn("twice", command);
    // Others on this host may stall, too, and have windows of their own.
    let options = ["--discovery-interval", "200ms", "--overhead-budget", "100"];
    let agent = agent_of(&folder(test), &["twice"], &options);
    let opened = |page: &str| value_of(page, "loopscope_windows_total");
    let mut page = String::new();
    until("there was a second window, and it is closed", || {
        sleep(Duration::from_millis(500));
        page = agent.metrics();
        let tier = [String::from("tier=\"full\"")];
        opened(&page) >= 2.0 && value(&page, "loopscope_targets_by_tier", &tier) == 0.0
    });
    let timed = sum(&page, "loopscope_eventloop_turn_duration_seconds_count", "twice");
    let turns = sum(&page, "loopscope_eventloop_turns_total", "twice");
    // Two thirds of the time: a window, a pause as long, a window.
    assert!(timed > 0.0 && timed < 0.85 * turns, "{timed} turns were timed of {turns}");
    // All the time is told once, by tier, and turns were timed in that of the windows.
    let observed = |tier: &str| {
        let labels = [label("twice"), format!("tier=\"{tier}\"")];
        value(&page, "loopscope_eventloop_observed_seconds_total", &labels)
    };
    let (full, passive) = (observed("full"), observed("passive"));
    let all = sum(&page, "loopscope_eventloop_time_seconds_total", "twice");
    assert!((17.0..23.0).contains(&full), "two windows of 10 s were {full} s");
    assert!((full + passive - all).abs() < 1.5, "{full} s and {passive} s of {all} s");
    let shown = sum(&page, "loopscope_eventloop_turn_duration_seconds_sum", "twice")
        + sum(&page, "loopscope_eventloop_poll_wait_seconds_sum", "twice");
    assert!((shown / full - 1.0).abs() < 0.1, "{shown} s in turns and polls of {full} s");
    let bucket = "loopscope_eventloop_turn_duration_seconds_bucket";
    let under = value(&page, bucket, &[label("twice"), "le=\"5".to_owned()]);
    assert!((under - timed).abs() < 0.5, "{} turns of more than 5 s", timed - under);
}

/// A window that opens and closes makes no count fall.
#[test]
fn no_count_falls() {
    let _alone = alone();
    let test = "no_count_falls";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let mut target = named(&node, "stalls.js", "counted");
    let agent = Agent::start(&["--discovery-interval", "200ms", "--overhead-budget", "100"]);
    agent.metrics_with(&label("counted"));
    target.go();
    let mut before = agent.metrics();
    for _ in 0..times(60, 300) {
        sleep(Duration::from_millis(250));
        let after = agent.metrics();
        for (series, was) in counters(&before) {
            if let Some((_, is)) = counters(&after).find(|(name, _)| *name == series) {
                assert!(is >= was, "{series} fell from {was} to {is}");
            }
        }
        before = after;
    }
    assert!(value_of(&before, "loopscope_windows_total") >= 1.0, "{before}");
}

/// The series that may not fall.
fn counters(page: &str) -> impl Iterator<Item = (&str, f64)> {
    let lines = page.lines().filter(|line| !line.starts_with('#') && line.contains("loopscope_"));
    let pairs = lines.filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        Some((series, value.parse().ok()?))
    });
    pairs.filter(|(series, _)| {
        let name = series.split('{').next().unwrap_or(series);
        ["_total", "_count", "_bucket", "_sum"].iter().any(|end| name.ends_with(end))
    })
}

#[test]
fn rules_choose_and_can_be_read_again() {
    let _alone = alone();
    let test = "rules_choose_and_can_be_read_again";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let file = folder(test).join("agent.toml");
    let write = |text: &str| fs::write(&file, text).expect("the file can be written");
    write(
        "discovery_interval = '200ms'\n[[include]]\nname = 'ours-*'\n[[exclude]]\nname = '*-not'\n\
         [[target]]\nname = 'renamed'\nmatch = { name = 'ours-b' }\n",
    );
    let targets = ["ours-a", "ours-b", "ours-not", "theirs"];
    let targets: Vec<Target> =
        targets.into_iter().map(|name| named(&node, "idle.js", name)).collect();
    let path = file.to_str().expect("a path in UTF-8");
    let agent = Agent::start(&["--config", path]);
    let page = agent.metrics_with(&label("renamed"));
    assert!(page.contains(&label("ours-a")));
    for not in ["ours-b", "ours-not", "theirs"] {
        assert!(!page.contains(&label(not)), "{not}");
    }
    write("discovery_interval = '200ms'\n[[include]]\nname = 'theirs'\n");
    agent.signal("HUP");
    agent.metrics_with(&label("theirs"));
    until("those that are not wanted any more are gone", || {
        sleep(Duration::from_millis(500));
        let page = agent.metrics();
        !page.contains(&label("ours-a")) && !page.contains(&label("renamed"))
    });
    write("[[include]]\nnmae = 'x'\n");
    agent.signal("HUP");
    until("what is wrong is told", || agent.log().contains("agent.toml:2"));
    assert!(agent.metrics().contains(&label("theirs")), "and what was before goes on");
    drop(targets);
    let (code, log) = agent.stop();
    assert_eq!(code, Some(0), "{log}");
}

/// Processes that come and go without end leave nothing behind.
#[test]
fn node_starts_leave_nothing_behind() {
    let _alone = alone();
    let test = "node_starts_leave_nothing_behind";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let agent = Agent::start(&["--discovery-interval", "50ms"]);
    let starts = times(100, 2_000);
    let run = |count: usize| {
        for _ in 0..count {
            let mut some: Vec<_> = (0..2).map(|_| short(&node)).collect();
            for child in &mut some {
                child.wait().expect("it can be waited for");
            }
            agent.metrics();
        }
    };
    run(starts / 10);
    let before = (crate::hostile::settled_descriptors(agent.pid()), memory(agent.pid()));
    run(starts / 2);
    until("those that have ended are let go of", || {
        sleep(Duration::from_millis(1_000));
        agent.metrics();
        crate::hostile::descriptors(agent.pid()) <= before.0
    });
    let after = memory(agent.pid());
    println!("{test}: {} KiB before, {after} KiB after {starts} starts", before.1);
    assert!(after < before.1 + 8 * 1_024, "from {} KiB to {after}", before.1);
    let log = agent.log();
    assert!(log.matches("observing").count() >= starts / 10, "it has seen hardly any: {log}");
}

/// A Node that lives for long enough to be found.
fn short(node: &Node) -> std::process::Child {
    let mut command = Command::new(&node.program);
    command.args(["-e", "setTimeout(() => {}, 150)"]);
    command.spawn().expect("it starts")
}

fn memory(pid: u32) -> u64 {
    crate::hostile::memory_kib(pid)
}

#[test]
fn rights_are_given_up() {
    let _alone = alone();
    let test = "rights_are_given_up";
    if !can_attach(test) {
        return;
    }
    let agent = Agent::start(&[]);
    let status = fs::read_to_string(format!("/proc/{}/status", agent.pid())).expect("it runs");
    let line = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {status}")).trim().to_owned()
    };
    // CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_SYS_NICE, CAP_PERFMON and CAP_BPF, of capability.h.
    let kept: u64 = [2, 19, 23, 38, 39].iter().map(|bit| 1_u64 << bit).sum();
    for set in ["CapPrm:", "CapEff:"] {
        let bits = u64::from_str_radix(&line(set), 16).expect("a number");
        assert_eq!(bits & !kept, 0, "{set} {bits:x}");
    }
    assert_eq!(line("NoNewPrivs:"), "1");
    let tasks = fs::read_dir(format!("/proc/{}/task", agent.pid())).expect("it runs");
    for task in tasks.flatten() {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let bits = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        let bits = bits.map(|bits| u64::from_str_radix(bits.trim(), 16).expect("a number"));
        assert!(bits.is_none_or(|bits| bits & !kept == 0), "{status}");
    }
}

#[test]
fn a_log_that_nobody_reads_ends_nothing() {
    let _alone = alone();
    let test = "a_log_that_nobody_reads_ends_nothing";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::all(test).pop() else { return };
    let agent = Agent::start(&["--discovery-interval", "200ms"]);
    agent.hear_no_more();
    for name in ["the-first", "the-second"] {
        let target = named(&node, "idle.js", name);
        agent.metrics_with(&label(name));
        // It logs once a second.
        sleep(Duration::from_millis(1_500));
        drop(target);
    }
    let (code, log) = agent.stop();
    assert_eq!((code, log.contains("the-second")), (Some(0), false), "{log}");
}

/// A target whose root and mounts are its own; `line` is what a shell does there before. `$1` is a
/// folder that only others see.
fn elsewhere(node: &Node, hidden: &Path, line: &str) -> Target {
    let lay = "mount -t tmpfs none /etc && mount -t tmpfs none /mnt && cp \"$3/target.js\" /mnt && \
               cp \"$3/idle.js\" /mnt/index.js && mount -t tmpfs none \"$1\"";
    let line = format!("{lay} && {line} && exec \"$2\" /mnt/index.js");
    let mut command = Command::new("unshare");
    let targets = script_path("idle.js").parent().expect("it is in a folder").to_owned();
    command.args(["--mount", "sh", "-c", &line, "sh"]).arg(hidden).arg(&node.program).arg(targets);
    command.env("KUBERNETES_SERVICE_HOST", "10.0.0.1").env_remove("HOSTNAME");
    Target::spawn("elsewhere", command)
}

/// A script that nothing else names.
#[test]
fn a_script_is_called_by_its_package() {
    let _alone = alone();
    let test = "a_script_is_called_by_its_package";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let package = folder(test);
    let script = package.join("server.js");
    fs::copy(script_path("idle.js"), &script).expect("it can be copied");
    fs::copy(script_path("target.js"), package.join("target.js")).expect("it can be copied");
    let start = |script: &Path| {
        let mut command = Command::new(&node.program);
        command.arg(script).current_dir(&package);
        Target::spawn("unnamed", command)
    };
    let agent = Agent::start(&["--discovery-interval", "200ms"]);
    let is_called = |target: &Target, name: &str| {
        let pid = format!("pid=\"{}\"", target.pid());
        let page = agent.metrics_with(&pid);
        let told = page.lines().find(|line| line.contains(&pid)).expect("it is there");
        assert!(told.contains(&label(name)), "{told}");
    };
    is_called(&start(&script), "server.js");
    fs::write(package.join("package.json"), "{\"name\": \"shop\"}").expect("it can be written");
    is_called(&start(&script), "shop");
    is_called(&start(Path::new("server.js")), "shop");
}

/// What a process lays for us to follow, or to wait for, leads nowhere.
#[test]
fn a_name_is_never_looked_for_outside_of_a_process() {
    let _alone = alone();
    let test = "a_name_is_never_looked_for_outside_of_a_process";
    if !can_attach(test) {
        return;
    }
    let Some(node) = nodes::some(test).pop() else { return };
    let hidden = folder(test);
    fs::write(hidden.join("package.json"), "{\"name\": \"outside\"}").expect("it can be written");
    fs::write(hidden.join("hostname"), "outside\n").expect("it can be written");
    let links =
        "ln -s \"$1/package.json\" /mnt/package.json && ln -s \"$1/hostname\" /etc/hostname";
    let targets = [
        ("index.js", elsewhere(&node, &hidden, links)),
        ("index.js", elsewhere(&node, &hidden, "mkfifo /etc/hostname")),
        ("a-pod", elsewhere(&node, &hidden, "echo a-pod > /etc/hostname")),
    ];
    let agent = Agent::start(&["--discovery-interval", "200ms"]);
    for (name, target) in targets {
        let page = agent.metrics_with(&format!("pid=\"{}\"", target.pid()));
        let of = |line: &&str| line.contains(&format!("pid=\"{}\"", target.pid()));
        let told = page.lines().find(of).expect("it is there");
        assert!(told.contains(&label(name)), "{told}");
        assert!(!page.contains("outside"), "{page}");
    }
}
