//! The scripts that are compiled in, by name: what they print, what the report tells of them, and
//! what they say of themselves against what was observed.

mod common;

use std::fs;
use std::path::Path;

use common::{Ran, command, finish, folder, run};
use loopscope_workloads::{KnownScript, Variant, scripts};
use serde_json::Value;

const LONGEST: Option<&str> = Some("longest microtask drain");

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Runs with the report in a file of its own.
fn reported(args: &[&str], test: &str) -> (Ran, Value) {
    let path = folder(&format!("script-report-{test}")).join("report.json");
    let file = path.to_str().expect("UTF-8");
    let ran = run(&[args, &["--report", "json", "--output", file]].concat());
    let report = fs::read_to_string(&path).expect("the report is there");
    (ran, json(&report))
}

/// What a script prints on Node each time, where that was recorded.
fn recorded(script: &KnownScript) -> Option<String> {
    let (shelf, file) = script.path.rsplit_once('/').unwrap_or(("", script.path));
    let stem = file.strip_suffix(".js").unwrap_or(file);
    let js = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/js");
    fs::read_to_string(js.join(shelf).join("expected").join(format!("{stem}.out"))).ok()
}

#[test]
fn scripts_print_what_they_print_on_node() {
    let mut checked = 0;
    let known = scripts().iter();
    for (script, want) in known.filter_map(|script| Some((script, recorded(script)?))) {
        let name = script.name();
        let fixed: &[&str] = if script.variant() == Variant::Fixed { &["--fixed"] } else { &[] };
        let ran = run(&[&["run", &name, "--report", "none"], fixed].concat());
        assert_eq!((ran.code, ran.stdout), (Some(0), want), "{name}: {}", ran.stderr);
        checked += 1;
    }
    assert!(checked >= 20, "{checked} scripts have expectations");
}

#[test]
fn what_a_script_says_of_itself_is_held_against_what_was_observed() {
    let (ran, report) = reported(&["run", "js/promise-chain-fanout"], "truth");
    let rows = report["script"]["truth"].as_array().expect("it says something");
    let [diagnosis, longest] = &rows[..] else { panic!("{rows:?}") };
    // What is found on a machine without a free CPU may be that.
    assert_eq!(diagnosis["what"], "diagnosis");
    assert_eq!(diagnosis["expected"], "microtask-flood");
    assert_eq!(diagnosis["observed"], report["diagnoses"][0]["id"]);
    assert_eq!((longest["what"].as_str(), &longest["holds"]), (LONGEST, &Value::Bool(true)));
    let drain = &report["loops"][0]["microtask_drain_length"]["max"];
    let said = json(ran.stdout.lines().last().expect("a line"));
    assert_eq!(said["truth"]["longest_drain"], *drain);
    assert_eq!(report["script"]["variant"], "pathology");
    let (_, fixed) = reported(&["run", "js/promise-chain-fanout", "--fixed"], "fixed");
    assert_eq!(fixed["script"]["variant"], "fixed");
}

#[test]
fn a_truth_that_does_not_hold_is_told_whatever_the_report() {
    let path = folder("script-truth").join("lies.js");
    let line = r#"console.log('{"truth":{"cause":"sync-io","longest_drain":7}}');"#;
    fs::write(&path, line).expect("it can be written");
    let path = path.to_str().expect("UTF-8");
    let ran = run(&["run", path, "--report", "none"]);
    assert_eq!(ran.code, Some(0), "the status is the program's");
    let told = "did not show what it must: diagnosis is healthy and must be sync-io, and 1 more";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    fs::write(path, format!("{line} process.exitCode = 1;")).expect("it can be written");
    let failed = run(&["run", path, "--report", "none"]);
    assert_eq!((failed.code, failed.stderr.as_str()), (Some(1), ""));
}

#[test]
fn claims_of_a_seed_are_told_with_the_facts() {
    let ran = run(&["run", "seeds/first"]);
    let told = ["Claims  what its source says", "✗ claim  The loop begins", "since  always so"];
    assert!(told.iter().all(|part| ran.stderr.contains(part)), "{}", ran.stderr);
    let (_, report) = reported(&["run", "seeds/first"], "claims");
    let claims = report["script"]["claims"].as_array().expect("a list");
    assert_eq!((claims.len(), claims[0]["since"].as_str()), (1, Some("always so")));
    assert_eq!(report["targets"][0]["name"], "seeds/first");
}

#[test]
fn a_name_is_the_scripts_and_a_path_the_files() {
    let here = folder("script-names");
    fs::create_dir_all(here.join("seeds")).expect("it can be made");
    fs::write(here.join("seeds/first.mjs"), "console.log('mine');").expect("it can be written");
    let in_folder = |name: &str| {
        let args = ["run", name, "--report", "none"];
        finish(command(&args).current_dir(&here).spawn().expect("starts"))
    };
    let ours = in_folder("seeds/first.mjs");
    assert!(ours.stdout.contains("nextTick 1"), "{ours:?}");
    assert!(ours.stderr.contains("for the file: ./seeds/first.mjs"), "{ours:?}");
    assert_eq!(in_folder("./seeds/first.mjs").stdout, "mine\n");
}

#[test]
fn scripts_are_listed_for_people_and_programs() {
    let text = run(&["workloads"]).stdout;
    let list = json(&run(&["workloads", "--report", "json"]).stdout);
    let listed = list["scripts"].as_array().expect("a list");
    let known = scripts().iter().filter(|script| script.variant() == Variant::Pathology);
    assert_eq!(listed.len(), known.count());
    for script in listed {
        let name = script["name"].as_str().expect("a name");
        assert!(text.contains(&format!("\n{name}: ")), "{name}");
        assert!(script["title"].is_string() && script["arguments"].is_array(), "{name}");
    }
}
