//! Who held up the loop, for labelled scripts: each blocks in a way of its own and marks the lines
//! that may be told with `// HERE`. Those that block nobody have no culprit.

#![allow(clippy::unwrap_used)] // A test may stop at once.

use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use std::{fs, thread};

use loop_core::snapshot::{Culprit, LedgerKey, LoopSnapshot, Stall};
use loop_core::{Clock, Loop, Options, Reader};
use loopscope_workloads::Script;

mod culprits;

use culprits::{CASES, Case};

const THRESHOLD: Duration = Duration::from_millis(25);

/// JavaScript may have 4 MiB of it.
const STACK_BYTES: usize = 16 << 20;

/// How often a script may be run until it is seen as it is: the machine may be busy.
const TRIES: usize = 4;

/// Runs a file on a loop on a thread of its own. Returns its exit status.
fn start(file: PathBuf) -> (Reader, thread::JoinHandle<i32>) {
    let (sender, reader) = channel();
    let body = move || {
        let clock = Clock::real();
        let stall_threshold_ns = THRESHOLD.as_nanos() as u64;
        let options = Options { clock: clock.clone(), stall_threshold_ns, ..Options::default() };
        let mut lp = Loop::new(options).unwrap();
        sender.send(lp.reader()).unwrap();
        Script { file, ..Script::default() }.run(&mut lp, clock).unwrap()
    };
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(body).unwrap();
    (reader.recv().unwrap(), thread)
}

fn run(file: PathBuf) -> (LoopSnapshot, i32) {
    let (reader, thread) = start(file);
    let status = thread.join().unwrap();
    (reader.snapshot(), status)
}

/// A directory of this test's own with the files of a case in it; the first is to be run.
fn write(name: &str, files: &[(&str, &str)]) -> (PathBuf, PathBuf) {
    let folder = format!("loopscope-culprits-{}-{name}", std::process::id());
    let folder = std::env::temp_dir().join(folder);
    fs::create_dir_all(&folder).unwrap();
    for (file, source) in files {
        fs::write(folder.join(file), source).unwrap();
    }
    (folder.clone(), folder.join(files[0].0))
}

fn longest(seen: &LoopSnapshot) -> Option<&Stall> {
    seen.stalls.iter().max_by_key(|stall| stall.duration_ns)
}

/// What is wrong with the culprit of a case.
fn judge(case: &Case, folder: &Path, culprit: Option<&Culprit>) -> Result<(), String> {
    let Some(culprit) = culprit else { return Err("nobody is blamed".to_owned()) };
    let wrong = |what: &str| Err(format!("{what}: {culprit:?}"));
    let (file, source) = case.files[case.blamed];
    if culprit.function != case.function {
        return wrong("another function");
    }
    if Path::new(&culprit.file).canonicalize().ok() != folder.join(file).canonicalize().ok() {
        return wrong("another file");
    }
    let line = source.lines().nth(culprit.line as usize - 1).unwrap_or_default();
    if !line.contains("// HERE") {
        return wrong("another line");
    }
    let leaf = culprit.hot_leaf.as_deref().unwrap_or_default();
    if !case.leaf.is_empty() && !leaf.starts_with(case.leaf) {
        return wrong("another leaf");
    }
    match culprit.share > 0.5 && culprit.share <= 1.0 && culprit.samples > Some(0) {
        true => Ok(()),
        false => wrong("another share"),
    }
}

/// Runs a case, and again if it was not seen as it is.
fn check(case: &Case) {
    let (folder, file) = write(case.name, case.files);
    let mut complaint = String::new();
    for _ in 0..TRIES {
        let (seen, status) = run(file.clone());
        assert_eq!(status, 0, "{} has failed", case.name);
        let stall = longest(&seen);
        match judge(case, &folder, stall.and_then(|stall| stall.culprit.as_ref())) {
            Ok(()) => {
                assert!(stall.unwrap().stack.as_ref().is_some_and(|stack| !stack.is_empty()));
                fs::remove_dir_all(folder).unwrap();
                return;
            }
            Err(why) => complaint = why,
        }
    }
    panic!("{}: {complaint}", case.name);
}

#[test]
fn each_stall_has_its_function_file_and_line() {
    let complaints: Vec<String> = CASES
        .iter()
        .filter_map(|case| {
            let failed = std::panic::catch_unwind(|| check(case)).err()?;
            Some(failed.downcast_ref::<String>().cloned().unwrap_or_default())
        })
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_healthy_script_blames_nobody() {
    let source =
        "let left = 50;\nfunction tick() { if (left-- > 0) setTimeout(tick, 1); }\ntick();";
    let (folder, file) = write("healthy", &[("app.js", source)]);
    let calm = (0..TRIES).any(|_| {
        let (seen, _) = run(file.clone());
        // What others have taken the CPU for is no fault of the script's.
        seen.stalls.iter().all(|stall| stall.culprit.is_none())
    });
    assert!(calm);
    fs::remove_dir_all(folder).unwrap();
}

/// Looks at a script that never ends, until it has a culprit.
fn seen_while_running(name: &str, source: &str) -> (Culprit, Stall) {
    let (_, file) = write(name, &[("app.js", source)]);
    let (reader, thread) = start(file);
    let begun = Instant::now();
    loop {
        thread::sleep(Duration::from_millis(20));
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody is blamed while it runs");
        assert!(!thread.is_finished());
        let seen = reader.snapshot();
        let Some(stall) = longest(&seen) else { continue };
        if let Some(culprit) = stall.culprit.clone().filter(|_| stall.running) {
            return (culprit, stall.clone());
        }
    }
}

#[test]
fn an_endless_loop_is_blamed_while_it_runs() {
    let (culprit, stall) =
        seen_while_running("endless", "function spin() {\n  while (true) {}\n}\nspin();");
    assert_eq!((culprit.function.as_str(), culprit.line), ("spin", 1));
    assert!(stall.ledger_ns.get(LedgerKey::Javascript).is_some());
    assert_eq!(stall.ledger_ns.get(LedgerKey::Native), None);
}

#[test]
fn an_endless_flood_is_blamed_while_it_runs() {
    let source = "function step() {\n  Promise.resolve().then(step);\n}\nstep();";
    let (culprit, _) = seen_while_running("flood", source);
    assert_eq!((culprit.function.as_str(), culprit.line), ("step", 2));
}

#[test]
fn a_stall_lasts_as_long_as_its_script_has_measured() {
    let source = "setTimeout(function work() {\n  const begun = process.hrtime.bigint();\n\
        \x20 while (process.hrtime.bigint() - begun < 120000000n) {}\n\
        \x20 process.exitCode = Math.round(Number(process.hrtime.bigint() - begun) / 1e6);\n}, 5);";
    let (folder, file) = write("duration", &[("app.js", source)]);
    let near = (0..TRIES).any(|_| {
        let (seen, measured_ms) = run(file.clone());
        let Some(stall) = longest(&seen) else { return false };
        // One more for the rounding.
        (stall.duration_ns as f64 / 1e6 - f64::from(measured_ms)).abs() <= 1.2 + 0.5
    });
    assert!(near);
    fs::remove_dir_all(folder).unwrap();
}

/// What is awaited throws while it is resumed, and there the engine lets the host look.
#[test]
fn what_a_script_throws_survives_that_its_stack_is_taken() {
    let source = "let lost = 0;
        const given = new Error('given');
        const until = Date.now() + 1_000;
        const fail = async () => { await null; throw given; };
        const look = async () => {
          try { await fail(); } catch (error) { lost += error !== given; }
          if (Date.now() < until) look();
        };
        look();
        process.on('exit', () => { process.exitCode = Math.min(lost, 100); });";
    let (folder, file) = write("rejections", &[("rejections.js", source)]);
    let (seen, status) = run(file);
    fs::remove_dir_all(folder).unwrap();
    let culprit = longest(&seen).and_then(|stall| stall.culprit.as_ref()).unwrap();
    assert!(culprit.samples > Some(20), "{culprit:?}");
    assert_eq!(status, 0, "so many were lost");
}

#[test]
fn watched_built_ins_look_and_work_as_before() {
    let source = include_str!("culprits/built_ins.js");
    let (folder, file) = write("built-ins", &[("app.js", source)]);
    assert_eq!(run(file).1, 0);
    fs::remove_dir_all(folder).unwrap();
}

/// Makes so many objects, of which this code keeps none.
fn collections(name: &str, keep: &str) -> (u64, LoopSnapshot) {
    let source = format!(
        "function work() {{\n  for (let i = 0; i < 300000; i++) {{\n    const a = {{ i }};\n\
         \x20   {keep}\n  }}\n}}\nsetTimeout(work, 1);"
    );
    let (folder, file) = write(name, &[("app.js", &source)]);
    let (seen, status) = run(file);
    assert_eq!(status, 0);
    fs::remove_dir_all(folder).unwrap();
    (seen.gc_pause_ns().unwrap().count(), seen)
}

#[test]
fn collections_of_what_is_linked_in_circles_are_seen() {
    let (pauses, seen) = collections("circles", "a.self = a;");
    assert!(pauses > 2, "{pauses}");
    let stall = longest(&seen).unwrap();
    let gc_ns = stall.ledger_ns.get(LedgerKey::Gc).unwrap();
    let all_ns = seen.gc_pause_ns().unwrap().sum as u64;
    assert!(gc_ns > 0 && gc_ns <= all_ns, "{gc_ns} of {all_ns}");
    assert!(stall.ledger_ns.total_ns().abs_diff(stall.duration_ns) <= stall.duration_ns / 100);
    assert_eq!(collections("lines", "a.self = i;").0, 0, "what is freed at once");
}
