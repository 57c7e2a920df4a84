//! Where a gate that was run tells what came of it, as a CI system sees it.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use common::{Ran, command, finish, folder};

/// 5,000 microtasks in one drain.
const PROGRAM: &str = "for (let i = 0; i < 5000; i++) Promise.resolve().then(() => {});\n";

/// A folder with the program and a budget that it exceeds; `None` without a node.
fn job(test: &str) -> Option<PathBuf> {
    let alone = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    if !alone.is_ok_and(|status| status.success()) {
        println!("SKIPPED: {test}: there is no node; install it, or run .ci/node-versions");
        return None;
    }
    let folder = folder(test);
    fs::write(folder.join("drain.js"), PROGRAM).expect("it can be written");
    fs::write(folder.join("budget.txt"), "longest drain < 100\n").expect("it can be written");
    Some(folder)
}

/// Runs the gate in the folder, in an environment as in a job of GitHub Actions.
fn gate(folder: &PathBuf, summary: &str, options: &[&str]) -> Ran {
    let head = ["gate", "--budget", "budget.txt", "--runs", "1", "--source", "v8-trace"];
    let args = [&head, options, &["--", "node", "drain.js"]].concat();
    let mut command = command(&args);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", folder.join(summary));
    command.env("GITHUB_WORKSPACE", folder).current_dir(folder).env_remove("NODE_OPTIONS");
    finish(command.spawn().expect("the binary starts"))
}

#[test]
fn a_job_of_github_is_told_without_being_asked() {
    let Some(folder) = job("gate-github") else { return };
    fs::write(folder.join("summary.md"), "of another step\n").expect("it can be written");
    let ran = gate(&folder, "summary.md", &["--json", "gate.json", "--junit", "gate.xml"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.starts_with("✗ Regressed: longest drain < 100 is not kept: "), "{ran:?}");
    let annotations = ran.stdout.lines().filter(|line| line.starts_with("::error ")).count();
    assert_eq!(annotations, 1, "{ran:?}");
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("it is there");
    let summary = read("summary.md");
    assert!(summary.starts_with("of another step\n## ✗ Regressed: longest drain"), "{summary}");
    let json: serde_json::Value = serde_json::from_str(&read("gate.json")).expect("JSON");
    assert_eq!((&json["verdict"], &json["base"]), (&"regressed".into(), &().into()));
    assert!(json["metrics"][0]["head"][0].as_f64() >= Some(5_000.0), "{json}");
    assert!(read("gate.xml").contains("<failure message=\"longest drain &lt; 100 is not kept"));
    let ran = gate(&folder, "summary.md", &["--github=never"]);
    assert!(!ran.stdout.contains("::error"), "{ran:?}");
    assert_eq!(read("summary.md"), summary);
}

#[test]
fn json_on_standard_output_is_alone_there() {
    let Some(folder) = job("gate-github-json") else { return };
    let ran = gate(&folder, "summary.md", &["--report", "json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON and nothing else");
    assert_eq!(json["schema"], "loopscope.gate/1");
    assert!(ran.stderr.lines().any(|line| line.starts_with("::error ")), "{ran:?}");
}

#[test]
fn a_summary_that_can_not_be_written_matters_only_where_it_was_asked_for() {
    let Some(folder) = job("gate-github-nowhere") else { return };
    let ran = gate(&folder, "no/such/folder/summary.md", &["--github"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.contains("GITHUB_STEP_SUMMARY"), "{ran:?}");
    let ran = gate(&folder, "no/such/folder/summary.md", &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("GITHUB_STEP_SUMMARY"), "{ran:?}");
    assert!(ran.stdout.contains("::error "), "{ran:?}");
}
