//! One line of the table: a goal and what was measured, or a peer's figure for comparison.

use serde::Serialize;

use loopscope_bench::measure::Figures;

/// From this on a figure is noisy: its middle round a tenth above the quietest one.
const NOISY: f64 = 0.1;

/// See the module.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Row {
    /// What is measured.
    pub(crate) what: String,
    /// The most it may be; a row without is there for comparison.
    pub(crate) limit: Option<f64>,
    /// By the quietest rounds; `None`: not measured, and the note says why.
    pub(crate) measured: Option<f64>,
    /// By the middle round: for a ratio that of the ratios within each round.
    pub(crate) median: Option<f64>,
    pub(crate) unit: Unit,
    /// What a ratio is made of, or under which conditions the figure was taken.
    pub(crate) basis: String,
    /// Why it is not measured, or, where it can be, why the goal is missed if it is.
    pub(crate) note: String,
    /// Each round, in nanoseconds an operation.
    pub(crate) rounds_ns: Vec<f64>,
    /// Each round of what a ratio or a difference is taken to.
    pub(crate) base_rounds_ns: Vec<f64>,
}

/// The unit of limit, measured and median.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    Ratio,
    #[default]
    Ns,
    Us,
    Kb,
}

impl Unit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Unit::Ratio => "x",
            Unit::Ns => "ns",
            Unit::Us => "us",
            Unit::Kb => "KB",
        }
    }

    fn of_ns(self, ns: f64) -> f64 {
        if self == Unit::Us { ns / 1_000.0 } else { ns }
    }
}

impl Row {
    /// A time an operation.
    pub(crate) fn time(what: &str, unit: Unit, figures: &Figures, basis: &str) -> Row {
        Row {
            what: what.to_owned(),
            measured: Some(unit.of_ns(figures.min())),
            median: Some(unit.of_ns(figures.median())),
            unit,
            basis: basis.to_owned(),
            rounds_ns: figures.rounds().to_vec(),
            ..Row::default()
        }
    }

    /// A ratio of two times, named `ours / base` in the basis.
    pub(crate) fn ratio(what: &str, ours: &Figures, base: &Figures) -> Row {
        Row {
            what: what.to_owned(),
            measured: Some(ours.ratio_of_minima(base)),
            median: Some(ours.median_of_ratios(base)),
            unit: Unit::Ratio,
            basis: format!("{:.1} / {:.1} ns", ours.min(), base.min()),
            rounds_ns: ours.rounds().to_vec(),
            base_rounds_ns: base.rounds().to_vec(),
            ..Row::default()
        }
    }

    /// What one of so many things costs that `ours` does in an operation and `base` does not.
    pub(crate) fn difference(what: &str, ours: &Figures, base: &Figures, things: u32) -> Row {
        let things = f64::from(things);
        let each = if things > 1.0 { format!(", by {things}") } else { String::new() };
        Row {
            what: what.to_owned(),
            measured: Some((ours.min() - base.min()) / things),
            median: Some(ours.median_of_differences(base) / things),
            unit: Unit::Ns,
            basis: format!("{:.1} - {:.1} ns{each}", ours.min(), base.min()),
            rounds_ns: ours.rounds().to_vec(),
            base_rounds_ns: base.rounds().to_vec(),
            ..Row::default()
        }
    }

    /// A figure that is the same in every run.
    pub(crate) fn exact(what: &str, unit: Unit, measured: f64, basis: &str) -> Row {
        Row {
            what: what.to_owned(),
            measured: Some(measured),
            unit,
            basis: basis.to_owned(),
            ..Row::default()
        }
    }

    /// Something that can't be measured here.
    pub(crate) fn not_measured(what: &str, unit: Unit, why: &str) -> Row {
        Row { what: what.to_owned(), unit, note: why.to_owned(), ..Row::default() }
    }

    /// Makes it a goal.
    pub(crate) fn at_most(self, limit: f64) -> Row {
        Row { limit: Some(limit), ..self }
    }

    /// Says why the goal is missed, for the case that it is.
    pub(crate) fn missed_because(self, why: &str) -> Row {
        if self.met() == Some(false) { Row { note: why.to_owned(), ..self } } else { self }
    }

    /// Whether the goal is met; `None` where there is none, or nothing was measured.
    pub(crate) fn met(&self) -> Option<bool> {
        Some(self.measured? <= self.limit?)
    }

    /// The word for the table.
    pub(crate) fn verdict(&self) -> &'static str {
        match (self.measured, self.met()) {
            (None, _) => "not measured",
            (Some(_), None) => "",
            (Some(_), Some(true)) => "met",
            (Some(_), Some(false)) => "MISSED",
        }
    }

    /// Whether something else kept the machine busy while this was measured.
    pub(crate) fn noisy(&self) -> bool {
        [&self.rounds_ns, &self.base_rounds_ns]
            .into_iter()
            .any(|rounds| Figures::of(rounds.clone()).noise() > NOISY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_judged_by_minima_and_shows_the_median_of_each_rounds_ratio() {
        let ours = Figures::of(vec![12.0, 11.0, 30.0]);
        let base = Figures::of(vec![10.0, 10.0, 10.0]);
        let row = Row::ratio("turn", &ours, &base).at_most(1.15).missed_because("why");
        assert_eq!((row.measured, row.median), (Some(1.1), Some(1.2)));
        assert_eq!((row.verdict(), row.note.as_str()), ("met", ""));
        let row = row.at_most(1.05).missed_because("why");
        assert_eq!((row.verdict(), row.note.as_str()), ("MISSED", "why"));
    }

    #[test]
    fn a_difference_is_shared_among_the_things() {
        let (on, off) = (Figures::of(vec![1_300.0]), Figures::of(vec![300.0]));
        assert_eq!(Row::difference("callback", &on, &off, 100).measured, Some(10.0));
    }

    #[test]
    fn noise_on_either_side_shows() {
        let quiet = Figures::of(vec![10.0, 10.5, 10.5]);
        let busy = Figures::of(vec![10.0, 12.0, 12.0]);
        assert!(!Row::ratio("turn", &quiet, &quiet).noisy());
        assert!(Row::ratio("turn", &quiet, &busy).noisy());
        assert!(Row::time("turn", Unit::Ns, &busy, "").noisy());
        assert!(!Row::exact("memory", Unit::Kb, 1.0, "").noisy());
    }
}
