//! The dashboards, alerts and recording rules in `dashboards/`: made here, held against the list of
//! metrics, against what Grafana publishes of its format, and against what the documents say.
//!
//! `UPDATE_GOLDEN=1 cargo test -p loopscope-exporters --test dashboards` writes the JSON.

mod board;
mod boards;
mod checks;
mod configs;
mod look;
mod names;
mod panel;
mod query;
mod rules;
mod schema;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../support/mod.rs"]
mod support;

/// A path from the root of the workspace.
pub(crate) fn path(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(of)
}

/// The text of a file in `dashboards/`.
pub(crate) fn text(of: &str) -> String {
    let path = path("dashboards").join(of);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_dashboards_are_what_is_written_here() {
    for board in boards::all() {
        support::golden(&format!("../dashboards/{}", board.file), &board.text());
    }
}
