//! Names of others beside ours, for dashboards that exist already; each list only on demand.
//!
//! Those who coined the names read them from `monitorEventLoopDelay`, which they reset whenever
//! they are asked, so that two who ask take figures from each other. Here each is made of what was
//! counted since the observation began, and nothing is reset: an extreme never comes back, and for
//! what happened lately there are our histograms. Their delay is how late a timer of the sampler's
//! own is, its period included; ours is the delay that an event at a random instant would have met,
//! which for an idle loop is 0.
//!
//! What can't be seen from outside is left out: prom-client's `nodejs_eventloop_lag_seconds` is an
//! experiment on the loop at the moment of a scrape, and heap, handles and requests are V8's and
//! libuv's own matter.
//!
//! **Invariant**: a loop has these only where all of them have room below the ceiling beside ours.

use loop_core::buckets::Scale;
use loop_core::snapshot::{Histogram, LoopSnapshot, Target};

use super::{Emit, Kind, Label, Metric, Read, Value};
const SECONDS_GAUGE: (Kind, &str) = (Kind::Gauge, "s");

/// One gauge of the delay.
const fn delay(
    name: &'static str,
    otlp_name: &'static str,
    help: &'static str,
    read: fn(&LoopSnapshot, Option<&Target>, Emit<'_>),
) -> Metric {
    let (kind, unit) = SECONDS_GAUGE;
    Metric { name, otlp_name, kind, unit, help, labels: &[], read: Read::Compat(read) }
}

const MIN: &str = "Least delay of an event at a random instant since the observation began";
const MAX: &str = "Most delay of an event at a random instant since the observation began";
const MEAN: &str = "Mean delay of an event at a random instant since the observation began";
const STDDEV: &str = "Standard deviation of that delay since the observation began";
const P50: &str = "Median of that delay since the observation began";
const P90: &str = "The 90th percentile of that delay since the observation began";
const P99: &str = "The 99th percentile of that delay since the observation began";

pub(super) const OTEL: &[Metric] = &[
    delay("nodejs_eventloop_delay_min_seconds", "nodejs.eventloop.delay.min", MIN, min),
    delay("nodejs_eventloop_delay_max_seconds", "nodejs.eventloop.delay.max", MAX, max),
    delay("nodejs_eventloop_delay_mean_seconds", "nodejs.eventloop.delay.mean", MEAN, mean),
    delay("nodejs_eventloop_delay_stddev_seconds", "nodejs.eventloop.delay.stddev", STDDEV, stddev),
    delay("nodejs_eventloop_delay_p50_seconds", "nodejs.eventloop.delay.p50", P50, p50),
    delay("nodejs_eventloop_delay_p90_seconds", "nodejs.eventloop.delay.p90", P90, p90),
    delay("nodejs_eventloop_delay_p99_seconds", "nodejs.eventloop.delay.p99", P99, p99),
    Metric {
        name: "nodejs_eventloop_utilization_ratio",
        otlp_name: "nodejs.eventloop.utilization",
        kind: Kind::Gauge,
        unit: "1",
        help: "Active time as a share of active and idle time since the observation began",
        labels: &[],
        read: Read::Compat(|of, _, emit| {
            let known = of.utilization.filter(|ratio| ratio.is_finite());
            known.into_iter().for_each(|ratio| emit(&[], Value::Ratio(ratio)));
        }),
    },
    Metric {
        name: "nodejs_eventloop_time_seconds_total",
        otlp_name: "nodejs.eventloop.time",
        kind: Kind::Counter,
        unit: "s",
        help: "Time of the loop by what it did",
        labels: &[Label { name: "nodejs_eventloop_state", values_max: 2, values: "active, idle" }],
        read: Read::Compat(|of, _, emit| {
            for (state, ns) in [("active", of.active_ns), ("idle", of.idle_ns)] {
                ns.into_iter().for_each(|ns| emit(&[state], Value::Nanoseconds(ns)));
            }
        }),
    },
    Metric {
        name: "v8js_gc_duration_seconds",
        otlp_name: "v8js.gc.duration",
        kind: Kind::Histogram(Scale::Time),
        unit: "s",
        help: "Pauses for garbage collection",
        labels: &[Label { name: "v8js_gc_type", values_max: 2, values: "minor, major" }],
        read: Read::Compat(collections),
    },
];

pub(super) const PROM_CLIENT: &[Metric] = &[
    delay("nodejs_eventloop_lag_min_seconds", "", MIN, min),
    delay("nodejs_eventloop_lag_max_seconds", "", MAX, max),
    delay("nodejs_eventloop_lag_mean_seconds", "", MEAN, mean),
    delay("nodejs_eventloop_lag_stddev_seconds", "", STDDEV, stddev),
    delay("nodejs_eventloop_lag_p50_seconds", "", P50, p50),
    delay("nodejs_eventloop_lag_p90_seconds", "", P90, p90),
    delay("nodejs_eventloop_lag_p99_seconds", "", P99, p99),
    Metric {
        name: "nodejs_gc_duration_seconds",
        otlp_name: "",
        kind: Kind::Histogram(Scale::Time),
        unit: "s",
        help: "Pauses for garbage collection, over our bounds",
        labels: &[Label { name: "kind", values_max: 2, values: "minor, major" }],
        read: Read::Compat(collections),
    },
    Metric {
        name: "nodejs_version_info",
        otlp_name: "",
        kind: Kind::Gauge,
        unit: "{version}",
        help: "Version of the Node.js of a main thread: always 1",
        labels: &[
            Label { name: "version", values_max: 1, values: "of Node.js, as in v20.20.2" },
            Label { name: "major", values_max: 1, values: "its first number" },
            Label { name: "minor", values_max: 1, values: "its second number" },
            Label { name: "patch", values_max: 1, values: "its third number" },
        ],
        read: Read::Compat(version),
    },
];

fn min(of: &LoopSnapshot, _: Option<&Target>, emit: Emit<'_>) {
    seconds(of, |delays| delays.min as f64, emit);
}

fn max(of: &LoopSnapshot, _: Option<&Target>, emit: Emit<'_>) {
    seconds(of, |delays| delays.max as f64, emit);
}

fn mean(of: &LoopSnapshot, _: Option<&Target>, emit: Emit<'_>) {
    seconds(of, mean_ns, emit);
}

fn stddev(of: &LoopSnapshot, _: Option<&Target>, emit: Emit<'_>) {
    seconds(of, stddev_ns, emit);
}

fn p50(of: &LoopSnapshot, _: Option<&Target>, emit: Emit<'_>) {
    seconds(of, |delays| quantile_ns(delays, 0.5), emit);
}

fn p90(of: &LoopSnapshot, _: Option<&Target>, emit: Emit<'_>) {
    seconds(of, |delays| quantile_ns(delays, 0.9), emit);
}

fn p99(of: &LoopSnapshot, _: Option<&Target>, emit: Emit<'_>) {
    seconds(of, |delays| quantile_ns(delays, 0.99), emit);
}

/// A figure of the delays, where there is any.
fn seconds(of: &LoopSnapshot, figure_ns: fn(&Histogram) -> f64, emit: Emit<'_>) {
    let seen = of.arrival_delay_ns.as_ref().filter(|delays| !delays.is_empty());
    seen.into_iter().for_each(|delays| {
        // Whole nanoseconds: what is below is not measured.
        emit(&[], Value::Nanoseconds(figure_ns(delays).round() as u64));
    });
}

fn mean_ns(of: &Histogram) -> f64 {
    of.sum as f64 / of.count() as f64
}

/// Of the middles of the buckets.
fn stddev_ns(of: &Histogram) -> f64 {
    let mean = mean_ns(of);
    let squares = of.values().map(|(ns, count)| (ns as f64 - mean).powi(2) * count as f64);
    (squares.sum::<f64>() / of.count() as f64).sqrt()
}

/// The middle of the bucket that has the value, at most 1.6 % off.
fn quantile_ns(of: &Histogram, quantile: f64) -> f64 {
    let rank = ((of.count() as f64 * quantile).ceil() as u64).max(1);
    let mut seen = 0;
    let at = of.values().find(|(_, count)| {
        seen += count;
        seen >= rank
    });
    at.map_or(of.max, |(ns, _)| ns) as f64
}

fn collections(of: &LoopSnapshot, _: Option<&Target>, emit: Emit<'_>) {
    for (kind, seen) in [("minor", &of.gc_minor_ns), ("major", &of.gc_major_ns)] {
        seen.iter().for_each(|pauses| emit(&[kind], Value::Histogram(pauses)));
    }
}

/// Once a process: workers run the same.
fn version(of: &LoopSnapshot, target: Option<&Target>, emit: Emit<'_>) {
    use loop_core::snapshot::Runtime;
    let node = target.filter(|target| target.runtime == Runtime::NodeJs);
    let Some(target) = node.filter(|_| of.thread == "main") else { return };
    let numbers = target.runtime_version.trim_start_matches('v');
    let mut parts = numbers.splitn(3, '.');
    let (Some(major), Some(minor), Some(patch)) = (parts.next(), parts.next(), parts.next()) else {
        return;
    };
    let is_number = |text: &str| !text.is_empty() && text.len() < 8 && is_digits(text);
    if is_number(major) && is_number(minor) && is_number(patch) {
        emit(&[&format!("v{numbers}"), major, minor, patch], Value::Count(1));
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_figures_are_those_of_the_values() {
        // Powers of two, which are first in their buckets, and so at most 1.6 % from the middle.
        let delays = Histogram::of(Scale::Time, [1 << 20, 1 << 20, 1 << 22, 1 << 24]);
        let near = |got: f64, want: f64| (got - want).abs() <= want * 0.02;
        let (low, high) = (f64::from(1 << 20), f64::from(1 << 24));
        assert_eq!(mean_ns(&delays), (2.0 * low + 4.0 * low + high) / 4.0);
        assert!(near(quantile_ns(&delays, 0.5), low), "{}", quantile_ns(&delays, 0.5));
        assert!(near(quantile_ns(&delays, 0.75), 4.0 * low));
        assert!(near(quantile_ns(&delays, 0.99), high));
        // Of 1, 1, 4, 16: the mean is 5.5, the squares are 20.25 twice, 2.25 and 110.25.
        assert!(near(stddev_ns(&delays), (153.0_f64 / 4.0).sqrt() * low));
    }

    #[test]
    fn pre_releases_and_nothing_are_no_version() {
        use loop_core::snapshot::{ClockKind, Runtime, Snapshot, Source, Tier};
        let told = |text: &str, runtime| {
            let mut snapshot = Snapshot::empty(ClockKind::Real);
            // A worker says nothing that its process hasn't said.
            let of = |thread: &str| LoopSnapshot {
                pid: 7,
                thread: thread.into(),
                ..LoopSnapshot::default()
            };
            snapshot.loops = vec![of("main"), of("worker-1")];
            snapshot.targets.push(Target {
                pid: 7,
                name: "a".into(),
                runtime,
                runtime_version: text.into(),
                source: Source::Ebpf,
                tier: Tier::Full,
                overhead_ratio: None,
                sampled: false,
                limits: Vec::new(),
            });
            let stats = crate::SelfStats::default();
            let view = crate::View::new(&snapshot, &stats);
            let mut got = Vec::new();
            for of in &view.loops {
                version(&of.data, of.target, &mut |labels, _| got.push(labels.join(" ")));
            }
            got
        };
        assert_eq!(told("v20.20.2", Runtime::NodeJs), ["v20.20.2 20 20 2"]);
        assert_eq!(told("26.10.0", Runtime::NodeJs), ["v26.10.0 26 10 0"]);
        for text in ["", "unknown", "20", "20.1", "v27.0.0-nightly", "a.b.c", "1.2.3.4"] {
            assert!(told(text, Runtime::NodeJs).is_empty(), "{text}");
        }
        assert!(told("0.1.0", Runtime::LoopCore).is_empty());
    }

    proptest! {
        #[test]
        fn quantiles_are_near_the_exact_ones(
            mut values in prop::collection::vec(256u64..1 << 36, 1..100), quantile in 0.0f64..=1.0
        ) {
            let delays = Histogram::of(Scale::Time, values.iter().copied());
            values.sort_unstable();
            let rank = ((values.len() as f64 * quantile).ceil() as usize).max(1);
            let (got, want) = (quantile_ns(&delays, quantile), values[rank - 1] as f64);
            prop_assert!((got - want).abs() <= want / 60.0, "{got} for {want}");
        }
    }
}
