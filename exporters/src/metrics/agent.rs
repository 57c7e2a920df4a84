//! What concerns the agent itself.

use std::collections::BTreeMap;

use loop_core::snapshot::{Events, LoopSnapshot, Snapshot, Tier};

use super::{Emit, Kind, Label, Metric, Read, Value};
use crate::{SelfStats, label, limits};

const SOURCE: Label =
    Label { name: "source", values_max: 4, values: "embedded, ebpf, v8-trace, inspector" };
const TARGET_STATE: Label =
    Label { name: "state", values_max: 3, values: "attached, failed, pending" };
const TIER: Label = Label { name: "tier", values_max: 3, values: "passive, turn, full" };
const REASON: Label = Label { name: "reason", values_max: 16, values: "why it failed" };
const EXPORTER: Label = Label { name: "exporter", values_max: 4, values: "the format" };

pub(super) const AGENT: &[Metric] = &[
    Metric {
        name: "loopscope_build_info",
        otlp_name: "loopscope.build_info",
        kind: Kind::Gauge,
        unit: "{build}",
        help: "What was built: always 1",
        labels: &[
            Label { name: "version", values_max: 1, values: "of the program" },
            Label { name: "revision", values_max: 1, values: "of the source" },
            Label { name: "rustc", values_max: 1, values: "the compiler's version" },
        ],
        read: Read::Agent(|_, stats, emit| {
            let build = stats.build;
            emit(&[build.version, build.revision, build.rustc], Value::Count(1));
        }),
    },
    Metric {
        name: "loopscope_targets",
        otlp_name: "loopscope.targets",
        kind: Kind::Gauge,
        unit: "{target}",
        help: "Processes by whether they are observed; pending are found and not looked into yet",
        labels: &[TARGET_STATE],
        read: Read::Agent(|_, stats, emit| {
            emit(&["attached"], Value::Count(stats.targets.attached));
            emit(&["failed"], Value::Count(stats.targets.failed));
            emit(&["pending"], Value::Count(stats.targets.pending));
        }),
    },
    Metric {
        name: "loopscope_processes_unseen",
        otlp_name: "loopscope.processes_unseen",
        kind: Kind::Gauge,
        unit: "{process}",
        help: "Processes of the host that the agent has no rights to look at: whether they run \
               Node.js is not known",
        labels: &[],
        read: Read::Agent(|_, stats, emit| {
            stats.unseen.iter().for_each(|&count| emit(&[], Value::Count(count)));
        }),
    },
    Metric {
        name: "loopscope_attach_errors_total",
        otlp_name: "loopscope.attach_errors",
        kind: Kind::Counter,
        unit: "{error}",
        help: "Failed attempts to attach to a process",
        labels: &[REASON],
        read: Read::Agent(|_, stats, emit| {
            for (reason, &count) in &stats.attach_errors {
                emit(&[reason], Value::Count(count));
            }
        }),
    },
    Metric {
        name: "loopscope_events_total",
        otlp_name: "loopscope.events",
        kind: Kind::Counter,
        unit: "{event}",
        help: "Completed stalls that a source saw",
        labels: &[SOURCE],
        read: Read::Agent(|_, stats, emit| events(stats, |events| events.seen, emit)),
    },
    Metric {
        name: "loopscope_events_dropped_total",
        otlp_name: "loopscope.events.dropped",
        kind: Kind::Counter,
        unit: "{event}",
        help: "Completed stalls whose details were overwritten by newer ones; counters and \
               histograms hold them",
        labels: &[SOURCE],
        read: Read::Agent(|_, stats, emit| events(stats, |events| events.dropped, emit)),
    },
    Metric {
        name: "loopscope_probe_overhead_ratio",
        otlp_name: "loopscope.probe.overhead",
        kind: Kind::Gauge,
        unit: "1",
        help: "Time spent measuring as a share of the loop thread's time; the largest of the \
               processes of one name",
        labels: &[Label { name: "target", values_max: 1, values: "the service's name" }],
        read: Read::Agent(overheads),
    },
    Metric {
        name: "loopscope_targets_by_tier",
        otlp_name: "loopscope.targets_by_tier",
        kind: Kind::Gauge,
        unit: "{target}",
        help: "Observed processes by what is seen of them now",
        labels: &[TIER],
        read: Read::Agent(|snapshot, _, emit| {
            for tier in [Tier::Passive, Tier::Turn, Tier::Full] {
                let of = snapshot.targets.iter().filter(|target| target.tier == tier);
                emit(&[tier.name()], Value::Count(of.count() as u64));
            }
        }),
    },
    Metric {
        name: "loopscope_windows_total",
        otlp_name: "loopscope.windows",
        kind: Kind::Counter,
        unit: "{window}",
        help: "Short windows at tier full that stalls have opened",
        labels: &[],
        read: Read::Agent(|_, stats, emit| {
            stats.windows.iter().for_each(|&count| emit(&[], Value::Count(count)));
        }),
    },
    Metric {
        name: "loopscope_windows_refused_total",
        otlp_name: "loopscope.windows_refused",
        kind: Kind::Counter,
        unit: "{window}",
        help: "Windows that a stall wanted and that were not opened",
        labels: &[REASON],
        read: Read::Agent(|_, stats, emit| {
            for (reason, &count) in &stats.windows_refused {
                emit(&[reason], Value::Count(count));
            }
        }),
    },
    Metric {
        name: "loopscope_folded_targets",
        otlp_name: "loopscope.folded_targets",
        kind: Kind::Gauge,
        unit: "{target}",
        help: "Observed processes told as one, for lack of room for series of their own",
        labels: &[],
        read: Read::Agent(|_, stats, emit| {
            let folded = stats.folded.iter().map(|folded| folded.pids.len() as u64);
            folded.for_each(|count| emit(&[], Value::Count(count)));
        }),
    },
    Metric {
        name: "loopscope_folded_workers",
        otlp_name: "loopscope.folded_workers",
        kind: Kind::Gauge,
        unit: "{thread}",
        help: "Running workers told as one with others of their process, for lack of room for \
               series of their own",
        labels: &[],
        read: Read::Agent(|snapshot, stats, emit| {
            let others = |of: &LoopSnapshot| {
                stats.folded.as_ref().is_some_and(|folded| folded.pids.contains(&of.pid))
            };
            let running = snapshot.loops.iter().filter(|of| of.ended_ns.is_none());
            let workers = running.filter(|of| limits::shares_a_place(&of.thread) && !others(of));
            emit(&[], Value::Count(workers.count() as u64));
        }),
    },
    Metric {
        name: "loopscope_export_failures_total",
        otlp_name: "loopscope.export_failures",
        kind: Kind::Counter,
        unit: "{failure}",
        help: "Exports that did not reach their receiver",
        labels: &[EXPORTER, REASON],
        read: Read::Agent(|_, stats, emit| {
            for ((exporter, reason), &count) in &stats.export_failures {
                emit(&[exporter, reason], Value::Count(count));
            }
        }),
    },
    Metric {
        name: "loopscope_export_dropped_total",
        otlp_name: "loopscope.export_dropped",
        kind: Kind::Counter,
        unit: "{item}",
        help: "What was never delivered: stalls as log records (otlp-logs), and requests with \
               metrics that a newer one has replaced (otlp)",
        labels: &[EXPORTER, REASON],
        read: Read::Agent(|_, stats, emit| {
            for ((exporter, reason), &count) in &stats.export_dropped {
                emit(&[exporter, reason], Value::Count(count));
            }
        }),
    },
];

fn events(stats: &SelfStats, part: fn(&Events) -> u64, emit: Emit<'_>) {
    for (source, events) in &stats.events {
        emit(&[source], Value::Count(part(events)));
    }
}

fn overheads(snapshot: &Snapshot, _: &SelfStats, emit: Emit<'_>) {
    let mut largest: BTreeMap<_, f64> = BTreeMap::new();
    for target in &snapshot.targets {
        if let Some(ratio) = target.overhead_ratio.filter(|ratio| ratio.is_finite()) {
            let known = largest.entry(label::value(&target.name)).or_insert(ratio);
            *known = known.max(ratio);
        }
    }
    for (name, ratio) in largest {
        emit(&[&name], Value::Ratio(ratio));
    }
}
