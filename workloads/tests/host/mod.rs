//! Runs a script on the host in a process of its own, and on the Node that is on the PATH.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

use loop_core::{Clock, Loop, Options};
use loopscope_workloads::Script;

const COMPARED_WITH: &str = "v20.";
const SCRIPT: &str = "LOOPSCOPE_TEST_SCRIPT";
const FOLDER: &str = "LOOPSCOPE_TEST_FOLDER";

/// The test of this name runs the script, and nothing else, in the other process.
pub(crate) const CHILD: &str = "runs_the_script_of_a_test";

/// Runs the script that the environment names; without one, does nothing.
pub(crate) fn run_as_child() {
    let (Some(file), Some(folder)) = (env::var_os(SCRIPT), env::var(FOLDER).ok()) else { return };
    let script = Script { file: file.into(), arguments: vec![folder], ..Script::default() };
    let clock = Clock::real();
    let mut lp = Loop::new(Options { clock: clock.clone(), ..Options::default() }).unwrap();
    let status = script.run(&mut lp, clock).unwrap();
    std::process::exit(status);
}

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

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/script").join(name)
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
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", CHILD, "--nocapture"])
        .env(SCRIPT, file(name))
        .env(FOLDER, &folder.0)
        .env("UV_THREADPOOL_SIZE", "1")
        .output()
        .unwrap();
    let text = printed(&output, &folder);
    text.split_once("running 1 test\n").expect("the other process ran its test").1.to_owned()
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
        .arg(file(name))
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
