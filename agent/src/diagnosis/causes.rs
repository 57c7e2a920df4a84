//! What a diagnosis names besides the loop: the call and its subject, what froze the process, and
//! who took the CPU.

use loop_core::snapshot::{Culprit, Ledger, LedgerKey, Stall, Wait};

use super::tests::{MS, SECOND, observed, stall};
use super::*;

fn told(stall: Stall) -> Diagnosis {
    diagnose(&Snapshot { loops: vec![observed(vec![stall])], ..Snapshot::empty(ClockKind::Real) })
        .remove(0)
}

fn wait(call: &str, subject: Option<&str>, ms: u64) -> Wait {
    let subject = subject.map(str::to_owned);
    Wait { call: call.into(), subject, duration_ns: ms * MS }
}

#[test]
fn a_wait_is_told_with_its_call_its_subject_and_who_made_it() {
    let check = |waits: Vec<Wait>, leaf: Option<&str>, want: &[&str]| {
        let culprit = Culprit {
            function: "load".into(),
            file: "app.js".into(),
            line: 7,
            share: 1.0,
            samples: None,
            hot_leaf: leaf.map(str::to_owned),
        };
        let held_up = stall(LedgerKey::SyncIo, 150 * MS, false);
        let told = told(Stall { waits: Some(waits), culprit: Some(culprit.clone()), ..held_up });
        assert_eq!((told.id, told.culprit.as_ref()), ("sync-io", Some(&culprit)));
        assert_eq!(told.evidence[1..=want.len()], *want, "{told:?}");
        assert!(told.evidence[want.len() + 1].starts_with("where the time went"), "{told:?}");
    };
    check(
        vec![wait("openat", Some("/tmp/fifo"), 100), wait("futex", None, 3)],
        Some("readFileSync (node:fs:441)"),
        &["100 ms in openat of /tmp/fifo, called by readFileSync in load (app.js:7)"],
    );
    check(
        vec![wait("wait4", Some("sleep (123)"), 120), wait("futex", None, 30)],
        None,
        &["120 ms in wait4 for sleep (123), called by load (app.js:7)", "30.0 ms in futex"],
    );
    check(Vec::new(), None, &[]);
}

#[test]
fn what_froze_a_process_is_told() {
    let frozen = stall(LedgerKey::Frozen, SECOND, false);
    let check = |call: &str, want: &str| {
        let waits = vec![wait("read", None, 20), wait(call, None, 980)];
        let told = told(Stall { waits: Some(waits), ..frozen.clone() });
        assert_eq!(told.id, "frozen");
        let told = told.evidence.join("\n");
        assert!(told.contains(want), "{want} in\n{told}");
    };
    check("stopped by a signal", "stopped by a signal for 980 ms of the longest");
    check("control group frozen", "control group frozen for 980 ms of the longest");
    check("machine paused", "machine paused for 980 ms of the longest");
}

#[test]
fn a_quota_is_told_from_neighbours() {
    use LedgerKey::{RunQueue, Throttled};
    let check = |quota_ms: u64, others_ms: u64, summary: &str, want: &str| {
        let ledger =
            Ledger::default().with(Throttled, quota_ms * MS).with(RunQueue, others_ms * MS);
        let told = told(Stall { ledger_ns: ledger, ..stall(RunQueue, 300 * MS, false) });
        assert_eq!(told.id, "cpu-starved");
        assert!(told.summary.starts_with(summary), "{}", told.summary);
        assert!(told.evidence.iter().any(|line| line == want), "{want} in {:?}", told.evidence);
    };
    let (quota, others) = ("A CPU quota", "Waiting for a CPU");
    check(290, 0, quota, "290 ms went to a CPU quota");
    check(200, 90, quota, "200 ms went to a CPU quota, 90.0 ms to neighbours on the CPU");
    check(90, 200, others, "90.0 ms went to a CPU quota, 200 ms to neighbours on the CPU");
    check(0, 290, others, "290 ms went to neighbours on the CPU, none to a quota");
}
