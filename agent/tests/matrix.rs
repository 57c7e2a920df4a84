//! Truth against diagnosis: every workload and its fixed twin, run by the real program beside a
//! busy neighbour, and the table of what each was called.
//!
//! `LOOPSCOPE_MATRIX_RUNS=20 cargo test --release -p loopscope --test matrix -- --nocapture` runs
//! each so many times with its default parameters; without the variable each runs once, the long
//! ones with smaller parameters. `LOOPSCOPE_MATRIX_NEIGHBOURS` is how many processes spin
//! meanwhile, 1 unless told otherwise, and `LOOPSCOPE_MATRIX_ONLY` a part of the workload's name.
//!
//! A machine that is overloaded by others makes every loop `cpu-starved`, which is then no mistake:
//! the plain `cargo test` leaves such a run out and says so. With the variable nothing is left out.

mod common;

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};

use common::run;
use serde_json::Value;

/// The program's exit code where the host refuses what a workload needs.
const REFUSED: i32 = 5;

/// Smaller parameters for the one run of a plain `cargo test`.
const QUICK: [(&str, &str); 3] = [
    ("sync-promises", "--count=3000"),
    ("promise-race-pool", "--count=1500"),
    ("next-tick-recursion", "--count=10000"),
];

/// A process that never rests, until it is dropped or its parent is gone.
struct Neighbour(Child);

/// Counts, and looks every few milliseconds whether there still is somebody to disturb.
const SPIN: &str = "while kill -0 $PPID; do n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done; done";

impl Neighbour {
    fn new() -> Neighbour {
        let mut shell = Command::new("sh");
        shell.args(["-c", SPIN]).stdin(Stdio::null()).stderr(Stdio::null());
        Neighbour(shell.spawn().expect("sh is there"))
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        // It may have been ended from outside; then there is nothing left to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How often each name was told where another was the truth.
#[derive(Default)]
struct Matrix {
    cells: BTreeMap<(String, String), u32>,
    wrong: Vec<String>,
}

impl Matrix {
    fn add(&mut self, what: &str, seen: &Observed) {
        let (truth, told) = (&seen.truth, &seen.told);
        *self.cells.entry((truth.clone(), told.clone())).or_default() += 1;
        if truth != told {
            let first = &seen.report["diagnoses"][0];
            let evidence = first["evidence"].as_array().into_iter().flatten();
            let lines: Vec<_> = evidence.filter_map(Value::as_str).collect();
            self.wrong.push(format!(
                "{what}: {truth} was called {told}: {}; {}",
                first["summary"].as_str().unwrap_or("no summary"),
                lines.join("; ")
            ));
        }
    }

    fn print(&self) {
        let wide = self.cells.keys().map(|(truth, _)| truth.len()).max().unwrap_or(0);
        println!("{:wide$}  told", "truth");
        let mut truths: Vec<&String> = self.cells.keys().map(|(truth, _)| truth).collect();
        truths.dedup();
        for truth in truths {
            let row = self.cells.iter().filter(|((of, _), _)| of == truth);
            let told: Vec<_> = row.map(|((_, told), count)| format!("{told} {count}")).collect();
            println!("{truth:wide$}  {}", told.join(", "));
        }
    }
}

/// Whether far more threads want to run than there are CPUs, by the kernel's own count over the
/// last minute. Every loop is starved then, and whoever says so is right.
fn host_is_starved(neighbours: u32) -> bool {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 = load.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0.0);
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    load > 2.0 * cpus as f64 + f64::from(neighbours)
}

/// A number from the environment.
fn setting(name: &str, default: u32) -> u32 {
    let text = std::env::var(name).unwrap_or_default();
    if text.is_empty() { default } else { text.parse().expect(name) }
}

/// The names of all workloads, and whether each has a fixed twin.
fn workloads() -> Vec<(String, bool)> {
    let ran = run(&["workloads", "--report", "json"]);
    let list: Value = serde_json::from_str(&ran.stdout).expect("is JSON");
    let entries = list["workloads"].as_array().expect("there are workloads").clone();
    let name = |entry: &Value| entry["name"].as_str().expect("each has a name").to_owned();
    entries.iter().map(|entry| (name(entry), !entry["fixed"].is_null())).collect()
}

/// What came of one run.
struct Observed {
    /// What it was, by its own parameters.
    truth: String,
    /// What it was called.
    told: String,
    report: Value,
}

/// Runs a workload once; `None` where this host can't.
fn observe(name: &str, fixed: bool, quick: bool) -> Option<Observed> {
    let small = QUICK.iter().filter(|(of, _)| quick && *of == name).map(|&(_, param)| param);
    let twin = fixed.then_some("--fixed");
    let args: Vec<&str> =
        ["run", name, "--report", "json"].into_iter().chain(twin).chain(small).collect();
    let ran = run(&args);
    if ran.code == Some(REFUSED) {
        println!("SKIPPED: matrix: {}", ran.stderr.trim());
        return None;
    }
    assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).expect("is JSON");
    let row = &report["workload"]["truth"][0];
    assert_eq!(row["what"], "diagnosis", "{args:?}");
    let truth = row["expected"].as_str().expect("a name").to_owned();
    let told = report["diagnoses"][0]["id"].as_str().expect("there is always one").to_owned();
    Some(Observed { truth, told, report })
}

/// Who reads what a diagnosis is can see it: its page names each workload that shows it.
fn check_page(workload: &str, truth: &str) {
    let page = run(&["diagnoses", truth]).stdout;
    let command = format!("$ loopscope run {workload} ");
    assert!(truth == "healthy" || page.contains(&command), "`{command}` is not on {truth}'s page");
}

#[test]
fn every_pathology_gets_its_name_and_every_twin_is_healthy() {
    let runs = setting("LOOPSCOPE_MATRIX_RUNS", 0);
    let only = std::env::var("LOOPSCOPE_MATRIX_ONLY").unwrap_or_default();
    let count = setting("LOOPSCOPE_MATRIX_NEIGHBOURS", 1);
    let neighbours: Vec<Neighbour> = (0..count).map(|_| Neighbour::new()).collect();
    let mut matrix = Matrix::default();
    let mut measured = 0;
    let mut cases = Vec::new();
    for (name, has_twin) in workloads().into_iter().filter(|(name, _)| name.contains(&only)) {
        cases.push((name.clone(), false));
        cases.extend(has_twin.then_some((name, true)));
    }
    for (name, fixed) in cases.iter().cycle().take(cases.len() * runs.max(1) as usize) {
        let Some(seen) = observe(name, *fixed, runs == 0) else { continue };
        measured += 1;
        let what = format!("{name}{}", if *fixed { " (fixed twin)" } else { "" });
        let starved = seen.told == "cpu-starved" && seen.truth != seen.told;
        if runs == 0 && starved && host_is_starved(count) {
            println!("SKIPPED: matrix: {what}: this machine has no CPU to spare");
            continue;
        }
        check_page(name, &seen.truth);
        matrix.add(&what, &seen);
    }
    drop(neighbours);
    println!("{measured} runs, each beside a busy neighbour");
    matrix.print();
    assert!(measured > 0, "no workload's name contains `{only}`");
    assert!(matrix.wrong.is_empty(), "\n{}", matrix.wrong.join("\n"));
}
