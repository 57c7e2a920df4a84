//! `exec` over Node.js: what v8-trace sees, held against what the programs know of themselves.
//!
//! Run with the `node` of the search path and with every release that `.ci/node-versions` has
//! fetched.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Ran, command, finish, folder, get, serving, signal, until};
use serde_json::Value;

/// All programs of Node.js that are there; none skips the test, and says so.
fn nodes(test: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let fetched = std::env::var_os("LOOPSCOPE_NODES").map(PathBuf::from);
    let fetched = fs::read_dir(fetched.unwrap_or_else(|| root.join("target/node")));
    let programs = fetched.into_iter().flatten().flatten().map(|at| at.path().join("bin/node"));
    let mut nodes: Vec<PathBuf> = programs.filter(|program| program.is_file()).collect();
    let alone = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    if alone.is_ok_and(|status| status.success()) {
        nodes.push(PathBuf::from("node"));
    }
    if nodes.is_empty() {
        println!("SKIPPED: {test}: there is no node; install it, or run .ci/node-versions");
    }
    nodes
}

struct Observed {
    ran: Ran,
    report: Value,
}

/// Runs `exec OPTIONS -- COMMAND` in a folder of its own that holds this program as `app.js`.
fn exec(test: &str, source: &str, options: &[&str], words: &[&str]) -> Observed {
    let folder = folder(&format!("exec-node-{test}"));
    fs::write(folder.join("app.js"), source).expect("it can be written");
    let output = folder.join("report.json");
    let mut args = vec!["exec", "--report", "json", "--output", output.to_str().expect("UTF-8")];
    args.extend(options);
    args.push("--");
    args.extend(words);
    let mut command = command(&args);
    command.current_dir(&folder).env_remove("NODE_OPTIONS");
    let ran = finish(command.spawn().expect("the binary starts"));
    let report = serde_json::from_slice(&fs::read(output).expect("a report")).expect("JSON");
    Observed { ran, report }
}

impl Observed {
    /// The loop of this thread of the only process.
    fn of(&self, thread: &str) -> &Value {
        let loops = self.report["loops"].as_array().expect("a list");
        let found = loops.iter().find(|seen| seen["thread"] == thread);
        found.unwrap_or_else(|| panic!("no loop {thread}: {self:?}"))
    }

    fn main(&self) -> &Value {
        self.of("main")
    }

    fn stalls(&self) -> &Vec<Value> {
        self.main()["stalls"].as_array().expect("a list")
    }
}

impl std::fmt::Debug for Observed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}\n{:#}", self.ran, self.report)
    }
}

fn path(node: &Path) -> &str {
    node.to_str().expect("UTF-8")
}

const FLOOD: &str =
    "for (let i = 0; i < 30000; i++) Promise.resolve().then(() => {}).then(() => {});
    setTimeout(() => {
      for (let i = 0; i < 500; i++) Promise.resolve().then(() => {});
      console.log(process.version);
      console.error('e');
      process.exitCode = 9;
    }, 20);";

#[test]
fn drains_are_exact() {
    for node in nodes("drains_are_exact") {
        let observed = exec("drains", FLOOD, &[], &[path(&node), "app.js"]);
        assert_eq!(observed.ran.code, Some(9), "{observed:?}");
        assert_eq!(observed.ran.stderr, "e\n", "{observed:?}");
        let target = &observed.report["targets"][0];
        let version = target["runtime_version"].as_str().expect("a version");
        assert_eq!(observed.ran.stdout, format!("v{version}\n"), "{observed:?}");
        assert_eq!(target["name"], "app.js");
        assert_eq!(target["runtime"], "nodejs");
        assert_eq!(target["source"], "v8-trace");
        let lengths = &observed.main()["microtask_drain_length"];
        assert_eq!(lengths["max"], 60_000, "{version}: {observed:?}");
        assert_eq!(lengths["sum"], 60_500, "{version}: {observed:?}");
        assert_eq!(lengths["count"], observed.main()["microtask_drain_ns"]["count"]);
        let ids = observed.report["diagnoses"].as_array().expect("a list").iter();
        assert!(ids.clone().any(|one| one["id"] == "microtask-flood"), "{observed:?}");
        assert_eq!(observed.report["command"]["notes"], serde_json::json!([]), "{version}");
    }
}

#[test]
fn what_the_trace_does_not_show_is_null() {
    for node in nodes("what_the_trace_does_not_show_is_null").iter().take(1) {
        let observed = exec("null", FLOOD, &[], &[path(node), "app.js"]);
        let unseen = [
            "utilization",
            "turn_ns",
            "poll_wait_ns",
            "timer_lateness_ns",
            "arrival_delay_ns",
            "callback_ns",
            "tick_drain_length",
            "tick_drain_ns",
        ];
        for name in unseen {
            assert!(observed.main()[name].is_null(), "{name}: {observed:?}");
        }
        for phase in ["pending", "idle", "prepare", "poll", "close"] {
            assert!(observed.main()["phases"][phase].is_null(), "{phase}: {observed:?}");
        }
        assert!(observed.report["targets"][0]["overhead_ratio"].is_null());
    }
}

#[test]
fn a_program_on_the_command_line_is_called_as_by_other_sources() {
    for node in nodes("a_program_on_the_command_line_is_called_as_by_other_sources") {
        for option in ["-e", "--eval", "-p"] {
            let words = [path(&node), option, "setTimeout(() => {}, 10); 1", "word"];
            let observed = exec("eval", "", &[], &words);
            assert_eq!(observed.report["targets"][0]["name"], "[eval]", "{observed:?}");
        }
    }
}

/// Computes for so many milliseconds of CPU time in the main script, in a timer, an immediate and
/// the callback of a file.
const STALLS: &str = "const fs = require('fs');
    const spin = (ms) => {
      const used = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1000; };
      const start = used();
      while (used() - start < ms);
    };
    spin(150);
    setTimeout(() => {
      spin(200);
      setTimeout(() => setImmediate(() => {
        spin(250);
        setTimeout(() => fs.stat('.', () => {
          spin(300);
          setTimeout(() => {}, 300);
        }), 300);
      }), 300);
    }, 300);";

#[test]
fn stalls_have_their_phase_and_no_time_that_was_not() {
    for node in nodes("stalls_have_their_phase_and_no_time_that_was_not") {
        let observed = exec("stalls", STALLS, &[], &[path(&node), "app.js"]);
        let wanted = [
            (Value::Null, 150),
            ("timers".into(), 200),
            ("check".into(), 250),
            ("poll".into(), 300),
        ];
        for (phase, ms) in wanted {
            let ns = ms * 1_000_000;
            // Other threads of the process take CPU time, too.
            let longest = observed.stalls().iter().filter(|stall| stall["phase"] == phase);
            let longest = longest.max_by_key(|stall| stall["duration_ns"].as_u64());
            let stall = longest.unwrap_or_else(|| panic!("no stall in {phase}: {observed:?}"));
            let cpu_ns = stall["counters"]["task_clock_ns"].as_u64().expect("a number");
            assert!(cpu_ns > ns * 7 / 10, "{ms} ms in {phase}: {observed:?}");
            let ledger = stall["ledger_ns"].as_object().expect("a map");
            let sum: u64 = ledger.values().filter_map(Value::as_u64).sum();
            assert_eq!(stall["duration_ns"], sum, "{observed:?}");
        }
    }
}

/// Waits in a drain, as an `async` function does behind its first `await`.
const WAITS: &str = "const { execSync } = require('node:child_process');
    async function waits() {
      await null;
      execSync('sleep 0.3');
    }
    setTimeout(waits, 1000);
    setTimeout(() => {}, 3000);";

#[test]
fn a_synchronous_wait_in_an_async_function_is_no_microtask() {
    for node in nodes("a_synchronous_wait_in_an_async_function_is_no_microtask") {
        let options = ["--source", "v8-trace"];
        let observed = exec("waits", WAITS, &options, &[path(&node), "app.js"]);
        let longest = observed.stalls().iter().max_by_key(|stall| stall["duration_ns"].as_u64());
        let stall = longest.unwrap_or_else(|| panic!("no stall: {observed:?}"));
        let part = |key: &str| stall["ledger_ns"][key].as_u64().unwrap_or(0);
        assert!(stall["duration_ns"].as_u64() >= Some(290_000_000), "{observed:?}");
        // On a machine that is busy, it waits for a CPU, too.
        assert!(part("sync_io") + part("run_queue") > 200_000_000, "{observed:?}");
        assert!(part("sync_io") > part("microtasks"), "{observed:?}");
        let told = observed.report["diagnoses"].as_array().expect("a list");
        assert!(told.iter().any(|told| told["id"] == "sync-io"), "{observed:?}");
    }
}

#[test]
fn collections_are_those_of_trace_gc() {
    let source = "let kept = [];
        for (let i = 0; i < 400; i++) {
          kept.push(new Array(20000).fill(i));
          if (i % 50 === 0) kept = [];
        }
        gc();
        setTimeout(() => {}, 20);";
    for node in nodes("collections_are_those_of_trace_gc") {
        let observed =
            exec("gc", source, &[], &[path(&node), "--expose-gc", "--trace-gc", "app.js"]);
        let collections = observed.ran.stdout.lines().filter(|line| line.contains(" ms: "));
        let collections = collections.count();
        assert!(collections > 5, "{observed:?}");
        assert_eq!(observed.main()["gc_pause_ns"]["count"], collections, "{node:?}: {observed:?}");
    }
}

#[test]
fn turns_are_those_that_libuv_counts() {
    let source = "const fs = require('fs');
        let n = 0;
        const next = () => {
          if (++n < 200) return n % 2 ? setImmediate(next) : fs.stat('.', next);
          const info = require('perf_hooks').performance.nodeTiming.uvMetricsInfo;
          console.log(info ? info.loopCount : 'unknown');
        };
        next();";
    for node in nodes("turns_are_those_that_libuv_counts") {
        let observed = exec("turns", source, &[], &[path(&node), "app.js"]);
        let Ok(counted) = observed.ran.stdout.trim().parse::<u64>() else { continue };
        let turns = observed.main()["turns"].as_u64().expect("a number");
        // It is asked in the last turn but few.
        assert!((counted..=counted + 3).contains(&turns), "{counted}: {observed:?}");
    }
}

/// How often it is tried to be done with all before the trace is asked for.
const ATTEMPTS: usize = 20;

#[test]
fn workers_have_their_own_loops() {
    let source = "const { Worker, isMainThread, workerData } = require('worker_threads');
        if (isMainThread) {
          for (let n = 1; n <= 3; n++) new Worker(__filename, { workerData: n });
        } else {
          for (let i = 0; i < workerData * 1000; i++) Promise.resolve().then(() => {});
          setTimeout(() => {}, 10);
        }";
    for node in nodes("workers_have_their_own_loops") {
        // Workers are not traced while the process hands its trace over, and it says so.
        let once = || exec("workers", source, &[], &[path(&node), "app.js"]);
        let whole = |observed: &Observed| observed.report["targets"][0]["sampled"] == false;
        let Some(observed) = std::iter::repeat_with(once).take(ATTEMPTS).find(whole) else {
            println!("SKIPPED: workers_have_their_own_loops: {node:?} takes too long to start");
            continue;
        };
        for number in 1..=3 {
            let longest =
                &observed.of(&format!("worker-{number}"))["microtask_drain_length"]["max"];
            assert_eq!(*longest, number * 1000, "worker {number} of {node:?}: {observed:?}");
        }
        assert!(observed.main()["turns"].as_u64() > Some(0));
    }
}

#[test]
fn what_the_command_leaves_behind_can_still_start_node() {
    for node in nodes("what_the_command_leaves_behind_can_still_start_node").iter().take(1) {
        let place = folder("exec-node-left");
        let script = format!(
            "(sleep 1; '{}' -p 6*7 > '{}/out' 2>&1) < /dev/null > /dev/null 2>&1 & exit 0",
            path(node),
            place.display()
        );
        let mut command = command(&["exec", "--", "sh", "-c", &script]);
        let ran = finish(command.env("TMPDIR", &place).spawn().expect("the binary starts"));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stderr.contains("has left running needs"), "{ran:?}");
        let out = || fs::read_to_string(place.join("out")).unwrap_or_default();
        until("its output", || !out().is_empty());
        assert_eq!(out(), "42\n");
    }
}

#[test]
fn a_wrapper_has_many_processes() {
    let source = "for (let i = 0; i < +process.argv[2]; i++) Promise.resolve().then(() => {});
        setTimeout(() => {}, 50);";
    for node in nodes("a_wrapper_has_many_processes") {
        let node = path(&node);
        let script = format!("'{node}' app.js 1000 & '{node}' app.js 2000 & wait; exit 3");
        let observed = exec("wrapper", source, &[], &["sh", "-c", &script]);
        assert_eq!(observed.ran.code, Some(3), "{observed:?}");
        let loops = observed.report["loops"].as_array().expect("a list").iter();
        let longest = loops.map(|of| of["microtask_drain_length"]["max"].as_u64());
        let mut longest: Vec<_> = longest.collect();
        longest.sort_unstable();
        assert_eq!(longest, [Some(1_000), Some(2_000)], "{observed:?}");
        assert_eq!(observed.report["targets"].as_array().map(Vec::len), Some(2));
    }
}

#[test]
fn a_process_that_is_killed_has_told_what_it_did_until_then() {
    let source = "for (let i = 0; i < 5000; i++) Promise.resolve().then(() => {});
        setInterval(() => {}, 20);
        setTimeout(() => process.kill(process.pid, 'SIGKILL'), 4000);";
    for node in nodes("a_process_that_is_killed_has_told_what_it_did_until_then") {
        let observed = exec("killed", source, &[], &[path(&node), "app.js"]);
        assert_eq!(observed.ran.code, Some(137), "{observed:?}");
        let main = observed.main();
        assert_eq!(main["microtask_drain_length"]["max"], 5_000, "{observed:?}");
        assert!(main["turns"].as_u64() > Some(20), "{observed:?}");
        let note = observed.report["command"]["notes"][0].as_str().expect("a note");
        assert!(note.contains("was killed"), "{note}");
        assert_eq!(observed.report["command"]["signal"], 9);
    }
}

#[test]
fn a_loop_without_end_is_seen_while_it_runs() {
    let sources = [("script", "for (;;);"), ("timer", "setTimeout(() => { for (;;); }, 700);")];
    for node in nodes("a_loop_without_end_is_seen_while_it_runs") {
        for (name, source) in sources {
            let options = ["--timeout", "4s"];
            let observed =
                exec(&format!("endless-{name}"), source, &options, &[path(&node), "app.js"]);
            assert_eq!(observed.ran.code, Some(124), "{observed:?}");
            let stall = observed.stalls().last().unwrap_or_else(|| panic!("{observed:?}"));
            assert_eq!(stall["running"], true, "{node:?} {name}: {observed:?}");
            let age_ns = stall["duration_ns"].as_u64().expect("a number");
            assert!((300_000_000..4_300_000_000).contains(&age_ns), "{observed:?}");
            assert_eq!(observed.report["command"]["timed_out"], true);
        }
    }
}

#[test]
fn a_server_is_scraped_while_it_runs_and_ends_by_ctrl_c() {
    let folder = folder("exec-node-server");
    let source = "require('http').createServer(() => {}).listen(0);
        const job = () => {};
        setInterval(() => { for (let i = 0; i < 777; i++) Promise.resolve().then(job); }, 50);";
    fs::write(folder.join("app.js"), source).expect("it can be written");
    let app = folder.join("app.js");
    let app = app.to_str().expect("UTF-8");
    for node in nodes("a_server_is_scraped_while_it_runs_and_ends_by_ctrl_c") {
        let words = ["exec", "--report", "json", "--listen", ":0", "--", path(&node), app];
        let (mut child, address, stderr) = serving(&words);
        until("the drains", || {
            let page = get(address, "/metrics").1;
            page.lines().any(|line| {
                line.starts_with("loopscope_eventloop_microtasks_total{")
                    && line.contains("runtime=\"nodejs\"")
                    && line.rsplit(' ').next().and_then(|n| n.parse::<f64>().ok()) >= Some(777.0)
            })
        });
        child.stderr = Some(stderr.into_inner());
        signal(&child, "INT");
        let ran = finish(child);
        assert_eq!(ran.code, Some(130), "{ran:?}");
        let json = ran.stderr.find("\n{").map_or(ran.stderr.as_str(), |at| &ran.stderr[at..]);
        let report: Value = serde_json::from_str(json).expect("JSON");
        assert_eq!(report["loops"][0]["microtask_drain_length"]["max"], 777, "{ran:?}");
    }
}

#[test]
fn what_is_set_in_node_options_stays() {
    let source = "const limit = require('v8').getHeapStatistics().heap_size_limit;
        const modules = Object.keys(require.cache).length;
        console.log(process.execArgv.length, limit < 400e6, modules);";
    for node in nodes("what_is_set_in_node_options_stays") {
        let folder = folder("exec-node-options");
        fs::write(folder.join("app.js"), source).expect("it can be written");
        let mut command = command(&["exec", "--report", "none", "--", path(&node), "app.js"]);
        command.current_dir(&folder).env("NODE_OPTIONS", "--max-old-space-size=99");
        let ran = finish(command.spawn().expect("the binary starts"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "0 true 1\n"), "{ran:?}");
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn a_program_under_the_permission_model_runs() {
    for node in nodes("a_program_under_the_permission_model_runs") {
        let knows = |flag: &str| {
            let mut alone = Command::new(&node);
            alone.args([flag, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
            alone.status().is_ok_and(|status| status.success())
        };
        let flags = ["--permission", "--experimental-permission"];
        let Some(flag) = flags.into_iter().find(|flag| knows(flag)) else { continue };
        // What is loaded first may not be read, then.
        let app = folder("exec-node-permitted").join("app.js");
        fs::write(&app, "console.log('ran')").expect("it can be written");
        let allowed = format!("--allow-fs-read={}", app.display());
        let words = [path(&node), flag, &allowed, app.to_str().expect("UTF-8")];
        let observed = exec("permission", "throw 'not this'", &[], &words);
        assert_eq!(observed.ran.code, Some(0), "{observed:?}");
        assert_eq!(observed.ran.stdout, "ran\n");
        assert_eq!(observed.report["targets"].as_array().map(Vec::len), Some(1), "{observed:?}");
    }
}
