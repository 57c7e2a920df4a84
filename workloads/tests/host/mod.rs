//! Runs a script on the host, and on the Node that is on the PATH.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

use crate::child;

const COMPARED_WITH: &str = "v20.";
/// A folder that is gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let own =
            format!("script-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = env::temp_dir().join(own);
        fs::create_dir(&folder).unwrap();
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed is the system's to clean up.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What was printed, the folder called `FOLDER`.
fn printed(output: &Output, folder: &Folder) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    text.replace(&*folder.0.to_string_lossy(), "FOLDER")
}

/// What a script prints on the host.
pub(crate) fn on_host(name: &str) -> String {
    let folder = Folder::new();
    let output = child::of(name, &folder.0.to_string_lossy()).output().unwrap();
    child::printed(&printed(&output, &folder)).to_owned()
}

/// Asserts that a script prints the same on the host as on Node, and at least so many lines.
pub(crate) fn same_as_node(name: &str, lines: usize) {
    let ours = on_host(name);
    assert!(ours.lines().count() >= lines, "{ours}");
    let version = Command::new("node").arg("--version").output();
    let version = version.map_or_else(
        |error| error.to_string(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    if !version.starts_with(COMPARED_WITH) {
        println!("skipped: compared with Node {COMPARED_WITH}x, this is: {version}");
        return;
    }
    let folder = Folder::new();
    let output = Command::new("node")
        .arg(child::file(name))
        .arg(&folder.0)
        .env("UV_THREADPOOL_SIZE", "1")
        .env_remove("NODE_OPTIONS")
        .output()
        .unwrap();
    let theirs = printed(&output, &folder);
    for (line, (our, their)) in ours.lines().zip(theirs.lines()).enumerate() {
        assert_eq!(our, their, "{name}, line {}", line + 1);
    }
    assert_eq!(ours, theirs);
}
