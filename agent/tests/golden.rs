//! Both reports of snapshots made by hand, byte for byte.
//!
//! `LOOPSCOPE_BLESS=1 cargo test -p loopscope --test golden` writes the files anew.

use std::fs;
use std::path::Path;

use loop_core::buckets::Scale;
use loop_core::snapshot::{
    CauseTotals, ClockKind, Counters, Culprit, Drain, Events, Histogram, Ledger, LedgerKey, Limit,
    LoopSnapshot, OpenTurn, Queue, Runtime, Snapshot, Source, Stall, Target, ThreadPoolSnapshot,
    Tier, Wait, arrival_delay,
};
use loop_core::{Phase, PhaseMap};
use loopscope::diagnosis::diagnose;
use loopscope::report::{
    About, Claim, CommandRun, Report, ScriptRun, TruthRow, WorkloadRun, json, text,
};
use loopscope::terminal::Terminal;

fn check(name: &str, got: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("LOOPSCOPE_BLESS").is_some() {
        fs::write(&path, got).expect("the golden file can be written");
    }
    let want = fs::read_to_string(&path).expect("the golden file is there");
    assert_eq!(String::from_utf8_lossy(got), want, "{name}");
}

fn both(name: &str, snapshot: &Snapshot, workload: Option<&WorkloadRun>) {
    all(name, Report { snapshot, diagnoses: &[], workload, script: None, command: None });
}

fn all(name: &str, report: Report<'_>) {
    let diagnoses = diagnose(report.snapshot);
    let report = Report { diagnoses: &diagnoses, ..report };
    let (mut people, mut programs) = (Vec::new(), Vec::new());
    text::write(&report, &Terminal::PLAIN, &mut people).expect("a Vec takes all");
    json::write(&report, &mut programs).expect("a Vec takes all");
    let wide = String::from_utf8_lossy(&people).lines().map(|l| l.chars().count()).max();
    assert!(wide.unwrap_or(0) <= Terminal::PLAIN.width, "{wide:?} columns");
    check(&format!("{name}.txt"), &people);
    check(&format!("{name}.json"), &programs);
}

fn times(values: &[u64]) -> Option<Histogram> {
    Some(Histogram::of(Scale::Time, values.iter().copied()))
}

fn lengths(values: &[u64]) -> Option<Histogram> {
    Some(Histogram::of(Scale::Length, values.iter().copied()))
}

/// Of the loop of our own, on a CPU that counts no cycles.
const COUNTERS: Counters = Counters {
    task_clock_ns: Some(1_501_000_000),
    context_switches: Some(12),
    page_faults: Some(3),
    cycles: None,
    instructions: None,
};

/// A loop of our own that a drain of 60,000 microtasks held up.
fn flood() -> Snapshot {
    let turns = times(&[120_000, 1_503_000_000]);
    let stall = Stall {
        start_unix_ns: 1_795_248_000_250_000_000,
        duration_ns: 1_503_000_000,
        running: false,
        phase: Some(Phase::Poll),
        callbacks: Some(1),
        microtasks: Some(60_000),
        repeated: None,
        ledger_ns: flood_ledger(),
        counters: Counters { page_faults: Some(1), context_switches: Some(9), ..COUNTERS },
        culprit: None,
        profile: None,
        waits: None,
        drain: None,
        stack: None,
    };
    let mut totals = CauseTotals::default();
    totals.add(LedgerKey::Microtasks, stall.duration_ns);
    let mut phases = PhaseMap::from_fn(|_| times(&[]));
    phases[Phase::Timers] = times(&[30_000]);
    phases[Phase::Poll] = times(&[1_502_900_000]);
    let observed = LoopSnapshot {
        pid: 4242,
        thread: "main".into(),
        tid: 4243,
        turns: Some(2),
        microtasks: Some(60_000),
        ticks: Some(0),
        active_ns: Some(1_503_120_000),
        idle_ns: Some(1_000_000),
        utilization: Some(0.999_335),
        arrival_delay_ns: turns.as_ref().map(|turns| arrival_delay(turns, 1_000_000)),
        turn_ns: turns,
        poll_wait_ns: times(&[1_000_000]),
        timer_lateness_ns: times(&[1_502_000_000]),
        phases,
        microtask_drain_length: lengths(&[60_000]),
        microtask_drain_ns: times(&[1_500_000_000]),
        tick_drain_length: lengths(&[]),
        tick_drain_ns: times(&[]),
        thread_pool: idle_pool(),
        counters: COUNTERS,
        stalls: vec![stall],
        stall_totals: totals,
        ..LoopSnapshot::default()
    };
    Snapshot {
        wall_ns: 1_504_500_000,
        clock: ClockKind::Real,
        events: Events { seen: 1, kept: 1, dropped: 0 },
        targets: vec![target(4242, "sync-promises", Source::Embedded, Tier::Full)],
        loops: vec![observed],
    }
}

fn idle_pool() -> ThreadPoolSnapshot {
    ThreadPoolSnapshot {
        queue_ns: times(&[]),
        run_ns: times(&[]),
        queue_length_max: Some(0),
        queue_length: Some(0),
        crowded_share: None,
    }
}

fn flood_ledger() -> Ledger {
    Ledger::default()
        .with(LedgerKey::RunQueue, 2_000_000)
        .with(LedgerKey::SyncIo, 0)
        .with(LedgerKey::Microtasks, 1_500_000_000)
        .with(LedgerKey::Native, 1_000_000)
}

fn target(pid: u32, name: &str, source: Source, tier: Tier) -> Target {
    let embedded = source == Source::Embedded;
    Target {
        pid,
        name: name.into(),
        runtime: if embedded { Runtime::LoopCore } else { Runtime::NodeJs },
        runtime_version: if embedded { "0.1.0" } else { "20.20.2" }.into(),
        source,
        tier,
        overhead_ratio: if embedded { None } else { Some(0.012) },
        sampled: !embedded,
        limits: if embedded { Vec::new() } else { vec![limit()] },
    }
}

fn limit() -> Limit {
    let what = "what the tiers turn and full show".to_owned();
    Limit { what, why: "the kernel does not take the program: Operation not permitted".to_owned() }
}

/// Two loops of a process of which a passive source sees little; one stands still right now.
fn partial() -> Snapshot {
    let running = Stall {
        start_unix_ns: 1_795_248_001_000_000_000,
        duration_ns: 730_000_000,
        running: true,
        phase: None,
        callbacks: None,
        microtasks: None,
        repeated: None,
        ledger_ns: Ledger::default().with(LedgerKey::Javascript, 700_000_000),
        counters: Counters::default(),
        culprit: Some(Culprit {
            function: "render".into(),
            file: "/srv/app/view.js".into(),
            line: 17,
            share: 0.93,
            samples: Some(84),
            hot_leaf: None,
        }),
        profile: None,
        waits: None,
        drain: None,
        stack: Some(vec![
            "render (/srv/app/view.js:17)".into(),
            "handle (/srv/app/web.js:5)".into(),
        ]),
    };
    let main = LoopSnapshot {
        pid: 77,
        thread: "main".into(),
        tid: 77,
        turns: Some(1_234),
        open: Some(OpenTurn { age_ns: 730_000_000, phase: None, drain: None }),
        turn_ns: times(&[200_000; 1_234]),
        stalls: vec![running],
        ..LoopSnapshot::default()
    };
    let drain = Drain { queue: Queue::Microtask, age_ns: 20_000_000, jobs: 4_000 };
    let worker = LoopSnapshot {
        pid: 77,
        thread: "worker-1".into(),
        tid: 80,
        turns: Some(9),
        open: Some(OpenTurn { age_ns: 21_000_000, phase: Some(Phase::Poll), drain: Some(drain) }),
        ..LoopSnapshot::default()
    };
    Snapshot {
        wall_ns: 30_000_000_000,
        targets: vec![target(77, "shop", Source::Ebpf, Tier::Passive)],
        loops: vec![main, worker],
        ..Snapshot::empty(ClockKind::Real)
    }
}

/// A loop with two things wrong, one of them so often that most of its stalls are not listed.
fn crowded() -> Snapshot {
    let stall = |number: u64| Stall {
        start_unix_ns: 1_795_248_000_000_000_000 + number * 1_000_000_000,
        duration_ns: 120_000_000 + number * 1_000_000,
        running: false,
        phase: Some(Phase::Timers),
        callbacks: Some(4_000),
        microtasks: Some(0),
        repeated: None,
        ledger_ns: Ledger::default()
            .with(LedgerKey::RunQueue, 20_000_000)
            .with(LedgerKey::Native, 100_000_000 + number * 1_000_000),
        counters: Counters::default(),
        culprit: None,
        profile: None,
        waits: None,
        drain: None,
        stack: None,
    };
    let mut totals = CauseTotals::default();
    totals.set(LedgerKey::Native, 900, 120_000_000_000);
    let observed = LoopSnapshot {
        pid: 4242,
        thread: "main".into(),
        tid: 4243,
        turns: Some(2_000),
        timers: Some(3_600_000),
        active_ns: Some(121_000_000_000),
        idle_ns: Some(779_000_000_000),
        utilization: Some(0.134_444),
        turn_ns: times(&[120_000_000; 2_000]),
        timer_lateness_ns: times(&[180_000_000]),
        thread_pool: ThreadPoolSnapshot {
            queue_ns: times(&[900_000_000; 40]),
            run_ns: times(&[200_000_000; 40]),
            queue_length_max: Some(36),
            queue_length: Some(2),
            crowded_share: None,
        },
        stalls: (0..64).map(stall).collect(),
        stall_totals: totals,
        ..LoopSnapshot::default()
    };
    Snapshot {
        wall_ns: 900_000_000_000,
        events: Events { seen: 900, kept: 64, dropped: 836 },
        targets: vec![target(4242, "cache", Source::Embedded, Tier::Full)],
        loops: vec![observed],
        ..Snapshot::empty(ClockKind::Real)
    }
}

fn deep_culprit(leaf: &str) -> Culprit {
    Culprit {
        function: "load".into(),
        file: "/srv/shop/node_modules/.pnpm/settings@4.2.1/node_modules/settings/lib/load.js"
            .into(),
        line: 7,
        share: 0.97,
        samples: None,
        hot_leaf: Some(leaf.into()),
    }
}

/// A live Node.js that waited for a pipe, and then for a child, each called from deep below.
fn waited() -> Snapshot {
    let wait = |call: &str, subject: &str, ms: u64| Wait {
        call: call.into(),
        subject: Some(subject.into()),
        duration_ns: ms * 1_000_000,
    };
    let stall = |second: u64, leaf: &str, waits: Vec<Wait>| Stall {
        start_unix_ns: 1_795_248_000_000_000_000 + second * 1_000_000_000,
        duration_ns: 120_000_000 * second,
        running: false,
        phase: Some(Phase::Timers),
        callbacks: Some(1),
        microtasks: Some(0),
        repeated: None,
        ledger_ns: Ledger::default()
            .with(LedgerKey::RunQueue, 4_000_000)
            .with(LedgerKey::SyncIo, 110_000_000 * second)
            .with(LedgerKey::Javascript, 10_000_000 * second - 4_000_000),
        counters: Counters::default(),
        culprit: Some(deep_culprit(leaf)),
        profile: None,
        waits: Some(waits),
        drain: None,
        stack: Some(vec![
            "load (/srv/shop/node_modules/.pnpm/settings@4.2.1/node_modules/settings/lib/load.js:7)"
                .into(),
            "handle\u{1b}[2J (/srv/shop/web.js:5)".into(),
            "(top level) (/srv/shop/main.js:80)".into(),
        ]),
    };
    let stalls = vec![
        stall(1, "readFileSync (node:fs:441)", vec![wait("openat", "/run/shop/settings", 109)]),
        stall(
            2,
            "spawnSync (node:internal/child_process:1107)",
            vec![wait("epoll_pwait", "git\u{1b}[2J (4312)", 215), wait("read", "pipe:[88]", 3)],
        ),
    ];
    let mut totals = CauseTotals::default();
    totals.set(LedgerKey::SyncIo, 2, 360_000_000);
    let observed = LoopSnapshot {
        pid: 77,
        thread: "main".into(),
        tid: 77,
        turns: Some(420),
        turn_ns: times(&[120_000_000, 240_000_000]),
        stalls,
        stall_totals: totals,
        ..LoopSnapshot::default()
    };
    Snapshot {
        wall_ns: 30_000_000_000,
        events: Events { seen: 2, kept: 2, dropped: 0 },
        targets: vec![target(77, "shop", Source::Ebpf, Tier::Full)],
        loops: vec![observed],
        ..Snapshot::empty(ClockKind::Real)
    }
}

#[test]
fn what_was_waited_for() {
    both("waited", &waited(), None);
}

#[test]
fn a_terminal_of_80_columns_with_colour() {
    let snapshot = waited();
    let diagnoses = diagnose(&snapshot);
    let report = Report {
        snapshot: &snapshot,
        diagnoses: &diagnoses,
        workload: None,
        script: None,
        command: None,
    };
    let mut told = Vec::new();
    let terminal = Terminal { width: 80, colour: true, rewrites: true };
    text::write(&report, &terminal, &mut told).expect("a Vec takes all");
    let shown = String::from_utf8_lossy(&told).into_owned();
    let plain = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[1;31m", "\x1b[1;32m"]
        .iter()
        .fold(shown, |text, code| text.replace(code, ""));
    assert!(!plain.contains('\x1b'), "a name moves the cursor:\n{plain}");
    let wide = plain.lines().filter(|line| line.chars().count() > 80).collect::<Vec<_>>();
    assert!(wide.is_empty(), "{wide:#?}");
    check("waited.ansi", &told);
}

#[test]
fn more_stalls_than_are_listed() {
    both("crowded", &crowded(), None);
}

#[test]
fn a_flood() {
    let row = |what: &str, expected: &str, observed: &str, holds| TruthRow {
        what: what.into(),
        expected: expected.into(),
        observed: observed.into(),
        holds,
    };
    let workload = WorkloadRun {
        name: "sync-promises".into(),
        variant: "pathology",
        params: [("count", "30000"), ("work", "25us")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        story: None,
        truth: Some(vec![
            row("microtasks", "60,000", "60,000", true),
            row("longest microtask drain", "60,000", "59,999", false),
        ]),
    };
    both("flood", &flood(), Some(&workload));
}

#[test]
fn a_script() {
    let claim = |claim: &str, fact: &str, since: &str| Claim {
        claim: claim.into(),
        fact: fact.into(),
        since: since.into(),
    };
    let row = TruthRow {
        what: "longest microtask drain".into(),
        expected: "60,000".into(),
        observed: "60,000".into(),
        holds: true,
    };
    let long = "It says so at some length, that is, at the length of more than one line of a \
                report on a terminal.";
    let about = About {
        title: "30,000 promises that are settled when they are made, in one drain.".into(),
        variant: "fixed",
        source: Some("an article".into()),
        claims: vec![
            claim("The pool's limit is 128.", "It is 1,024.", "libuv 1.30, Node 12.5"),
            claim(long, "It is not so.", "always so"),
        ],
    };
    let script = ScriptRun {
        file: "seeds/pool".into(),
        arguments: vec!["--count=8".into(), "a\nb".into()],
        status: Some(3),
        about: Some(about),
        truth: Some(vec![row]),
        invocations: None,
    };
    let mut snapshot = flood();
    snapshot.targets[0].name = "seeds/pool".into();
    let (snapshot, script) = (&snapshot, Some(&script));
    all("script", Report { snapshot, diagnoses: &[], workload: None, script, command: None });
}

#[test]
fn a_command() {
    let command = CommandRun {
        arguments: ["npm", "start", "a\nb"].map(str::to_owned).to_vec(),
        status: None,
        signal: Some(15),
        timed_out: true,
        notes: vec![
            "process 7 was killed: what it did in its last 1 s or less is not in the report; \
             workers of process 7 were not traced while it handed its trace over"
                .into(),
        ],
    };
    let mut snapshot = partial();
    snapshot.targets[0].runtime = Runtime::NodeJs;
    snapshot.targets[0].runtime_version = "20.20.2".into();
    snapshot.targets[0].source = Source::V8Trace;
    let (snapshot, command) = (&snapshot, Some(&command));
    all("command", Report { snapshot, diagnoses: &[], workload: None, script: None, command });
}

#[test]
fn little_seen() {
    both("partial", &partial(), None);
}

#[test]
fn nothing_seen() {
    both("nothing", &Snapshot::empty(ClockKind::Virtual), None);
}
