//! How many microtasks each drain runs: V8's own count against ours.
//!
//! V8 writes one event for each time that it runs its microtasks, with their number, where Node is
//! started with `--trace-event-categories v8.execute`. Empty drains are left out on both sides, and
//! the one in which a program has ended, of which V8 no longer tells. For CommonJS nothing else is
//! in that list; for ES modules the jobs of Node's own loader are, and the script host runs as
//! many.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use loopscope_workloads::KnownScript;
use serde_json::Value;

use super::generate;
use super::judge::busy;
use super::run::{Folder, Outcome, Runner, Status};
use super::shrink::shrink;
use super::tree::Program;

/// The file that V8 writes its events into.
const TRACE: &str = "trace.json";

const COUNT: &str = "\"microtask_count\":";

/// The lengths of a program's drains in Node, and the run.
pub(crate) fn of_node(node: &Runner, folder: &Path, main: &str) -> (Vec<u64>, Outcome) {
    let trace = ["--trace-event-categories", "v8.execute", "--trace-event-file-pattern", TRACE];
    // What a run before has left is not this one's.
    let _ = std::fs::remove_file(folder.join(TRACE));
    let outcome = node.clone().with(&trace).run(folder, main);
    let text = std::fs::read_to_string(folder.join(TRACE)).unwrap_or_default();
    (counts(&text), outcome)
}

fn counts(trace: &str) -> Vec<u64> {
    let digits = |rest: &str| {
        let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().unwrap_or(0)
    };
    trace.split(COUNT).skip(1).map(digits).filter(|count| *count > 0).collect()
}

/// The lengths of a program's drains on the embedded loop; `None` when not all of them are known.
pub(crate) fn of_ours(ours: &Runner, folder: &Path, main: &str) -> Option<Vec<u64>> {
    let report = ours.run(folder, main).stdout;
    let report: Value = serde_json::from_str(&report).ok()?;
    if report["drains_dropped"] != 0 {
        return None;
    }
    let drains = report["drains"].as_array()?;
    let microtasks = drains.iter().filter(|drain| drain["queue"] == "microtask");
    microtasks.map(|drain| drain["length"].as_u64()).collect()
}

/// How the drains of a program compare.
#[derive(Debug)]
enum Verdict {
    Same,
    /// Node's own runs differ, or not all of our drains are known.
    LeftOut,
    Different(Vec<u64>, Vec<u64>),
}

/// How often both are asked again where the first runs differ, and Node on a busy machine.
const AGAIN: usize = 4;

fn judge(node: &Runner, program: &Program, folder: &Folder) -> Verdict {
    folder.write_program(program);
    let node = || of_node(node, folder.path(), program.main());
    let (want, outcome) = node();
    // Of a program that ends itself V8 tells no more of the drain in which it does.
    let ends = outcome.status != Status::Code(0) || program.own_text().contains("process.exit(");
    let ours = || {
        let mut found = of_ours(&Runner::explaining(), folder.path(), program.main())?;
        if ends && found.len() == want.len() + 1 {
            found.pop();
        }
        Some(found)
    };
    let mut got = Vec::new();
    for asked in 0..=AGAIN {
        // One run may be held up by a busy machine.
        match ours() {
            Some(ours) => got = ours,
            None => return Verdict::LeftOut,
        }
        if got == want {
            return Verdict::Same;
        }
        if asked < AGAIN && node() != (want.clone(), outcome.clone()) {
            return Verdict::LeftOut;
        }
    }
    // A quiet machine hides races: Node takes so long to start that what it waits for is there.
    let differs = |_| node() != (want.clone(), outcome.clone());
    if busy(|| (0..AGAIN).any(differs)) {
        return Verdict::LeftOut;
    }
    Verdict::Different(want, got)
}

/// What came of the programs of a batch.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) same: usize,
    pub(crate) left_out: usize,
    pub(crate) different: Vec<u64>,
}

/// Compares the drains of the programs of all seeds.
pub(crate) fn run(node: &Runner, seeds: &[u64]) -> Counted {
    let (next, counted) = (AtomicUsize::new(0), Mutex::new(Counted::default()));
    let work = |number: usize| {
        let folder = Folder::new(&format!("counts-{number}"));
        while let Some(&seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            let verdict = judge(node, &generate::counted(seed), &folder);
            let mut counted = counted.lock().expect("no thread panics");
            match verdict {
                Verdict::Same => counted.same += 1,
                Verdict::LeftOut => counted.left_out += 1,
                Verdict::Different(..) => counted.different.push(seed),
            }
        }
    };
    thread::scope(|scope| {
        let work = &work;
        (0..3).for_each(|number| drop(scope.spawn(move || work(number))));
    });
    counted.into_inner().expect("no thread panicked")
}

/// A difference as a person wants it: the smallest program found, and the drains of both.
pub(crate) fn tell(node: &Runner, seed: u64) -> String {
    let folder = Folder::new(&format!("shrink-{seed:x}"));
    let mut last = (Vec::new(), Vec::new());
    let small = shrink(&generate::counted(seed), |program| {
        let Verdict::Different(want, got) = judge(node, program, &folder) else { return false };
        let is_wrong = node.run(folder.path(), program.main()).is_wrong();
        if !is_wrong {
            last = (want, got);
        }
        !is_wrong
    });
    let (want, got) = last;
    format!("seed {seed:#x}\n{}\n  Node {want:?}\n  ours {got:?}\n", small.own_text())
}

/// Arguments that make scripts short and leave their drains what they are: computing, reading and
/// waiting take less time.
const SHORT: &[(&str, &str)] =
    &[("work-us", "1"), ("block-ms", "5"), ("read-mb", "1"), ("ms", "50")];

/// With 1,000 promises these run 501,500 microtasks, each of which is explained.
const SMALL: &[&str] = &["await-all-growing.js", "promise-race-pool.js"];

/// How often a script is tried: one that waits for others may be held up by a busy machine.
const TRIES: usize = 3;

/// What is wrong with a script's drains, if anything is.
pub(crate) fn check_script(node: &Runner, script: &KnownScript, folder: &Path) -> Option<String> {
    let args = short(script);
    let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/js").join(script.path);
    check(node, folder, main.to_str().expect("UTF-8"), &args)
}

/// What is wrong with the drains of a program in a folder.
pub(crate) fn check(node: &Runner, folder: &Path, main: &str, args: &[String]) -> Option<String> {
    let node = node.clone().with_script_args(args);
    let ours = Runner::explaining().with_script_args(args);
    let mut last = None;
    for _ in 0..TRIES {
        let (want, _) = of_node(&node, folder, main);
        let got = of_ours(&ours, folder, main);
        if got.as_ref() == Some(&want) {
            return None;
        }
        last = Some(format!("{main} {args:?}\n  Node {want:?}\n  ours {got:?}"));
    }
    last
}

fn short(script: &KnownScript) -> Vec<String> {
    let header = script.header().expect("a test reads them all");
    let value = |name: &str| {
        let all = SHORT.iter().find(|(short, _)| *short == name);
        all.map(|(_, value)| *value)
    };
    let given = header.args.iter().filter_map(|arg| Some((&arg.name, value(&arg.name)?)));
    let small = SMALL.contains(&script.path).then(|| "--count=200".to_owned());
    given.map(|(name, value)| format!("--{name}={value}")).chain(small).collect()
}

#[test]
fn counts_are_found_in_a_trace() {
    let trace = r#"[{"args":{"microtask_count":3}},{"args":{"microtask_count":0}},
        {"args":{"microtask_count":12}}]"#;
    assert_eq!(counts(trace), [3, 12]);
}
