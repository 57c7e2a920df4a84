//! The scripts have readable heads, twins and short bodies, and on a real Node they do what they
//! say.
//!
//! The expected output of those that always print the same stands beside them; it was recorded
//! from Node 20, by `node NAME.js > expected/NAME.out` in the folder of the script.

mod node;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use loopscope_workloads::{KnownScript, ScriptHeader, Variant, all, find_script, scripts};

/// The longest that a script may be, its header included.
const LINES_MAX: usize = 60;
const COLUMNS_MAX: usize = 100;

/// Workloads that have no twin in JavaScript: one thread can't starve itself of a CPU.
const NOT_IN_JAVASCRIPT: [&str; 1] = ["cpu-starved"];

/// The ids of diagnoses that a truth may name.
const DIAGNOSES: [&str; 11] = [
    "microtask-flood",
    "next-tick-starvation",
    "cpu-bound-callback",
    "sync-io",
    "gc-pressure",
    "frozen",
    "timer-storm",
    "poll-flood",
    "immediate-flood",
    "thread-pool-saturation",
    "healthy",
];

/// What the pathologies promise: so many milliseconds in blocks, all in all; 0 where what is wrong
/// makes no block. A storm of timers may come in two turns, one of which may be shorter than one.
const BLOCKS_MS: [(&str, f64); 29] = [
    ("js/async-in-loop", 200.0),
    ("js/await-all-growing", 200.0),
    ("js/await-in-hot-path", 100.0),
    ("js/cpu-bound-callback", 300.0),
    ("js/gc-pressure", 250.0),
    ("js/immediate-flood", 200.0),
    ("js/immediate-vs-timeout", 0.0),
    ("js/json-block", 200.0),
    ("js/lambda-freeze", 0.0),
    ("js/next-tick-recursion", 200.0),
    ("js/poll-flood", 200.0),
    ("js/promise-chain-fanout", 300.0),
    ("js/promise-race-pool", 200.0),
    ("js/regex-backtracking", 100.0),
    ("js/slow-close", 200.0),
    ("js/sync-io", 300.0),
    ("js/sync-promises", 300.0),
    ("js/thread-pool-saturation", 0.0),
    ("js/timer-storm", 150.0),
    ("js/timers-at-250", 250.0),
    ("promises/abort-signal", 200.0),
    ("promises/apis-not-expecting-promises", 200.0),
    ("promises/branching-and-forking", 204.0),
    ("promises/caching-promises", 180.0),
    ("promises/callbacks-and-promises", 202.0),
    ("promises/errors-and-rejections", 200.0),
    ("promises/events-and-promises", 0.0),
    ("promises/race-and-all", 200.0),
    ("promises/resolving-in-loops", 200.0),
];

/// Scripts whose output is another one each time, and how many lines it has.
const DIFFER: [(&str, usize); 4] = [
    ("seeds/immediates-1000", 1),
    ("seeds/pool", 9),
    ("seeds/timeout-vs-immediate", 2),
    ("seeds/timeouts-1000", 1),
];

/// Scripts that print something else from this version of Node on: `NAME.nodeNN.out`.
const CHANGED: [(&str, u32); 1] = [("seeds/first.mjs", 22)];

/// How often a script may try on a machine where anything may be held up.
const TRIES: usize = 3;

/// Lets a script try until it has nothing to complain of.
fn judge(script: &KnownScript, attempt: impl Fn(&KnownScript) -> Option<String>) {
    let mut complaints = Vec::new();
    while complaints.len() < TRIES {
        match attempt(script) {
            Some(complaint) => complaints.push(complaint),
            None => return,
        }
    }
    panic!("{}: {complaints:#?}", script.path);
}

fn header(script: &KnownScript) -> ScriptHeader {
    script.header().unwrap_or_else(|error| panic!("{}: {error}", script.path))
}

#[test]
fn every_head_tells_what_its_script_is() {
    for script in scripts() {
        let (path, name, header) = (script.path, script.name(), header(script));
        let has = |what: &str, is: bool, should: bool| assert_eq!(is, should, "{path}: {what}");
        let (twin, seed) = (script.variant() == Variant::Fixed, name.starts_with("seeds/"));
        let wrong = header.wrong.is_some();
        has("wrong or shows", wrong || header.shows.is_some(), seed || !twin);
        has("both wrong and shows", wrong && header.shows.is_some(), false);
        has("fixed", header.fixed.is_some(), wrong || (twin && !seed));
        has("source", header.source.is_some(), seed);
        has("claims", !header.claims.is_empty() && !seed, false);
        let has_twin = find_script(&name, Variant::Fixed).is_ok();
        has("a twin", has_twin, wrong || twin || name == "seeds/lambda-timeout");
        has("a script to the twin", find_script(&name, Variant::Pathology).is_ok(), true);
        for arg in &header.args {
            assert!(script.text.contains(&format!("'--{}'", arg.name)), "{path}: --{}", arg.name);
        }
        let read = script.text.matches("given.get('--").count();
        assert_eq!(read, header.args.len(), "{path}: arguments that are read");
    }
}

#[test]
fn scripts_are_short_and_strict() {
    for script in scripts() {
        let path = script.path;
        assert!(script.text.lines().count() <= LINES_MAX, "{path}: too many lines");
        for line in script.text.lines() {
            assert!(line.chars().count() <= COLUMNS_MAX, "{path}: too wide: {line}");
            assert_eq!(line.trim_end(), line, "{path}: space at the end of a line");
        }
        let strict = script.text.lines().any(|line| line == "'use strict';");
        assert!(strict, "{path}: 'use strict' is missing");
    }
}

#[test]
fn the_list_is_the_folder() {
    let mut found = BTreeSet::new();
    for shelf in ["", "promises/", "seeds/"] {
        for entry in fs::read_dir(node::folder().join(shelf)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with("js") {
                found.insert(format!("{shelf}{name}"));
            }
        }
    }
    let listed: Vec<&str> = scripts().iter().map(|script| script.path).collect();
    assert_eq!(listed, found.iter().collect::<Vec<_>>());
}

#[test]
fn every_workload_has_a_script() {
    for workload in all().iter().filter(|w| !NOT_IN_JAVASCRIPT.contains(&w.name)) {
        let name = format!("js/{}", workload.name);
        for &variant in workload.variants() {
            assert!(find_script(&name, variant).is_ok(), "{name} {variant:?}");
        }
        let story = header(find_script(&name, Variant::Pathology).unwrap()).wrong.is_none();
        assert_eq!(story, workload.fixed.is_none(), "{name}");
    }
}

#[test]
fn what_is_wrong_is_what_node_sees() {
    if node::version().is_none() {
        return;
    }
    let wrong = scripts().iter().filter(|script| {
        let name = script.name();
        find_script(&name, Variant::Pathology).is_ok_and(|script| header(script).wrong.is_some())
    });
    for script in wrong {
        judge(script, check_truth);
    }
}

/// Runs a script and holds what it says against what it promises and what V8 counted. Returns what
/// a machine that is busy may have caused; whatever else is wrong fails at once.
fn check_truth(script: &KnownScript) -> Option<String> {
    let (path, name) = (script.path, script.name());
    let outcome = node::run(script, &[]);
    let truth = outcome.truth().unwrap_or_else(|| panic!("{path}: no truth: {outcome:?}"));
    assert_eq!(outcome.status, Some(0), "{path}: {}", outcome.stderr);
    let fixed = script.variant() == Variant::Fixed;
    assert_eq!(truth["workload"], name.strip_prefix("js/").unwrap_or(&name), "{path}");
    assert_eq!(truth["fixed"], fixed, "{path}");
    let cause = truth["cause"].as_str().unwrap();
    assert!(DIAGNOSES.contains(&cause), "{path}: {cause}");
    let promise = BLOCKS_MS.iter().find(|(promises, _)| *promises == name);
    let (_, promised_ms) = promise.unwrap_or_else(|| panic!("{path}: what does it promise?"));
    let promised_ms = if fixed { 0.0 } else { *promised_ms };
    assert!(cause != "healthy" || promised_ms == 0.0, "{path}");
    assert!(cause == "healthy" || !fixed, "{path}: {cause}");
    if let Some(function) = truth["function"].as_str() {
        let code = script.text.lines().filter(|line| !line.starts_with("//"));
        let defined = code.filter(|line| line.contains(&format!("function {function}("))).count();
        assert_eq!(defined, 1, "{path}: {function}");
    }
    if !truth["longest_drain"].is_null() {
        assert_eq!(truth["longest_drain"], outcome.longest_drain, "{path}: the longest drain");
    }
    let blocks = truth["blocks_ms"].as_array().unwrap().iter();
    let blocks: Vec<f64> = blocks.map(|block| block.as_f64().unwrap()).collect();
    assert!(blocks.iter().all(|ms| *ms >= 50.0), "{path}: {blocks:?}");
    let sum_ms: f64 = blocks.iter().sum();
    let kept = match promised_ms {
        // What waited for a CPU was no block of the script's own.
        0.0 => sum_ms - outcome.starved_ms < 50.0,
        ms => sum_ms >= ms,
    };
    let (waited, ms) = (outcome.starved_ms, promised_ms);
    (!kept).then(|| format!("blocks of {blocks:?} ms, not of {ms}; {waited} ms without a CPU"))
}

#[test]
fn stories_and_seeds_print_what_was_recorded() {
    let Some(version) = node::version() else { return };
    for script in scripts() {
        if let Some(expected) = recorded(script, version) {
            judge(script, |script| {
                let outcome = node::run(script, &[]);
                assert_eq!(outcome.status, Some(0), "{}: {}", script.path, outcome.stderr);
                let differs = outcome.stdout != expected;
                differs.then(|| format!("{:?}, not {expected:?}", outcome.stdout))
            });
        }
    }
}

/// What a script prints each time on this version of Node. Panics where neither that nor the number
/// of lines is known.
fn recorded(script: &KnownScript, version: u32) -> Option<String> {
    let name = script.name();
    let truth = script.text.contains("{ truth: {");
    if truth || DIFFER.iter().any(|(differs, _)| *differs == name) {
        return None;
    }
    let (shelf, file) = script.path.rsplit_once('/').unwrap_or(("", script.path));
    let stem = file.strip_suffix(".js").unwrap_or(file);
    let changed = CHANGED.iter().find(|(changed, since)| *changed == name && version >= *since);
    let since = changed.map_or(String::new(), |(_, since)| format!(".node{since}"));
    let folder = node::folder().join(shelf).join(Path::new("expected"));
    let path = folder.join(format!("{stem}{since}.out"));
    Some(fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}")))
}

#[test]
fn those_that_measure_print_their_figures() {
    if node::version().is_none() {
        return;
    }
    for (name, lines) in DIFFER {
        let outcome = node::run(find_script(name, Variant::Pathology).unwrap(), &[]);
        assert_eq!(outcome.status, Some(0), "{name}: {}", outcome.stderr);
        assert_eq!(outcome.stdout.lines().count(), lines, "{name}: {}", outcome.stdout);
        if let Some(ms) = outcome.stdout.strip_prefix("Execution time: ") {
            let ms: u64 = ms.trim().strip_suffix(" ms").unwrap().parse().unwrap();
            assert!(name == "seeds/immediates-1000" || ms >= 999, "{name}: {ms} ms");
        }
    }
}

#[test]
fn a_rejection_that_nobody_takes_ends_node_with_status_1() {
    if node::version().is_none() {
        return;
    }
    let script = find_script("promises/errors-and-rejections", Variant::Pathology).unwrap();
    let outcome = node::run(script, &["--listen=0", "--count=3"]);
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("no connection"), "{outcome:?}");
    assert!(outcome.truth().is_some_and(|truth| truth["longest_drain"] == 3), "{outcome:?}");
}
