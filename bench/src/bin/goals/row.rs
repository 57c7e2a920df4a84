//! One line of the table: a goal and what was measured, or a peer's figure for comparison.

use serde::Serialize;

use loopscope_bench::measure::Figures;

/// See the module.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What is measured.
    pub(crate) what: String,
    /// The most it may be; a row without is there for comparison.
    pub(crate) limit: Option<f64>,
    /// By the quietest round; `None`: not measured, and the note says why.
    pub(crate) measured: Option<f64>,
    /// By the middle round.
    pub(crate) median: Option<f64>,
    pub(crate) unit: Unit,
    /// What a ratio is made of, or under which conditions the figure was taken.
    pub(crate) basis: String,
    /// Why it is missed or not measured.
    pub(crate) note: String,
}

/// The unit of limit, measured and median.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    Ratio,
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
            limit: None,
            measured: Some(unit.of_ns(figures.min())),
            median: Some(unit.of_ns(figures.median())),
            unit,
            basis: basis.to_owned(),
            note: String::new(),
        }
    }

    /// A ratio of two times, named `ours / base` in the basis.
    pub(crate) fn ratio(what: &str, ours: &Figures, base: &Figures) -> Row {
        Row {
            what: what.to_owned(),
            limit: None,
            measured: Some(ours.ratio_of_minima(base)),
            median: Some(ours.median_of_ratios(base)),
            unit: Unit::Ratio,
            basis: format!("{:.1} / {:.1} ns", ours.min(), base.min()),
            note: String::new(),
        }
    }

    /// A goal that this run could not measure.
    pub(crate) fn not_measured(what: &str, unit: Unit, why: &str) -> Row {
        Row {
            what: what.to_owned(),
            limit: None,
            measured: None,
            median: None,
            unit,
            basis: String::new(),
            note: why.to_owned(),
        }
    }

    /// Makes it a goal.
    pub(crate) fn at_most(self, limit: f64) -> Row {
        Row { limit: Some(limit), ..self }
    }

    /// Says why, if the goal is missed.
    pub(crate) fn missed_because(self, why: &str) -> Row {
        if self.met() == Some(false) { Row { note: why.to_owned(), ..self } } else { self }
    }

    /// Whether the goal is met; `None` where there is none, or nothing was measured.
    pub(crate) fn met(&self) -> Option<bool> {
        Some(self.measured? <= self.limit?)
    }

    /// The word for the table.
    pub(crate) fn verdict(&self) -> &'static str {
        match (self.limit, self.met()) {
            (None, _) => "",
            (Some(_), None) => "not measured",
            (Some(_), Some(true)) => "met",
            (Some(_), Some(false)) => "MISSED",
        }
    }
}
