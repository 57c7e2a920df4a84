//! `METRICS.md`, written from the list.

use std::fmt::Write;

use super::{Kind, LOOP_SERIES, Metric, all};
use crate::limits::{self, Bounds};
use loop_core::buckets::Scale;

/// Metrics of the agent's process, exported beside the list through the `prometheus` crate:
/// name, kind and meaning.
pub const PROCESS: [(&str, &str, &str); 7] = [
    ("process_cpu_seconds_total", "counter", "CPU time of the agent"),
    ("process_resident_memory_bytes", "gauge", "Memory of the agent that is in RAM"),
    ("process_virtual_memory_bytes", "gauge", "Address space of the agent"),
    ("process_open_fds", "gauge", "Open file descriptors of the agent"),
    ("process_max_fds", "gauge", "The most file descriptors the agent may open"),
    ("process_threads", "gauge", "Threads of the agent"),
    ("process_start_time_seconds", "gauge", "When the agent was started, in Unix time"),
];

/// The whole document.
pub fn markdown() -> String {
    let mut text = String::from(HEAD);
    let of_loop = || all().filter(|metric| metric.is_of_loop());
    let of_agent = || all().filter(|metric| !metric.is_of_loop());
    section(&mut text, "Loops", LOOPS, of_loop());
    ceilings(&mut text);
    labels(&mut text, of_loop());
    section(&mut text, "The agent", AGENT, of_agent());
    labels(&mut text, of_agent());
    process(&mut text);
    buckets(&mut text);
    text
}

const HEAD: &str = "\
<!-- Written from the list in src/metrics.rs by `UPDATE_GOLDEN=1 cargo test -p \
loopscope-exporters`. -->

# Metrics

What a source can't see has no series: a missing series says \"not seen\", never \"zero\". Stalls
have a series for every cause from the start, at 0, so that `rate()` sees the first one.

*Series* is the most a metric can have for one loop (or one agent): the product of its labels'
values, times 22 for a histogram (19 bounds, `+Inf`, sum and count). In OTLP the labels are
attributes under the same names, and a histogram is one exponential histogram.
";

const LOOPS: &str = "Every one has the labels `target` (name of the service or workload), `pid`, \
                     `thread` (`main`, `worker-N`, `other`) and `runtime` (`nodejs`, `loop_core`).";

const AGENT: &str = "These have the labels in the table only. `loopscope_probe_overhead_ratio` \
                     has one series a target.";

fn section<'a>(text: &mut String, title: &str, note: &str, rows: impl Iterator<Item = &'a Metric>) {
    let mut series = 0;
    put(text, format_args!("\n## {title}\n\n{note}\n\n"));
    put(
        text,
        format_args!("| Prometheus | OTLP | kind | unit | labels | series | what it tells |"),
    );
    put(text, format_args!("\n|---|---|---|---|---|---:|---|\n"));
    for metric in rows {
        series += metric.series_max();
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(Scale::Time) => "histogram of times",
            Kind::Histogram(Scale::Length) => "histogram of lengths",
        };
        let names: Vec<String> =
            metric.labels.iter().map(|label| format!("`{}`", label.name)).collect();
        let Metric { name, otlp_name, unit, help, .. } = metric;
        let (names, most) = (names.join(", "), metric.series_max());
        put(
            text,
            format_args!(
                "| `{name}` | `{otlp_name}` | {kind} | `{unit}` | {names} | {most} | {help} |\n"
            ),
        );
    }
    put(text, format_args!("\nAt most {series} series in all.\n"));
}

fn ceilings(text: &mut String) {
    let (most, agent) = (limits::LOOP_SERIES_MAX, limits::AGENT_SERIES_MAX);
    put(
        text,
        format_args!(
            "The ceiling is {most} a loop and {agent} an agent: {} loops that show all they can.\n\
             Workers of a process beyond {} share `thread=\"other\"`.\n",
            agent / LOOP_SERIES,
            limits::WORKERS_MAX
        ),
    );
}

/// Tells the values of the labels of these metrics, each label once.
fn labels<'a>(text: &mut String, rows: impl Iterator<Item = &'a Metric>) {
    let mut seen = Vec::new();
    put(text, format_args!("\n"));
    for label in rows.flat_map(|metric| metric.labels) {
        if !seen.contains(&label.name) {
            seen.push(label.name);
            put(text, format_args!("- `{}`: {}\n", label.name, label.values));
        }
    }
}

fn process(text: &mut String) {
    put(text, format_args!("\n### The agent's process\n\n| Prometheus | kind | what it tells |\n"));
    put(text, format_args!("|---|---|---|\n"));
    for (name, kind, help) in PROCESS {
        put(text, format_args!("| `{name}` | {kind} | {help} |\n"));
    }
}

fn buckets(text: &mut String) {
    put(text, format_args!("\n## Buckets\n\n"));
    put(text, format_args!("- Times, in seconds: {}\n", Bounds::of(Scale::Time).le.join(" ")));
    put(text, format_args!("- Lengths: {}\n", Bounds::of(Scale::Length).le.join(" ")));
    put(
        text,
        format_args!(
            "- Exponential: scale {}, zero threshold {:e}, at most {} buckets, else a lower \
             scale\n",
            limits::EXPONENTIAL_SCALE,
            limits::ZERO_THRESHOLD,
            limits::EXPONENTIAL_BUCKETS_MAX
        ),
    );
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string can't fail.
    let _ = text.write_fmt(what);
}
