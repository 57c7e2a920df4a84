//! A snapshot made by hand, and golden files.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod samples;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use loop_core::buckets::Scale;
use loop_core::snapshot::{
    CauseTotals, ClockKind, Counters, Drain, Events, Histogram, Ledger, LedgerKey, LoopSnapshot,
    Observed, OpenTurn, Queue, Runtime, Snapshot, Source, Stall, Target, ThreadCpu,
    ThreadPoolSnapshot, Tier, arrival_delay,
};
use loop_core::{Phase, PhaseMap};
use loopscope_exporters::{Build, Compat, Folded, ProcessStats, SelfStats, TargetCounts};

/// Name of a target that tries to break out of its label.
pub(crate) const HOSTILE: &str = "evil\"} 1\n# TYPE \\ naïve €\0";

fn times(ns: &[u64]) -> Option<Histogram> {
    Some(Histogram::of(Scale::Time, ns.iter().copied()))
}

fn lengths(values: &[u64]) -> Option<Histogram> {
    Some(Histogram::of(Scale::Length, values.iter().copied()))
}

/// A loop of which everything is seen.
pub(crate) fn full_loop() -> LoopSnapshot {
    let turns = times(&[40_000, 200_000, 1_500_000, 1_200_000_000]);
    let idle_ns = 3_000_000_000;
    let mut totals = CauseTotals::default();
    totals.add(LedgerKey::Microtasks, 1_200_000_000);
    LoopSnapshot {
        pid: 4242,
        thread: "main".to_owned(),
        tid: 4242,
        turns: Some(4),
        callbacks: Some(PhaseMap::from_fn(|phase| if phase == Phase::Poll { 5 } else { 1 })),
        microtasks: Some(60_003),
        ticks: Some(2),
        timers: Some(1),
        immediates: Some(1),
        active_ns: Some(1_201_740_000),
        idle_ns: Some(idle_ns),
        frozen_ns: Some(0),
        stopped: None,
        ended_ns: None,
        utilization: Some(0.286),
        open: Some(OpenTurn {
            age_ns: 731_000_000,
            phase: Some(Phase::Timers),
            drain: Some(Drain { queue: Queue::Microtask, age_ns: 730_000_000, jobs: 40_000 }),
        }),
        arrival_delay_ns: turns.as_ref().map(|turns| arrival_delay(turns, idle_ns)),
        turn_ns: turns,
        poll_wait_ns: times(&[900, 1_000_000_000, 2_000_000_000]),
        timer_lateness_ns: times(&[120_000, 1_190_000_000]),
        callbacks_ns: PhaseMap::from_fn(|phase| times(&[15_000, 1_000 * phase as u64])),
        phases: PhaseMap::from_fn(|phase| times(&[10_000 * (1 + phase as u64)])),
        microtask_drain_length: lengths(&[1, 2, 60_000]),
        microtask_drain_ns: times(&[1_150_000_000]),
        tick_drain_length: lengths(&[1, 1]),
        tick_drain_ns: times(&[]),
        gc_minor_ns: times(&[2_000_000]),
        gc_major_ns: times(&[11_000_000]),
        thread_pool: ThreadPoolSnapshot {
            queue_ns: times(&[70_000_000]),
            run_ns: times(&[50_000_000]),
            queue_length_max: Some(6),
            queue_length: Some(2),
            crowded_share: None,
        },
        stalls: Vec::new(),
        stall_totals: totals,
        observed: Observed {
            passive_ns: Some(50_000_000_000),
            turn_ns: Some(0),
            full_ns: Some(10_500_000_000),
        },
        cpu: ThreadCpu {
            on_cpu_ns: Some(1_100_000_000),
            run_delay_ns: Some(60_500_000),
            throttled_ns: Some(0),
        },
        counters: Counters::default(),
    }
}

/// A loop of which almost nothing is seen, under a hostile name.
pub(crate) fn bare_loop() -> LoopSnapshot {
    LoopSnapshot {
        pid: 99,
        thread: "worker-1".to_owned(),
        tid: 101,
        turns: Some(12),
        turn_ns: times(&[5_000]),
        ..LoopSnapshot::default()
    }
}

fn target(pid: u32, name: &str, runtime: Runtime, overhead_ratio: Option<f64>) -> Target {
    Target {
        pid,
        name: name.to_owned(),
        runtime,
        runtime_version: "v20.20.2".to_owned(),
        source: Source::Ebpf,
        tier: Tier::Full,
        overhead_ratio,
        sampled: false,
        limits: Vec::new(),
    }
}

/// Both loops.
pub(crate) fn snapshot() -> Snapshot {
    Snapshot {
        wall_ns: 5_000_000_000,
        clock: ClockKind::Real,
        events: Events { seen: 3, kept: 2, dropped: 1 },
        targets: vec![
            target(4242, "checkout", Runtime::NodeJs, Some(0.0125)),
            target(99, HOSTILE, Runtime::LoopCore, None),
        ],
        loops: vec![full_loop(), bare_loop()],
    }
}

/// What an agent that has had some trouble knows of itself.
pub(crate) fn stats() -> SelfStats {
    SelfStats {
        build: Build { version: "0.1.0", revision: "abc1234", rustc: "1.88.0" },
        targets: TargetCounts { attached: 2, failed: 1, pending: 3 },
        unseen: Some(4),
        attach_errors: BTreeMap::from([("rights", 1)]),
        events: BTreeMap::from([("ebpf", Events { seen: 3, kept: 2, dropped: 1 })]),
        export_failures: BTreeMap::from([(("otlp", "timeout"), 4)]),
        windows: Some(5),
        windows_refused: BTreeMap::from([("budget", 6)]),
        folded: Some(Folded::default()),
        export_dropped: BTreeMap::from([(("otlp-logs", "queue_full"), 7)]),
        ..SelfStats::default()
    }
}

/// The names of all others.
pub(crate) const ALL_NAMES: Compat = Compat { otel: true, prom_client: true };

/// The same, with all that an agent can know.
pub(crate) fn full_stats() -> SelfStats {
    SelfStats {
        start_unix_ns: Some(1_700_000_000_250_000_000),
        process: ProcessStats {
            cpu_ns: Some(7_000_000_000),
            resident_bytes: Some(20_000_000),
            virtual_bytes: Some(300_000_000),
            open_fds: Some(12),
            max_fds: Some(1_024),
            threads: Some(3),
            start_unix_ns: Some(1_700_000_000_000_000_000),
        },
        compat: ALL_NAMES,
        ..stats()
    }
}

/// When the first stall of [`stalled`] began.
pub(crate) const STALLED_UNIX_NS: u64 = 1_700_000_001_000_000_000;

/// Both loops, the full one with stalls: two of one bucket, one that was one callback of the poll
/// phase, one beyond all bounds, one that no bucket has counted, and one that still runs. It shows
/// no callbacks but those of the poll phase, so that names of others have room beside ours.
pub(crate) fn stalled() -> Snapshot {
    let mut snapshot = snapshot();
    let of = &mut snapshot.loops[0];
    of.turn_ns = times(&[40_000, 60_000_000, 62_000_000, 1_200_000_000, 200_000_000_000]);
    of.callbacks_ns = PhaseMap::from_fn(|phase| match phase {
        Phase::Poll => times(&[15_000, 1_199_000_000]),
        _ => None,
    });
    let stall = |number: u64, duration_ns, callbacks| Stall {
        start_unix_ns: STALLED_UNIX_NS + number * 1_500_000_000,
        duration_ns,
        phase: Some(Phase::Poll),
        callbacks,
        ledger_ns: Ledger::default().with(LedgerKey::Javascript, duration_ns),
        ..Stall::default()
    };
    of.stalls = vec![
        stall(0, 1_200_000_000, Some(1)),
        stall(1, 60_000_000, Some(3)),
        stall(2, 62_000_000, Some(2)),
        stall(3, 300_000_000, Some(1)),
        stall(4, 200_000_000_000, None),
        Stall { running: true, ..stall(200, 61_000_000, None) },
    ];
    snapshot
}

/// Holds `got` against the file at `path`, from the crate's folder.
///
/// # Panics
/// If they differ, unless `UPDATE_GOLDEN` is set: then it writes the file.
pub(crate) fn golden(path: &str, got: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, got).expect("the golden file can be written");
        return;
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    let differ = want.lines().zip(got.lines()).position(|(want, got)| want != got);
    let line = differ.unwrap_or_else(|| want.lines().count().min(got.lines().count()));
    assert!(
        want == got,
        "{} is out of date from line {}:\n  file: {:?}\n  now:  {:?}\n\
         If the change is meant: UPDATE_GOLDEN=1 cargo test -p loopscope-exporters",
        path.display(),
        line + 1,
        want.lines().nth(line).unwrap_or_default(),
        got.lines().nth(line).unwrap_or_default(),
    );
}
