//! Bad input: one clear line with the cure, the right exit code, and nothing on standard output.

mod common;

use std::net::TcpListener;

use common::{command, finish, folder, run};

fn check(args: &[&str], code: i32, wants: &[&str]) {
    let ran = run(args);
    assert_eq!(ran.code, Some(code), "{args:?}: {ran:?}");
    assert_eq!(ran.stdout, "", "{args:?}");
    one_line(&ran.stderr, wants);
}

fn one_line(stderr: &str, wants: &[&str]) {
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("loopscope: "), "{stderr}");
    for want in wants {
        assert!(stderr.contains(want), "`{want}` not in {stderr}");
    }
}

#[test]
fn bad_input_gets_one_line_and_exit_code_2() {
    check(&[], 2, &["no command", "loopscope workloads"]);
    check(&["rum"], 2, &["`rum`", "`run`"]);
    check(&["run", "sync-promise"], 2, &["sync-promise", "sync-promises"]);
    check(&["run", "sync-promises", "--count", "many"], 2, &["--count", "`many`"]);
    check(&["run", "sync-promises", "--count=-1"], 2, &["--count", "`-1`"]);
    check(&["run", "sync-promises", "--work", "5"], 2, &["--work", "`5`", "25us"]);
    check(&["run", "sync-promises", "--wrok", "5us"], 2, &["--wrok", "--work", "--count"]);
    check(&["run", "lambda-freeze", "--gap", "5"], 2, &["--gap", "`5`"]);
    check(&["run", "--report", "xml", "sync-promises"], 2, &["`xml`", "--report", "json"]);
    check(&["run", "sync-promises", "--timeout", "1 week"], 2, &["--timeout", "`1 week`", "2m"]);
    check(&["exec", "--timeout", "0s", "--", "true"], 2, &["`0s`", "`--timeout`", "above 0"]);
    check(&["run", "sync-promises", "--listen", "9797"], 2, &["--listen", ":9797"]);
    check(&["diagnoses", "flood"], 2, &["`flood`", "`microtask-flood`", "lists them all"]);
    check(&["diagnoses", "x"], 2, &["`x`; `loopscope diagnoses`"]);
    check(&["run", "a\nb\u{1b}[2J"], 2, &["a\\nb\\u{1b}[2J"]);
}

#[test]
fn a_truth_that_does_not_hold_is_told_whatever_the_report() {
    let args = ["run", "sync-promises", "--count", "9", "--work", "20ms", "--clock", "virtual"];
    let wrong = ["--report", "none", "--stall-threshold", "1h"];
    let ran = run(&[&args[..], &wrong].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
    let told = ["sync-promises did not show what it must", "diagnosis is healthy and must be"];
    assert!(told.iter().all(|part| ran.stderr.contains(part)), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let right = run(&[&args[..], &["--report", "none"]].concat());
    assert_eq!((right.code, right.stderr.as_str()), (Some(0), ""));
}

#[test]
fn options_and_parameters_come_in_any_order() {
    let args = ["run", "--work=0", "--report", "none", "sync-promises", "--fixed", "--count", "9"];
    let ran = run(&args);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
}

#[test]
fn every_diagnosis_has_its_page_in_the_program() {
    let list = run(&["diagnoses"]);
    assert_eq!((list.code, list.stderr.as_str()), (Some(0), ""));
    let rows = list.stdout.lines().take_while(|line| !line.is_empty());
    let names: Vec<_> = rows.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names.len(), 12, "{}", list.stdout);
    for name in names {
        let page = run(&["diagnoses", name]);
        assert_eq!(page.code, Some(0), "{name}");
        assert!(page.stdout.starts_with(&format!("# {name}\n")), "{name}");
    }
}

#[test]
fn a_variable_stands_for_an_option_and_the_option_wins() {
    let quick = ["run", "sync-promises", "--count", "9", "--work", "0"];
    let json = command(&quick).env("LOOPSCOPE_REPORT", "json").spawn().expect("starts");
    assert!(finish(json).stdout.starts_with('{'));
    let args = [&quick[..], &["--report", "none"]].concat();
    let none = command(&args).env("LOOPSCOPE_REPORT", "json").spawn().expect("starts");
    assert_eq!(finish(none).stdout, "");
    let mut unset = command(&[&quick[..], &["--report", "none"]].concat());
    unset.env("LOOPSCOPE_TIMEOUT", "").env("LOOPSCOPE_LISTEN", "").env("LOOPSCOPE_FIXED", "");
    assert_eq!(finish(unset.spawn().expect("starts")).code, Some(0));
    let fixed = command(&quick).env("LOOPSCOPE_FIXED", "1").spawn().expect("starts");
    assert_eq!(finish(fixed).code, Some(0));
}

#[test]
fn a_bad_variable_is_named() {
    let quick = ["run", "sync-promises", "--count", "9", "--work", "0"];
    let bad = |args: &[&str], name: &str, value: &str| {
        let ran = finish(command(args).env(name, value).spawn().expect("starts"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        ran.stderr
    };
    for (name, value) in [
        ("LOOPSCOPE_REPEAT", "0"),
        ("LOOPSCOPE_REPORT", "xml"),
        ("LOOPSCOPE_STALL_THRESHOLD", "soon"),
        ("LOOPSCOPE_FIXED", "maybe"),
        ("LOOPSCOPE_TIMEOUT", "0s"),
    ] {
        let told = bad(&quick, name, value);
        one_line(&told, &[&format!("`{value}`"), &format!("`{name}`")]);
        assert!(!told.contains("--"), "{told}");
    }
    one_line(&bad(&quick, "LOOPSCOPE_FIXED", "maybe"), &["write 1 for yes or 0 for no"]);
    one_line(&bad(&["attach", "1"], "LOOPSCOPE_DURATION", "x"), &["`x`", "`LOOPSCOPE_DURATION`"]);
    one_line(&bad(&["attach", "1"], "LOOPSCOPE_CHILDREN", "maybe"), &["`LOOPSCOPE_CHILDREN`"]);
    let option = [&quick[..], &["--repeat=0"]].concat();
    one_line(&bad(&option, "LOOPSCOPE_REPEAT", "0"), &["`0`", "`--repeat`"]);
}

#[test]
fn a_taken_port_is_told_before_the_run() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it is bound").to_string();
    check(&["run", "sync-promises", "--listen", &address], 2, &[&address, "taken", "--listen"]);
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_the_run() {
    let args = ["run", "sync-promises", "--work", "1h", "--output", "/no/such/folder/report"];
    check(&args, 2, &["/no/such/folder/report", "--output"]);
}

#[test]
fn an_endpoint_that_cannot_work_is_told_before_the_run() {
    let args = ["run", "sync-promises", "--work", "1h"];
    let mut pushing = command(&args);
    pushing.env("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318");
    let ran = finish(pushing.spawn().expect("starts"));
    assert_eq!(ran.code, Some(2));
    one_line(&ran.stderr, &["OTEL_EXPORTER_OTLP_ENDPOINT", "https", "http://localhost:4318"]);
}

#[test]
fn a_report_goes_to_its_file_whole() {
    let path = folder("a_report_goes_to_its_file_whole").join("report.json");
    std::fs::write(&path, "x".repeat(1 << 20)).expect("can be written");
    let file = path.to_str().expect("UTF-8");
    let quick = ["run", "sync-promises", "--count", "9", "--work", "0", "--report", "json"];
    let ran = run(&[&quick[..], &["--output", file]].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
    let text = std::fs::read_to_string(&path).expect("is there");
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
}

#[test]
fn help_teaches_and_knows_the_parameters() {
    let help = run(&["--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.stdout.contains("Examples:") && help.stdout.contains("Exit codes:"));
    let help = run(&["run", "sync-promises", "--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.stdout.contains("--work") && help.stdout.contains("[default: 25us]"));
    assert!(!help.stdout.contains('\x1b'), "no colour in a pipe");
}

#[test]
fn workloads_are_listed_for_people_and_programs() {
    let text = run(&["workloads"]);
    assert_eq!(text.code, Some(0));
    let json = run(&["workloads", "--report", "json"]);
    let list: serde_json::Value = serde_json::from_str(&json.stdout).expect("is JSON");
    assert_eq!(list["schema"], "loopscope.workloads/1");
    for workload in list["workloads"].as_array().expect("a list") {
        let name = workload["name"].as_str().expect("a name");
        assert!(text.stdout.contains(&format!("{name}: ")), "{name}");
        assert!(workload["params"].is_array() && workload["virtual_clock"].is_boolean(), "{name}");
    }
}
