//! Names are of the program that is observed, or of a file that anybody may have made: no byte of
//! theirs moves the cursor.

use loop_core::snapshot::{
    Culprit, Ledger, LedgerKey, Limit, LongestDrain, LoopSnapshot, Reaction, Runtime, Snapshot,
    Source, Stall, Target, Tier, Wait,
};

use super::*;
use crate::diagnosis::diagnose;
use crate::report::CommandRun;

const EVIL: &str = "e\x1b[2J\x07\r\n\u{9b}vil";

fn evil() -> String {
    EVIL.to_owned()
}

fn snapshot() -> Snapshot {
    let stall = Stall {
        duration_ns: 200_000_000,
        ledger_ns: Ledger::default().with(LedgerKey::SyncIo, 200_000_000),
        culprit: Some(Culprit {
            function: evil(),
            file: evil(),
            line: 7,
            share: 1.0,
            samples: None,
            hot_leaf: Some(evil()),
        }),
        waits: Some(vec![Wait { call: evil(), subject: Some(evil()), duration_ns: 150_000_000 }]),
        drain: Some(LongestDrain {
            jobs: 60_000,
            reactions: vec![Reaction { function: evil(), file: evil(), line: 3, share: 1.0 }],
            ..LongestDrain::default()
        }),
        stack: Some(vec![evil()]),
        ..Stall::default()
    };
    let observed = |tid| LoopSnapshot {
        pid: 7,
        tid,
        thread: evil(),
        stalls: vec![stall.clone()],
        ..LoopSnapshot::default()
    };
    let target = Target {
        pid: 7,
        name: evil(),
        runtime: Runtime::NodeJs,
        runtime_version: evil(),
        source: Source::Ebpf,
        tier: Tier::Full,
        overhead_ratio: None,
        sampled: false,
        limits: vec![Limit { what: evil(), why: evil() }],
    };
    Snapshot {
        targets: vec![target],
        loops: vec![observed(7), observed(8)],
        ..Snapshot::empty(ClockKind::Real)
    }
}

#[test]
fn no_name_moves_the_cursor() {
    let snapshot = snapshot();
    let diagnoses = diagnose(&snapshot);
    assert!(diagnoses.iter().any(|found| found.thread == EVIL), "{diagnoses:?}");
    let command = CommandRun {
        arguments: vec![evil()],
        status: Some(0),
        signal: None,
        timed_out: false,
        notes: vec![evil()],
    };
    let report = Report {
        snapshot: &snapshot,
        diagnoses: &diagnoses,
        workload: None,
        script: None,
        command: Some(&command),
    };
    let mut bytes = Vec::new();
    write(&report, &Terminal::PLAIN, &mut bytes).expect("memory takes it");
    let text = String::from_utf8(bytes).expect("UTF-8");
    let moves = text.lines().find(|line| line.chars().any(char::is_control));
    assert_eq!(moves, None);
    // No name has made a line of its own.
    assert!(!text.lines().any(|line| line.trim_start().starts_with("vil")), "{text}");
    assert!(text.matches("e\\u{1b}[2J").count() > 10, "{text}");
}
