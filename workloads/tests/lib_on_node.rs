//! Node's API in JavaScript prints, compares and throws as Node itself does.
//!
//! Each file of `tests/lib/` loads the files of `src/script/lib/` on Node and compares them with
//! Node's own modules. Texts differ between releases, so only Node 20 is compared with; where it is
//! not on the path, the tests say so and pass.

use std::process::{Command, Output};

const COMPARED_WITH: &str = "v20.";

fn node(args: &[&str]) -> std::io::Result<Output> {
    Command::new("node").args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output()
}

/// Why nothing can be compared here, if so.
fn missing() -> Option<String> {
    let version = match node(&["--version"]) {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(error) => return Some(format!("node: {error}; install Node 20")),
    };
    let is_other = !version.starts_with(COMPARED_WITH);
    is_other.then(|| format!("node is {version}; the texts are those of Node 20"))
}

fn same_as_node(name: &str) {
    if let Some(why) = missing() {
        println!("SKIPPED: lib_on_node: {name}: {why}");
        return;
    }
    let file = format!("tests/lib/{name}.js");
    let ran = node(&["--expose-internals", "--no-warnings", &file]).unwrap();
    let out = String::from_utf8_lossy(&ran.stdout);
    print!("{out}");
    assert!(ran.status.success(), "{out}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(out.contains(" cases, 0 differ"), "{name} compared nothing:\n{out}");
}

#[test]
fn values_print_as_in_node() {
    same_as_node("inspect");
}

#[test]
fn values_compare_as_in_node() {
    same_as_node("compare");
}

#[test]
fn assertions_throw_as_in_node() {
    same_as_node("assert");
}

#[test]
fn the_console_writes_as_in_node() {
    same_as_node("console");
}

#[test]
fn the_rest_of_util_is_as_in_node() {
    same_as_node("util");
}
