//! `METRICS.md`, written from the list.

use std::fmt::Write;

use super::{Kind, LOOP_SERIES, Metric, all, compat, process};
use crate::limits::{self, Bounds};
use loop_core::buckets::Scale;

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
    section(&mut text, "The agent's process", PROCESS, process::PROCESS.iter());
    section(&mut text, "Names of OpenTelemetry", OTEL, compat::OTEL.iter());
    labels(&mut text, compat::OTEL.iter());
    section(&mut text, "Names of prom-client", PROM_CLIENT, compat::PROM_CLIENT.iter());
    labels(&mut text, compat::PROM_CLIENT.iter());
    buckets(&mut text);
    text.push_str(FORMATS);
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
attributes under the same names, with a dot for each underscore, and a histogram is one exponential
histogram.
";

const LOOPS: &str = "Every one has the labels `target` (name of the service or workload), `pid`, \
                     `thread` (`main`, `worker-N`, `other`) and `runtime` (`nodejs`, `loop_core`).";

const AGENT: &str = "These have the labels in the table only. `loopscope_probe_overhead_ratio` \
                     has one series a target.";

const PROCESS: &str = "They stand on every page, and are not sent by OTLP.";

const OTEL: &str = "\
Only with `--compat otel`, on the series of loops, for dashboards that were made for OpenTelemetry's
own instrumentation of Node.js. All are figures since the observation began, and no one who reads
them resets them: an extreme never comes back, and for what happened lately there are the histograms
above. The delay is `loopscope_eventloop_arrival_delay_seconds`: that of an event at a random
instant, 0 for an idle loop, with no sampling period in it. Heap, handles and requests are not seen
from outside, nor are collections that are neither minor nor major.";

const PROM_CLIENT: &str = "\
Only with `--compat prom-client`, on the series of loops, for dashboards that were made for
prom-client. Same figures, same meaning as above. `nodejs_eventloop_lag_seconds` is left out: it is
an experiment on the loop at the moment of a scrape. `nodejs_gc_duration_seconds` has our bounds.

The names of others count towards the ceiling of a loop. One that shows so much that they have no
room below it, as only a loop of our own with `--detail` can, has none of them.";

const FORMATS: &str = "
## Formats

`/metrics` answers in the format that the server's `Accept` header asks for, with the same values
and the same labels in each, and packed where `Accept-Encoding` has gzip.

| format | asked for as | histograms | exemplars |
|---|---|---|---|
| Prometheus text 0.0.4 | `text/plain`, `*/*`, nothing, or what can't be read | classic | no |
| OpenMetrics 1.0 | `application/openmetrics-text` | classic | yes |
| Prometheus protobuf | `application/vnd.google.protobuf`, delimited | native and classic | yes |

An exemplar is the newest completed stall of its bucket: `stall_id` is process, thread and start of
the stall, the value how long it lasted. `turn_duration` has them, and `callback_duration` for a
stall that was one callback. Only protobuf tells when a counter began: as lines, `_created` would
cost 55 series a loop.

Lines of JSON (`loopscope.metrics/1` a snapshot, `loopscope.stall/1` a stall) have the same values
under the same names; [json_lines.rs](src/json_lines.rs) says how they are laid out.
";

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
        let Metric { name, unit, help, .. } = metric;
        let sent = Some(metric.otlp_name).filter(|name| !name.is_empty());
        let sent = sent.map(|name| format!("`{name}`")).unwrap_or_default();
        let (names, most) = (names.join(", "), metric.series_max());
        put(
            text,
            format_args!("| `{name}` | {sent} | {kind} | `{unit}` | {names} | {most} | {help} |\n"),
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
