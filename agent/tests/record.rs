//! `record` and `report` as a user runs them, without rights: a command, by V8's trace events.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Ran, command, finish, folder, run, signal, until};
use loopscope::recording::{self, Lost, Recording};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::Value;

/// Holds its loop up four times, in drains of so many jobs, and ends with a status of its own.
const FLOODS: &str = "let left = 4;
    (function flood() {
      const end = Date.now() + 100;
      queueMicrotask(() => { while (Date.now() < end); });
      for (let i = 0; i < 20000; i++) Promise.resolve().then(() => {}).then(() => {});
      if (--left > 0) setTimeout(flood, 50);
      else process.exitCode = 9;
    })();";

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn record(file: &Path, options: &[&str], words: &[&str]) -> Ran {
    let args = [&["record", "-o", text(file)], options, &["--"], words].concat();
    let mut command = command(&args);
    finish(command.env_remove("NODE_OPTIONS").spawn().expect("it starts"))
}

fn read(file: &Path) -> Recording {
    recording::read(file).unwrap_or_else(|error| panic!("{error}"))
}

/// One line of ours with this in it, exit code 2, and nothing on standard output.
fn assert_refused(ran: &Ran, what: &str) {
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    assert!(ran.stderr.starts_with("loopscope: ") && ran.stderr.contains(what), "{what}: {ran:?}");
}

/// The `node` of the search path; none skips the test, and says so.
fn node(test: &str) -> Option<PathBuf> {
    let alone = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    if alone.is_ok_and(|status| status.success()) {
        return Some(PathBuf::from("node"));
    }
    println!("SKIPPED: {test}: there is no node; install it");
    None
}

#[test]
fn the_report_of_a_recording_is_the_one_that_was_told() {
    let Some(node) = node("the_report_of_a_recording_is_the_one_that_was_told") else { return };
    let place = folder("record-same");
    let (file, app) = (place.join("app.loopscope"), place.join("app.js"));
    fs::write(&app, FLOODS).expect("it can be written");
    for form in ["json", "text"] {
        let ran = record(&file, &["--report", form], &[text(&node), text(&app)]);
        assert_eq!(ran.code, Some(9), "{ran:?}");
        let (report, line) = ran.stderr.split_at(ran.stderr.rfind("loopscope: ").unwrap_or(0));
        let (report, line) = match report.is_empty() {
            // What was recorded is told before the report.
            true => line.split_once('\n').map_or((line, ""), |(line, report)| (report, line)),
            false => (report, line),
        };
        assert!(line.contains("KiB; `loopscope report"), "{ran:?}");
        let again = run(&["report", text(&file), "--report", form]);
        assert_eq!((again.code, again.stderr.as_str()), (Some(0), ""), "{again:?}");
        assert!(again.stdout.contains("microtask-flood"), "{again:?}");
        assert_eq!(again.stdout, report);
    }
    let found = read(&file);
    assert_eq!(found.head.command, [text(&node), text(&app)]);
    assert!(found.head.machine.contains_key("cpus") && !found.head.redacted);
    let end = found.end.expect("it has ended");
    assert_eq!((end.exit_code, end.status, end.signal), (9, Some(9), None));
    assert_eq!(found.stalls.len() as u64, found.snapshot.events.seen);
    assert!(!found.timeline.is_empty() && !found.stalls.is_empty());
}

#[test]
fn a_recording_without_names_has_none() {
    let Some(node) = node("a_recording_without_names_has_none") else { return };
    let place = folder("record-redacted");
    let (file, app) = (place.join("app.loopscope"), place.join("hush.js"));
    fs::write(&app, FLOODS).expect("it can be written");
    let ran = record(&file, &["--redact"], &[text(&node), text(&app), "hush"]);
    assert_eq!(ran.code, Some(9), "{ran:?}");
    let found = read(&file);
    assert!(found.head.redacted && !format!("{found:?}").contains("hush"), "{found:?}");
    for form in ["text", "json"] {
        let ran = run(&["report", text(&file), "--report", form]);
        assert!(ran.stdout.contains("name-") && !ran.stdout.contains("hush"), "{ran:?}");
    }
}

#[test]
fn what_is_in_the_file_outlives_a_recorder_that_is_killed() {
    let Some(node) = node("what_is_in_the_file_outlives_a_recorder_that_is_killed") else { return };
    let place = folder("record-killed");
    let (file, app) = (place.join("app.loopscope"), place.join("app.js"));
    // Ends when its input does, which is the recorder's.
    let forever = FLOODS.replace("if (--left > 0)", "if (true)");
    let source = format!("{forever}\nprocess.stdin.resume().on('end', () => process.exit());");
    fs::write(&app, source).expect("it can be written");
    let args = ["record", "-o", text(&file), "--", text(&node), text(&app)];
    let mut recorder = Command::new(env!("CARGO_BIN_EXE_loopscope"))
        .args(args)
        .env("LOOPSCOPE_SOURCE", "v8-trace")
        .env_remove("NODE_OPTIONS")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    until("some stalls are recorded", || {
        recording::read(&file).is_ok_and(|found| found.stalls.len() >= 4)
    });
    signal(&recorder, "KILL");
    recorder.wait().expect("it can be waited for");
    let found = read(&file);
    assert_eq!((found.end.as_ref(), found.lost.damaged_blocks), (None, 0));
    let ran = run(&["report", text(&file), "--report", "json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("it goes until") && ran.stderr.lines().count() == 1, "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let stalls = found.snapshot.loops[0].stalls.len();
    assert_eq!(report["loops"][0]["stalls"].as_array().map(Vec::len), Some(stalls));
    assert!(stalls >= 4, "{report}");
    assert_eq!(report["schema"], "loopscope.report/1");
}

#[test]
fn a_command_that_is_no_node_has_its_status_and_a_recording() {
    let file = folder("record-status").join("sh.loopscope");
    for (script, code) in [("exit 3", 3), ("kill -TERM $$", 143)] {
        let ran = record(&file, &[], &["sh", "-c", script]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{ran:?}");
        assert!(ran.stderr.contains("sh.loopscope has "), "{ran:?}");
        let again = run(&["report", text(&file)]);
        assert_eq!((again.code, again.stdout.as_str()), (Some(0), ""), "{again:?}");
        assert!(again.stderr.contains("is it Node.js?"), "{again:?}");
        let json = run(&["report", text(&file), "--report", "json"]).stdout;
        let report: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(report["command"]["arguments"][2], script);
    }
    let ran = record(&file, &[], &["no-such-command-anywhere"]);
    assert_eq!(ran.code, Some(127), "{ran:?}");
    // What could not be run has no recording, and takes none away.
    assert_eq!(read(&file).end.and_then(|end| end.signal), Some(15));
}

#[test]
fn only_a_recording_is_written_over() {
    let place = folder("record-over");
    let other = place.join("notes.txt");
    fs::write(&other, "mine").expect("it can be written");
    let link = place.join("link");
    symlink(&other, &link).expect("a link can be made");
    for path in [&other, &link] {
        let ran = record(path, &[], &["true"]);
        assert_refused(&ran, "is there and is no recording");
    }
    assert_eq!(fs::read(&other).expect("it is there"), b"mine");
    assert_refused(&record(&place, &[], &["true"]), "is no file");
    assert_refused(&record(Path::new("/dev/null"), &[], &["true"]), "is no file");
    assert_refused(&record(&place.join("no/such"), &[], &["true"]), "can't be written");

    let empty = place.join("empty");
    fs::write(&empty, "").expect("it can be written");
    let file = place.join("a.loopscope");
    for path in [&empty, &file, &file] {
        assert_eq!(record(path, &[], &["true"]).code, Some(0));
        assert!(read(path).end.is_some());
    }
    // What was made and not begun goes away again.
    let unused = place.join("unused.loopscope");
    assert_refused(&record(&unused, &["--tier", "turn"], &["true"]), "tier");
    assert!(!unused.exists());
}

#[test]
fn a_file_that_is_being_recorded_into_is_left_alone() {
    let place = folder("record-busy");
    let (file, begun) = (place.join("a.loopscope"), place.join("begun"));
    let script = format!("touch {}; read line", text(&begun));
    let args = ["record", "-o", text(&file), "--", "sh", "-c", &script];
    let mut first = command(&args).stdin(Stdio::piped()).spawn().expect("it starts");
    until("the command runs", || begun.exists() && recording::read(&file).is_ok());
    let before = fs::metadata(&file).expect("it is there").ino();
    assert_refused(&record(&file, &[], &["true"]), "by another loopscope");
    assert_eq!(fs::metadata(&file).expect("it is there").ino(), before);
    drop(first.stdin.take());
    let ran = finish(first);
    assert!(ran.stderr.contains("a.loopscope has "), "{ran:?}");
    assert!(read(&file).end.is_some());
}

#[test]
fn what_is_no_recording_is_told_in_one_line() {
    let place = folder("report-refused");
    let file = |name: &str, bytes: &[u8]| {
        let path = place.join(name);
        fs::write(&path, bytes).expect("it can be written");
        path
    };
    let mut newer = *b"\x89loopsc\n\x02\0\0\0\0\0\0\0";
    let sum = {
        let mut crc = flate2::Crc::new();
        crc.update(&newer[..12]);
        crc.sum()
    };
    newer[12..].copy_from_slice(&sum.to_le_bytes());
    let cases = [
        (place.join("missing"), "can't be read"),
        (place.clone(), "is no file"),
        (PathBuf::from("/dev/zero"), "is no file"),
        (file("empty", b""), "is empty"),
        (file("text", b"{}"), "is no recording"),
        (file("cut", b"\x89loopsc\n\x01"), "was cut before anything"),
        (file("damaged", b"\x89loopsc\n\x01\0\0\0\0\0\0\0"), "first bytes are damaged"),
        (file("newer", &newer), "format 2"),
    ];
    for (path, what) in cases {
        assert_refused(&run(&["report", text(&path)]), what);
    }
}

#[test]
fn a_recording_is_not_written_over_by_its_report() {
    let place = folder("report-over");
    let file = place.join("stalls.folded");
    assert_eq!(record(&file, &[], &["true"]).code, Some(0));
    let (hard, soft) = (place.join("hard.folded"), place.join("soft.folded"));
    fs::hard_link(&file, &hard).expect("a link can be made");
    symlink(&file, &soft).expect("a link can be made");
    for option in ["--output", "--profile", "--html"] {
        for other in [&file, &hard, &soft] {
            let ran = run(&["report", text(&file), option, text(other)]);
            assert_refused(&ran, "is the recording itself");
        }
    }
    assert!(read(&file).end.is_some());
    for option in ["--profile", "--html"] {
        for other in [&file, &hard, &soft] {
            let ran = record(&file, &[option, text(other)], &["true"]);
            assert_refused(&ran, "is the recording itself");
        }
        let new = place.join("new.folded");
        assert_refused(&record(&new, &[option, text(&new)], &["true"]), "is the recording itself");
        assert!(!new.exists());
    }
    assert!(read(&file).end.is_some());
}

/// As of a disk that is full: the kernel refuses to let the file grow.
#[test]
fn a_file_that_may_not_grow_keeps_what_was_recorded_before() {
    let place = folder("record-limit");
    let (file, begun) = (place.join("a.loopscope"), place.join("begun"));
    let script = format!("touch {}; read line; exit 3", text(&begun));
    let args = ["record", "-o", text(&file), "--", "sh", "-c", &script];
    let mut recorder = command(&args).stdin(Stdio::piped()).spawn().expect("it starts");
    let moments = || recording::read(&file).map_or(0, |found| found.timeline.len());
    until("the command runs", || begun.exists() && moments() > 0);
    let pid = Some(Pid::from_child(&recorder));
    let length = fs::metadata(&file).expect("it is there").len();
    let limit = getrlimit(Resource::Fsize);
    let limit = Rlimit { current: Some(length + 1), ..limit };
    prlimit(pid, Resource::Fsize, limit).expect("what is ours can be limited");
    let mut told = BufReader::new(recorder.stderr.take().expect("it is piped")).lines();
    let line = told.next().expect("a line is told").expect("UTF-8");
    assert!(line.contains("a.loopscope can't be written now (File too large"), "{line}");
    assert!(line.ends_with("raise the limit on files (`ulimit -f`)"), "{line}");
    drop(recorder.stdin.take());
    let rest: Vec<String> = told.map_while(Result::ok).collect();
    let ended = |line: &&String| line.contains("it has what was recorded before");
    assert_eq!(rest.iter().filter(ended).count(), 1, "{rest:?}");
    assert_eq!(finish(recorder).code, Some(3), "the command's own: {rest:?}");
    let found = read(&file);
    assert_eq!((found.end.as_ref(), found.lost), (None, Lost::default()));
    assert!(!found.timeline.is_empty());
    let again = run(&["report", text(&file)]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.stderr.contains("it goes until"), "{again:?}");
}

/// The kernel sends a signal with it, which ends whoever does not catch it.
#[test]
fn a_limit_on_files_ends_us_with_a_line_and_commands_have_it_as_before() {
    let file = folder("record-no-room").join("a.loopscope");
    let args = ["record", "-o", text(&file), "--source", "v8-trace", "--", "true"];
    let script = r#"ulimit -f 0; exec "$@""#;
    let mut limited = Command::new("sh");
    limited.args(["-c", script, "sh", env!("CARGO_BIN_EXE_loopscope")]).args(args);
    let output = limited.env_remove("NODE_OPTIONS").output().expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), told.lines().count()), (Some(4), 1), "{output:?}");
    assert!(told.contains("no folder for traces") && told.contains("File too large"), "{told}");
    let ran = record(&file, &[], &["sh", "-c", "kill -XFSZ $$; exit 3"]);
    assert_eq!(ran.code, Some(128 + 25), "{ran:?}");
}

#[test]
fn a_recording_that_was_moved_away_is_told_meanwhile_and_not_as_kept() {
    let place = folder("record-moved");
    let (file, begun) = (place.join("a.loopscope"), place.join("begun"));
    let script = format!("touch {}; read line; true", text(&begun));
    let args = ["record", "-o", text(&file), "--", "sh", "-c", &script];
    let mut first = command(&args).stdin(Stdio::piped()).spawn().expect("it starts");
    until("the command runs", || begun.exists() && recording::read(&file).is_ok());
    fs::remove_file(&file).expect("it can be removed");
    let mut told = BufReader::new(first.stderr.take().expect("it is piped")).lines();
    let line = told.next().expect("a line is told").expect("UTF-8");
    assert!(line.contains("written now (it was moved, removed or replaced"), "{line}");
    drop(first.stdin.take());
    let rest: Vec<String> = told.map_while(Result::ok).collect();
    assert!(rest.iter().any(|line| line.contains("can't be written (it was moved")), "{rest:?}");
    assert!(!rest.iter().any(|line| line.contains("a.loopscope has ")), "{rest:?}");
    assert_eq!(finish(first).code, Some(0));
    assert!(!file.exists());
}
