//! Where one diagnosis ends and another begins: each rule just inside and just outside.

use loop_core::Phase;
use loop_core::PhaseMap;
use loop_core::snapshot::{
    Histogram, Ledger, LedgerKey, LongestDrain, LoopSnapshot, OpenTurn, Repeated, Stall, Stopped,
    StoppedBy, ThreadCpu, ThreadPoolSnapshot,
};

use super::tests::{MS, SECOND, crowd, empty, example, lengths, observed, snapshot, stall, times};
use super::*;

fn ids(observed: LoopSnapshot) -> Vec<&'static str> {
    diagnose(&snapshot(vec![observed])).iter().map(|told| told.id).collect()
}

fn first(observed: LoopSnapshot) -> Diagnosis {
    diagnose(&snapshot(vec![observed])).remove(0)
}

/// A stall with these parts.
fn parts(parts: &[(LedgerKey, u64)]) -> Stall {
    let ledger = parts.iter().fold(Ledger::default(), |all, &(key, ns)| all.with(key, ns));
    Stall { ledger_ns: ledger, ..stall(LedgerKey::Native, ledger.total_ns(), false) }
}

/// A loop whose callbacks in one phase took so long.
fn with_detail(stalls: Vec<Stall>, phase: Phase, callbacks_ns: &[u64]) -> LoopSnapshot {
    let mut timed = PhaseMap::from_fn(|_| times(&[]));
    timed[phase] = times(callbacks_ns);
    LoopSnapshot { callbacks_ns: timed, ..observed(stalls) }
}

#[test]
fn many_short_callbacks_are_a_storm_and_few_or_long_ones_are_not() {
    let timers = |count, ns| ids(observed(vec![crowd(Phase::Timers, count, ns)]))[0];
    assert_eq!(timers(100, 60 * MS), "timer-storm");
    assert_eq!(timers(99, 60 * MS), "cpu-bound-callback");
    assert_eq!(timers(100, 100 * 49 * MS), "timer-storm");
    assert_eq!(timers(100, 100 * 50 * MS), "cpu-bound-callback", "each is a stall by itself");
    let mut slowed = crowd(Phase::Timers, 100, 100 * 60 * MS);
    let (waited_ns, own_ns) = (100 * 50 * MS, 100 * 10 * MS);
    slowed.ledger_ns =
        parts(&[(LedgerKey::RunQueue, waited_ns), (LedgerKey::Native, own_ns)]).ledger_ns;
    assert_eq!(ids(observed(vec![slowed])), ["timer-storm"], "waiting makes none of them long");
    let close = observed(vec![crowd(Phase::Close, 10_000, SECOND)]);
    assert_eq!(ids(close), ["cpu-bound-callback"], "no storm is known of that phase");
    let checks =
        LoopSnapshot { immediates: Some(0), ..observed(vec![crowd(Phase::Check, 500, SECOND)]) };
    assert_eq!(ids(checks), ["cpu-bound-callback"], "check handles are no immediates");
}

#[test]
fn one_long_callback_among_many_short_ones_is_found_with_detail() {
    let seen = |longest_ns| {
        let mut took = vec![10_000; 999];
        took.push(longest_ns);
        first(with_detail(vec![crowd(Phase::Poll, 1_000, 100 * MS)], Phase::Poll, &took))
    };
    let one = seen(90 * MS);
    assert_eq!((one.id, one.confidence), ("cpu-bound-callback", Confidence::Medium));
    assert!(one.evidence.join("\n").contains("the longest took 90.0 ms"), "{:?}", one.evidence);
    let many = seen(20 * MS);
    assert_eq!((many.id, many.confidence), ("poll-flood", Confidence::High));
    let blind = first(observed(vec![crowd(Phase::Poll, 1_000, 100 * MS)]));
    assert_eq!((blind.id, blind.confidence), ("poll-flood", Confidence::Medium));
    assert!(blind.evidence.join("\n").contains("--detail"), "{:?}", blind.evidence);
    let elsewhere = seen(3 * SECOND);
    assert_eq!(elsewhere.id, "poll-flood", "a callback longer than the stall is not in it");
}

#[test]
fn a_storm_whose_callbacks_queue_a_few_jobs_each_is_no_flood() {
    let mut storm = crowd(Phase::Timers, 10_000, SECOND);
    storm.microtasks = Some(30_000);
    storm.ledger_ns = Ledger::default().with(LedgerKey::Microtasks, SECOND);
    let drains = |lengths: Option<Histogram>, longest_ns| LoopSnapshot {
        microtask_drain_length: lengths,
        microtask_drain_ns: times(&[longest_ns]),
        ..observed(vec![storm.clone()])
    };
    assert_eq!(ids(drains(lengths(&[3; 10_000]), 1_000)), ["timer-storm"]);
    // One flood among them: told, and it explains the stall only if it took most of it.
    let mut one_long = vec![2; 9_999];
    one_long.push(10_002);
    let both = ids(drains(lengths(&one_long), 100 * MS));
    assert_eq!(both, ["timer-storm", "microtask-flood"]);
    assert_eq!(ids(drains(lengths(&one_long), 900 * MS)), ["microtask-flood"]);
}

#[test]
fn promises_and_ticks_that_queue_each_other_starve_without_a_long_drain() {
    let mut stall = stall(LedgerKey::Microtasks, SECOND, false);
    (stall.callbacks, stall.microtasks) = (Some(1), Some(50_000));
    let told = first(LoopSnapshot {
        microtask_drain_length: lengths(&[1; 50_000]),
        ..observed(vec![stall])
    });
    assert_eq!((told.id, told.confidence), ("next-tick-starvation", Confidence::Medium));
    assert!(told.evidence[0].contains("50,000 microtasks"), "{:?}", told.evidence);
}

#[test]
fn one_event_of_a_live_node_may_call_hundreds_and_is_no_starvation() {
    let mut jobs_done = stall(LedgerKey::Microtasks, SECOND, false);
    (jobs_done.callbacks, jobs_done.microtasks) = (Some(2), Some(3_000));
    jobs_done.drain = Some(LongestDrain { jobs: 6, ..LongestDrain::default() });
    let live = |of: &Stall| {
        let seen = observed(vec![of.clone()]);
        ids(LoopSnapshot {
            microtask_drain_length: lengths(&[6; 500]),
            tick_drain_length: None,
            ..seen
        })
    };
    assert_eq!(live(&jobs_done), ["cpu-bound-callback"], "two events, five hundred callbacks");
    jobs_done.callbacks = None;
    assert_eq!(live(&jobs_done), ["cpu-bound-callback"], "one event, five hundred callbacks");
    jobs_done.repeated = Some(Repeated::Ticks);
    assert_eq!(live(&jobs_done), ["next-tick-starvation"], "samples saw the ticks between");
    jobs_done.callbacks = Some(2);
    assert_eq!(live(&jobs_done), ["cpu-bound-callback"], "each event may have had its own");
}

#[test]
fn the_flood_of_another_turn_explains_no_stall_of_short_drains() {
    let turn = |drain| {
        let mut computes = stall(LedgerKey::Native, 400 * MS, false);
        (computes.phase, computes.microtasks) = (Some(Phase::Timers), Some(1_200));
        computes.drain = Some(LongestDrain { jobs: drain, ..LongestDrain::default() });
        let mut drains = vec![1_100];
        drains.extend([30; 40]);
        first(LoopSnapshot { microtask_drain_length: lengths(&drains), ..observed(vec![computes]) })
    };
    assert_eq!(turn(30).id, "cpu-bound-callback");
    assert_eq!(turn(999).id, "cpu-bound-callback");
    assert_eq!(turn(1_000).id, "microtask-flood");
}

#[test]
fn work_of_its_own_is_the_loops_fault_whatever_was_taken_besides() {
    use LedgerKey::{Frozen, Native, RunQueue, SyncIo, Throttled};
    let of = |all: &[(LedgerKey, u64)]| ids(observed(vec![parts(all); 20]))[0];
    assert_eq!(of(&[(RunQueue, 300 * MS), (Native, 60 * MS)]), "cpu-bound-callback");
    assert_eq!(of(&[(RunQueue, 300 * MS), (Native, 49 * MS)]), "cpu-starved");
    assert_eq!(of(&[(RunQueue, 30 * MS), (Native, 31 * MS)]), "cpu-bound-callback");
    assert_eq!(of(&[(Throttled, 90 * MS), (Native, 10 * MS)]), "cpu-starved");
    assert_eq!(of(&[(Frozen, 90 * MS), (Native, 10 * MS)]), "frozen");
    assert_eq!(of(&[(RunQueue, 300 * MS), (SyncIo, 60 * MS), (Native, 5 * MS)]), "sync-io");
    assert_eq!(of(&[(LedgerKey::LockWait, 60 * MS)]), "sync-io");
}

#[test]
fn blips_are_no_starvation() {
    use LedgerKey::{Native, RunQueue};
    let blip = |ms| parts(&[(RunQueue, ms * MS), (Native, 5 * MS)]);
    let over = |stalls: Vec<Stall>, seconds: u64| {
        first(LoopSnapshot { active_ns: Some(seconds * SECOND), ..observed(stalls) })
    };
    let two = over(vec![blip(60), blip(80)], 1);
    assert_eq!((two.id, two.confidence), ("healthy", Confidence::Low));
    assert!(two.summary.contains("2 stalls, by waiting for a CPU"), "{}", two.summary);
    assert!(two.evidence.join("\n").contains("85.0 ms"), "{:?}", two.evidence);
    assert_eq!(over(vec![blip(60); 3], 1).id, "cpu-starved");
    assert_eq!(over(vec![blip(60); 3], 60).id, "healthy", "three in a minute");
    assert_eq!(over(vec![blip(60); 30], 3_600).id, "healthy", "one in two minutes");
    assert_eq!(over(vec![blip(195)], 3_600).id, "cpu-starved", "one, but of 200 ms");
    assert_eq!(over(vec![blip(194)], 3_600).id, "healthy");
}

#[test]
fn a_thread_that_mostly_waits_for_a_cpu_is_starved_without_a_stall() {
    let waits = |ran_ms, waited_ms, seconds| {
        let cpu = ThreadCpu {
            on_cpu_ns: Some(ran_ms * MS),
            run_delay_ns: Some(waited_ms * MS),
            throttled_ns: None,
        };
        first(LoopSnapshot { cpu, active_ns: Some(seconds * SECOND), ..empty() })
    };
    let starved = waits(500, 2_000, 3);
    assert_eq!(starved.id, "cpu-starved");
    assert!(starved.evidence[0].contains("waited 2.00 s for a CPU"), "{:?}", starved.evidence);
    assert_eq!(waits(501, 2_000, 3).id, "healthy", "less than four times as long");
    assert_eq!(waits(100, 999, 3).id, "healthy", "less than a second");
    let quota = |throttled_ms| {
        let throttled_ns = Some(throttled_ms * MS);
        let cpu =
            ThreadCpu { on_cpu_ns: Some(500 * MS), run_delay_ns: Some(1_999 * MS), throttled_ns };
        first(LoopSnapshot { cpu, active_ns: Some(3 * SECOND), ..empty() })
    };
    assert_eq!(quota(1_999).id, "healthy", "throttled time is a part of the wait, not more of it");
    assert_eq!(waits(500, 2_000, 21).id, "healthy", "a small share of the time");
}

#[test]
fn a_freeze_that_makes_nothing_late_is_harmless() {
    let frozen = |frozen_ms, late_ms, turn_ms| {
        first(LoopSnapshot {
            frozen_ns: Some(frozen_ms * MS),
            timer_lateness_ns: times(&[late_ms * MS]),
            turn_ns: times(&[turn_ms * MS]),
            turns: Some(1),
            ..empty()
        })
    };
    assert_eq!(frozen(2_000, 50, 0).id, "frozen");
    let harmless = frozen(2_000, 49, 0);
    assert_eq!(harmless.id, "healthy");
    assert!(harmless.evidence.join("\n").contains("frozen for 2.00 s"), "{harmless:?}");
    assert_eq!(frozen(49, 49, 0).id, "healthy");
    assert_eq!(frozen(2_000, 1_000, 960).id, "healthy", "the turn explains the lateness");
    let unseen = first(LoopSnapshot { frozen_ns: Some(SECOND), ..empty() });
    assert_eq!((unseen.id, unseen.confidence), ("frozen", Confidence::Low));
}

#[test]
fn a_process_that_is_stopped_is_not_healthy() {
    let stopped = |age_ms, always, open| {
        let stopped = Some(Stopped { age_ns: age_ms * MS, always, by: StoppedBy::Signal });
        let example = example(Id::Healthy);
        first(LoopSnapshot { stopped, open, ..example })
    };
    let all = stopped(4_000, true, None);
    assert_eq!((all.id, all.confidence), ("frozen", Confidence::High));
    assert_eq!(all.evidence[0], "stopped by a signal for the whole observation, 4.00 s");
    assert!(all.summary.contains("4.00 s") && all.advice.contains("kill -CONT"), "{all:?}");
    let last = stopped(50, false, None);
    assert_eq!(last.evidence[0], "stopped by a signal for the last 50.0 ms");
    assert_eq!(stopped(49, true, None).id, "healthy");
    let open = Some(OpenTurn { age_ns: MS, phase: None, drain: None });
    assert_eq!(stopped(4_000, true, open).id, "healthy", "in a turn: it is a stall, or none");
}

#[test]
fn a_timer_that_no_turn_explains_is_told_with_its_reason() {
    let late = |late_ms, turn_ms, waited_ms| LoopSnapshot {
        timer_lateness_ns: times(&[late_ms * MS]),
        turn_ns: times(&[turn_ms * MS]),
        turns: Some(1),
        cpu: ThreadCpu { run_delay_ns: Some(waited_ms * MS), ..ThreadCpu::default() },
        ..empty()
    };
    let stopped = first(late(1_000, 10, 5));
    assert_eq!((stopped.id, stopped.confidence), ("frozen", Confidence::Low));
    assert!(stopped.summary.contains("stopped or suspended"), "{}", stopped.summary);
    assert_eq!(ids(late(225, 10, 5)), ["frozen"]);
    let short = first(late(224, 10, 5));
    assert_eq!(short.id, "healthy");
    let reason = "214 ms later than the longest turn explains";
    assert!(short.evidence.join("\n").contains(reason), "{:?}", short.evidence);
    let waited = first(late(1_000, 10, 800));
    assert_eq!(waited.id, "healthy", "the wait for a CPU explains it");
    assert!(waited.evidence.join("\n").contains("gave it no CPU"), "{:?}", waited.evidence);
    let little = first(late(59, 10, 0));
    assert!(!little.evidence.join("\n").contains("explains"), "{:?}", little.evidence);
    assert_eq!(ids(late(600, 300, 0)), ["healthy"], "two turns explain it");
    let untimed = LoopSnapshot { turn_ns: None, ..late(1_000, 0, 0) };
    assert_eq!(ids(untimed), ["healthy"]);
}

#[test]
fn what_is_called_a_callback_that_computes_is_one() {
    let summary = |stall: Stall| first(observed(vec![stall])).summary;
    let close = summary(crowd(Phase::Close, 1_000, SECOND));
    assert_eq!(close, "1,000 callbacks held up the loop for 1.00 s in phase close");
    let few = summary(crowd(Phase::Timers, 2, SECOND));
    assert_eq!(few, "2 callbacks held up the loop for 1.00 s in phase timers");
    let one = summary(crowd(Phase::Timers, 1, SECOND));
    assert!(one.starts_with("A callback that computes held up"), "{one}");
    let timed = with_detail(vec![crowd(Phase::Timers, 2, SECOND)], Phase::Timers, &[900 * MS, MS]);
    let known = first(timed).summary;
    assert!(known.starts_with("A callback that computes held up"), "{known}");
    let jobs = |cause, count| Stall { microtasks: count, ..stall(cause, SECOND, true) };
    let told = first(observed(vec![jobs(LedgerKey::Microtasks, Some(983))]));
    assert_eq!(told.id, "cpu-bound-callback");
    let want = "983 promise reactions held up the loop for 1.00 s so far in phase poll";
    assert_eq!(told.summary, want);
    let counted = told.evidence.iter().any(|line| line.starts_with("983 promise reactions"));
    assert!(counted, "{:?}", told.evidence);
    let uncounted = summary(jobs(LedgerKey::Microtasks, None));
    assert!(uncounted.starts_with("Promise reactions held up"), "{uncounted}");
    let ticks = summary(jobs(LedgerKey::Ticks, None));
    assert!(ticks.starts_with("NextTick callbacks held up"), "{ticks}");
}

#[test]
fn garbage_is_the_floods_where_a_flood_makes_it() {
    let mut flooded = parts(&[(LedgerKey::Gc, 800 * MS), (LedgerKey::Microtasks, 200 * MS)]);
    flooded.microtasks = Some(60_000);
    let seen = LoopSnapshot {
        microtask_drain_length: lengths(&[60_000]),
        gc_major_ns: times(&[100 * MS; 8]),
        active_ns: Some(SECOND),
        ..observed(vec![flooded])
    };
    assert_eq!(ids(seen), ["microtask-flood"]);
    let share = |pause_ms, active_ms| {
        let active_ns = Some(active_ms * MS);
        ids(LoopSnapshot { gc_major_ns: times(&[pause_ms * MS; 10]), active_ns, ..empty() })[0]
    };
    assert_eq!(share(10, 1_000), "gc-pressure");
    assert_eq!(share(10, 1_001), "healthy");
    assert_eq!(share(4, 100), "healthy", "40 ms in all");
}

#[test]
fn a_burst_on_the_pool_is_harmless_and_a_late_thread_is_no_full_pool() {
    let pool = |waits: &[u64], runs: &[u64], queued| {
        let queue_ns = times(waits);
        ids(LoopSnapshot {
            thread_pool: ThreadPoolSnapshot {
                queue_ns,
                run_ns: times(runs),
                queue_length_max: Some(queued),
                queue_length: None,
                crowded_share: None,
            },
            ..empty()
        })[0]
    };
    let mut burst = vec![MS; 91];
    burst.extend([60 * MS; 9]);
    assert_eq!(pool(&burst, &[10 * MS; 100], 60), "healthy", "9 of 100 waited");
    burst[0] = 60 * MS;
    assert_eq!(pool(&burst, &[10 * MS; 100], 60), "thread-pool-saturation");
    assert_eq!(pool(&burst, &[10 * MS; 100], 3), "healthy", "fewer waited than there are threads");
    assert_eq!(pool(&burst, &[1_000; 100], 60), "healthy", "the threads had hardly any work");
    // One thread: the last of 30 jobs waits for the 29 before it, and for the thread between them.
    let in_a_row: Vec<u64> = (0..30).map(|before| before * (10 * MS + 100_000)).collect();
    assert_eq!(pool(&in_a_row, &[9 * MS; 30], 30), "thread-pool-saturation");
    assert_eq!(pool(&in_a_row, &[4 * MS; 30], 30), "healthy", "less than half of it");
    let (queue_ns, none) = (times(&[60 * MS; 9]), ThreadPoolSnapshot::default());
    let blind = LoopSnapshot { thread_pool: ThreadPoolSnapshot { queue_ns, ..none }, ..empty() };
    assert_eq!(first(blind).confidence, Confidence::Medium);
}

#[test]
fn stalls_that_are_no_longer_listed_go_with_those_that_are() {
    let mut seen = observed(vec![crowd(Phase::Timers, 500, 100 * MS); 64]);
    seen.stall_totals.set(LedgerKey::Native, 1_000, 100 * SECOND);
    let told = first(seen);
    assert_eq!(told.id, "timer-storm");
    assert!(told.summary.contains("1,000 stalls"), "{}", told.summary);
    assert!(told.summary.contains("the longest of the 64 listed"), "{}", told.summary);
    assert!(told.evidence[0].contains("100 s in all"), "{:?}", told.evidence);
    assert!(told.evidence[0].contains("of the 64 listed"), "{:?}", told.evidence);
    let mut unlisted = empty();
    unlisted.stall_totals.set(LedgerKey::SyncIo, 3, SECOND);
    assert_eq!(ids(unlisted), ["sync-io"]);
}

#[test]
fn what_waited_longest_comes_first_whether_it_is_a_stall_or_not() {
    let both = |stall_ns| {
        let pool = example(Id::ThreadPoolSaturation).thread_pool;
        let stalls = observed(vec![stall(LedgerKey::SyncIo, stall_ns, false)]);
        ids(LoopSnapshot { thread_pool: pool, ..stalls })
    };
    assert_eq!(both(300 * MS), ["sync-io", "thread-pool-saturation"]);
    assert_eq!(both(100 * MS), ["thread-pool-saturation", "sync-io"]);
}

#[test]
fn confidence_tells_what_was_not_measured() {
    let of = |stall: Stall| first(observed(vec![stall])).confidence;
    assert_eq!(of(stall(LedgerKey::Unknown, SECOND, false)), Confidence::Low);
    let known = parts(&[(LedgerKey::RunQueue, 0), (LedgerKey::Native, SECOND)]);
    let one = Stall { callbacks: Some(1), ..known.clone() };
    assert_eq!(of(one), Confidence::High);
    assert_eq!(of(Stall { callbacks: Some(2), ..known }), Confidence::Medium);
    let blind = stall(LedgerKey::Native, SECOND, false);
    assert_eq!(of(Stall { callbacks: Some(1), ..blind }), Confidence::Medium, "no run queue");
}
