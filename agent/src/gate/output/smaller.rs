//! The head's figures for github-action-benchmark (`tool: customSmallerIsBetter`), which draws them
//! over time. It judges nothing here: that is what the comparison is for.

use serde::Serialize;

use super::figures::{self, middle};
use super::json::{self, Number};
use super::words;
use crate::gate::comparison::{Comparison, GateTier, Metric, Unit};

/// An entry, with the names that the tool asks for.
#[derive(Serialize)]
struct Entry {
    name: String,
    unit: &'static str,
    value: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

/// The middle of each metric of the head as a JSON array. What was not measured is left out, as the
/// tool takes nothing but numbers.
///
/// # Errors
/// None that a comparison can cause.
pub fn smaller(comparison: &Comparison) -> serde_json::Result<String> {
    let known: Vec<(&Metric, Entry)> =
        comparison.metrics.iter().filter_map(|metric| Some((metric, entry(metric)?))).collect();
    // The limit of a budget may change; what it limits keeps its name, and is told once.
    let is_budget = |metric: &Metric| metric.tier == GateTier::Budget;
    let is_again = |(place, (metric, _)): &(usize, &(&Metric, Entry))| {
        known.iter().enumerate().any(|(other_place, (other, _))| {
            let is_before = match (is_budget(other), is_budget(metric)) {
                (false, true) => true,
                (true, false) => false,
                _ => other_place < *place,
            };
            is_before && figure(other) == figure(metric)
        })
    };
    let told = known.iter().enumerate().filter(|one| !is_again(one));
    let entries: Vec<&Entry> = told.map(|(_, (_, entry))| entry).collect();
    let mut text = serde_json::to_string_pretty(&entries)?;
    text.push('\n');
    Ok(text)
}

/// What tells a figure from others.
fn figure(metric: &Metric) -> String {
    match metric.name {
        "stalls_over" => quantity(metric),
        "drain_max" => "longest_drain".to_owned(),
        name => name.to_owned(),
    }
}

/// What it is called: `longest drain`, `longest drain (ns)`, `stalls over 100ms`.
fn name(metric: &Metric) -> String {
    match metric.unit {
        Unit::Count => quantity(metric),
        unit => format!("{} ({})", metric.title, json::unit(unit)),
    }
}

/// The title; how long a stall has to be says the budget alone.
fn quantity(metric: &Metric) -> String {
    let text = metric.budget.as_deref().filter(|_| metric.name == "stalls_over");
    let written = text.and_then(|text| text.split(['<', '=', '>']).next());
    let words = written.unwrap_or(metric.title).split_whitespace();
    let words = words.collect::<Vec<_>>().join(" ");
    if written.is_some() { words.to_lowercase() } else { words }
}

fn entry(metric: &Metric) -> Option<Entry> {
    let value = middle(&metric.head).filter(|value| value.is_finite())?;
    let extra = [
        Some(words::sentence(metric)),
        Some(format!("{} of the head", figures::counted(metric.head.len(), "run"))),
        metric.culprit.as_ref().map(words::blame),
    ];
    Some(Entry {
        name: name(metric),
        unit: metric.counted().unwrap_or(json::unit(metric.unit)),
        value: Number(rounded(value, metric.unit)),
        range: spread(&metric.head)
            .map(|spread| rounded(spread, metric.unit))
            .map(|spread| format!("± {spread}")),
        extra: extra.into_iter().flatten().collect::<Vec<_>>().join("\n"),
    })
}

/// Without digits that are none of the figure's: whole nanoseconds, hundredths of a count, a
/// millionth of a share.
fn rounded(value: f64, unit: Unit) -> f64 {
    match unit {
        Unit::Nanoseconds => value.round(),
        Unit::Count => (value * 1e2).round() / 1e2,
        Unit::Share => (value * 1e6).round() / 1e6,
    }
}

/// Half of what the middle half of the values spans; `None` where all are the same.
fn spread(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let quarter = sorted.len() / 4;
    let low = sorted.get(quarter)?;
    let high = sorted.get(sorted.len() - 1 - quarter)?;
    let spread = (high - low) / 2.0;
    (spread.is_finite() && spread > 0.0).then_some(spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_half_of_the_middle_half() {
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[5.0]), None);
        assert_eq!(spread(&[5.0, 5.0]), None);
        assert_eq!(spread(&[1.0, 3.0]), Some(1.0));
        assert_eq!(spread(&[100.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), Some(1.5));
    }
}
