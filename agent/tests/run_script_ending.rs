//! However a program that never comes back is ended, it reports, and the exit code says how.

mod common;

use std::fs;
use std::path::PathBuf;

use common::{Ran, finish, folder, get, run, serving, signal, until};
use serde_json::Value;

/// Every kind of loop that never lets the event loop turn, and what is seen of it.
const ENDLESS: [(&str, &str, &str); 3] = [
    ("loop", "while (true);", "cpu-bound-callback"),
    ("ticks", "(function f() { process.nextTick(f); })();", "next-tick-starvation"),
    ("jobs", "(function f() { Promise.resolve().then(f); })();", "microtask-flood"),
];

fn program(test: &str, name: &str, source: &str) -> PathBuf {
    let path = folder(&format!("script-{test}-{name}")).join(format!("{name}.js"));
    fs::write(&path, format!("console.log('began');\n{source}")).expect("it can be written");
    path
}

fn assert_caught_in_the_act(ran: &Ran, diagnosis: &str) {
    assert_eq!(ran.stdout, "began\n", "{ran:?}");
    let report: Value =
        serde_json::from_str(&ran.stderr).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    assert!(report["script"]["status"].is_null(), "it has not ended by itself");
    assert_eq!(report["diagnoses"][0]["id"], diagnosis);
    let stalls = report["loops"][0]["stalls"].as_array().expect("a list");
    assert_eq!(stalls.last().expect("a stall")["running"], true);
}

#[test]
fn a_timeout_still_reports() {
    for (name, source, diagnosis) in ENDLESS {
        let path = program("timeout", name, source);
        let path = path.to_str().expect("UTF-8");
        let ran = run(&["run", path, "--timeout", "1s", "--report", "json"]);
        assert_eq!(ran.code, Some(124), "{name}");
        assert_caught_in_the_act(&ran, diagnosis);
    }
}

#[test]
fn ctrl_c_still_reports() {
    for (name, source, diagnosis) in ENDLESS {
        let path = program("signal", name, source);
        let path = path.to_str().expect("UTF-8");
        let (mut child, address, stderr) =
            serving(&["run", path, "--report", "json", "--listen", ":0"]);
        // It is seen from outside while it runs.
        until("the turn", || get(address, "/").1.contains("in a turn for"));
        std::thread::sleep(std::time::Duration::from_millis(300));
        child.stderr = Some(stderr.into_inner());
        signal(&child, "INT");
        let ran = finish(child);
        assert_eq!(ran.code, Some(130), "{name}");
        assert_caught_in_the_act(&ran, diagnosis);
    }
}

#[test]
fn a_program_that_waits_for_nothing_is_cut_short() {
    let path = program("waits", "interval", "setInterval(() => {}, 10);");
    let ran = run(&["run", path.to_str().expect("UTF-8"), "--timeout", "300ms"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(124), "began\n"));
    assert!(ran.stderr.contains("interval.js, cut short"), "{}", ran.stderr);
}
