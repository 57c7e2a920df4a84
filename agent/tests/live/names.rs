//! The names of what runs in a live Node.js, of every release line, against what V8 says itself.
//!
//! Each target waits in one function, and tells its stack before that. The long form runs every
//! kind on every release line, the short one the oldest and the newest, and on the others what
//! differs most between them.

use std::path::Path;
use std::process::Command;

use loopscope::v8::{Frame, Kind};

use crate::alone;
use crate::nodes::{self, Node, both_ends, script_path};
use crate::waiting::{Site, Waiting};

/// Every release line.
fn every(test: &str) -> Vec<Node> {
    nodes::lines().iter().filter_map(|line| Node::of_line(line, test)).collect()
}

/// Compares the functions of scripts above the one that waits with V8's own.
fn check(what: &str, frames: &[Frame], truth: &[Site], waits: &str) {
    let all = frames.iter().filter(|frame| frame.kind == Kind::JavaScript);
    let begin = all.clone().position(|frame| frame.name.ends_with(waits)).expect("it waits");
    let found: Vec<&Frame> = all.skip(begin + 1).collect();
    let truth: Vec<&Site> = truth.iter().filter(|site| site.line.is_some()).collect();
    let lines = |all: Vec<String>| all.join("\n  ");
    let told = || {
        let found = found.iter().map(|frame| format!("{frame:?}")).collect();
        let truth = truth.iter().map(|site| format!("{site:?}")).collect();
        format!("{what}: found\n  {}\nbut V8 says\n  {}", lines(found), lines(truth))
    };
    assert!(found.len() >= truth.len(), "{}", told());
    for (frame, site) in found.iter().zip(&truth) {
        assert_eq!((frame.line, frame.column), (site.line, site.column), "{}", told());
        assert!(same_name(frame, site), "{}", told());
        assert!(same_file(frame, site), "{}", told());
        assert!(frame.begins.is_some_and(|line| Some(line) <= frame.line), "{}", told());
    }
}

/// V8's own `getFunctionName` doesn't tell the class of a method, and calls eval'd code `eval`.
fn same_name(frame: &Frame, site: &Site) -> bool {
    let name = frame.name.as_str();
    let method = name.rsplit('.').next().unwrap_or_default();
    match site.name.as_str() {
        "" | "eval" => matches!(name, "" | "(top level)") || name.contains('.'),
        // A name that was computed is in the function alone, not in what its closures share.
        computed if computed.starts_with('[') => true,
        known => name == known || method == known,
    }
}

fn same_file(frame: &Frame, site: &Site) -> bool {
    let found = frame.file.as_deref().unwrap_or_default();
    match site.file.as_deref() {
        Some(file) => found == file.strip_prefix("file://").unwrap_or(file),
        None => found.starts_with("eval at "),
    }
}

fn check_all(nodes: &[Node], script_name: &str, cases: &[&str]) {
    let _alone = alone();
    for node in nodes {
        for case in cases {
            let script = script_path(script_name);
            let script = script.to_str().expect("a path that is text");
            let mut target = Waiting::start(node, &[script, case]);
            let truth = target.truth();
            let frames = target.frames("wait");
            check(&format!("Node {}, {case}", node.version), &frames, &truth, "wait");
        }
    }
}

#[test]
fn functions_of_every_kind_are_named() {
    let kinds = [
        "plain",
        "arrow",
        "afterAwait",
        "class",
        "constructs",
        "static",
        "private",
        "getter",
        "field",
        "method",
        "assigned",
        "generator",
        "asyncGenerator",
    ];
    check_all(&both_ends("functions_of_every_kind_are_named"), "waits.cjs", &kinds);
}

#[test]
fn code_that_is_made_while_it_runs_is_told_with_its_origin() {
    let kinds = ["eval", "indirect", "newFunction", "vm"];
    check_all(&both_ends("code_that_is_made_while_it_runs"), "waits.cjs", &kinds);
}

#[test]
fn what_v8_calls_is_named() {
    let kinds =
        ["timer", "tick", "sort", "replace", "revive", "bound", "proxy", "reflect", "ünïcode"];
    check_all(&both_ends("what_v8_calls_is_named"), "waits.cjs", &kinds);
}

#[test]
fn modules_are_named() {
    check_all(&every("modules_are_named"), "waits.mjs", &["esm", "later", "top", "awaited"]);
}

#[test]
fn workers_are_named() {
    check_all(&both_ends("workers_are_named"), "waits.cjs", &["worker"]);
}

#[test]
fn a_function_that_waits_for_a_file_is_named() {
    let _alone = alone();
    let test = "a_function_that_waits_for_a_file_is_named";
    let folder = std::env::temp_dir().join(format!("loopscope-v8-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let fifo = folder.join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().expect("mkfifo runs");
    assert!(made.success());
    for node in every(test) {
        let script = script_path("waits.cjs");
        let path = |path: &Path| path.to_str().expect("a path that is text").to_owned();
        let arguments = [&path(&script), "open", &path(&fifo)];
        let mut target = Waiting::start(&node, &arguments);
        let truth = target.truth();
        let frames = target.frames("openSync");
        let opened = frames.iter().position(|frame| frame.name.ends_with("openSync"));
        let frames = &frames[opened.expect("it was found")..];
        check(&format!("Node {}", node.version), frames, &truth, "open");
    }
    std::fs::remove_dir_all(folder).expect("it can be removed");
}

#[test]
fn functions_compiled_for_speed_are_named() {
    check_all(&every("functions_compiled_for_speed"), "optimised.cjs", &["hot", "inlined"]);
}

/// Whether these functions follow one another, innermost first, on lines from `first` to `last`.
fn runs_in(frames: &[Frame], names: &[&str], (first, last): (u32, u32)) -> bool {
    let scripts = frames.iter().filter(|frame| frame.kind == Kind::JavaScript);
    let found: Vec<&Frame> = scripts.take(names.len()).collect();
    let same = found.iter().zip(names).all(|(frame, name)| frame.name == **name);
    let line = found.first().and_then(|frame| frame.line);
    same && found.len() == names.len() && line.is_some_and(|line| (first..=last).contains(&line))
}

#[test]
fn what_computes_is_named_however_it_was_compiled() {
    let _alone = alone();
    let cases: [(&str, &[&str], (u32, u32)); 5] = [
        ("inlined", &["inner", "middle", "outer", "inlined"], (7, 12)),
        ("parses", &["parses"], (35, 37)),
        ("matches", &["matches"], (41, 43)),
        ("derives", &["pbkdf2Sync", "derives"], (1, u32::MAX)),
        ("sorts", &["byText", "sorts"], (55, 57)),
    ];
    for node in both_ends("what_computes_is_named_however_it_was_compiled") {
        for (case, names, lines) in cases {
            let script = script_path("spins.cjs");
            let script = script.to_str().expect("a path that is text");
            let target = Waiting::start(&node, &[script, case]);
            // Compilers work beside.
            std::thread::sleep(std::time::Duration::from_millis(700));
            let samples = target.samples(20);
            let right = samples.iter().filter(|frames| runs_in(frames, names, lines)).count();
            let wrong = samples.iter().find(|frames| !runs_in(frames, names, lines));
            // While the comparison runs, or an array is copied, it is another function.
            let enough = if case == "sorts" { 5 } else { 15 };
            assert!(right >= enough, "Node {}, {case}: {right} of 20; {wrong:#?}", node.version);
        }
    }
}
