//! A recording of each format that there has been must stay readable: golden files, which are only
//! ever added.
//!
//! `LOOPSCOPE_BLESS=1 cargo test -p loopscope --test recorded` writes that of the newest format
//! anew, which is right only before it was released.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use loop_core::Phase;
use loop_core::buckets::Scale;
use loop_core::snapshot::{
    CauseTotals, ClockKind, Culprit, Events, Histogram, Ledger, LedgerKey, Limit, LongestDrain,
    LoopSnapshot, Profile, ProfileFrame, Reaction, Runtime, SampleState, Snapshot, Source, Stall,
    Target, Tier, Wait, arrival_delay,
};
use loopscope::diagnosis::diagnose;
use loopscope::recording::{End, Head, Place, Recording, Writer, limits, read};
use loopscope::report::{Report, json};

const BEGAN_UNIX_NS: u64 = 1_795_248_000_000_000_000;

const SECOND_NS: u64 = 1_000_000_000;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn head() -> Head {
    Head {
        version: "0.1.0".to_owned(),
        began_unix_ns: BEGAN_UNIX_NS,
        command: Vec::new(),
        pids: vec![4711],
        stall_threshold_ns: 50_000_000,
        machine: BTreeMap::from([("cpus".to_owned(), "2".to_owned())]),
        redacted: false,
        looks: 0,
    }
}

fn end() -> End {
    let notes = vec!["shop has ended; the report is of the time until then".to_owned()];
    End { unix_ns: BEGAN_UNIX_NS + 3 * SECOND_NS, notes, ..End::default() }
}

fn profile(start_unix_ns: u64) -> Arc<Profile> {
    let frame = |name: &str, file: Option<&str>, line| ProfileFrame {
        name: name.to_owned(),
        file: file.map(str::to_owned),
        line,
    };
    let mut profile = Profile::new(start_unix_ns);
    for sample in 1..=20 {
        let stack = [
            frame("JSON.parse", None, None),
            frame("load", Some("/srv/shop/load.js"), Some(7 + u32::from(sample % 2 == 0))),
            frame("", Some("node:internal/timers"), Some(581)),
        ];
        let state = if sample > 18 { SampleState::Waiting } else { SampleState::OnCpu };
        profile.add(sample * 10_000_000, 10_000_000, state, stack);
    }
    Arc::new(profile)
}

/// A stall that began in this second, 200 ms long.
fn stall(second: u64) -> Stall {
    let start_unix_ns = BEGAN_UNIX_NS + second * SECOND_NS;
    let wait = |call: &str, subject: &str| Wait {
        call: call.to_owned(),
        subject: Some(subject.to_owned()),
        duration_ns: 20_000_000,
    };
    Stall {
        start_unix_ns,
        duration_ns: 200_000_000,
        phase: Some(Phase::Timers),
        microtasks: Some(0),
        ledger_ns: Ledger::default()
            .with(LedgerKey::Javascript, 180_000_000)
            .with(LedgerKey::SyncIo, 20_000_000)
            .with(LedgerKey::Frozen, 0),
        culprit: Some(Culprit {
            function: "load".to_owned(),
            file: "/srv/shop/load.js".to_owned(),
            line: 7,
            share: 0.95,
            samples: Some(20),
            hot_leaf: Some("JSON.parse (native)".to_owned()),
        }),
        waits: Some(vec![wait("openat", "/srv/shop/rows.json"), wait("read", "tcp 10.0.0.7:5432")]),
        drain: (second == 1).then(|| LongestDrain {
            jobs: 12,
            queued: Some(0),
            reactions: vec![Reaction {
                function: "next".to_owned(),
                file: "/srv/shop/load.js".to_owned(),
                line: 9,
                share: 0.5,
            }],
            ..LongestDrain::default()
        }),
        stack: Some(vec![
            "JSON.parse (native)".to_owned(),
            "load (/srv/shop/load.js:7)".to_owned(),
        ]),
        profile: Some(profile(start_unix_ns)),
        ..Stall::default()
    }
}

/// What was observed until then: a stall in each whole second but the last.
fn snapshot(seconds: u64) -> Snapshot {
    let stalls: Vec<Stall> = (0..seconds).map(stall).collect();
    let mut totals = CauseTotals::default();
    stalls.iter().for_each(|stall| totals.add(LedgerKey::Javascript, stall.duration_ns));
    let short = (0..seconds * 100).map(|turn| 300_000 + turn * 1_000);
    let turns = short.chain(stalls.iter().map(|stall| stall.duration_ns));
    let turns = Histogram::of(Scale::Time, turns);
    let (active_ns, count) = (u64::try_from(turns.sum).expect("it is short"), turns.count());
    let idle_ns = seconds * SECOND_NS - active_ns;
    let observed = LoopSnapshot {
        pid: 4711,
        thread: "main".to_owned(),
        tid: 4711,
        turns: Some(count),
        microtasks: Some(12 * seconds),
        active_ns: Some(active_ns),
        idle_ns: Some(idle_ns),
        utilization: (seconds > 0).then(|| active_ns as f64 / (active_ns + idle_ns) as f64),
        arrival_delay_ns: Some(arrival_delay(&turns, idle_ns)),
        turn_ns: Some(turns),
        poll_wait_ns: Some(Histogram::of(Scale::Time, (0..seconds).map(|_| 9_000_000))),
        microtask_drain_length: Some(Histogram::of(Scale::Length, (0..seconds).map(|_| 12))),
        stalls,
        stall_totals: totals,
        ..LoopSnapshot::default()
    };
    let target = Target {
        pid: 4711,
        name: "shop".to_owned(),
        runtime: Runtime::NodeJs,
        runtime_version: "22.14.0".to_owned(),
        source: Source::Ebpf,
        tier: Tier::Full,
        overhead_ratio: Some(0.0125),
        sampled: false,
        limits: vec![Limit {
            what: "phases pending and close".to_owned(),
            why: "they are inlined".to_owned(),
        }],
    };
    Snapshot {
        wall_ns: seconds * SECOND_NS,
        clock: ClockKind::Real,
        events: Events { seen: seconds, kept: seconds, dropped: 0 },
        targets: vec![target],
        loops: vec![observed],
    }
}

fn record(path: &Path) {
    let place = Place::open(path).expect("the file can be written");
    let created = Writer::create(place, &head(), limits::SIZE_BYTES_DEFAULT);
    let mut writer = created.expect("the file can be written");
    for seconds in 0..3 {
        let unix_ns = BEGAN_UNIX_NS + seconds * SECOND_NS;
        writer.add(unix_ns, &snapshot(seconds)).expect("the file can be written");
    }
    writer.finish(&end(), &snapshot(3)).expect("the file can be written");
}

fn report(recording: &Recording) -> String {
    let snapshot = &recording.snapshot;
    let diagnoses = diagnose(snapshot);
    let (workload, script, command) = (None, None, None);
    let report = Report { snapshot, diagnoses: &diagnoses, workload, script, command };
    let mut bytes = Vec::new();
    json::write(&report, &mut bytes).expect("a Vec takes all");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

#[test]
fn a_recording_of_format_1_opens_and_tells_what_it_always_has() {
    let (path, told) = (golden("recording-1.loopscope"), golden("recording-1.json"));
    if std::env::var_os("LOOPSCOPE_BLESS").is_some() {
        record(&path);
        fs::write(&told, report(&read(&path).expect("it was written"))).expect("it can be written");
    }
    let found = read(&path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report(&found), fs::read_to_string(&told).expect("the golden file is there"));
    assert_eq!((&found.head, found.end.as_ref()), (&head(), Some(&end())));
    assert_eq!(found.snapshot, snapshot(3));
    assert_eq!(found.notes(), end().notes);
    let stalls: Vec<&Stall> = found.stalls.iter().map(|of| &of.stall).collect();
    assert_eq!(stalls, (0..3).map(stall).collect::<Vec<_>>().iter().collect::<Vec<_>>());
    let moments =
        found.timeline.iter().map(|tick| (tick.wall_ns / SECOND_NS, tick.loops[0].stalls));
    assert_eq!(moments.collect::<Vec<_>>(), [(0, 0), (1, 1), (2, 2), (3, 3)]);
    assert!(found.timeline[3].loops[0].utilization.is_some_and(|busy| busy > 0.2 && busy < 0.3));
}

/// What is missing of it is told with names, too.
#[test]
fn the_report_of_a_recording_hides_its_names_where_that_is_asked_for() {
    let path = golden("recording-1.loopscope");
    let page = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recorded-without-names.html");
    for form in ["text", "json"] {
        let args = ["--redact", "--report", form, "--html"].map(OsStr::new);
        let mut command = Command::new(env!("CARGO_BIN_EXE_loopscope"));
        let output = command.arg("report").arg(&path).args(args).arg(&page).output();
        let output = output.expect("it starts");
        let texts = [&output.stdout, &output.stderr, &fs::read(&page).expect("it was written")]
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert!(output.status.success() && texts[0].contains("name-"), "{texts:?}");
        assert!(texts[1].contains("has ended; the report is of the time until then"), "{texts:?}");
        for name in ["shop", "load.js", "rows.json", "10.0.0.7"] {
            assert!(texts.iter().all(|text| !text.contains(name)), "{name} in {texts:?}");
        }
    }
    fs::remove_file(&page).expect("it can be removed");
}

/// As of a host with a process more than a snapshot has room for.
#[test]
fn what_found_no_room_is_told_with_the_report() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recorded-crowded.loopscope");
    let place = Place::open(&path).expect("the file can be written");
    let crowded = Snapshot { targets: vec![snapshot(1).targets.remove(0); 4_098], ..snapshot(1) };
    Writer::create(place, &head(), limits::SIZE_BYTES_DEFAULT)
        .and_then(|writer| writer.finish(&end(), &crowded))
        .expect("the file can be written");
    for form in ["text", "json", "none"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loopscope"));
        let output = command.arg("report").arg(&path).args(["--report", form]).output();
        let output = output.expect("it starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
        assert!(told.contains("loopscope: 2 processes are not in the recording"), "{told}");
    }
    fs::remove_file(&path).expect("it can be removed");
}

#[test]
fn what_is_written_today_tells_the_same() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join("recorded-today.loopscope");
    record(&path);
    let (today, then) = (read(&path), read(&golden("recording-1.loopscope")));
    assert_eq!(today.expect("it was written"), then.expect("the golden file is there"));
    fs::remove_file(&path).expect("it can be removed");
}
