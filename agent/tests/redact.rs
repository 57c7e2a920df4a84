//! `--redact`: no name of the observed program is in anything that is told.

mod common;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use common::{folder, run};
use loop_core::snapshot::{
    ClockKind, Counters, Culprit, Ledger, LedgerKey, Limit, LongestDrain, LoopSnapshot, Profile,
    ProfileFrame, Reaction, Runtime, SampleState, Snapshot, Source, Stall, Target, Tier, Wait,
};
use loopscope::diagnosis::diagnose;
use loopscope::redact::Redactor;
use loopscope::report::{CommandRun, Report, json, text};
use loopscope::terminal::Terminal;
use loopscope_exporters::profile::FORMATS;
use loopscope_exporters::{
    Exporter, JsonLines, OpenMetrics, Otlp, OtlpOptions, PrometheusText, Protobuf, SelfStats,
};
use serde_json::Value;

/// In every name that the observed programs have.
const SECRET: &str = "hush";

/// Where one of them is connected to.
const ADDRESS: &str = "10.6.6.6";

fn profile() -> Profile {
    let frame = |name: &str, file: Option<&str>| ProfileFrame {
        name: name.into(),
        file: file.map(str::to_owned),
        line: Some(7),
    };
    let mut profile = Profile::new(1);
    let stack = [frame("HushAddon::Read", None), frame("load hush", Some("/srv/hush/app.js"))];
    profile.add(150_000_000, 150_000_000, SampleState::Waiting, stack);
    profile
}

fn waits() -> Vec<Wait> {
    vec![
        Wait {
            call: "openat".into(),
            subject: Some("/srv/hush/settings".into()),
            duration_ns: 150_000_000,
        },
        Wait {
            call: "wait4".into(),
            subject: Some("hush-child (99)".into()),
            duration_ns: 50_000_000,
        },
        waited("connect", &format!("tcp {ADDRESS}:5432")),
        waited("read", "unix /run/hush.sock"),
        waited("read", "unix socket of hush-parent (98)"),
        waited("write", "pipe to hush-reader (97)"),
    ]
}

fn waited(call: &str, subject: &str) -> Wait {
    Wait { call: call.into(), subject: Some(subject.into()), duration_ns: 20_000_000 }
}

fn reaction() -> Reaction {
    let (function, file) = ("hushReaction".into(), "/srv/hush/jobs.js".into());
    Reaction { function, file, line: 3, share: 1.0 }
}

/// A process that has the secret in every name that a snapshot can hold.
fn snapshot() -> Snapshot {
    let stall = Stall {
        start_unix_ns: 1,
        duration_ns: 200_000_000,
        running: false,
        phase: None,
        callbacks: None,
        microtasks: None,
        repeated: None,
        ledger_ns: Ledger::default().with(LedgerKey::SyncIo, 200_000_000),
        counters: Counters::default(),
        culprit: Some(Culprit {
            function: "load hush".into(),
            file: "/srv/hush (old)/app.js".into(),
            line: 7,
            share: 1.0,
            samples: None,
            hot_leaf: Some("HushAddon::Read (native)".into()),
        }),
        profile: Some(Arc::new(profile())),
        drain: Some(LongestDrain {
            jobs: 5_000,
            reactions: vec![reaction()],
            ..Default::default()
        }),
        waits: Some(waits()),
        stack: Some(
            ["HushAddon::Read (native)", "load hush (/srv/hush (old)/app.js:7)", "hush"]
                .map(str::to_owned)
                .into(),
        ),
    };
    let observed =
        LoopSnapshot { pid: 7, thread: "main".into(), stalls: vec![stall], ..Default::default() };
    let limit = Limit {
        what: "the functions that hold up the loop".into(),
        why: "no symbols in /opt/hush/node".into(),
    };
    let target = Target {
        pid: 7,
        name: "hush-shop".into(),
        runtime: Runtime::NodeJs,
        runtime_version: "22.23.3".into(),
        source: Source::Ebpf,
        tier: Tier::Full,
        overhead_ratio: None,
        sampled: false,
        limits: vec![limit],
    };
    Snapshot { targets: vec![target], loops: vec![observed], ..Snapshot::empty(ClockKind::Real) }
}

/// All that is ever told of a snapshot, by the name of its form.
fn told(snapshot: &Snapshot, command: &CommandRun) -> Vec<(&'static str, Vec<u8>)> {
    let diagnoses = diagnose(snapshot);
    let command = Some(command);
    let report = Report { snapshot, diagnoses: &diagnoses, workload: None, script: None, command };
    let mut all = vec![("text", Vec::new()), ("json", Vec::new())];
    text::write(&report, &Terminal::PLAIN, &mut all[0].1).expect("a Vec takes all");
    json::write(&report, &mut all[1].1).expect("a Vec takes all");
    let resource = Vec::new();
    let otlp = Otlp { options: OtlpOptions { resource, start_unix_ns: 0, end_unix_ns: 1 } };
    let exporters: [(&str, &dyn Exporter); 5] = [
        ("metrics", &PrometheusText),
        ("openmetrics", &OpenMetrics),
        ("protobuf", &Protobuf),
        ("lines", &JsonLines::default()),
        ("otlp", &otlp),
    ];
    for (name, exporter) in exporters {
        let mut out = Vec::new();
        exporter.export(snapshot, &SelfStats::default(), &mut out).expect("a Vec takes all");
        all.push((name, out));
    }
    let of = &snapshot.loops[0];
    let mut line = Vec::new();
    JsonLines::write_stall(snapshot, of, &of.stalls[0], &mut line).expect("a Vec takes all");
    all.push(("line of a stall", line));
    for (name, format) in FORMATS {
        let mut out = Vec::new();
        format.write(snapshot, &mut out).expect("a Vec takes all");
        all.push((name, out));
    }
    all
}

fn has_secret(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    text.contains(SECRET) || text.contains(ADDRESS)
}

#[test]
fn no_name_survives_in_any_form() {
    let command = CommandRun {
        arguments: vec!["/srv/hush/run".into(), "--hush=1".into()],
        status: Some(0),
        signal: None,
        timed_out: false,
        notes: vec![
            "process 7 was killed: /tmp/hush/trace is lost".into(),
            "process 8 (hush.js) goes on behind the command, and the report ends here".into(),
            "no trace came from `hush.js`: is it Node.js?".into(),
        ],
    };
    for (form, bytes) in told(&snapshot(), &command) {
        assert!(has_secret(&bytes), "{form} has no names to hide: this test shows nothing");
    }
    let names = Redactor::default();
    let mut hidden = snapshot();
    names.redact(&mut hidden);
    for (form, bytes) in told(&hidden, &names.command(&command, &snapshot().targets)) {
        assert!(!has_secret(&bytes), "{form}:\n{}", String::from_utf8_lossy(&bytes));
    }
    let stall = &hidden.loops[0].stalls[0];
    let culprit = stall.culprit.as_ref().expect("still there");
    let frame = format!("{} ({}:7)", culprit.function, culprit.file);
    assert_eq!(stall.stack.as_ref().expect("still there")[1], frame, "one name, one hash");
    assert_eq!(hidden.loops[0].stalls[0].ledger_ns, snapshot().loops[0].stalls[0].ledger_ns);
}

fn program(test: &str) -> PathBuf {
    let path = folder(&format!("redact-hush-{test}")).join("hush-app.js");
    let source = "function hushWork() {\n  const end = Date.now() + 120;\n  \
                  while (Date.now() < end) JSON.parse('[1]');\n}\nsetTimeout(hushWork, 1);\n";
    fs::write(&path, source).expect("the program can be written");
    path
}

#[test]
fn a_run_tells_no_name() {
    let path = program("told");
    let file = path.to_str().expect("a path in UTF-8");
    for form in ["text", "json"] {
        let args = ["run", file, "--report", form, "--", "--hush=1"];
        let plain = run(&args);
        assert!(plain.stderr.contains("hushWork"), "{}", plain.stderr);
        let hidden = run(&[&args[..2], &["--redact"], &args[2..]].concat());
        assert_eq!((hidden.code, hidden.stdout.as_str()), (Some(0), ""));
        assert!(!hidden.stderr.contains(SECRET), "{}", hidden.stderr);
        assert!(hidden.stderr.contains("name-"), "{}", hidden.stderr);
    }
}

/// Also where the report is JSON, beside which notes are told; and one word has one hash.
#[test]
#[cfg(target_os = "linux")]
fn a_command_tells_no_name_and_each_has_one_hash() {
    let place = folder("redact-hush-command");
    let (file, tool) = (place.join("a.loopscope"), place.join("hush-tool"));
    fs::write(&tool, "#!/bin/sh\n").expect("the program can be written");
    let sh = "chmod +x hush-tool; PATH=.:$PATH; exec $LOOPSCOPE \"$@\"";
    let exec = |words: &[&str]| {
        let mut shell = std::process::Command::new("sh");
        let shell = shell.args(["-c", sh, "sh"]).args(words).current_dir(&place);
        let shell = shell.env("LOOPSCOPE_SOURCE", "v8-trace");
        let output = shell.env("LOOPSCOPE", env!("CARGO_BIN_EXE_loopscope")).output();
        let output = output.expect("sh is there");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    for form in ["json", "text", "none"] {
        let words = ["exec", "--redact", "--report", form, "--", "hush-tool", "hush-word"];
        let told = exec(&words);
        assert!(told.contains("no trace came from `name-") && !told.contains(SECRET), "{told}");
    }
    exec(&["record", "-o", "a.loopscope", "--report", "none", "--", "hush-tool", "hush-tool"]);
    let path = file.to_str().expect("UTF-8");
    let ran = run(&["report", path, "--redact", "--report", "json"]);
    assert!(!ran.stdout.contains(SECRET) && !ran.stderr.contains(SECRET), "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).expect("a report");
    let word = report["command"]["arguments"][0].as_str().expect("a word");
    assert!(ran.stderr.contains(&format!("no trace came from `{word}`")), "{ran:?}");
}

#[test]
fn two_runs_have_other_hashes() {
    let path = program("twice");
    let name = || {
        let file = path.to_str().expect("a path in UTF-8");
        let ran = run(&["run", file, "--redact", "--report", "json"]);
        let report: Value = serde_json::from_str(&ran.stderr).expect("a report");
        report["targets"][0]["name"].as_str().expect("a name").to_owned()
    };
    assert_ne!(name(), name());
}
