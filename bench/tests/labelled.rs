//! The labelled suite in its quick form: some programs of each kind on the newest Node.js and on
//! the embedded loop.
//!
//! Where rights, `loopscope` or Node.js are missing it says `SKIPPED` with the reason. With
//! `LOOPSCOPE_REQUIRE_SERVERS=1` it fails instead.

#![cfg(target_os = "linux")]

use std::fs;
use std::process::Command;

use serde_json::Value;

/// The command's exit code where it can't be run here.
const UNABLE: i32 = 4;

/// What must be right, of what the command judges.
const HELD: [&str; 6] = ["verdict", "stalls", "duration", "function", "ledger", "drain"];

#[test]
fn what_is_told_of_some_programs_is_what_they_say_of_themselves() {
    let name = format!("loopscope-labelled-{}.json", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut command = Command::new(env!("CARGO_BIN_EXE_labelled"));
    let output = command.args(["--quick", "--json"]).arg(&path).output().unwrap();
    let says = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(UNABLE) {
        let required = std::env::var_os("LOOPSCOPE_REQUIRE_SERVERS").is_some_and(|on| on == "1");
        assert!(!required, "{says}");
        println!("SKIPPED: labelled suite: {}", says.trim());
        return;
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}: {says}"));
    fs::remove_file(&path).unwrap();
    let told: Value = serde_json::from_str(&text).unwrap();
    for name in HELD {
        let criterion = &told["criteria"][name];
        assert_eq!(criterion["missed"], 0, "{name}: {printed}");
    }
    for skipped in printed.lines().filter(|line| line.starts_with("SKIPPED: ")) {
        println!("{skipped}");
    }
    assert_eq!(told["false_verdicts"], 0, "{printed}");
    assert_eq!(told["failed"], 0, "{printed}");
    assert!(told["runs"].as_u64().unwrap() > 10, "{printed}");
}
