//! `completions` and `man`: what shells and `man` make of them.

mod common;

use std::fs;
use std::process::Command;

use common::{folder, run};

#[test]
fn completions_are_good_for_their_shells() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&["completions", shell]);
        assert_eq!(ran.code, Some(0), "{shell}: {}", ran.stderr);
        assert!(ran.stdout.contains("stall-threshold"), "{shell}");
        assert!(!ran.stdout.contains("exec-gate --"), "{shell}: a hidden command");
    }
    let file = folder("completions").join("loopscope.bash");
    fs::write(&file, run(&["completions", "bash"]).stdout).expect("it can be written");
    let check = Command::new("bash").arg("-n").arg(&file).output().expect("bash is there");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    let ran = run(&["completions", "cmd"]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}

#[test]
fn every_command_has_a_manual_page() {
    let pages = folder("man");
    let ran = run(&["man", "--folder", pages.to_str().expect("UTF-8")]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
    let help = run(&["--help"]).stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    // A name stands behind two spaces; what goes on from the line before, behind more.
    let names = commands.filter_map(|line| line.strip_prefix("  "));
    let names: Vec<&str> = names
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(names.contains(&"attach") && names.len() > 8, "{help}");
    for name in names {
        let page = fs::read_to_string(pages.join(format!("loopscope-{name}.1")));
        let page = page.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(page.contains(".TH") && page.contains(name), "{name}");
    }
    assert!(pages.join("loopscope.1").is_file());
    assert!(!pages.join("loopscope-exec-gate.1").exists(), "it is hidden");
    assert!(run(&["man", "attach"]).stdout.contains("stall\\-threshold"));
    let ran = run(&["man", "attatch"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("`attatch`"), "{}", ran.stderr);
}
