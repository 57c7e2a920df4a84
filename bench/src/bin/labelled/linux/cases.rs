//! What is run: the scripts of `bench/labelled`, and of `workloads/js` those with a fixed twin.

use std::fs;
use std::path::{Path, PathBuf};

use loopscope_bench::Failure;

const LABELLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/labelled");
const WORKLOADS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../workloads/js");

/// How `--quick` chooses: some of each kind.
const QUICK: [&str; 10] = [
    "stalls/json-parse",
    "stalls/pbkdf2-sync",
    "stalls/slow-read",
    "mixtures/spin-lock",
    "mixtures/spin-read-drain",
    "healthy/http-hello",
    "healthy/timers",
    "workloads/json-block",
    "workloads/sync-promises",
    "workloads/sync-promises.fixed",
];

/// How a script is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It waits for a word before it begins, so that an agent can attach.
    Waits,
    /// It begins at once. It runs on the embedded loop, too.
    AtOnce,
}

/// A script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    /// `stalls/json-parse`, `workloads/json-block.fixed`.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    /// The name server has to be the script's own.
    pub(super) needs_resolver: bool,
    /// What Node has to be started with.
    pub(super) flags: Vec<String>,
}

impl Case {
    fn of(shelf: &str, folder: &Path, path: PathBuf, kind: Kind) -> Result<Case, Failure> {
        let within = path.strip_prefix(folder)?.with_extension("");
        let name = format!("{shelf}/{}", within.display());
        let head = fs::read_to_string(&path)?;
        let needs_resolver = head.lines().any(|line| line == "// needs: resolver");
        let flags = head.lines().find_map(|line| line.strip_prefix("// node: "));
        let flags = flags.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        Ok(Case { name, path, kind, needs_resolver, flags })
    }

    /// Whether it is one of those that `--quick` runs.
    fn is_quick(&self) -> bool {
        QUICK.contains(&self.name.as_str())
    }

    /// Whether it is a stall made from what people do, as the truth table has them.
    pub(super) fn is_stall(&self) -> bool {
        self.name.starts_with("stalls/")
    }
}

/// The file that has to be the resolver's configuration where a script needs it.
pub(super) fn resolver() -> PathBuf {
    Path::new(LABELLED).join("support/resolv.conf")
}

/// What a script loads that ends behind its stall.
pub(super) fn linger() -> PathBuf {
    Path::new(LABELLED).join("support/linger.js")
}

/// The folder of what else the suite has.
pub(super) fn folder() -> &'static Path {
    Path::new(LABELLED)
}

/// Those whose name has `only` in it, in order of their names.
pub(super) fn all(only: &str, quick: bool) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for shelf in ["stalls", "mixtures", "healthy"] {
        let folder = Path::new(LABELLED).join(shelf);
        for path in scripts(&folder)? {
            cases.push(Case::of(shelf, &folder, path, Kind::Waits)?);
        }
    }
    let folder = Path::new(WORKLOADS);
    for shelf in ["", "promises"] {
        for path in scripts(&folder.join(shelf))?.into_iter().filter(|path| has_twin(path)) {
            cases.push(Case::of("workloads", folder, path, Kind::AtOnce)?);
        }
    }
    cases.retain(|case| case.name.contains(only) && (!quick || case.is_quick()));
    Ok(cases)
}

fn scripts(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "js") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn has_twin(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.ends_with(".fixed.js") || path.with_extension("fixed.js").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_are_found() {
        let cases = all("", false).unwrap();
        let count = |shelf: &str| cases.iter().filter(|case| case.name.starts_with(shelf)).count();
        assert!(count("stalls/") >= 15, "{}", count("stalls/"));
        assert!(count("mixtures/") >= 9, "{}", count("mixtures/"));
        assert!(count("healthy/") >= 20, "{}", count("healthy/"));
        let twins = cases.iter().filter(|case| case.name.ends_with(".fixed")).count();
        assert_eq!(count("workloads/"), 2 * twins, "each has its twin");
        assert!(cases.iter().any(|case| case.needs_resolver));
        assert!(cases.iter().any(|case| case.flags.len() == 2));
    }

    #[test]
    fn scripts_are_short_and_say_what_they_are() {
        for case in all("", false).unwrap().iter().filter(|case| case.kind == Kind::Waits) {
            let text = fs::read_to_string(&case.path).unwrap();
            let name = &case.name;
            assert!(text.lines().count() <= 60, "{name} is longer than 60 lines");
            assert!(text.contains("\n'use strict';\n"), "{name} is not strict");
            let says = if name.starts_with("healthy/") { "// shows: " } else { "// wrong: " };
            assert!(text.starts_with(says), "{name} does not begin with `{says}`");
            assert!(text.contains("\n// see: "), "{name} does not say what to see");
        }
    }

    #[test]
    fn what_is_quick_is_there_and_a_part_of_a_name_chooses() {
        assert_eq!(all("", true).unwrap().len(), QUICK.len());
        let names: Vec<String> =
            all("json-block", false).unwrap().into_iter().map(|case| case.name).collect();
        assert_eq!(names, ["workloads/json-block.fixed", "workloads/json-block"]);
    }
}
