//! Runs scripts on the Node that is on the PATH, and reads what V8 itself counted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use loopscope_workloads::KnownScript;
use serde_json::Value;

/// Ten times as long as the longest script takes.
const HANGS: Duration = Duration::from_secs(60);

/// The oldest major version that the scripts are written for.
const OLDEST: u32 = 20;

/// What a run left.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// How long its thread waited for a CPU, in milliseconds; 0 where the system does not tell.
    pub(crate) starved_ms: f64,
    /// The jobs in the longest microtask drain, by V8's own trace.
    pub(crate) longest_drain: u64,
}

/// The major version of the Node on the PATH; `None`, and a line that says so, where there is none
/// or it is too old.
pub(crate) fn version() -> Option<u32> {
    static MAJOR: OnceLock<Option<u32>> = OnceLock::new();
    let major = MAJOR.get_or_init(|| {
        let output = Command::new("node").arg("--version").output().ok()?;
        let version = String::from_utf8(output.stdout).ok()?;
        version.strip_prefix('v')?.split('.').next()?.parse().ok()
    });
    let found = major.filter(|major| *major >= OLDEST);
    if found.is_none() {
        println!("skipped: there is no node of version {OLDEST} or newer on the PATH");
    }
    found
}

/// The folder of the scripts.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("js")
}

/// Runs a script under V8's trace.
pub(crate) fn run(script: &KnownScript, args: &[&str]) -> Outcome {
    let own = script.path.replace('/', "-");
    let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join(own);
    let place = |extension: &str| base.with_extension(extension);
    let trace = place("trace.json");
    let open = |path: PathBuf| fs::File::create(path).unwrap();
    let mut child = Command::new("node")
        .args(["--trace-event-categories", "v8.execute", "--trace-event-file-pattern"])
        .arg(&trace)
        .arg("--require")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node/starved.js"))
        .arg(folder().join(script.path))
        .args(args)
        .env_remove("NODE_OPTIONS")
        .env_remove("UV_THREADPOOL_SIZE")
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null())
        .stdout(open(place("out")))
        .stderr(open(place("err")))
        .spawn()
        .unwrap();
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > HANGS {
            child.kill().unwrap();
            panic!("{} still runs after {HANGS:?}", script.path);
        }
        thread::sleep(Duration::from_millis(5));
    };
    let stderr = fs::read_to_string(place("err")).unwrap();
    Outcome {
        status: status.code(),
        stdout: fs::read_to_string(place("out")).unwrap(),
        starved_ms: starved_ms(&stderr).unwrap_or(0.0),
        stderr,
        longest_drain: longest_drain(&fs::read_to_string(&trace).unwrap()),
    }
}

fn starved_ms(stderr: &str) -> Option<f64> {
    let line = stderr.lines().rev().find_map(|line| line.strip_prefix("waited for a CPU: "))?;
    let waited_ns: f64 = line.strip_suffix(" ns")?.parse().ok()?;
    Some(waited_ns / 1e6)
}

fn longest_drain(trace: &str) -> u64 {
    let trace: Value = serde_json::from_str(trace).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let drains = events.iter().filter(|event| event["name"] == "RunMicrotasks");
    drains.filter_map(|event| event["args"]["microtask_count"].as_u64()).max().unwrap_or(0)
}

impl Outcome {
    /// The truth that a script has printed as its last line.
    pub(crate) fn truth(&self) -> Option<Value> {
        let line: Value = serde_json::from_str(self.stdout.lines().last()?).ok()?;
        line.get("truth").cloned()
    }
}
