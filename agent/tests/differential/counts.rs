//! How many microtasks each drain runs: V8's own count against ours.
//!
//! V8 writes one event for each time that it runs its microtasks, with their number, where Node is
//! started with `--trace-event-categories v8.execute`. Empty drains are left out on both sides. For
//! CommonJS nothing else is in that list; for ES modules the jobs of Node's own loader are, and the
//! script host runs as many.

use std::path::Path;

use loopscope_workloads::KnownScript;
use serde_json::Value;

use super::run::{Outcome, Runner};

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
    let node = node.clone().with_script_args(&args);
    let ours = Runner::explaining().with_script_args(&args);
    let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/js").join(script.path);
    let main = main.to_str().expect("UTF-8");
    let mut last = None;
    for _ in 0..TRIES {
        let (want, _) = of_node(&node, folder, main);
        let got = of_ours(&ours, folder, main);
        if got.as_ref() == Some(&want) {
            return None;
        }
        last = Some(format!("{} {args:?}\n  Node {want:?}\n  ours {got:?}", script.path));
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
