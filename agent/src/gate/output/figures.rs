//! Figures as people read them: values, changes, intervals.

use loop_core::units::{format_count, format_ns};

use crate::gate::comparison::{Change, Metric, Unit};
use crate::layout::percent;

/// From this on a number has no place for digits behind the point.
const WHOLE_FROM: f64 = 1e15;

/// `+5.0 %`, or the difference where the base is nothing.
pub(super) fn change_text(change: &Change, metric: &Metric) -> String {
    signed_percent(change.ratio).unwrap_or_else(|| {
        let sign = if change.difference < 0.0 { "-" } else { "+" };
        format!("{sign}{}", value(change.difference.abs(), metric.unit))
    })
}

/// `+19.8 to +23.9 %`; empty where it is no interval.
pub(super) fn interval(change: &Change) -> String {
    let (low, high) = change.interval;
    match (signed_percent(low), signed_percent(high)) {
        (Some(low), Some(high)) => format!("{} to {high}", low.trim_end_matches(" %")),
        _ => String::new(),
    }
}

/// `0.0021`, `<0.0001`; `None` for what is certain.
pub(super) fn p_text(p: f64) -> Option<String> {
    match p {
        _ if p.is_nan() || p <= 0.0 => None,
        p if p < 1e-4 => Some("<0.0001".to_owned()),
        p if p < 0.01 => Some(format!("{p:.4}")),
        p => Some(format!("{p:.2}")),
    }
}

/// A ratio as a change; `None` for one to nothing.
fn signed_percent(ratio: f64) -> Option<String> {
    let percent = (ratio - 1.0) * 100.0;
    percent.is_finite().then(|| match percent {
        p if p.abs() >= 999.5 => format!("{p:+.0} %"),
        // What rounds to nothing has no sign.
        p if p.abs() < 0.05 => "0.0 %".to_owned(),
        p => format!("{p:+.1} %"),
    })
}

/// A value for people: `31,500`, `2.5`, `1.20 ms`.
pub(super) fn value(value: f64, unit: Unit) -> String {
    if !value.is_finite() {
        return "unknown".to_owned();
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let size = value.abs();
    match unit {
        Unit::Nanoseconds => format!("{sign}{}", format_ns(size.round() as u64)),
        Unit::Share => format!("{sign}{}", percent(size)),
        Unit::Count if size.fract() == 0.0 || size >= WHOLE_FROM => {
            format!("{sign}{}", format_count(size as u64))
        }
        Unit::Count => {
            let tenths = (size * 10.0).round() as u64;
            format!("{sign}{}.{}", format_count(tenths / 10), tenths % 10)
        }
    }
}

/// The values of the head: one, or the smallest and the largest.
pub(super) fn range(metric: &Metric) -> String {
    let text = |edge: f64| value(edge, metric.unit);
    match edges(&metric.head) {
        None => "not measured".to_owned(),
        Some((low, high)) if text(low) == text(high) => text(high),
        Some((low, high)) => format!("{} to {}", text(low), text(high)),
    }
}

pub(super) fn edges(samples: &[f64]) -> Option<(f64, f64)> {
    let low = samples.iter().copied().reduce(f64::min)?;
    Some((low, samples.iter().copied().reduce(f64::max)?))
}

/// The middle value; of two in the middle what lies between them.
pub(super) fn middle(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        count if count % 2 == 1 => Some(sorted[half]),
        _ => Some(f64::midpoint(sorted[half - 1], sorted[half])),
    }
}

/// A figure with what it counts, given in the plural: `1 turn`, `31,500 microtasks`.
pub(super) fn noun(figure: String, counted: &str) -> String {
    let noun = if figure == "1" { counted.strip_suffix('s') } else { None };
    format!("{figure} {}", noun.unwrap_or(counted))
}

/// `1 run`, `10 runs`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", format_count(count as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_short_and_never_lie_about_nothing() {
        let check = |number, unit, text: &str| assert_eq!(value(number, unit), text);
        check(31_500.0, Unit::Count, "31,500");
        check(30_000.5, Unit::Count, "30,000.5");
        check(0.96, Unit::Count, "1.0");
        check(-2.0, Unit::Count, "-2");
        check(1_200_000.0, Unit::Nanoseconds, "1.20 ms");
        check(0.0, Unit::Nanoseconds, "0 ns");
        check(0.314, Unit::Share, "31.4 %");
        check(f64::NAN, Unit::Count, "unknown");
        check(1e18 + 0.5, Unit::Count, "1,000,000,000,000,000,000");
    }

    #[test]
    fn one_of_them_is_no_plural() {
        let told = |figure: &str| noun(figure.to_owned(), "turns");
        assert_eq!(["1", "0", "1 to 3"].map(told), ["1 turn", "0 turns", "1 to 3 turns"]);
    }

    #[test]
    fn the_middle_of_two_lies_between_them() {
        assert_eq!(middle(&[]), None);
        assert_eq!(middle(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(middle(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn changes_have_a_sign_and_what_comes_from_nothing_is_a_difference() {
        let check = |ratio, text: Option<&str>| {
            assert_eq!(signed_percent(ratio).as_deref(), text, "{ratio}");
        };
        check(1.05, Some("+5.0 %"));
        check(0.701, Some("-29.9 %"));
        check(0.9999, Some("0.0 %"));
        check(31.0, Some("+3000 %"));
        check(f64::INFINITY, None);
        check(f64::NAN, None);
        assert_eq!(p_text(0.0), None);
        assert_eq!(p_text(0.000_02).as_deref(), Some("<0.0001"));
        assert_eq!(p_text(0.0021).as_deref(), Some("0.0021"));
        assert_eq!(p_text(0.2).as_deref(), Some("0.20"));
    }
}
