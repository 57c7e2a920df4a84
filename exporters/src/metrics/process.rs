//! The agent's own process, under the names that every Prometheus client has.
//!
//! They are on pages alone: over OTLP a host's own agent tells them.

use super::{Emit, Kind, Metric, Read, Value};
use crate::{ProcessStats, SelfStats};

pub(super) const PROCESS: &[Metric] = &[
    Metric {
        name: "process_cpu_seconds_total",
        otlp_name: "",
        kind: Kind::Counter,
        unit: "s",
        help: "CPU time of the agent, in whole seconds",
        labels: &[],
        read: Read::Agent(|_, stats, emit| time(stats.process.cpu_ns, emit)),
    },
    Metric {
        name: "process_resident_memory_bytes",
        otlp_name: "",
        kind: Kind::Gauge,
        unit: "By",
        help: "Memory of the agent that is in RAM",
        labels: &[],
        read: Read::Agent(|_, stats, emit| count(stats, |of| of.resident_bytes, emit)),
    },
    Metric {
        name: "process_virtual_memory_bytes",
        otlp_name: "",
        kind: Kind::Gauge,
        unit: "By",
        help: "Address space of the agent",
        labels: &[],
        read: Read::Agent(|_, stats, emit| count(stats, |of| of.virtual_bytes, emit)),
    },
    Metric {
        name: "process_open_fds",
        otlp_name: "",
        kind: Kind::Gauge,
        unit: "{fd}",
        help: "Open file descriptors of the agent",
        labels: &[],
        read: Read::Agent(|_, stats, emit| count(stats, |of| of.open_fds, emit)),
    },
    Metric {
        name: "process_max_fds",
        otlp_name: "",
        kind: Kind::Gauge,
        unit: "{fd}",
        help: "The most file descriptors that the agent may open",
        labels: &[],
        read: Read::Agent(|_, stats, emit| count(stats, |of| of.max_fds, emit)),
    },
    Metric {
        name: "process_threads",
        otlp_name: "",
        kind: Kind::Gauge,
        unit: "{thread}",
        help: "Threads of the agent",
        labels: &[],
        read: Read::Agent(|_, stats, emit| count(stats, |of| of.threads, emit)),
    },
    Metric {
        name: "process_start_time_seconds",
        otlp_name: "",
        kind: Kind::Gauge,
        unit: "s",
        help: "When the agent was started, in seconds since the Unix epoch",
        labels: &[],
        read: Read::Agent(|_, stats, emit| time(stats.process.start_unix_ns, emit)),
    },
];

fn time(ns: Option<u64>, emit: Emit<'_>) {
    ns.into_iter().for_each(|ns| emit(&[], Value::Nanoseconds(ns)));
}

fn count(stats: &SelfStats, part: fn(&ProcessStats) -> Option<u64>, emit: Emit<'_>) {
    part(&stats.process).into_iter().for_each(|count| emit(&[], Value::Count(count)));
}
