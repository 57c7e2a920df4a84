//! What holds for any snapshot: an answer, in order, with numbers, and no panic.

use loop_core::buckets::Scale;
use loop_core::snapshot::{
    ClockKind, Drain, Histogram, Ledger, LedgerKey, LoopSnapshot, OpenTurn, Queue, Snapshot, Stall,
    ThreadCpu, ThreadPoolSnapshot,
};
use loop_core::{Phase, PhaseMap};
use proptest::option::of;
use proptest::prelude::*;

use super::tests::{empty, example, observed, snapshot, stall};
use super::*;

/// Times and counts of every size, extremes among them.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..2_000_u64,
        0..5_000_000_000_u64,
        Just(u64::MAX),
        (0..63_u32).prop_map(|bits| 1 << bits)
    ]
}

fn histogram(scale: Scale) -> impl Strategy<Value = Option<Histogram>> {
    of(prop::collection::vec(number(), 0..6).prop_map(move |all| Histogram::of(scale, all)))
}

fn phase() -> impl Strategy<Value = Option<Phase>> {
    (0..8_usize).prop_map(Phase::from_index)
}

fn any_stall() -> impl Strategy<Value = Stall> {
    let parts = prop::collection::vec((0..11_usize, number()), 0..5);
    (number(), any::<bool>(), phase(), of(number()), of(number()), parts).prop_map(
        |(duration_ns, running, phase, callbacks, microtasks, parts)| {
            let ledger_ns = parts
                .into_iter()
                .fold(Ledger::default(), |all, (key, ns)| all.with(LedgerKey::ALL[key], ns));
            let made = stall(LedgerKey::Unknown, duration_ns, running);
            Stall { phase, callbacks, microtasks, ledger_ns, ..made }
        },
    )
}

fn open_turn() -> impl Strategy<Value = Option<OpenTurn>> {
    let queue = prop_oneof![Just(Queue::Microtask), Just(Queue::NextTick)];
    let drain =
        (queue, number(), number()).prop_map(|(queue, age_ns, jobs)| Drain { queue, age_ns, jobs });
    of((number(), phase(), of(drain)).prop_map(|(age_ns, phase, drain)| OpenTurn {
        age_ns,
        phase,
        drain,
    }))
}

fn pool() -> impl Strategy<Value = ThreadPoolSnapshot> {
    (histogram(Scale::Time), histogram(Scale::Time), of(number()), of(number())).prop_map(
        |(queue_ns, run_ns, queue_length_max, queue_length)| ThreadPoolSnapshot {
            queue_ns,
            run_ns,
            queue_length_max,
            queue_length,
            crowded_share: None,
        },
    )
}

fn any_loop() -> impl Strategy<Value = LoopSnapshot> {
    let stalls = prop::collection::vec(any_stall(), 0..6);
    let totals = prop::collection::vec((0..11_usize, number(), number()), 0..4);
    let lengths = (histogram(Scale::Length), histogram(Scale::Length), histogram(Scale::Time));
    let times = (histogram(Scale::Time), histogram(Scale::Time), histogram(Scale::Time));
    let counters = prop::array::uniform8(of(number()));
    let rest = (open_turn(), pool(), histogram(Scale::Time), phase(), of(number()));
    (stalls, totals, lengths, times, counters, rest).prop_map(
        |(stalls, totals, lengths, times, counters, (open, thread_pool, timed, phase, turns))| {
            let [active_ns, idle_ns, frozen_ns, on_cpu_ns, run_delay_ns, throttled_ns, ..] =
                counters;
            let mut seen = LoopSnapshot { stalls, open, thread_pool, turns, ..empty() };
            for (key, count, ns) in totals {
                seen.stall_totals.set(LedgerKey::ALL[key], count, ns);
            }
            let [.., timers, immediates] = counters;
            (seen.timers, seen.immediates) = (timers, immediates);
            (seen.active_ns, seen.idle_ns, seen.frozen_ns) = (active_ns, idle_ns, frozen_ns);
            seen.cpu = ThreadCpu { on_cpu_ns, run_delay_ns, throttled_ns };
            (seen.microtask_drain_length, seen.tick_drain_length) = (lengths.0, lengths.1);
            (seen.microtask_drain_ns, seen.turn_ns) = (lengths.2, times.0);
            (seen.timer_lateness_ns, seen.gc_major_ns) = (times.1, times.2);
            seen.callbacks_ns = PhaseMap::from_fn(|_| None);
            if let Some(phase) = phase {
                seen.callbacks_ns[phase] = timed;
            }
            seen
        },
    )
}

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let clock = prop_oneof![Just(ClockKind::Real), Just(ClockKind::Virtual)];
    (prop::collection::vec(any_loop(), 0..4), clock)
        .prop_map(|(loops, clock)| Snapshot { loops, ..Snapshot::empty(clock) })
}

proptest! {
    #[test]
    fn there_is_an_answer_with_numbers_and_health_stands_alone(seen in any_snapshot()) {
        let told = diagnose(&seen);
        prop_assert!(!told.is_empty());
        let healthy = told.iter().any(|diagnosis| diagnosis.id == Id::Healthy.name());
        prop_assert!(!healthy || told.len() == 1);
        for diagnosis in &told {
            prop_assert!(Id::named(diagnosis.id).is_some());
            prop_assert!(!diagnosis.summary.is_empty() && !diagnosis.advice.is_empty());
            prop_assert!(healthy || !diagnosis.evidence.is_empty(), "{}", diagnosis.id);
            for line in &diagnosis.evidence {
                prop_assert!(line.contains(|c: char| c.is_ascii_digit()), "no number: {line}");
                prop_assert!(!line.contains('\n'));
            }
        }
    }

    #[test]
    fn every_stall_is_in_one_group(seen in any_loop()) {
        let groups = Groups::of(&seen);
        let (count, _) = groups.all();
        let listed = seen.stalls.len() as u64;
        prop_assert!(count >= listed);
        let members: usize = Id::ALL.into_iter().map(|id| groups.get(id).listed.len()).sum();
        prop_assert_eq!(members as u64, listed);
        let totals = seen.stall_totals;
        for cause in LedgerKey::ALL {
            prop_assert!(count >= totals.count(cause), "{}", cause.name());
        }
    }

    #[test]
    fn a_loop_tells_each_thing_once_and_the_longest_first(
        causes in prop::collection::vec((0..11_usize, 50_000_000..5_000_000_000_u64), 0..12)
    ) {
        let stalls = causes.into_iter().map(|(key, ns)| stall(LedgerKey::ALL[key], ns, false));
        let seen = observed(stalls.collect());
        let groups = Groups::of(&seen);
        let told = diagnose(&snapshot(vec![seen.clone()]));
        let times: Vec<u64> = told
            .iter()
            .map(|diagnosis| groups.get(Id::named(diagnosis.id).expect("an id")).duration_ns)
            .collect();
        prop_assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "{times:?}");
        let mut ids: Vec<_> = told.iter().map(|diagnosis| diagnosis.id).collect();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), told.len());
    }

    #[test]
    fn a_sick_loop_is_told_beside_any_others(seen in any_snapshot(), which in 0..11_usize) {
        let sick = Id::ALL[which];
        let mut seen = seen;
        seen.loops.push(LoopSnapshot { thread: "sick".into(), ..example(sick) });
        let told = diagnose(&seen);
        let ours: Vec<_> = told.iter().filter(|told| told.thread == "sick").collect();
        prop_assert_eq!(ours.len(), 1);
        prop_assert_eq!(ours[0].id, sick.name());
    }
}
