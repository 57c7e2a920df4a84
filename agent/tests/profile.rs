//! `--profile` and `--html`: what scripts were sampled in, in each format and on the page.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::{folder, run};
use serde_json::Value;

/// A program that is stuck in one function for long.
fn program(test: &str) -> PathBuf {
    let path = folder(&format!("profile-{test}")).join("app.js");
    let source = "function crunch() {\n  const end = Date.now() + 200;\n  \
                  while (Date.now() < end) JSON.stringify([1]);\n}\n\
                  function handle() {\n  crunch();\n}\nsetTimeout(handle, 1);\n";
    fs::write(&path, source).expect("the program can be written");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("the profile is there");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_script_is_profiled_in_each_format() {
    let app = program("formats");
    let profiled = |end: &str| {
        let file = app.with_file_name(format!("out{end}"));
        let args = ["run", text(&app), "--report", "none", "--profile", text(&file)];
        let ran = run(&args);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""));
        assert!(ran.stderr.contains("samples of stalls"), "{}", ran.stderr);
        file
    };
    let stacks = fs::read_to_string(profiled(".collapsed")).expect("the profile is there");
    let of_handle = stacks.lines().find(|line| line.contains("handle (")).expect("handle");
    let (handle, crunch) = (of_handle.find("handle ("), of_handle.find("crunch ("));
    assert!(handle < crunch, "callers stand first: {of_handle}");

    let profile = json(&profiled(".cpuprofile"));
    let nodes = profile["nodes"].as_array().expect("nodes");
    let crunch = nodes.iter().find(|node| node["callFrame"]["functionName"] == "crunch");
    let url = crunch.expect("crunch")["callFrame"]["url"].as_str().expect("a URL");
    assert!(url.starts_with("file:///") && url.ends_with("/app.js"), "{url}");

    let trace = json(&profiled(".trace.json"));
    let events = trace["traceEvents"].as_array().expect("events");
    let kinds: BTreeSet<&str> = events.iter().filter_map(|event| event["cat"].as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["sample", "stall"]));
    let stall = events.iter().find(|event| event["cat"] == "stall").expect("the stall");
    assert!(stall["args"]["ledger_ns"]["javascript"].as_u64() > Some(0), "{stall}");
    let sampled = events.iter().find(|event| event["name"] == "crunch").expect("crunch");
    let end = |event: &Value| event["ts"].as_f64().zip(event["dur"].as_f64()).map(|(a, b)| a + b);
    assert!(end(sampled) <= end(stall), "a sample lies in its stall: {sampled} {stall}");
}

#[test]
fn the_page_has_the_stall_its_samples_and_its_verdict() {
    let app = program("page");
    let file = app.with_file_name("out.html");
    let args = ["run", text(&app), "--report", "none", "--html", text(&file)];
    let ran = run(&args);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
    let page = fs::read_to_string(&file).expect("the page is there");
    // Which one it is the machine decides: it may be another program that has the CPU.
    assert!(page.contains("<details class=\"diagnosis\" open>"), "no verdict");
    let data = page.split("id=\"data\">").nth(1).and_then(|rest| rest.split("</script>").next());
    let data: Value = serde_json::from_str(data.expect("it has data")).expect("JSON");
    assert_eq!((&data["begin_is_known"], &data["clock"]), (&true.into(), &"real".into()));
    assert_eq!(data["stall_threshold_ns"], 50_000_000);
    let names = data["frames"].as_array().expect("frames").iter().map(|frame| &frame[0]);
    assert!(
        names.clone().any(|name| name == "crunch") && names.clone().any(|name| name == "handle")
    );
    let stall = &data["loops"][0]["stalls"][0];
    assert_eq!(stall["culprit"]["function"], "crunch");
    assert!(stall["flame"]["nodes"][0][2].as_u64() > Some(0), "{stall}");
    assert!(stall["samples"].as_u64() > Some(0), "{stall}");

    let args = ["run", text(&app), "--redact", "--report", "none", "--html", text(&file)];
    assert_eq!(run(&args).code, Some(0));
    let page = fs::read_to_string(&file).expect("the page is there");
    let names = ["crunch", "handle", "app.js", "profile-page"];
    assert!(!names.iter().any(|name| page.contains(name)), "a name is told");
    let ran = run(&["run", text(&app), "--html", "/nowhere/page.html"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("choose another --html"), "{}", ran.stderr);
}

#[test]
fn no_name_is_in_a_profile_without_names() {
    let app = program("redacted");
    for end in [".collapsed", ".cpuprofile", ".trace.json"] {
        let file = app.with_file_name(format!("out{end}"));
        let args = ["run", text(&app), "--redact", "--report", "none", "--profile", text(&file)];
        assert_eq!(run(&args).code, Some(0));
        let told = fs::read_to_string(&file).expect("the profile is there");
        let names = ["crunch", "handle", "app.js", "profile-redacted"];
        assert!(!names.iter().any(|name| told.contains(name)), "{end}: {told}");
        assert!(told.contains("function-") && told.contains("file-"), "{end}: {told}");
    }
}

#[test]
fn what_has_no_samples_says_so_and_what_cant_be_written_is_told_first() {
    let app = program("none");
    let file = app.with_file_name("none.cpuprofile");
    let ran = run(&["run", "phase-order", "--report", "none", "--profile", text(&file)]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.stderr.contains("no sample was taken of any stall"), "{}", ran.stderr);
    assert_eq!(json(&file)["samples"], Value::from(Vec::<u64>::new()));
    let wrong = [
        ("/tmp/out.svg", "names no format of a profile; end it with one of .cpuprofile"),
        ("/nowhere/out.folded", "can't be written"),
    ];
    for (path, why) in wrong {
        let ran = run(&["run", text(&app), "--profile", path]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{path}");
        assert!(ran.stderr.contains(why) && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    }
}
