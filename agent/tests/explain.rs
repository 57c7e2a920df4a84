//! `explain`: its three forms, that it changes nothing of what it explains, and wrong usage.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::{env, fs};

use loopscope_workloads::{Variant, scripts};
use serde_json::{Value, json};

/// A program that is explained takes milliseconds, or as long as the script waits.
const TIMEOUT: &str = "60s";

fn loopscope(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loopscope"));
    command.args(args).env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
    command.output().expect("the program can be started")
}

fn explain(name: &str, more: &[&str]) -> Output {
    let fixed = ["explain", name, "--clock", "virtual", "--timeout", TIMEOUT];
    loopscope(&[&fixed, more].concat())
}

fn explained(name: &str, more: &[&str]) -> (Value, Option<i32>) {
    let output = explain(name, &[&["--report", "json", "--max-events", "1000000"], more].concat());
    let value = serde_json::from_slice(&output.stdout);
    (value.unwrap_or_else(|error| panic!("{name}: {error}")), output.status.code())
}

fn printed(timeline: &Value, stderr: bool) -> String {
    let events = timeline["events"].as_array().expect("events");
    let output = events.iter().filter(|event| event["kind"] == "output");
    let texts = output.filter(|event| event["stderr"] == stderr).map(|event| &event["text"]);
    texts.map(|text| text.as_str().expect("a text")).collect()
}

fn golden(name: &str, text: &[u8]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).expect("the golden file can be written");
    }
    let expected = fs::read_to_string(&path).expect("a golden file");
    assert_eq!(String::from_utf8_lossy(text), expected, "{name}");
}

#[test]
fn the_order_puzzle_is_explained_in_its_three_forms() {
    for (name, file) in [
        ("seeds/first", "explain-script.txt"),
        ("seeds/second", "explain-io.txt"),
        ("seeds/first.mjs", "explain-module.txt"),
    ] {
        let output = explain(name, &[]);
        assert_eq!(output.status.code(), Some(0), "{name}");
        golden(file, &output.stdout);
    }
}

#[test]
fn the_call_stack_is_shown_where_asked() {
    golden("explain-stack.txt", &explain("seeds/call-stack-main-work", &["--stack"]).stdout);
}

/// Programs with more events are not walked, too: it takes long.
const WALKED_MAX: usize = 3000;

/// The shelf of the seeds, on which nothing computes for long.
#[test]
fn what_is_explained_runs_as_it_runs_otherwise() {
    let mut compared = 0;
    for script in scripts().iter().filter(|script| script.path.starts_with("seeds/")) {
        let name = script.name();
        let fixed: &[&str] = if script.variant() == Variant::Fixed { &["--fixed"] } else { &[] };
        let plain = ["run", &name, "--clock", "virtual", "--report", "none", "--timeout", TIMEOUT];
        let plain = loopscope(&[&plain, fixed].concat());
        let (timeline, status) = explained(&name, fixed);
        assert_eq!(timeline["events_dropped"], 0, "{name}");
        assert_eq!(printed(&timeline, false), String::from_utf8_lossy(&plain.stdout), "{name}");
        assert_eq!(status, plain.status.code(), "{name}");
        compared += 1;
        if timeline["events"].as_array().map_or(0, Vec::len) > WALKED_MAX {
            continue;
        }
        let (walked, _) = explained(&name, &[fixed, &["--stack"]].concat());
        assert_eq!(printed(&walked, false), printed(&timeline, false), "{name}");
        assert_eq!(walked["drains"], timeline["drains"], "{name}");
        assert_eq!((&walked["calls_dropped"], &walked["files_unseen"]), (&0.into(), &json!([])));
    }
    assert!(compared > 25, "{compared}");
}

#[test]
fn errors_and_rejections_are_events() {
    let folder = common_folder("errors");
    let file = folder.join("program.js");
    let source = "process.on('uncaughtException', () => {});\n\
                  Promise.reject(new Error('one'));\nthrow new Error('two');\n";
    fs::write(&file, source).expect("a file can be written");
    let (timeline, status) = explained(&file.to_string_lossy(), &[]);
    let events = timeline["events"].as_array().expect("events");
    let of = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
    assert_eq!((of("uncaught"), of("rejections"), status), (2, 1, Some(0)));
    let _ = fs::remove_dir_all(folder);
}

/// The steps of a walk: `+name`, `~name` for what goes on, `-`.
fn walk(timeline: &Value) -> String {
    let step = |event: &Value| {
        let name = event["stack"][0]["name"].as_str().unwrap_or_default();
        match event["kind"].as_str() {
            Some("begins") if event["goes_on"] == true => format!("~{name} "),
            Some("begins") => format!("+{name} "),
            Some("ends") => "- ".to_owned(),
            Some("output") => "! ".to_owned(),
            _ => String::new(),
        }
    };
    timeline["events"].as_array().expect("events").iter().map(step).collect()
}

#[test]
fn every_call_is_walked_with_the_places_of_the_source() {
    let folder = common_folder("walk");
    let file = folder.join("program.js");
    let source = "'use strict'\n\
        const twice = (x) => x * 2, f = function f() { [1, 2].map(twice); throw new Error('e') };\n\
        class A { constructor() { try { f(); } catch (e) { console.log(e.stack); } } }\n\
        async function g() { await null; console.log(typeof this); }\n\
        new A();\ng();\n";
    fs::write(&file, source).expect("a file can be written");
    let name = file.to_string_lossy();
    let (walked, status) = explained(&name, &["--stack"]);
    assert_eq!(status, Some(0));
    let expected = "+(top level) +A +f +twice - +twice - - ! - +g - - ~g ! - ";
    assert_eq!(walk(&walked), expected);
    let (plain, _) = explained(&name, &[]);
    assert_eq!(printed(&walked, false), printed(&plain, false), "columns, strictness");
    let output = |timeline: &Value| {
        let events = timeline["events"].as_array().expect("events");
        events.iter().find(|event| event["kind"] == "output").expect("output")["stack"].clone()
    };
    assert_eq!(output(&walked), output(&plain));
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn calls_without_a_place_are_counted_and_what_is_kept_is_whole() {
    let folder = common_folder("deep");
    let file = folder.join("program.js");
    let source = "function f(n) { if (n > 0) f(n - 1); }\nf(9);\nf(300);\nconsole.log('end');\n";
    fs::write(&file, source).expect("a file can be written");
    let name = file.to_string_lossy();
    let (walked, _) = explained(&name, &["--stack"]);
    let dropped = walked["calls_dropped"].as_u64().expect("a number");
    let steps = walk(&walked);
    // 64 frames are told of; some are the library's, and one is the top level.
    assert!((240..260).contains(&dropped), "{dropped}");
    assert_eq!(steps.matches('+').count() as u64 + dropped, 1 + 10 + 301);
    assert_eq!(steps.matches('+').count(), steps.matches('-').count());
    let few = explain(&name, &["--stack", "--max-events", "4"]).stdout;
    let few = String::from_utf8_lossy(&few).into_owned();
    assert_eq!((few.matches("push").count(), few.matches("pop").count()), (4, 4), "{few}");
    assert!(few.contains("308 calls more came") && few.contains("prints      end"), "{few}");
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn what_is_written_by_number_is_printed_and_memory_is_bounded() {
    let folder = common_folder("written");
    let file = folder.join("program.js");
    let source = "const fs = require('fs');\nfs.writeSync(1, 'one\\n');\n\
        fs.write(2, Buffer.from('two\\n'), (error, bytes) => console.log(error, bytes));\n";
    fs::write(&file, source).expect("a file can be written");
    let name = file.to_string_lossy();
    let (timeline, _) = explained(&name, &[]);
    assert_eq!(printed(&timeline, false), "one\nnull 4\n");
    assert_eq!(printed(&timeline, true), "two\n");
    fs::write(&file, "const kept = [];\nfor (;;) kept.push([1, 2, 3]);\n").expect("a file");
    let output = explain(&name, &["--max-memory", "32MiB"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("out of memory") && output.status.code() == Some(134), "{error}");
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn what_has_no_place_is_counted_and_told() {
    let output = explain("seeds/first", &["--max-events", "5", "--report", "json"]);
    let timeline: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let kept = timeline["events"].as_array().map_or(0, Vec::len);
    let (all, _) = explained("seeds/first", &[]);
    let seen = all["events"].as_array().map_or(0, Vec::len);
    let dropped = timeline["events_dropped"].as_u64().expect("a number");
    assert_eq!(kept as u64 + dropped, seen as u64);
    let text = explain("seeds/first", &["--max-events", "5"]).stdout;
    assert!(String::from_utf8_lossy(&text).contains("--max-events raises the limit"));
}

#[test]
fn a_program_without_end_is_explained_when_its_time_is_up() {
    let folder = common_folder("endless");
    let file = folder.join("program.js");
    fs::write(&file, "setInterval(() => console.log('again'), 5);\n").expect("a file");
    let file = file.to_string_lossy();
    let output = loopscope(&["explain", &file, "--timeout", "500ms"]);
    assert_eq!(output.status.code(), Some(124));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("cut short") && text.contains("again"), "{text}");
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn wrong_usage_is_one_line() {
    for (args, expected) in [
        (&["seeds/frist"][..], "did you mean `seeds/first`?"),
        (&["seeds/first", "--fixed"], "no fixed twin"),
        (&["seeds/first", "--html", "/no/such/folder/x.html"], "can't be written"),
        (&["seeds/first", "--max-events", "0"], "--max-events"),
    ] {
        let output = loopscope(&[&["explain"], args].concat());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(expected) && error.lines().count() == 1, "{error}");
        assert!(output.stdout.is_empty());
    }
}

fn common_folder(name: &str) -> PathBuf {
    let name = format!("loopscope-explain-{name}-{}", std::process::id());
    let folder = env::temp_dir().join(name);
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}
