//! What a loop did, and what is told about it. Each id has an example that gets its name.

use loop_core::Phase;
use loop_core::buckets::Scale;
use loop_core::snapshot::{
    CauseTotals, Counters, Drain, Histogram, Ledger, LedgerKey, OpenTurn, Queue, Stall,
    ThreadPoolSnapshot,
};

use super::*;

pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const MS: u64 = 1_000_000;

pub(super) fn stall(cause: LedgerKey, duration_ns: u64, running: bool) -> Stall {
    Stall {
        start_unix_ns: 1,
        duration_ns,
        running,
        phase: Some(Phase::Poll),
        callbacks: None,
        microtasks: None,
        repeated: None,
        ledger_ns: Ledger::default().with(cause, duration_ns),
        counters: Counters::default(),
        culprit: None,
        profile: None,
        waits: None,
        drain: None,
        stack: None,
    }
}

pub(super) fn observed(stalls: Vec<Stall>) -> LoopSnapshot {
    let mut totals = CauseTotals::default();
    for ended in stalls.iter().filter(|stall| !stall.running) {
        totals.add(ended.ledger_ns.cause(), ended.duration_ns);
    }
    LoopSnapshot { turns: Some(3), thread: "main".into(), stall_totals: totals, stalls, ..empty() }
}

pub(super) fn empty() -> LoopSnapshot {
    LoopSnapshot {
        microtask_drain_length: Some(Histogram::new(Scale::Length)),
        tick_drain_length: Some(Histogram::new(Scale::Length)),
        ..LoopSnapshot::default()
    }
}

pub(super) fn times(values: &[u64]) -> Option<Histogram> {
    Some(Histogram::of(Scale::Time, values.iter().copied()))
}

/// A stall of many callbacks in a phase.
pub(super) fn crowd(phase: Phase, callbacks: u64, duration_ns: u64) -> Stall {
    let whole = stall(LedgerKey::Native, duration_ns, false);
    Stall { phase: Some(phase), callbacks: Some(callbacks), ..whole }
}

/// A stall in which so much of the time went to others.
fn preempted(duration_ns: u64, waited_ns: u64) -> Stall {
    let ledger = Ledger::default()
        .with(LedgerKey::RunQueue, waited_ns)
        .with(LedgerKey::Native, duration_ns - waited_ns);
    Stall { ledger_ns: ledger, ..stall(LedgerKey::RunQueue, duration_ns, false) }
}

/// A loop that shows the pathology, and no other.
pub(super) fn example(id: Id) -> LoopSnapshot {
    let by = |cause| observed(vec![stall(cause, SECOND, false)]);
    match id {
        Id::MicrotaskFlood => with_microtasks(by(LedgerKey::Microtasks), &[60_000]),
        Id::NextTickStarvation => {
            LoopSnapshot { tick_drain_length: lengths(&[100_000]), ..by(LedgerKey::Ticks) }
        }
        Id::CpuBoundCallback => by(LedgerKey::Native),
        Id::SyncIo => by(LedgerKey::SyncIo),
        Id::GcPressure => by(LedgerKey::Gc),
        Id::CpuStarved => observed(vec![preempted(90 * MS, 80 * MS); 5]),
        Id::Frozen => LoopSnapshot {
            frozen_ns: Some(2 * SECOND),
            timer_lateness_ns: times(&[2 * SECOND - 100 * MS]),
            ..empty()
        },
        Id::TimerStorm => observed(vec![crowd(Phase::Timers, 10_000, SECOND)]),
        Id::PollFlood => observed(vec![crowd(Phase::Poll, 10_000, SECOND)]),
        Id::ImmediateFlood => observed(vec![crowd(Phase::Check, 10_000, SECOND)]),
        Id::ThreadPoolSaturation => LoopSnapshot {
            thread_pool: ThreadPoolSnapshot {
                queue_ns: times(&[0, 0, 0, 0, 100 * MS, 100 * MS, 200 * MS, 200 * MS]),
                run_ns: times(&[100 * MS; 8]),
                queue_length_max: Some(8),
                queue_length: Some(0),
                crowded_share: None,
            },
            ..empty()
        },
        Id::Healthy => LoopSnapshot { turns: Some(10), turn_ns: times(&[MS; 10]), ..empty() },
    }
}

pub(super) fn lengths(values: &[u64]) -> Option<Histogram> {
    Some(Histogram::of(Scale::Length, values.iter().copied()))
}

pub(super) fn snapshot(loops: Vec<LoopSnapshot>) -> Snapshot {
    Snapshot { loops, ..Snapshot::empty(ClockKind::Real) }
}

fn check(what: &str, observed: LoopSnapshot, ids: &[&str]) -> Vec<Diagnosis> {
    let told = diagnose(&snapshot(vec![observed]));
    let got: Vec<_> = told.iter().map(|diagnosis| diagnosis.id).collect();
    assert_eq!(got, ids, "{what}");
    told
}

#[test]
fn a_flood_explains_its_stall_whatever_took_most_of_it() {
    let mut slow_to_make = stall(LedgerKey::Native, SECOND, false);
    slow_to_make.microtasks = Some(200_000);
    let flooded = LoopSnapshot {
        microtask_drain_length: lengths(&[200_000]),
        ..observed(vec![slow_to_make.clone()])
    };
    let told = check("made slowly", flooded.clone(), &["microtask-flood"]);
    assert!(told[0].summary.contains("held up the loop for 1.00 s"), "{}", told[0].summary);

    let both = LoopSnapshot {
        microtask_drain_length: lengths(&[200_000]),
        ..observed(vec![slow_to_make, stall(LedgerKey::Native, 2 * SECOND, false)])
    };
    let told = check("and another", both, &["cpu-bound-callback", "microtask-flood"]);
    assert!(told[0].summary.contains("2.00 s"), "{}", told[0].summary);
}

#[test]
fn each_pathology_gets_its_name() {
    use LedgerKey::{Javascript, Microtasks, Native, Ticks, Unknown};
    check("nothing at all", empty(), &["healthy"]);
    check("one job short of a flood", with_microtasks(observed(vec![]), &[999]), &["healthy"]);
    check("a flood without a stall", with_microtasks(empty(), &[1_000]), &["microtask-flood"]);
    let flood = with_microtasks(observed(vec![stall(Microtasks, SECOND, false)]), &[60_000]);
    check("a flood explains its stall", flood, &["microtask-flood"]);
    let mut ticks = observed(vec![stall(Ticks, SECOND, false)]);
    ticks.tick_drain_length = lengths(&[5, 100_000]);
    check("ticks", ticks, &["next-tick-starvation"]);
    for cause in [Native, Javascript, Unknown] {
        let busy = observed(vec![stall(cause, SECOND, false)]);
        check("a callback that computes", busy, &["cpu-bound-callback"]);
    }
    let few = with_microtasks(observed(vec![stall(Microtasks, SECOND, false)]), &[10]);
    check("a microtask that computes", few, &["cpu-bound-callback"]);
}

fn with_microtasks(mut observed: LoopSnapshot, drains: &[u64]) -> LoopSnapshot {
    observed.microtask_drain_length = lengths(drains);
    observed
}

#[test]
fn each_id_has_an_example_that_gets_its_name_alone() {
    for id in Id::ALL {
        let told = check(id.name(), example(id), &[id.name()]).remove(0);
        assert!(!told.evidence.is_empty(), "{}", id.name());
        assert_eq!(told.docs, format!("agent/docs/diagnoses/{}.md", id.name()));
        assert_eq!(told.advice.lines().count(), 1, "{}", id.name());
        assert_eq!(told.example.is_none(), id == Id::Healthy, "{}: the fix", id.name());
    }
}

#[test]
fn a_flood_is_named_while_it_runs() {
    let mut running = observed(vec![stall(LedgerKey::Microtasks, SECOND, true)]);
    running.open = Some(OpenTurn {
        age_ns: SECOND,
        phase: Some(Phase::Poll),
        drain: Some(Drain { queue: Queue::Microtask, age_ns: SECOND, jobs: 41_000 }),
    });
    let told = check("running", running.clone(), &["microtask-flood"]);
    assert!(told[0].summary.contains("41,000 microtasks have run"), "{}", told[0].summary);
    assert!(told[0].summary.contains("1.00 s so far"), "{}", told[0].summary);
    running.microtask_drain_length = None;
    running.open = None;
    check("a source that does not count", running, &["cpu-bound-callback"]);
}

#[test]
fn worse_comes_first_and_cause_before_symptom() {
    use LedgerKey::{Microtasks, Native, Ticks};
    let stalls = |ns: [u64; 3]| {
        let [micro, ticks, native] = ns;
        let all = [(Microtasks, micro), (Ticks, ticks), (Native, native)];
        let mut observed =
            observed(all.into_iter().map(|(cause, ns)| stall(cause, ns, false)).collect());
        observed.microtask_drain_length = lengths(&[5_000]);
        observed.tick_drain_length = lengths(&[5_000]);
        observed
    };
    let all = ["microtask-flood", "next-tick-starvation", "cpu-bound-callback"];
    check("equals keep the order of the rules", stalls([SECOND; 3]), &all);
    let reversed = [all[2], all[1], all[0]];
    check("worst first", stalls([SECOND, 2 * SECOND, 3 * SECOND]), &reversed);
}

#[test]
fn a_sick_loop_beside_a_healthy_one_is_told_alone() {
    let sick = LoopSnapshot { thread: "worker-2".into(), ..with_microtasks(empty(), &[2_000]) };
    let told = diagnose(&snapshot(vec![empty(), sick]));
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].id, told[0].thread.as_str()), ("microtask-flood", "worker-2"));
}

#[test]
fn the_evidence_has_the_numbers() {
    let mut flood = with_microtasks(
        observed(vec![stall(LedgerKey::Microtasks, 1_500_000_000, false)]),
        &[60_000],
    );
    flood.timer_lateness_ns = Some(Histogram::of(Scale::Time, [1_500_000_000]));
    flood.turn_ns = Some(Histogram::of(Scale::Time, [1_500_000_000]));
    let turns = flood.turn_ns.as_ref().expect("just set");
    flood.arrival_delay_ns = Some(loop_core::snapshot::arrival_delay(turns, 0));
    let told = check("evidence", flood, &["microtask-flood"]).remove(0);
    assert_eq!(
        told.summary,
        "60,000 microtasks ran in one drain and held up the loop for 1.50 s in phase poll"
    );
    let all = told.evidence.join("\n");
    for part in ["one drain of 60,000 microtasks", "1.50 s microtasks (100 %)", "1.50 s late"] {
        assert!(all.contains(part), "{part} in\n{all}");
    }
    assert!(all.contains("random instant"), "{all}");
    assert!(told.advice.contains("setImmediate"));
}
