//! `run --lambda` as a user runs it: what the handler prints is on standard output, what became of
//! each invocation is in the report, and what one has left is told with its line.

mod common;

use std::fs;

use common::{Ran, folder, run};
use serde_json::Value;

/// Runs a handler's file with further options and no report.
fn handler(name: &str, source: &str, options: &[&str]) -> Ran {
    let path = folder("lambda").join(name);
    fs::write(&path, source).expect("the program can be written");
    let path = path.to_str().expect("a path in UTF-8");
    run(&[&["run", path, "--lambda", "--report", "none", "--gap", "10ms"], options].concat())
}

/// Runs the seed, its timer of 50 ms due in the gap.
fn seed(options: &[&str]) -> Ran {
    let args = ["run", "seeds/lambda-timeout", "--lambda", "--gap", "200ms", "--report", "json"];
    run(&[&args[..], options, &["--", "--ms=50"]].concat())
}

fn report(ran: &Ran) -> Value {
    let json = ran.stderr.lines().filter(|line| !line.starts_with("loopscope: "));
    let json = json.collect::<Vec<_>>().join("\n");
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

#[test]
fn the_timer_of_the_first_invocation_fires_in_the_second() {
    let ran = seed(&[]);
    let once = "main start\ntimeout start\nmain end\n";
    let fired = "timeout cb fired after 50 ms\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), &*format!("{once}{fired}{once}")));
    for number in [1, 2] {
        let warning =
            format!("invocation {number} has left a setTimeout of 50 ms pending, made by ");
        let line = ran.stderr.lines().find(|line| line.contains(&warning));
        let line = line.unwrap_or_else(|| panic!("{}", ran.stderr));
        assert!(line.contains("seeds/lambda-timeout.js:22:5"), "{line}");
    }
    let report = report(&ran);
    let invocations = report["script"]["invocations"].as_array().expect("a list");
    assert_eq!(invocations.len(), 2);
    assert_eq!(invocations[0]["pending"][0]["what"], "setTimeout of 50 ms");
    assert_eq!(report["diagnoses"][0]["id"], "frozen", "{}", report["diagnoses"]);
}

#[test]
fn its_fix_leaves_nothing_and_tells_nothing() {
    let ran = seed(&["--fixed", "--invoke", "3"]);
    let once = "main start\ntimeout start\ntimeout cb fired after 50 ms\nmain end\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), once.repeat(3).as_str()));
    assert!(!ran.stderr.contains("pending,"), "{}", ran.stderr);
    let report = report(&ran);
    let pending = |index: usize| report["script"]["invocations"][index]["pending"].clone();
    assert!([0, 1, 2].iter().all(|&index| pending(index) == Value::from(Vec::<Value>::new())));
}

#[test]
fn the_report_for_people_says_what_is_left_and_what_to_do() {
    let args = ["run", "seeds/lambda-timeout", "--lambda", "--gap", "1ms", "--", "--ms=9000"];
    let ran = run(&args);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for part in [
        "Invocations",
        "pending: setTimeout of 9000 ms, made by",
        "in invocation 1",
        "await what is pending before the handler returns",
    ] {
        assert!(ran.stderr.contains(part), "no `{part}` in {}", ran.stderr);
    }
}

#[test]
fn the_exit_status_is_that_of_the_invocations() {
    let check = |name: &str, source: &str, code: i32, out: &str| {
        let ran = handler(name, source, &["--event", r#"{"id": 7}"#]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), out), "{name}: {ran:?}");
    };
    let prints = "exports.handler = async ({ id }) => console.log(id);";
    check("good.js", prints, 0, "7\n7\n");
    check("good.mjs", "export const handler = async ({ id }) => console.log(id);", 0, "7\n7\n");
    check("throws.js", "exports.handler = () => { throw new Error('x'); };", 1, "");
    check("rejects.mjs", "export const handler = async () => { throw new Error('x'); };", 1, "");
    check("silent.js", "exports.handler = () => console.log('a');", 1, "a\na\n");
    check("none.js", "console.log('loaded');", 1, "loaded\n");
    check("exits.js", "exports.handler = () => process.exit(9);", 9, "");
    check("broken.js", "throw new Error('x');", 1, "");
}

#[test]
fn an_endless_handler_ends_with_the_timeout() {
    let ran = handler(
        "endless.js",
        "exports.handler = () => { while (true); };",
        &["--timeout", "300ms"],
    );
    assert_eq!(ran.code, Some(124), "{ran:?}");
}

#[test]
fn a_wrong_event_is_refused() {
    let ran = handler("good.js", "exports.handler = () => {};", &["--event", "{id: 7}"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("is no JSON"), "{}", ran.stderr);
}
