//! Runs a script on the host in a process of its own: that of the test, which runs one test alone.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use loop_core::{Clock, Loop, Options};
use loopscope_workloads::Script;

const SCRIPT: &str = "LOOPSCOPE_TEST_SCRIPT";
const ARGUMENT: &str = "LOOPSCOPE_TEST_ARGUMENT";

/// The test of this name runs the script, and nothing else, in the other process.
const CHILD: &str = "runs_the_script_of_a_test";

/// Runs the script that the environment names; without one, does nothing.
pub(crate) fn run() {
    let (Some(file), Ok(argument)) = (env::var_os(SCRIPT), env::var(ARGUMENT)) else { return };
    let script = Script { file: file.into(), arguments: vec![argument], ..Script::default() };
    let clock = Clock::real();
    let mut lp = Loop::new(Options { clock: clock.clone(), ..Options::default() }).unwrap();
    let status = script.run(&mut lp, clock).unwrap();
    std::process::exit(status);
}

/// A script of the tests.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/script").join(name)
}

/// The process that runs a script with an argument.
pub(crate) fn of(name: &str, argument: &str) -> Command {
    let mut child = Command::new(env::current_exe().unwrap());
    child
        .args(["--exact", CHILD, "--nocapture"])
        .env(SCRIPT, file(name))
        .env(ARGUMENT, argument)
        .env("UV_THREADPOOL_SIZE", "1");
    child
}

/// What a script has printed, of all that its process has.
pub(crate) fn printed(output: &str) -> &str {
    output.split_once("running 1 test\n").expect("the other process ran its test").1
}
