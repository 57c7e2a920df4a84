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

#[test]
fn one_value_in_two_forms_is_one_section() {
    let path = folder("one_value_in_two_forms").join("gate.lock");
    let lock = path.to_str().expect("UTF-8");
    let accepted = gate(&["accept"], lock, &["sync-promises --count 1_000 --work=0.025ms"]);
    assert_eq!(accepted.code, Some(0), "{accepted:?}");
    let text = fs::read_to_string(&path).expect("it was written");
    for want in ["[sync-promises --count 1000 --work 25us (fixed)]\n", "\nparam.count = 1000\n"] {
        assert!(text.contains(want), "`{want}` not in {text}");
    }
    let again = ["sync-promises --work 25us --count 1,000"];
    assert_eq!(gate(&[], lock, &again).code, Some(0));

    // As somebody may have written it by hand.
    let by_hand = text.replace("--count 1000 ", "--count 1_000 ").replace("= 1000", "= 1_000");
    fs::write(&path, &by_hand).expect("writable");
    let passed = gate(&[], lock, &again);
    assert_eq!(passed.code, Some(0), "{passed:?}");
    assert_eq!(gate(&["accept"], lock, &again).code, Some(0));
    assert_eq!(fs::read_to_string(&path).expect("there"), text, "accept writes the one form");

    let twice = format!("{text}\n{}", by_hand.split_once("\n\n").expect("sections").1);
    fs::write(&path, twice).expect("writable");
    let refused = gate(&[], lock, &again);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("is there twice"), "{}", refused.stderr);
}

#[test]
fn a_story_is_locked_line_by_line() {
    let path = folder("a_story_is_locked").join("gate.lock");
    let lock = path.to_str().expect("UTF-8");
    assert_eq!(gate(&["accept"], lock, &["phase-order"]).code, Some(0));
    let text = fs::read_to_string(&path).expect("it was written");
    assert!(text.contains("[phase-order (story)]\n"), "{text}");
    assert!(!text.contains("(fixed)"), "{text}");
    assert!(text.contains("\nstory.007 = check: an immediate\n"), "{text}");
    fs::write(&path, text.replace("story.007 = check", "story.007 = close")).expect("writable");
    let failed = gate(&[], lock, &["phase-order"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stdout.contains("story.007"), "{}", failed.stdout);
}
