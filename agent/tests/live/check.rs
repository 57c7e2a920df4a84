//! Comparisons that name the target, what was expected and what was seen, and go on: a test tells
//! all that is wrong at once.

use std::fmt::{Debug, Display};

/// The comparisons of one test. [`Check::end`] fails it.
#[derive(Debug, Default)]
#[must_use = "`end` tells what was wrong"]
pub(crate) struct Check {
    whom: String,
    wrong: Vec<String>,
}

impl Check {
    pub(crate) fn new() -> Check {
        Check::default()
    }

    /// Names the target that the next comparisons are about.
    pub(crate) fn about(&mut self, whom: impl Display) {
        self.whom = whom.to_string();
    }

    pub(crate) fn holds(&mut self, holds: bool, wrong: impl Display) {
        if !holds {
            self.wrong.push(format!("{}: {wrong}", self.whom));
        }
    }

    pub(crate) fn equal<T: PartialEq + Debug>(&mut self, what: &str, expected: T, seen: T) {
        let wrong = format!("{what}: expected {expected:?}, seen {seen:?}");
        self.holds(expected == seen, wrong);
    }

    /// Whether a number lies between two, ends included.
    pub(crate) fn between(&mut self, what: &str, least: f64, seen: f64, most: f64) {
        let wrong = format!("{what}: expected {least} to {most}, seen {seen}");
        self.holds(least <= seen && seen <= most, wrong);
    }

    /// Whether a duration is what the target measured, give or take `share` of it, and what lies
    /// between the two clocks' readings.
    pub(crate) fn near(&mut self, what: &str, truth_ns: f64, seen_ns: f64, tolerance: Tolerance) {
        let Tolerance { share, below_ns, above_ns } = tolerance;
        let (least, most) = (truth_ns * (1.0 - share), truth_ns * (1.0 + share));
        self.between(what, least - below_ns, seen_ns, most + above_ns);
    }

    /// Takes over what another found.
    pub(crate) fn add(&mut self, other: Check) {
        self.wrong.extend(other.wrong);
    }

    /// Fails the test if anything was wrong.
    pub(crate) fn end(self) {
        assert!(self.wrong.is_empty(), "\n  {}\n", self.wrong.join("\n  "));
    }
}

/// How far a duration may be from the truth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    pub(crate) share: f64,
    pub(crate) below_ns: f64,
    pub(crate) above_ns: f64,
}
