//! JavaScript programs as a user runs them: the output is their own, and so is the exit status.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use common::{Ran, command, finish, folder, run};
use serde_json::Value;

/// A program in a folder of its own.
fn program(name: &str, source: &str) -> PathBuf {
    let stem = name.replace('.', "-");
    let path = folder(&format!("script-{stem}")).join(name);
    fs::write(&path, source).expect("the program can be written");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Runs a program without a report.
fn bare(name: &str, source: &str) -> Ran {
    run(&["run", text(&program(name, source)), "--report", "none"])
}

fn json(stderr: &str) -> Value {
    serde_json::from_str(stderr).unwrap_or_else(|error| panic!("{error}: {stderr}"))
}

#[test]
fn standard_output_is_the_programs_and_standard_error_has_the_report() {
    let source = "console.log('out', process.argv.slice(2)); console.error('err');";
    let path = program("streams.js", source);
    let ran = run(&["run", text(&path), "--", "--count=3", "b"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "out [ '--count=3', 'b' ]\n"));
    assert!(ran.stderr.starts_with("err\nstreams.js, pid "), "{}", ran.stderr);
    assert!(ran.stderr.contains(" --count=3 b, exit status 0"), "{}", ran.stderr);
    let none = run(&["run", text(&path), "--report", "none"]);
    assert_eq!((none.stdout.as_str(), none.stderr.as_str()), ("out []\n", "err\n"));
}

#[test]
fn the_report_for_programs_names_file_arguments_and_status() {
    let path = program("status.js", "setTimeout(() => process.exit(42), 1);");
    let ran = run(&["run", text(&path), "--report", "json", "--", "a"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(42), ""));
    let report = json(&ran.stderr);
    assert_eq!(report["schema"], "loopscope.report/1");
    assert_eq!(report["targets"][0]["name"], "status.js");
    assert_eq!(report["script"]["file"], text(&path));
    assert_eq!(report["script"]["arguments"], Value::from(["a"].to_vec()));
    assert_eq!(report["script"]["status"], 42);
    assert!(report["script"]["truth"].is_null() && report.get("workload").is_none());

    let file = path.with_extension("json");
    let ran = run(&["run", text(&path), "--report", "json", "--output", text(&file)]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(42), "", ""));
    assert_eq!(json(&fs::read_to_string(&file).expect("it is there"))["script"]["status"], 42);
    let ran = run(&["run", text(&path), "--report", "json", "--output", "-"]);
    assert_eq!((json(&ran.stdout)["script"]["status"].as_u64(), ran.stderr), (Some(42), "".into()));
}

#[test]
fn the_exit_status_is_the_programs() {
    let check = |name: &str, source: &str, code: i32| {
        let ran = bare(name, source);
        assert_eq!(ran.code, Some(code), "{name}: {ran:?}");
    };
    check("zero.js", "1;", 0);
    check("thrown.js", "throw new Error('x');", 1);
    check("rejected.js", "Promise.reject(new Error('x'));", 1);
    check("exit.js", "process.exit(42);", 42);
    check("in-a-job.js", "Promise.resolve().then(() => process.exit(3));", 3);
    check("in-an-executor.js", "new Promise(() => process.exit(4)); process.exitCode = 5;", 4);
    check("wide.js", "process.exit(258);", 2);
    check("code.js", "process.exitCode = 9;", 9);
    check("handler.js", "process.on('uncaughtException', () => { throw 1; }); throw 2;", 7);
    check("unfinished.mjs", "await new Promise(() => {});", 13);
    check("module.mjs", "import fs from 'fs'; throw new Error(typeof fs.stat);", 1);
    check("common.cjs", "process.exitCode = require('path').sep === '/' ? 5 : 6;", 5);
}

#[test]
fn nothing_is_seen_of_a_program_behind_its_exit() {
    for before in ["new Promise(() => process.exit(4));", "(async () => process.exit(4))();"] {
        let ran = bare("behind.js", &format!("{before} console.log('never');"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), ""), "{before} {}", ran.stderr);
    }
    let ran = bare("no-code.js", "process.exitCode = 'none';");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let told = r#"The "code" argument must be of type number. Received type string ('none')"#;
    assert!(ran.stderr.contains(told), "{ran:?}");
}

#[test]
fn what_a_program_does_to_the_globals_does_not_stop_the_loop() {
    let used = "
        process.on('exit', () => process.stdout.write('exit '));
        process.nextTick(() => process.stdout.write('tick '));
        Promise.resolve().then(() => process.stdout.write('job '));
        require('fs').stat('.', () => setImmediate(() => setTimeout(() => {
          process.stdout.write('timer ');
        }, 1)));";
    let breaks = [
        "for (const name of ['Map', 'Set', 'WeakMap', 'Object', 'Reflect', 'Error', 'JSON']) \
         delete globalThis[name];",
        "for (const of of [Map, Set, WeakMap, WeakSet]) for (const name of ['get', 'set', 'has', \
         'add', 'delete', 'keys', Symbol.iterator]) of.prototype[name] = () => { throw name; };",
        "for (const name of ['call', 'apply']) Function.prototype[name] = () => { throw name; };",
        "Reflect.apply = Object.keys = Object.defineProperty = () => { throw 1; };",
        "for (const name of ['push', 'shift']) \
         Array.prototype[name] = () => { throw name; };",
        "process.stdout.write = process.stdout.write.bind(process.stdout); Object.freeze(Object);",
    ];
    for breaks in breaks {
        let ran = bare("broken.js", &format!("{breaks}\n{used}"));
        let told = (ran.code, ran.stdout.as_str());
        assert_eq!(told, (Some(0), "tick job timer exit "), "{breaks} {}", ran.stderr);
    }
}

#[test]
fn an_error_is_shown_whatever_the_program_has_changed() {
    for (owner, name) in [("Array", "join"), ("String", "includes"), ("RegExp", "exec")] {
        let source = format!(
            "{owner}.prototype.{name} = () => {{ throw new Error('patched'); }};\n\
             throw new TypeError('mine');\n"
        );
        let ran = bare("patched.js", &source);
        assert!(ran.stderr.contains("TypeError: mine"), "{name}: {}", ran.stderr);
        assert_eq!(ran.code, Some(1), "{name}");
    }
}

#[test]
fn a_package_may_name_its_ways_by_patterns_and_conditions() {
    let path = program("packages.js", "console.log(require('a/sub/x'), require('a'));");
    let package = path.with_file_name("node_modules/a");
    fs::create_dir_all(package.join("lib")).expect("it can be made");
    let ways = r#"{"exports":{".":{"node":{"import":"./no.js"},"default":"./lib/y.js"},
        "./sub/*":"./lib/*.js"}}"#;
    let files = [
        ("package.json", ways),
        ("lib/x.js", "module.exports = 'x';"),
        ("lib/y.js", "module.exports = 'y';"),
    ];
    for (name, source) in files {
        fs::write(package.join(name), source).expect("it can be written");
    }
    let ran = run(&["run", text(&path), "--report", "none"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "x y\n"), "{}", ran.stderr);
    fs::write(&path, "try { require('a/lib/x'); } catch (e) { console.log(e.code); }")
        .expect("it can be written");
    let refused = run(&["run", text(&path), "--report", "none"]);
    assert_eq!(refused.stdout, "ERR_PACKAGE_PATH_NOT_EXPORTED\n", "{}", refused.stderr);
}

#[test]
fn an_uncaught_error_reads_as_in_node() {
    let source = "function f() {\n  throw new Error('bad');\n}\nf();\n";
    let path = program("uncaught.js", source);
    let ran = run(&["run", text(&path), "--report", "none"]);
    let path = fs::canonicalize(&path).expect("it is there");
    let path = text(&path);
    let lines: Vec<_> = ran.stderr.lines().collect();
    let [place, line, caret, "", error, frame, ..] = &lines[..] else { panic!("{ran:?}") };
    assert_eq!((*place, *line), (&*format!("{path}:2"), "  throw new Error('bad');"));
    assert!(caret.ends_with('^') && caret.trim() == "^", "{caret}");
    assert_eq!(*error, "Error: bad");
    assert!(frame.starts_with(&format!("    at f ({path}:2:")), "{frame}");
    assert!(lines.last().is_some_and(|line| line.starts_with("Node.js v20")), "{ran:?}");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
}

#[test]
fn an_error_that_ends_a_job_is_told_once() {
    let ran = bare("once.mjs", "throw new Error('bad');");
    assert_eq!(ran.stderr.matches("Node.js v20").count(), 1, "{ran:?}");
    let ran = bare("silent.js", "Promise.resolve().then(() => process.exit(3));");
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_syntax_error_has_its_line() {
    let ran = bare("syntax.js", "let good = 1;\nlet bad = ;\n");
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("syntax.js:2\nlet bad = ;\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("\nSyntaxError: "), "{}", ran.stderr);
}

/// Places as Node 20 prints them.
#[test]
fn an_uncaught_error_stands_where_its_call_begins() {
    let source = "function fail(a) {\n  throw new Error(\n    'x' +\n    a,\n  );\n}\n\
                  function outer(x) {\n  fail(\n    x,\n    'y',\n  );\n}\nouter(1);\n";
    let path = program("places.js", source);
    let ran = run(&["run", text(&path), "--report", "none"]);
    let file = text(&path);
    let expected = format!(
        "{file}:2\n  throw new Error(\n  ^\n\nError: x1\n    at fail ({file}:2:9)\n    \
         at outer ({file}:8:3)\n    at {file}:13:1\n"
    );
    assert!(ran.stderr.starts_with(&expected), "{}", ran.stderr);
}

#[test]
fn a_missing_file_reads_as_in_node() {
    for name in ["./not-there.js", "not-there.mjs", "js/not-there.js"] {
        let ran = run(&["run", name, "--report", "none"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{name}");
        assert!(ran.stderr.starts_with("Error: Cannot find module '/"), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("code: 'MODULE_NOT_FOUND'"), "{name}: {}", ran.stderr);
    }
}

#[test]
fn a_path_may_lack_its_extension_and_be_a_folder() {
    let index = program("index.js", "console.log('index');");
    let there = index.parent().expect("a folder");
    for path in [text(there).to_owned(), format!("{}/index", text(there))] {
        let ran = run(&["run", &path, "--report", "none"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "index\n"), "{path}");
    }
    let here = command(&["run", ".", "--report", "none"]).current_dir(there).spawn();
    assert_eq!(finish(here.expect("starts")).stdout, "index\n");
    let ran = command(&["run", "index", "--report", "none"]).current_dir(there).spawn();
    let ran = finish(ran.expect("starts"));
    assert!(ran.code == Some(2) && ran.stderr.contains("for the file write `./index`"), "{ran:?}");
}

#[test]
fn a_reader_that_goes_away_ends_nothing() {
    let source = "let left = 3000; (function more() { console.log('line'.repeat(99));\
                  if (left--) setImmediate(more); else process.exitCode = 5; })();";
    let path = program("pipe.js", source);
    let mut child = command(&["run", text(&path), "--report", "none"]).spawn().expect("starts");
    drop(child.stdout.take());
    let ran = finish(child);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(5), ""));
}

/// What Node 20 prints for the same programs.
#[test]
fn writing_to_a_reader_that_has_gone_is_an_event_as_in_node() {
    let listen = "process.stdout.on('error', (e) => console.error('event', e.message));";
    for (name, more, code, expected) in [
        ("heard.js", listen, 0, "cb EPIPE\ntick\nevent write EPIPE\nexit 0\n"),
        ("logged.js", "console.log('more');", 0, "cb EPIPE\ntick\nexit 0\n"),
        ("unheard.js", "", 1, "cb EPIPE\ntick\nexit 1\n"),
    ] {
        let source = format!(
            "process.on('exit', (code) => console.error('exit', code));\nsetImmediate(() => {{\n\
             process.stdout.write('a', (error) => console.error('cb', error.code));\n\
             process.nextTick(() => console.error('tick'));\n{more} }});\n"
        );
        let path = program(name, &source);
        let mut child = command(&["run", text(&path), "--report", "none"]).spawn().expect("starts");
        drop(child.stdout.take());
        let ran = finish(child);
        assert_eq!(ran.code, Some(code), "{name}: {}", ran.stderr);
        assert!(ran.stderr.starts_with(expected), "{name}: {}", ran.stderr);
        assert_eq!(ran.stderr.contains("Error: write EPIPE"), code == 1, "{name}");
    }
}

#[test]
fn a_closed_standard_error_ends_nothing() {
    let path = program("deaf.js", "console.error('x'); setTimeout(() => process.exit(6), 1);");
    let mut child = command(&["run", text(&path)]).spawn().expect("starts");
    drop(child.stderr.take());
    assert_eq!(finish(child).code, Some(6));
}

#[test]
fn a_report_that_cannot_be_written_is_told_and_the_status_stays() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    drop(full);
    let path = program("full.js", "process.exit(3);");
    let ran = run(&["run", text(&path), "--output", "/dev/full"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.starts_with("loopscope: /dev/full can't be written"), "{ran:?}");
}

#[test]
fn a_program_that_fills_its_heap_ends_with_a_report() {
    let heaps = [
        ("array.js", "const a = []; for (;;) a.push(new Array(1000).fill(1));"),
        (
            "timers.js",
            "const a = []; (function f() { for (let i = 0; i < 1000; i++) a.push({ i });\
                       setTimeout(f, 0); })();",
        ),
        ("await.js", "(async () => { const a = []; for (;;) a.push(await { i: 1 }); })();"),
        (
            "caught.js",
            "const a = []; for (;;) { try { for (;;) a.push({}); } catch { a[0] = 0; } }",
        ),
    ];
    for (name, source) in heaps {
        let path = program(name, source);
        let ran = run(&["run", text(&path), "--max-memory", "32MiB"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(134), ""), "{name}: {ran:?}");
        let told = ran.stderr.starts_with("FATAL ERROR: JavaScript heap out of memory");
        assert!(told, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("exit status 134"), "{name}: {}", ran.stderr);
    }
    let path = program("tiny.js", "console.log('never');");
    let ran = run(&["run", text(&path), "--max-memory", "1B", "--report", "none"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(134), ""), "{ran:?}");
}

#[test]
fn deep_recursion_is_an_error_of_the_program() {
    let ran = bare("deep.js", "(function f() { return f() + 1; })();");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("RangeError: Maximum call stack size exceeded"), "{ran:?}");
    let ran = bare(
        "deep-json.js",
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a];\
                    try { JSON.stringify(a); } catch (e) { console.log(e.name); }",
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "RangeError\n"), "{ran:?}");
}

#[test]
fn without_standard_input_it_runs_all_the_same() {
    let path = program("input.js", "console.log('ran');");
    let mut child = command(&["run", text(&path), "--report", "none"]);
    let mut child = child.stdin(Stdio::piped()).spawn().expect("starts");
    drop(child.stdin.take());
    assert_eq!(finish(child).stdout, "ran\n");
}

#[test]
fn under_the_virtual_clock_waiting_takes_no_time() {
    let path = program("hour.js", "setTimeout(() => console.log('later'), 3600e3);");
    let ran = run(&["run", text(&path), "--clock", "virtual", "--report", "json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "later\n"));
    let report = json(&ran.stderr);
    assert!(report["clock"] == "virtual" && report["wall_ns"].as_u64() >= Some(3600e9 as u64));
}

#[test]
fn bad_input_gets_one_line_and_exit_code_2() {
    let path = program("options.js", "console.log('never');");
    let path = text(&path);
    let check = |args: &[&str], wants: &[&str]| {
        let ran = run(&[&["run"], args].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{args:?}: {ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
        for want in wants {
            assert!(ran.stderr.contains(want), "`{want}` not in {}", ran.stderr);
        }
    };
    check(&[path, "--count", "9"], &["unknown option `--count`", "options.js -- --count"]);
    check(&[path, "extra"], &["unknown argument `extra`", "options.js -- extra"]);
    check(&[path, "--repeat", "2"], &["--repeat is for workloads in Rust", "run once"]);
    check(&[path, "--pause", "1s"], &["--pause is for workloads in Rust"]);
    check(&[path, "--fixed"], &["--fixed", "is a file"]);
    check(&[path, "--max-memory", "9"], &["`9`", "`--max-memory`", "256MiB"]);
    check(&["sync-promises", "--max-memory", "1GiB"], &["--max-memory is for scripts"]);
    check(&["sync-promises", "--", "a"], &["`-- a` is for scripts"]);
    check(&["json-block"], &["the script of this name is `js/json-block`"]);
    check(&["js/json-blok"], &["`js/json-blok`; did you mean `js/json-block`?"]);
    check(&["seeds/first", "--fixed"], &["no fixed twin"]);
    let help = run(&["run", path, "--help"]);
    assert!(help.code == Some(0) && help.stdout.contains("--max-memory <SIZE>"), "{help:?}");
    assert!(help.stdout.contains("options.js, a JavaScript program"), "{help:?}");
}
