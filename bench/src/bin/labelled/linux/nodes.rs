//! The Node.js programs that are observed.

use std::fs;
use std::path::{Path, PathBuf};

use loopscope_bench::Failure;

/// Where `.ci/node-versions` puts them.
const FETCHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/node");

/// A Node.js.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// `20.20.2`.
    pub(super) version: String,
    pub(super) program: PathBuf,
}

/// The folder where they are looked for: the given one, that which `LOOPSCOPE_NODES` names, or that
/// into which `.ci/node-versions` fetches them.
pub(super) fn folder(given: Option<&Path>) -> PathBuf {
    let named = || std::env::var_os("LOOPSCOPE_NODES").map(PathBuf::from);
    given.map(Path::to_owned).or_else(named).unwrap_or_else(|| PathBuf::from(FETCHED))
}

/// Those in a folder, oldest first.
pub(super) fn find(folder: &Path) -> Result<Vec<Node>, Failure> {
    let missing =
        |error| format!("{}: {error}; .ci/node-versions fetches Node.js there", folder.display());
    let mut nodes = Vec::new();
    for entry in fs::read_dir(folder).map_err(missing)? {
        let entry = entry?;
        let version = entry.file_name().to_string_lossy().into_owned();
        let program = entry.path().join("bin/node");
        if numbers(&version).is_some() && program.is_file() {
            nodes.push(Node { version, program });
        }
    }
    nodes.sort_by_key(|node| numbers(&node.version));
    Ok(nodes)
}

fn numbers(version: &str) -> Option<Vec<u32>> {
    let numbers: Option<Vec<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
    numbers.filter(|numbers| numbers.len() == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        assert_eq!(numbers("20.9.0"), Some(vec![20, 9, 0]));
        assert!(numbers("20.10.0") > numbers("20.9.0"));
        assert_eq!(numbers("debian"), None);
        assert_eq!(numbers("20"), None);
    }
}
