//! What concerns a loop.

use loop_core::buckets::Scale;
use loop_core::snapshot::{Histogram, LedgerKey, LoopSnapshot, Queue, Stall, Tier};
use loop_core::{PHASES, Phase};

use super::{Emit, Kind, Label, Metric, Read, Value};

const PHASE: Label = Label {
    name: "phase",
    values_max: PHASES,
    values: "timers, pending, idle, prepare, poll, check, close",
};
const QUEUE: Label = Label { name: "queue", values_max: 2, values: "next_tick, microtask" };
const STATE: Label = Label { name: "state", values_max: 2, values: "active, idle" };
const CAUSE: Label = Label {
    name: "cause",
    values_max: LedgerKey::ALL.len(),
    values: "frozen, throttled, run_queue, sync_io, lock_wait, gc, microtasks, ticks, native, \
             javascript, unknown",
};

const TIER: Label = Label { name: "tier", values_max: 3, values: "passive, turn, full" };
const GC_KIND: Label = Label { name: "kind", values_max: 2, values: "minor, major" };

const TIME: Kind = Kind::Histogram(Scale::Time);
const LENGTH: Kind = Kind::Histogram(Scale::Length);

pub(super) const LOOPS: &[Metric] = &[
    Metric {
        name: "loopscope_eventloop_turn_duration_seconds",
        otlp_name: "loopscope.eventloop.turn.duration",
        kind: TIME,
        unit: "s",
        help: "Active part of a turn: what the loop does between two polls",
        labels: &[],
        // Each stall is a turn.
        read: Read::LoopOfStalls(|l, emit| histogram(&l.turn_ns, &[], emit), |_, _| true),
    },
    Metric {
        name: "loopscope_eventloop_phase_duration_seconds",
        otlp_name: "loopscope.eventloop.phase.duration",
        kind: TIME,
        unit: "s",
        help: "Time in each phase of a turn that ran something",
        labels: &[PHASE],
        read: Read::Loop(phase_durations),
    },
    Metric {
        name: "loopscope_eventloop_poll_wait_seconds",
        otlp_name: "loopscope.eventloop.poll.wait",
        kind: TIME,
        unit: "s",
        help: "Time a loop waited in the poll with nothing to do",
        labels: &[],
        read: Read::Loop(|l, emit| histogram(&l.poll_wait_ns, &[], emit)),
    },
    Metric {
        name: "loopscope_eventloop_timer_lateness_seconds",
        otlp_name: "loopscope.eventloop.timer.lateness",
        kind: TIME,
        unit: "s",
        help: "Time from when a timer was due to when it ran, with no sampling period in it",
        labels: &[],
        read: Read::Loop(|l, emit| histogram(&l.timer_lateness_ns, &[], emit)),
    },
    Metric {
        name: "loopscope_eventloop_arrival_delay_seconds",
        otlp_name: "loopscope.eventloop.arrival.delay",
        kind: TIME,
        unit: "s",
        help: "Time an event arriving at a random instant would have waited for the loop, \
               one arrival a microsecond",
        labels: &[],
        read: Read::Loop(|l, emit| histogram(&l.arrival_delay_ns, &[], emit)),
    },
    Metric {
        name: "loopscope_eventloop_drain_length",
        otlp_name: "loopscope.eventloop.drain.length",
        kind: LENGTH,
        unit: "{job}",
        help: "Jobs run in one drain of a queue that was not empty",
        labels: &[QUEUE],
        read: Read::Loop(|l, emit| {
            histogram(&l.tick_drain_length, &[Queue::NextTick.name()], emit);
            histogram(&l.microtask_drain_length, &[Queue::Microtask.name()], emit);
        }),
    },
    Metric {
        name: "loopscope_eventloop_drain_duration_seconds",
        otlp_name: "loopscope.eventloop.drain.duration",
        kind: TIME,
        unit: "s",
        help: "Time one drain of a queue held the loop",
        labels: &[QUEUE],
        read: Read::Loop(|l, emit| {
            histogram(&l.tick_drain_ns, &[Queue::NextTick.name()], emit);
            histogram(&l.microtask_drain_ns, &[Queue::Microtask.name()], emit);
        }),
    },
    Metric {
        name: "loopscope_eventloop_callback_duration_seconds",
        otlp_name: "loopscope.eventloop.callback.duration",
        kind: TIME,
        unit: "s",
        help: "Time in one callback, its drains not counted (with --detail)",
        labels: &[PHASE],
        read: Read::LoopOfStalls(callback_durations, is_one_callback),
    },
    Metric {
        name: "loopscope_eventloop_turns_total",
        otlp_name: "loopscope.eventloop.turns",
        kind: Kind::Counter,
        unit: "{turn}",
        help: "Completed turns",
        labels: &[],
        read: Read::Loop(|l, emit| count(l.turns, emit)),
    },
    Metric {
        name: "loopscope_eventloop_callbacks_total",
        otlp_name: "loopscope.eventloop.callbacks",
        kind: Kind::Counter,
        unit: "{callback}",
        help: "Callbacks run in all phases",
        labels: &[],
        read: Read::Loop(|l, emit| count(l.callbacks.map(|phases| phases.0.iter().sum()), emit)),
    },
    Metric {
        name: "loopscope_eventloop_microtasks_total",
        otlp_name: "loopscope.eventloop.microtasks",
        kind: Kind::Counter,
        unit: "{microtask}",
        help: "Microtasks run",
        labels: &[],
        read: Read::Loop(|l, emit| count(l.microtasks, emit)),
    },
    Metric {
        name: "loopscope_eventloop_time_seconds_total",
        otlp_name: "loopscope.eventloop.time",
        kind: Kind::Counter,
        unit: "s",
        help: "Time of the loop by what it did: running turns, or waiting in the poll",
        labels: &[STATE],
        read: Read::Loop(|l, emit| {
            time(l.active_ns, &["active"], emit);
            time(l.idle_ns, &["idle"], emit);
        }),
    },
    Metric {
        name: "loopscope_eventloop_observed_seconds_total",
        otlp_name: "loopscope.eventloop.observed",
        kind: Kind::Counter,
        unit: "s",
        help: "Time for which the loop was observed, by how much was seen of it: turns, polls and \
               arrival delays are timed at tier turn and full, phases, drains, timers and \
               collections at tier full alone",
        labels: &[TIER],
        read: Read::Loop(|l, emit| {
            for tier in [Tier::Passive, Tier::Turn, Tier::Full] {
                time(l.observed.of(tier), &[tier.name()], emit);
            }
        }),
    },
    Metric {
        name: "loopscope_eventloop_utilization_ratio",
        otlp_name: "loopscope.eventloop.utilization",
        kind: Kind::Gauge,
        unit: "1",
        help: "Active time as a share of active and idle time since the observation began",
        labels: &[],
        read: Read::Loop(|l, emit| {
            let known = l.utilization.filter(|ratio| ratio.is_finite());
            known.into_iter().for_each(|ratio| emit(&[], Value::Ratio(ratio)));
        }),
    },
    Metric {
        name: "loopscope_eventloop_current_turn_seconds",
        otlp_name: "loopscope.eventloop.current_turn",
        kind: Kind::Gauge,
        unit: "s",
        help: "Age of the unfinished turn, which rises while the loop is blocked; 0 while it waits",
        labels: &[],
        read: Read::Loop(|l, emit| time(Some(l.current_turn_ns()), &[], emit)),
    },
    Metric {
        name: "loopscope_eventloop_stalls_total",
        otlp_name: "loopscope.eventloop.stalls",
        kind: Kind::Counter,
        unit: "{stall}",
        help: "Completed turns past the stall threshold, by what took most of their time",
        labels: &[CAUSE],
        read: Read::Loop(|l, emit| {
            for cause in LedgerKey::ALL {
                emit(&[cause.name()], Value::Count(l.stall_totals.count(cause)));
            }
        }),
    },
    Metric {
        name: "loopscope_eventloop_stall_seconds_total",
        otlp_name: "loopscope.eventloop.stall",
        kind: Kind::Counter,
        unit: "s",
        help: "Time of completed turns past the stall threshold, by what took most of it",
        labels: &[CAUSE],
        read: Read::Loop(|l, emit| {
            for cause in LedgerKey::ALL {
                time(Some(l.stall_totals.duration_ns(cause)), &[cause.name()], emit);
            }
        }),
    },
    Metric {
        name: "loopscope_gc_pause_seconds",
        otlp_name: "loopscope.gc.pause",
        kind: TIME,
        unit: "s",
        help: "Pauses of the loop's thread for garbage collection",
        labels: &[GC_KIND],
        read: Read::Loop(|l, emit| {
            histogram(&l.gc_minor_ns, &["minor"], emit);
            histogram(&l.gc_major_ns, &["major"], emit);
        }),
    },
    Metric {
        name: "loopscope_thread_pool_queue_length",
        otlp_name: "loopscope.thread_pool.queue.length",
        kind: Kind::Gauge,
        unit: "{job}",
        help: "Jobs waiting for a thread of the pool",
        labels: &[],
        read: Read::Loop(|l, emit| count(l.thread_pool.queue_length, emit)),
    },
    Metric {
        name: "loopscope_thread_pool_wait_seconds",
        otlp_name: "loopscope.thread_pool.wait",
        kind: TIME,
        unit: "s",
        help: "Time a job waited for a thread of the pool",
        labels: &[],
        read: Read::Loop(|l, emit| histogram(&l.thread_pool.queue_ns, &[], emit)),
    },
    Metric {
        name: "loopscope_thread_cpu_seconds_total",
        otlp_name: "loopscope.thread.cpu",
        kind: Kind::Counter,
        unit: "s",
        help: "Time the loop's thread was on a CPU",
        labels: &[],
        read: Read::Loop(|l, emit| time(l.cpu.on_cpu_ns, &[], emit)),
    },
    Metric {
        name: "loopscope_thread_run_delay_seconds_total",
        otlp_name: "loopscope.thread.run_delay",
        kind: Kind::Counter,
        unit: "s",
        help: "Time the loop's thread could run but waited for a CPU",
        labels: &[],
        read: Read::Loop(|l, emit| time(l.cpu.run_delay_ns, &[], emit)),
    },
    Metric {
        name: "loopscope_thread_throttled_seconds_total",
        otlp_name: "loopscope.thread.throttled",
        kind: Kind::Counter,
        unit: "s",
        help: "Time the loop's thread waited for a CPU while the quota of its control group was \
               used up: a part of the run delay",
        labels: &[],
        read: Read::Loop(|l, emit| time(l.cpu.throttled_ns, &[], emit)),
    },
];

/// Whether the stall was one callback of the phase, and no drain.
fn is_one_callback(stall: &Stall, labels: &[&str]) -> bool {
    let ticks_ns = stall.ledger_ns.get(LedgerKey::Ticks).unwrap_or(0);
    stall.callbacks == Some(1)
        && stall.microtasks.unwrap_or(0) == 0
        && ticks_ns == 0
        && stall.phase.is_some_and(|phase| labels == [phase.name()])
}

fn callback_durations(l: &LoopSnapshot, emit: Emit<'_>) {
    for phase in Phase::ALL {
        histogram(&l.callbacks_ns[phase], &[phase.name()], emit);
    }
}

fn phase_durations(l: &LoopSnapshot, emit: Emit<'_>) {
    for phase in Phase::ALL {
        histogram(&l.phases[phase], &[phase.name()], emit);
    }
}

fn histogram(seen: &Option<Histogram>, labels: &[&str], emit: Emit<'_>) {
    seen.iter().for_each(|histogram| emit(labels, Value::Histogram(histogram)));
}

fn count(seen: Option<u64>, emit: Emit<'_>) {
    seen.into_iter().for_each(|count| emit(&[], Value::Count(count)));
}

fn time(seen: Option<u64>, labels: &[&str], emit: Emit<'_>) {
    seen.into_iter().for_each(|ns| emit(labels, Value::Nanoseconds(ns)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_docs_name_every_value_of_a_label() {
        let phases = Phase::ALL.map(Phase::name).join(", ");
        let queues = [Queue::NextTick, Queue::Microtask].map(Queue::name).join(", ");
        let causes = LedgerKey::ALL.map(LedgerKey::name).join(", ");
        assert_eq!([PHASE.values, QUEUE.values, CAUSE.values], [phases, queues, causes]);
    }

    #[test]
    fn a_callback_has_a_stall_as_example_that_was_it_alone() {
        use loop_core::snapshot::Ledger;
        let alone = Stall { callbacks: Some(1), phase: Some(Phase::Poll), ..Stall::default() };
        assert!(is_one_callback(&alone, &["poll"]));
        assert!(!is_one_callback(&alone, &["timers"]));
        for other in [
            Stall { callbacks: Some(2), ..alone.clone() },
            Stall { callbacks: None, ..alone.clone() },
            Stall { phase: None, ..alone.clone() },
            Stall { microtasks: Some(1), ..alone.clone() },
            Stall { ledger_ns: Ledger::default().with(LedgerKey::Ticks, 1), ..alone.clone() },
        ] {
            assert!(!is_one_callback(&other, &["poll"]), "{other:?}");
        }
    }
}
