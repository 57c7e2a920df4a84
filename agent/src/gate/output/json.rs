//! The comparison for programs: the schema `loopscope.gate/1`.
//!
//! Keys are only ever added to it. What is not known is `null`, never 0. Samples are those of each
//! run, in the order of the runs, so that other statistics can be made of them.

use loop_core::snapshot::Culprit;
use serde::{Serialize, Serializer};

use super::words;
use crate::gate::comparison::{
    Change, Comparison, GateTier, Metric, Side, Standing, Unit, Verdict,
};
use crate::gate::fingerprint::Fingerprint;

/// Name and version of the schema.
pub const SCHEMA: &str = "loopscope.gate/1";

/// The largest whole number that every reader of JSON holds exactly, 2 to the power of 53.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// The document; the order of its fields is the order of its keys.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    verdict: &'static str,
    summary: String,
    base: Option<SideForm<'a>>,
    head: SideForm<'a>,
    fingerprint: &'a Fingerprint,
    source: &'static str,
    tier: &'static str,
    took_ns: u64,
    notes: &'a [String],
    metrics: Vec<MetricForm<'a>>,
}

#[derive(Serialize)]
struct SideForm<'a> {
    command: &'a str,
    runs: usize,
}

#[derive(Serialize)]
struct MetricForm<'a> {
    name: &'static str,
    title: &'static str,
    unit: &'static str,
    tier: &'static str,
    decides: bool,
    standing: &'static str,
    why: Option<&'a str>,
    budget: Option<&'a str>,
    change: Option<ChangeForm>,
    noise: Option<Number>,
    culprit: Option<&'a Culprit>,
    base: Vec<Number>,
    head: Vec<Number>,
}

#[derive(Serialize)]
struct ChangeForm {
    ratio: Number,
    interval: [Number; 2],
    p: Number,
    difference: Number,
}

/// A number without a point where it is whole; `null` where it is none, as a ratio to 0.
#[derive(Clone, Copy)]
pub(super) struct Number(pub(super) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            whole if whole.fract() == 0.0 && whole.abs() <= WHOLE_MAX => {
                serializer.serialize_i64(whole as i64)
            }
            // What is not finite is written as null.
            other => serializer.serialize_f64(other),
        }
    }
}

/// The comparison as one JSON object, indented, with a line break behind it.
///
/// # Errors
/// None that a comparison can cause.
pub fn json(comparison: &Comparison) -> serde_json::Result<String> {
    let (source, tier) = comparison.observed;
    let document = Document {
        schema: SCHEMA,
        verdict: verdict(comparison.verdict),
        summary: words::verdict(comparison),
        base: comparison.base.as_ref().map(side),
        head: side(&comparison.head),
        fingerprint: &comparison.fingerprint,
        source,
        tier,
        took_ns: comparison.took_ns,
        notes: &comparison.notes,
        metrics: comparison.metrics.iter().map(metric).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

fn side(side: &Side) -> SideForm<'_> {
    SideForm { command: &side.command, runs: side.runs }
}

fn metric(metric: &Metric) -> MetricForm<'_> {
    let why = match &metric.standing {
        Standing::Untold(why) => Some(why.as_str()),
        _ => None,
    };
    let numbers = |samples: &[f64]| samples.iter().copied().map(Number).collect();
    MetricForm {
        name: metric.name,
        title: metric.title,
        unit: unit(metric.unit),
        tier: tier(metric.tier),
        decides: metric.decides,
        standing: standing(&metric.standing),
        why,
        budget: metric.budget.as_deref(),
        change: metric.change.map(change),
        noise: metric.noise.map(Number),
        culprit: metric.culprit.as_ref(),
        base: numbers(&metric.base),
        head: numbers(&metric.head),
    }
}

fn change(change: Change) -> ChangeForm {
    let (low, high) = change.interval;
    ChangeForm {
        ratio: Number(change.ratio),
        interval: [Number(low), Number(high)],
        p: Number(change.p),
        difference: Number(change.difference),
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Regressed => "regressed",
        Verdict::Invalid => "invalid",
    }
}

/// The unit as others write it, too.
pub(super) fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Nanoseconds => "ns",
        Unit::Share => "share",
    }
}

fn tier(tier: GateTier) -> &'static str {
    match tier {
        GateTier::Exact => "exact",
        GateTier::Time => "time",
        GateTier::Budget => "budget",
    }
}

fn standing(standing: &Standing) -> &'static str {
    match standing {
        Standing::Same => "same",
        Standing::Better => "better",
        Standing::Worse => "worse",
        Standing::Unclear => "unclear",
        Standing::Untold(_) => "untold",
    }
}
