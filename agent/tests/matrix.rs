//! Truth against diagnosis: every workload and its fixed twin, run by the real program beside a
//! busy neighbour, and the table of what each was called.
//!
//! `LOOPSCOPE_MATRIX_RUNS=20 cargo test --release -p loopscope --test matrix -- --nocapture` runs
//! each so many times with its default parameters; without the variable each runs once, the long
//! ones with smaller parameters. `LOOPSCOPE_MATRIX_NEIGHBOURS` is how many processes spin
//! meanwhile, 1 unless told otherwise, and `LOOPSCOPE_MATRIX_ONLY` a part of the workload's name.

mod common;

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};

use common::run;
use loopscope_workloads::{Args, Job, Rounds, Variant, Workload};
use serde_json::Value;

/// The program's exit code where the host refuses what a workload needs.
const REFUSED: i32 = 5;

/// Smaller parameters for the one run of a plain `cargo test`.
const QUICK: [(&str, &str, &str); 3] = [
    ("sync-promises", "count", "3000"),
    ("promise-race-pool", "count", "1500"),
    ("next-tick-recursion", "count", "10000"),
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
    fn add(&mut self, what: &str, truth: &str, told: &str, report: &Value) {
        *self.cells.entry((truth.to_owned(), told.to_owned())).or_default() += 1;
        if truth != told {
            let first = &report["diagnoses"][0];
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

/// A number from the environment.
fn setting(name: &str, default: u32) -> u32 {
    let text = std::env::var(name).unwrap_or_default();
    if text.is_empty() { default } else { text.parse().expect(name) }
}

/// What is run: a workload with its parameters, in one variant.
struct Case {
    workload: &'static Workload,
    variant: Variant,
    params: Vec<(String, String)>,
}

impl Case {
    fn new(workload: &'static Workload, variant: Variant, quick: bool) -> Case {
        let small = QUICK.iter().filter(|(name, ..)| quick && *name == workload.name);
        let params = small.map(|&(_, param, value)| (param.to_owned(), value.to_owned()));
        Case { workload, variant, params: params.collect() }
    }

    /// What the workload says of itself.
    fn truth(&self) -> &'static str {
        let (workload, variant) = (self.workload, self.variant);
        let args = Args::parse(workload, self.params.clone()).expect("the parameters are valid");
        Job { workload, args, variant, rounds: Rounds::Times(1), pause_ns: 0 }.truth().diagnosis
    }

    /// Runs it once; `None` where this host can't.
    fn observe(&self) -> Option<Value> {
        let mut args = vec!["run".to_owned(), self.workload.name.to_owned()];
        args.extend(["--report", "json"].map(str::to_owned));
        args.extend((self.variant == Variant::Fixed).then(|| "--fixed".to_owned()));
        args.extend(self.params.iter().map(|(name, value)| format!("--{name}={value}")));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran = run(&args);
        if ran.code == Some(REFUSED) {
            println!("SKIPPED: matrix: {}", ran.stderr.trim());
            return None;
        }
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.stderr);
        Some(serde_json::from_str(&ran.stdout).expect("is JSON"))
    }
}

#[test]
fn every_pathology_gets_its_name_and_every_twin_is_healthy() {
    let runs = setting("LOOPSCOPE_MATRIX_RUNS", 0);
    let only = std::env::var("LOOPSCOPE_MATRIX_ONLY").unwrap_or_default();
    let neighbours: Vec<Neighbour> =
        (0..setting("LOOPSCOPE_MATRIX_NEIGHBOURS", 1)).map(|_| Neighbour::new()).collect();
    let mut matrix = Matrix::default();
    let mut measured = 0;
    for _ in 0..runs.max(1) {
        for workload in loopscope_workloads::all().iter().filter(|w| w.name.contains(&only)) {
            for variant in [Variant::Pathology, Variant::Fixed] {
                let case = Case::new(workload, variant, runs == 0);
                let Some(report) = case.observe() else { continue };
                let told = report["diagnoses"][0]["id"].as_str().expect("there is always one");
                let what = format!("{} ({})", workload.name, variant.name());
                matrix.add(&what, case.truth(), told, &report);
                measured += 1;
            }
        }
    }
    drop(neighbours);
    println!("{measured} runs, each beside a busy neighbour");
    matrix.print();
    assert!(measured > 0, "no workload's name contains `{only}`");
    assert!(matrix.wrong.is_empty(), "\n{}", matrix.wrong.join("\n"));
}
