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
//! is never a pass; what it sees is enough to fail.

mod parse;
mod quantity;

use super::comparison::{GateTier, Metric, Standing};
use super::sample::Sample;
pub use parse::{BUDGET_BYTES_MAX, BudgetError, parse};
pub use quantity::{Known, Quantity};

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

    /// Whether it holds, whatever the value is of what is known; `None` where that matters.
    fn is_kept(self, known: Known, limit: f64) -> Option<bool> {
        let ends = [known.least, known.most].map(|value| self.holds(value, limit));
        let between = known.least < limit && limit < known.most;
        match ends {
            [true, true] => Some(true),
            [false, false] if self != Relation::Exactly || !between => Some(false),
            _ => None,
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
        let is_kept = |known: &Known| self.relation.is_kept(*known, self.limit);
        // What is told of a run is exact, or enough to decide.
        let told: Vec<Known> = head
            .iter()
            .filter_map(|run| self.quantity.of(run))
            .filter(|known| is_kept(known).is_some())
            .collect();
        let exceeded = told.iter().any(|known| is_kept(known) == Some(false));
        let standing = match () {
            () if exceeded => Standing::Worse,
            () if told.len() < head.len() || told.is_empty() => {
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
            head: told.iter().map(|known| known.least).collect(),
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

    /// Why there may be more of it in these runs than is told; `None` where that is all, or where
    /// nothing could be told.
    pub fn note(&self, head: &[Sample]) -> Option<String> {
        let why = head.iter().find_map(|run| self.quantity.why_at_least(run))?;
        let is_told = !matches!(self.judge(head).standing, Standing::Untold(_));
        is_told.then(|| format!("`{}` may have more than is told: {why}", self.text))
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
            stall_threshold_ns: 50 * MS,
            from_start: true,
            first_turn: true,
            trace_turns_max: 0,
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
    }

    #[test]
    fn stalls_that_are_not_listed_may_be_long() {
        // One of two that are listed lasted for 100 ms, and seven more are not listed.
        let runs = [run(Figures { stalls: 9, ..figures() })];
        for text in ["stalls over 100ms = 0", "stalls over 100ms > 8", "stalls over 100ms = 9"] {
            assert_eq!(standing(text, &runs), Standing::Worse, "{text}");
        }
        for text in ["stalls over 100ms <= 1", "stalls over 100ms = 3", "stalls over 100ms < 8"] {
            let Standing::Untold(why) = standing(text, &runs) else { panic!("{text}") };
            assert!(why.contains("2 of 9 stalls are listed"), "{why}");
            assert!(why.contains("--stall-threshold to 100 ms"), "{why}");
        }
        for text in ["stalls over 100ms < 9", "stalls over 100ms >= 1", "stalls over 50ms = 9"] {
            assert_eq!(standing(text, &runs), Standing::Same, "{text}");
        }
        let budgets = parse("stalls over 100ms = 0\nstalls over 100ms = 3\nstalls = 9").unwrap();
        let notes: Vec<_> = budgets.iter().map(|budget| budget.note(&runs)).collect();
        assert!(notes[0].as_ref().is_some_and(|note| note.contains("2 of 9")), "{notes:?}");
        assert_eq!(notes[1..], [None, None], "it is not told, and it is all that there is");
        assert_eq!(budgets[0].judge(&runs).head, [1.0]);
        assert!(budgets[1].judge(&runs).head.is_empty(), "what may be more is no figure");
    }

    #[test]
    fn stalls_that_the_source_may_not_see_are_no_pass() {
        let quiet = Figures { stalls: 0, stalls_ns: Vec::new(), ..figures() };
        for (way, want) in [
            ((Source::V8Trace, Tier::Full), "v8-trace"),
            ((Source::Ebpf, Tier::Passive), "passive"),
        ] {
            let by = |figures: Figures| Sample { observed: Some(way), ..run(figures) };
            for text in ["stalls = 0", "Stalls over 50ms = 0", "stalls over 1s < 5"] {
                let Standing::Untold(why) = standing(text, &[by(quiet.clone())]) else {
                    panic!("{text} by {want}");
                };
                assert!(why.contains(want), "{why}");
            }
            let seen = [by(figures())];
            assert_eq!(standing("stalls over 50ms = 0", &seen), Standing::Worse, "{want}");
            assert_eq!(standing("stalls over 100ms = 0", &seen), Standing::Worse, "{want}");
            assert_eq!(standing("stalls >= 2", &seen), Standing::Same, "{want}");
            let note = parse("STALLS < 2").unwrap()[0].note(&seen).unwrap();
            assert!(note.contains(want), "{note}");
            assert_eq!(standing("longest drain <= 60000", &seen), Standing::Same, "{want}");
        }
        let passive = Sample { observed: Some((Source::Ebpf, Tier::Passive)), ..run(figures()) };
        assert!(matches!(standing("microtasks < 1e6", &[passive]), Standing::Untold(_)));
    }

    #[test]
    fn turns_that_may_be_the_traces_own_decide_nothing() {
        let by = |trace_turns_max| Sample {
            observed: Some((Source::V8Trace, Tier::Full)),
            trace_turns_max,
            ..run(Figures { turns: Some(10), ..figures() })
        };
        // The program has had 8 to 10.
        let some = [by(2)];
        for text in ["turns <= 10", "turns < 11", "turns >= 8", "turns > 7"] {
            assert_eq!(standing(text, &some), Standing::Same, "{text}");
        }
        for text in ["turns < 8", "turns <= 7", "turns = 7", "turns = 11", "turns > 10"] {
            assert_eq!(standing(text, &some), Standing::Worse, "{text}");
        }
        for text in ["turns < 10", "turns <= 9", "turns = 9", "turns = 10", "turns > 8"] {
            let Standing::Untold(why) = standing(text, &some) else { panic!("{text}") };
            assert!(why.contains("up to 2 of 10 turns may be"), "{why}");
        }
        let budgets = parse("turns < 8\nturns < 9\nmicrotasks < 5").unwrap();
        let notes: Vec<_> = budgets.iter().map(|budget| budget.note(&some)).collect();
        assert!(notes[0].as_ref().is_some_and(|note| note.contains("up to 2")), "{notes:?}");
        assert_eq!(notes[1..], [None, None], "it is not told, and they are no turns");
        assert_eq!(budgets[0].judge(&some).head, [8.0], "at least so many");
        assert_eq!(standing("turns = 10", &[by(0)]), Standing::Same, "it was too short for any");
        assert_eq!(standing("turns < 1", &[by(99)]), Standing::Untold(why_all()));
    }

    /// Where all turns may be the trace's own.
    fn why_all() -> String {
        "up to 10 of 10 turns may be none of the program: v8-trace takes one about once a second; \
         `loopscope doctor` tells what eBPF lacks"
            .to_owned()
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
