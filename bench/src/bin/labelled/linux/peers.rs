//! Other tools that watch a loop, in the same process and the same run.
//!
//! They come from the npm registry, in the exact versions of `bench/labelled/peers`, by
//! `npm ci` into `target/labelled-peers`, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use loopscope_bench::Failure;
use serde::Deserialize;

use super::cases::folder;

const INSTALLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/labelled-peers");

/// The files of which an installation is made.
const FILES: [&str; 3] = ["package.json", "package-lock.json", "preload.js"];

/// What they say of a run.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Said {
    /// Node's own, by its timer.
    pub(super) interval: Delay,
    /// Node's own, by turns of the loop, where it has that.
    pub(super) iteration: Option<Delay>,
    pub(super) prom_client: Delay,
    pub(super) opentelemetry: Delay,
    pub(super) blocked_at: Blocked,
}

/// The figures that these tools have.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Delay {
    pub(super) max_ms: f64,
    pub(super) p99_ms: f64,
}

/// The longest block, and where its callback was handed over.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Blocked {
    pub(super) max_ms: f64,
    pub(super) at: Option<String>,
}

/// Installs them where they are not, and returns the script that loads them.
pub(super) fn install() -> Result<PathBuf, Failure> {
    let (from, to) = (folder().join("peers"), Path::new(INSTALLED));
    let wanted = fs::read(from.join("package-lock.json"))?;
    let there = fs::read(to.join("package-lock.json")).is_ok_and(|found| found == wanted);
    fs::create_dir_all(to)?;
    for file in FILES {
        fs::copy(from.join(file), to.join(file))?;
    }
    if !there || !to.join("node_modules").is_dir() {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]);
        npm.current_dir(to).stdin(Stdio::null()).stdout(Stdio::null());
        let status = npm.status().map_err(|error| format!("npm does not start: {error}"))?;
        if !status.success() {
            return Err(format!("npm ci in {}: {status}", to.display()).into());
        }
    }
    Ok(fs::canonicalize(to.join("preload.js"))?)
}

impl Said {
    /// Reads what they have written.
    pub(super) fn read(path: &Path) -> Result<Said, Failure> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("the other tools have told nothing: {error}"))?;
        Ok(serde_json::from_str(&text)?)
    }
}

impl Blocked {
    /// `function (file:line)` of a line of a stack, without folders and columns.
    pub(super) fn place(&self) -> Option<String> {
        let line = self.at.as_deref()?.strip_prefix("at ")?;
        let (name, place) = line.strip_suffix(')')?.split_once(" (")?;
        let (place, _column) = place.rsplit_once(':')?;
        let file = place.rsplit('/').next()?;
        Some(format!("{name} ({file})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_stack_is_told_in_short() {
        let place = |at: &str| Blocked { max_ms: 0.0, at: Some(at.to_owned()) }.place();
        assert_eq!(place("at next (/a/b/truth.js:83:5)"), Some("next (truth.js:83)".to_owned()));
        assert_eq!(place("at /a/b/truth.js:83:5"), None);
        assert_eq!(place("x"), None);
    }
}
