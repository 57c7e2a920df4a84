//! Budgets: limits that hold whatever was before.
//!
//! ```text
//! # budget.txt
//! p99 turn < 50ms
//! longest drain < 10000
//! stalls over 100ms = 0
//! ```
//!
//! **Invariant**: a budget holds in every run, or it does not hold. What the source does not see
//! is never a pass.

mod parse;
mod quantity;

use super::comparison::{GateTier, Metric, Standing};
use super::sample::Sample;
pub use parse::{BUDGET_BYTES_MAX, BudgetError, parse};
pub use quantity::Quantity;

/// How a value may stand to its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `=`
    Exactly,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

impl Relation {
    /// All of them with their signs, the longer ones first.
    pub const SIGNS: [(&'static str, Relation); 6] = [
        ("<=", Relation::AtMost),
        (">=", Relation::AtLeast),
        ("==", Relation::Exactly),
        ("<", Relation::Below),
        (">", Relation::Above),
        ("=", Relation::Exactly),
    ];

    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Relation::Below => value < limit,
            Relation::AtMost => value <= limit,
            Relation::Exactly => value == limit,
            Relation::AtLeast => value >= limit,
            Relation::Above => value > limit,
        }
    }
}

/// One limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// What is limited.
    pub quantity: Quantity,
    /// How it may stand to the limit.
    pub relation: Relation,
    /// The limit, in the quantity's unit.
    pub limit: f64,
    /// As it was written.
    pub text: String,
}

impl Budget {
    /// Holds the runs against it.
    pub fn judge(&self, head: &[Sample]) -> Metric {
        let values: Vec<Option<f64>> = head.iter().map(|run| self.quantity.of(run)).collect();
        let seen: Vec<f64> = values.iter().copied().flatten().collect();
        let exceeded = seen.iter().any(|&value| !self.relation.holds(value, self.limit));
        let standing = match () {
            () if exceeded => Standing::Worse,
            () if seen.len() < values.len() || seen.is_empty() => {
                Standing::Untold(self.quantity.why_untold(head))
            }
            () => Standing::Same,
        };
        let mut metric = Metric {
            name: self.quantity.name(),
            title: self.quantity.title(),
            unit: self.quantity.unit(),
            tier: GateTier::Budget,
            decides: true,
            base: Vec::new(),
            head: seen,
            change: None,
            noise: None,
            budget: Some(self.text.clone()),
            standing,
            culprit: None,
        };
        if exceeded {
            super::decide::blame(&mut metric, head);
        }
        metric
    }
}

/// The stall threshold that these budgets need, in nanoseconds: below the default one, if one asks
/// for shorter stalls.
pub fn stall_threshold_ns(budgets: &[Budget], default_ns: u64) -> u64 {
    let asked = budgets.iter().filter_map(|budget| budget.quantity.stalls_over_ns());
    asked.chain([default_ns]).min().unwrap_or(default_ns).max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use loop_core::buckets::Scale;
    use loop_core::snapshot::{Histogram, Source, Tier};

    use super::super::sample::Figures;
    use super::*;

    const MS: u64 = 1_000_000;

    fn run(figures: Figures) -> Sample {
        Sample {
            figures,
            observed: Some((Source::Ebpf, Tier::Full)),
            runtimes: BTreeSet::new(),
            losses: Vec::new(),
            drain_culprit: None,
            stall_culprit: None,
        }
    }

    fn figures() -> Figures {
        Figures {
            microtasks: Some(60_000),
            stalls: 2,
            stalls_ns: vec![70 * MS, 120 * MS],
            active_ns: Some(300 * MS),
            idle_ns: Some(700 * MS),
            turn_ns: Some(Histogram::of(Scale::Time, (1..=100).map(|ms| ms * MS))),
            drain_length: Some(Histogram::of(Scale::Length, [60_000, 5])),
            drain_ns: Some(Histogram::of(Scale::Time, [12 * MS, MS])),
            gc_pause_ns: Some(Histogram::of(Scale::Time, [30 * MS, 10 * MS])),
            ..Figures::default()
        }
    }

    fn standing(text: &str, runs: &[Sample]) -> Standing {
        let budgets = parse(text).unwrap_or_else(|error| panic!("{error}"));
        budgets[0].judge(runs).standing
    }

    #[test]
    fn what_holds_passes_and_what_does_not_fails() {
        let check = |text: &str, holds: bool| {
            let want = if holds { Standing::Same } else { Standing::Worse };
            assert_eq!(standing(text, &[run(figures())]), want, "{text}");
        };
        check("p99 turn < 101ms", true);
        check("p99 turn < 95ms", false);
        check("p50 turn <= 52ms", true);
        check("max turn < 100ms", false);
        check("longest turn <= 100ms", true);
        check("longest drain < 60001", true);
        check("longest drain < 10_000", false);
        check("longest drain < 13ms", true);
        check("longest drain < 12ms", false);
        check("stalls over 100ms = 1", true);
        check("stalls over 100ms = 0", false);
        check("stalls over 60ms = 2", true);
        check("stalls <= 2", true);
        check("microtasks < 1e6", true);
        check("microtasks > 6e4", false);
        check("microtasks >= 6e4", true);
        check("utilization < 31%", true);
        check("utilization < 30 %", false);
        check("gc time < 5%", true);
        check("gc time < 3%", false);
        check("gc time <= 40ms", true);
        check("p90 gc pause < 31ms", true);
        check("active time < 1s", true);
    }

    #[test]
    fn it_must_hold_in_every_run() {
        let quiet = Figures { stalls_ns: Vec::new(), stalls: 0, ..figures() };
        let runs = [run(quiet.clone()), run(figures()), run(quiet)];
        assert_eq!(standing("stalls over 100ms = 0", &runs), Standing::Worse);
        let budget = &parse("stalls over 100ms = 0").unwrap()[0];
        assert_eq!(budget.judge(&runs).head, [0.0, 1.0, 0.0]);
    }

    #[test]
    fn what_is_not_seen_is_no_pass() {
        let blind = run(Figures { turn_ns: None, ..figures() });
        let told = standing("p99 turn < 50ms", &[run(figures()), blind.clone()]);
        assert_eq!(told, Standing::Worse, "one run is enough to fail");
        for text in ["p99 turn < 500ms", "p50 arrival delay < 1s", "cpu time < 9s"] {
            let Standing::Untold(why) = standing(text, &[run(figures()), blind.clone()]) else {
                panic!("{text}");
            };
            assert!(why.contains("ebpf full"), "{why}");
        }
        assert!(matches!(standing("p99 turn < 50ms", &[]), Standing::Untold(_)));
        let short = Figures { stalls: 9, ..figures() };
        let told = standing("stalls over 100ms <= 1", &[run(short)]);
        assert!(matches!(told, Standing::Untold(_)), "seven stalls are not listed");
    }

    #[test]
    fn nothing_in_it_is_nothing() {
        let empty = Figures { drain_length: Some(Histogram::new(Scale::Length)), ..figures() };
        assert_eq!(standing("longest drain < 10", &[run(empty)]), Standing::Same);
    }

    #[test]
    fn stalls_are_looked_for_from_the_shortest_on_that_is_asked_for() {
        let budgets = parse("stalls over 20ms = 0\nstalls over 100ms = 0\nturns < 9").unwrap();
        assert_eq!(stall_threshold_ns(&budgets, 50 * MS), 20 * MS);
        assert_eq!(stall_threshold_ns(&budgets[1..], 50 * MS), 50 * MS);
    }
}
