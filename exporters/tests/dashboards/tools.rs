//! Programs that checks need and that may not be there.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output};

/// Where `name` is in the search path.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Tells that a test can't run here. Where all that `.ci/setup` fetches must be there, it fails.
pub(crate) fn skip(test: &str, why: &str) {
    let why = format!("{test}: {why}; run .ci/setup");
    let required = env::var_os("LOOPSCOPE_REQUIRE_SERVERS").is_some_and(|value| value == "1");
    assert!(!required, "{why}");
    println!("SKIPPED: {why}");
}

/// Debian's `promtool`; `None` after telling that `test` is skipped.
pub(crate) fn promtool(test: &str) -> Option<Command> {
    let found = find("promtool").map(Command::new);
    if found.is_none() {
        skip(test, "`promtool` is missing");
    }
    found
}

/// Everything that a program has printed.
pub(crate) fn printed(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
