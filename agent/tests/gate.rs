//! The gate's exact tier: accept, compare, fail with a readable diff.

mod common;

use std::fs;

use common::{folder, run};

const NAMES: [&str; 2] = ["sync-promises --count 600", "next-tick-recursion --count 1000"];

fn gate(action: &[&str], lock: &str, names: &[&str]) -> common::Ran {
    run(&[&["gate"], action, &["--lock", lock, "--"], names].concat())
}

#[test]
fn what_was_accepted_passes_and_what_differs_fails() {
    let path = folder("what_was_accepted_passes").join("gate.lock");
    let lock = path.to_str().expect("UTF-8");
    let accepted = gate(&["accept"], lock, &NAMES);
    assert_eq!(accepted.code, Some(0), "{accepted:?}");
    let text = fs::read_to_string(&path).expect("it was written");
    assert!(text.contains("[sync-promises --count 600 (pathology)]\n"), "{text}");
    assert!(text.contains("\ndrains.microtask = 1 x 1200\n"), "{text}");

    let passed = gate(&[], lock, &NAMES);
    assert_eq!((passed.code, passed.stderr.as_str()), (Some(0), ""), "{passed:?}");

    fs::write(&path, text.replace("microtasks = 1200", "microtasks = 1000")).expect("writable");
    let failed = gate(&[], lock, &NAMES);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    for want in ["FAIL  sync-promises", "1000", "1200", "x1.200", "gate accept --lock"] {
        assert!(failed.stdout.contains(want), "`{want}` not in {}", failed.stdout);
    }
    assert!(failed.stdout.contains("ok    next-tick-recursion"), "{}", failed.stdout);

    let again = gate(&["accept"], lock, &NAMES[..1]);
    assert_eq!(again.code, Some(0));
    assert!(again.stdout.contains("x1.200"), "accept tells what changed: {}", again.stdout);
    assert_eq!(fs::read_to_string(&path).expect("there"), text, "other sections stay");
}

#[test]
fn a_section_that_is_missing_fails_with_the_command_to_run() {
    let path = folder("a_section_that_is_missing").join("gate.lock");
    let lock = path.to_str().expect("UTF-8");
    assert_eq!(gate(&["accept"], lock, &NAMES[..1]).code, Some(0));
    let failed = gate(&[], lock, &NAMES);
    assert_eq!(failed.code, Some(1));
    let command = format!("loopscope gate accept --lock {lock} -- '{}' '{}'", NAMES[0], NAMES[1]);
    assert!(failed.stdout.contains(&command), "{}", failed.stdout);
}

#[test]
fn bad_locks_and_names_are_told_in_one_line() {
    let path = folder("bad_locks_and_names").join("gate.lock");
    let lock = path.to_str().expect("UTF-8");
    let check = |ran: common::Ran, wants: &[&str]| {
        assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1), "{ran:?}");
        for want in wants {
            assert!(ran.stderr.contains(want), "`{want}` not in {}", ran.stderr);
        }
    };
    check(gate(&[], lock, &NAMES), &["no lock", "gate accept"]);
    check(gate(&[], lock, &["sync-promise"]), &["sync-promise"]);
    check(gate(&[], lock, &["sync-promises --cuont 1"]), &["--cuont", "--count"]);
    fs::write(&path, "format = 1\n[a]\nnonsense\n").expect("writable");
    check(gate(&[], lock, &NAMES), &["line 3"]);
    check(gate(&["accept"], lock, &NAMES), &["line 3", "remove the file"]);
    assert!(fs::read_to_string(&path).expect("there").contains("nonsense"), "it is untouched");
    check(gate(&["accept"], "/no/such/folder/lock", &NAMES), &["/no/such/folder/lock"]);
    check(gate(&["accept"], "/", &NAMES), &["/"]);
}
