//! Reads budgets: a line each, `QUANTITY RELATION LIMIT`; what stands behind `#` is a comment.

use std::fmt;

use loop_core::units::parse_duration_ns;

use super::super::comparison::Unit;
use super::quantity::{STATISTICS, SUBJECTS, TOTALS};
use super::{Budget, Quantity, Relation};

/// A file of budgets that is larger than this is another file.
pub const BUDGET_BYTES_MAX: u64 = 64 * 1024;

/// Why a line is no budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetError {
    /// The line, from 1 on; 0 where it is the file as a whole.
    pub line: usize,
    /// What is wrong with it, and what to write instead.
    pub why: String,
}

impl fmt::Display for BudgetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.why),
            line => write!(f, "line {line}: {}", self.why),
        }
    }
}

impl std::error::Error for BudgetError {}

/// Reads all budgets of a file.
///
/// # Errors
/// The first line that is none; also when there is none at all.
pub fn parse(text: &str) -> Result<Vec<Budget>, BudgetError> {
    let mut budgets = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.split('#').next().unwrap_or_default().trim();
        if !text.is_empty() {
            budgets.push(budget(text).map_err(|why| BudgetError { line, why })?);
        }
    }
    if budgets.is_empty() {
        let why = "there is no budget in it; write one a line, as in `p99 turn < 50ms`".to_owned();
        return Err(BudgetError { line: 0, why });
    }
    Ok(budgets)
}

fn budget(text: &str) -> Result<Budget, String> {
    let places = Relation::SIGNS
        .iter()
        .filter_map(|(sign, relation)| text.find(sign).map(|place| (place, sign, *relation)));
    // Of signs at one place the longer one stands first.
    let Some((place, sign, relation)) = places.min_by_key(|(place, ..)| *place) else {
        return Err(format!(
            "`{text}` has no limit; write <, <=, =, >= or > and one, as in `p99 turn < 50ms`"
        ));
    };
    let words: Vec<&str> = text[..place].split_whitespace().collect();
    let words = words.join(" ").to_lowercase();
    let limit = text[place + sign.len()..].trim();
    let (limit, unit) = limit_of(limit)?;
    let quantity = quantity(&words, unit)?;
    Ok(Budget { quantity, relation, limit, text: text.to_owned() })
}

/// `50ms`, `80%`, `10000`.
fn limit_of(text: &str) -> Result<(f64, Unit), String> {
    let plain = |text: &str| {
        let number = text.trim().replace('_', "").parse::<f64>().ok();
        number.filter(|number| number.is_finite() && *number >= 0.0)
    };
    let known = match text.strip_suffix('%') {
        Some(percent) => plain(percent).map(|percent| (percent / 100.0, Unit::Share)),
        None => plain(text).map(|number| (number, Unit::Count)),
    };
    let duration = || parse_duration_ns(text).ok().map(|ns| (ns as f64, Unit::Nanoseconds));
    known.or_else(duration).ok_or_else(|| {
        format!("`{text}` is no limit; write a number, a duration (50ms), or a share (80%)")
    })
}

/// The quantity of this name whose values have this unit.
fn quantity(words: &str, unit: Unit) -> Result<Quantity, String> {
    let named = named(words)?;
    if let Some(quantity) = named.iter().find(|of| of.unit() == unit) {
        return Ok(*quantity);
    }
    // Nothing is nothing in any unit.
    let units: Vec<&str> = named.iter().map(|of| example(of.unit())).collect();
    Err(format!("the limit of `{words}` is {}", units.join(" or ")))
}

fn example(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "a number, as in 10000",
        Unit::Nanoseconds => "a duration, as in 50ms",
        Unit::Share => "a share, as in 80%",
    }
}

/// All quantities of this name.
fn named(words: &str) -> Result<Vec<Quantity>, String> {
    if let Some(over) = words.strip_prefix("stalls over ") {
        let ns = parse_duration_ns(over).ok().filter(|&ns| ns > 0).ok_or_else(|| {
            format!("`{over}` is no duration; write one above 0, as in `stalls over 100ms = 0`")
        })?;
        return Ok(vec![Quantity::StallsOver(ns)]);
    }
    let mut found: Vec<Quantity> =
        TOTALS.iter().filter(|total| total.word == words).map(Quantity::Total).collect();
    if let Some((first, rest)) = words.split_once(' ')
        && let Some((_, statistic)) = STATISTICS.iter().find(|(word, _)| *word == first)
    {
        let subjects = SUBJECTS.iter().filter(|subject| subject.word == rest);
        found.extend(subjects.map(|subject| Quantity::Of(*statistic, subject)));
    }
    if found.is_empty() { Err(unknown(words)) } else { Ok(found) }
}

fn unknown(words: &str) -> String {
    let told = TOTALS.iter().filter(|total| Quantity::Total(total).why_never().is_none());
    let mut known: Vec<&str> = told.map(|total| total.word).collect();
    known.dedup();
    let statistics: Vec<&str> = STATISTICS.iter().map(|(word, _)| *word).collect();
    let mut subjects: Vec<&str> = SUBJECTS.iter().map(|subject| subject.word).collect();
    subjects.dedup();
    format!(
        "`{words}` is no quantity; known are {}, `stalls over DURATION`, and {} of {}",
        known.join(", "),
        statistics.join(", "),
        subjects.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn comments_and_empty_lines_are_left_out() {
        let text = "# budgets\n\n  p99  turn<50ms # all routes\r\nstalls over 100ms == 0\n";
        let budgets = parse(text).unwrap();
        assert_eq!(budgets.len(), 2);
        assert_eq!(budgets[0].text, "p99  turn<50ms");
        assert_eq!((budgets[0].limit, budgets[0].relation), (50e6, Relation::Below));
        assert_eq!(budgets[1].quantity, Quantity::StallsOver(100_000_000));
        assert_eq!(budgets[1].relation, Relation::Exactly);
    }

    #[test]
    fn the_limit_says_which_quantity_of_that_name_is_meant() {
        let name = |text: &str| parse(text).unwrap()[0].quantity.name();
        assert_eq!(name("longest drain < 10000"), "drain_max");
        assert_eq!(name("longest drain < 10ms"), "drain_time_max");
        assert_eq!(name("gc time < 5%"), "gc_share");
        assert_eq!(name("gc time < 50ms"), "gc_time");
        assert_eq!(name("P99.9 Timer Lateness <= 1s"), "timer_lateness_p999");
    }

    #[test]
    fn what_no_observed_run_tells_is_told_by_own_loops_alone() {
        for word in ["ticks", "timers", "immediates"] {
            let quantity = parse(&format!("{word} < 5")).unwrap()[0].quantity;
            let why = quantity.why_never().unwrap();
            assert!(why.starts_with(word) && why.contains("`microtasks`"), "{why}");
        }
        for text in ["turns < 5", "p99 timer lateness < 5ms", "stalls = 0", "gc time < 5%"] {
            assert_eq!(parse(text).unwrap()[0].quantity.why_never(), None, "{text}");
        }
        let unknown = parse("tics < 5").unwrap_err().why;
        assert!(unknown.contains("drains, stalls") && !unknown.contains("ticks"), "{unknown}");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_the_cure() {
        let check = |text: &str, line: usize, wants: &[&str]| {
            let error = parse(text).expect_err(text);
            assert_eq!(error.line, line, "{error}");
            for want in wants {
                assert!(error.to_string().contains(want), "`{want}` not in `{error}`");
            }
            assert!(!error.to_string().contains('\n'));
        };
        check("", 0, &["no budget", "p99 turn < 50ms"]);
        check("# nothing", 0, &["no budget"]);
        check("turns < 9\np99 turn 50ms", 2, &["line 2", "no limit", "p99 turn < 50ms"]);
        check("\n\np99 trun < 50ms", 3, &["`p99 trun`", "utilization", "p99.9", "turn"]);
        check("p98 turn < 50ms", 1, &["`p98 turn`", "p95"]);
        check("p99 turn < 50", 1, &["`p99 turn`", "a duration"]);
        check("p99 turn < 50%", 1, &["a duration"]);
        check("longest drain < 5%", 1, &["a number", "or a duration"]);
        check("microtasks < 5ms", 1, &["a number"]);
        check("microtasks < many", 1, &["`many`", "a number"]);
        check("microtasks < -1", 1, &["`-1`"]);
        check("microtasks < NaN", 1, &["`NaN`"]);
        check("microtasks <", 1, &["``"]);
        check("stalls over 0ms = 0", 1, &["`0ms`", "above 0"]);
        check("stalls over = 0", 1, &["`stalls over`"]);
        check("< 5ms", 1, &["`` is no quantity"]);
    }

    proptest! {
        #[test]
        fn any_text_gives_budgets_or_an_error(
            text in "\\PC{0,60}|([a-z0-9 .]{0,12}[<>=#%\n]{1,2}){0,4}",
        ) {
            if let Ok(budgets) = parse(&text) {
                prop_assert!(budgets.iter().all(|budget| budget.limit >= 0.0));
            }
        }
    }
}
