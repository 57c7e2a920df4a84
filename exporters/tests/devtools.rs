//! Profiles, read by the engine of Chrome's DevTools: what it shows is what was written.
//!
//! It reads the golden files, which `profile.rs` holds against what is written.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Where `.ci/setup` puts it, from the root of the workspace.
const ENGINE: &str = "target/tools/devtools/node_modules/@paulirish/trace_engine";

/// What DevTools make of a golden file; `None` after telling that `test` is skipped.
fn read(test: &str, file: &str) -> Option<Value> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let engine = here.parent().expect("the workspace").join(ENGINE);
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    if !engine.is_dir() || !node.is_ok_and(|status| status.success()) {
        let why = "Node.js or the engine of DevTools is missing; run .ci/setup";
        let required = env::var_os("LOOPSCOPE_REQUIRE_SERVERS").is_some_and(|value| value == "1");
        assert!(!required, "{test}: {why}");
        println!("SKIPPED: {test}: {why}");
        return None;
    }
    let paths: [PathBuf; 3] =
        [here.join("tests/devtools.mjs"), engine, here.join("tests/golden").join(file)];
    let output = Command::new("node").args(paths).output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{file}: {errors}");
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

#[test]
fn devtools_show_each_function_of_a_cpuprofile_with_its_time() {
    let test = "devtools_show_each_function_of_a_cpuprofile_with_its_time";
    let Some(read) = read(test, "profile.cpuprofile") else { return };
    let times = read["times"].as_object().expect("a map");
    let ms = |name: &str| times.get(name).and_then(Value::as_f64).map(|ms| ms.round());
    assert_eq!(ms("JSON.parse :0"), Some(30.0), "{read:#}");
    assert_eq!(ms("load; all file:///srv/my%20shop/load.js:7"), Some(30.0), "{read:#}");
    assert_eq!(ms("load; all file:///srv/my%20shop/load.js:12"), Some(15.0), "{read:#}");
    assert_eq!(ms("(waiting) :0"), Some(15.0), "{read:#}");
    assert_eq!(ms("react file:///srv/my shop/jobs.mjs:3"), Some(50.0), "{read:#}");
}

#[test]
fn devtools_show_the_tracks_of_a_trace_with_their_slices() {
    let test = "devtools_show_the_tracks_of_a_trace_with_their_slices";
    let Some(read) = read(test, "profile.trace.json") else { return };
    let tracks = read.as_object().expect("a map");
    let mut names: Vec<&str> = tracks.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["main", "main, sampled", "worker-1", "worker-1, sampled"]);
    assert_eq!(read["worker-1, sampled"], json!(["crunch 20"]));
    let sampled = json!([
        "(anonymous) 30",
        "load; all 30",
        "JSON.parse 30",
        "load; all 15",
        "read 15",
        "(waiting) 15",
        "react 50",
    ]);
    assert_eq!(read["main, sampled"], sampled);
    let main = read["main"].as_array().expect("a list");
    assert_eq!(main.len(), 3, "two stalls and the drain that runs: {main:?}");
    assert!(main.contains(&json!("microtask drain 55")), "{main:?}");
}
