//! What came of all runs: the confusion matrix, rates, errors, and the list of what was missed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::judge::{Criterion, Judged};

/// What came of all runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    runs: usize,
    /// How many of them told nothing.
    failed: usize,
    /// How many were run again because the machine was busy.
    again: usize,
    /// By truth and first diagnosis.
    matrix: BTreeMap<(String, String), u32>,
    rates: BTreeMap<Criterion, Rate>,
    misses: Vec<String>,
    /// What could not be run, with the reason.
    skipped: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    of: usize,
    missed: usize,
    worst_ms: f64,
}

impl Tally {
    pub(super) fn add(&mut self, what: &str, judged: &Judged) {
        self.runs += 1;
        if let Some(pair) = judged.verdict.clone() {
            *self.matrix.entry(pair).or_default() += 1;
        }
        for point in &judged.points {
            let rate = self.rates.entry(point.criterion).or_default();
            rate.of += 1;
            rate.missed += usize::from(point.miss.is_some());
            rate.worst_ms = rate.worst_ms.max(point.error_ms.unwrap_or(0.0));
        }
        for criterion in Criterion::ALL {
            let mut misses = judged.misses().filter(|(of, _)| *of == criterion);
            let Some((_, first)) = misses.next() else { continue };
            let more = match misses.count() {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            self.misses.push(format!("{what}: {}: {first}{more}", criterion.name()));
        }
    }

    /// A run that told nothing.
    pub(super) fn failed(&mut self, what: &str, why: &str) {
        self.runs += 1;
        self.failed += 1;
        self.misses.push(format!("{what}: {why}"));
    }

    pub(super) fn skipped(&mut self, what: &str, why: &str) {
        self.skipped.push(format!("{what}: {why}"));
    }

    pub(super) fn ran_again(&mut self) {
        self.again += 1;
    }

    /// Whether everything that was run is right.
    pub(super) fn holds(&self) -> bool {
        self.misses.is_empty()
    }

    /// Healthy programs that were told to be something else.
    fn false_verdicts(&self) -> u32 {
        let healthy = self.matrix.iter().filter(|((truth, _), _)| truth == "healthy");
        healthy.filter(|((_, told), _)| told != "healthy").map(|(_, count)| count).sum()
    }

    pub(super) fn print(&self) {
        for skipped in &self.skipped {
            println!("SKIPPED: {skipped}");
        }
        println!("\n{} runs; {} again, as the machine was busy\n", self.runs, self.again);
        println!("| truth | told first |\n|---|---|");
        let mut truths: Vec<&str> = self.matrix.keys().map(|(truth, _)| truth.as_str()).collect();
        truths.dedup();
        for truth in truths {
            let row = self.matrix.iter().filter(|((of, _), _)| of == truth);
            let told: Vec<String> =
                row.map(|((_, told), count)| format!("{told} {count}")).collect();
            println!("| {truth} | {} |", told.join(", "));
        }
        println!("\nfalse verdicts: {}\n", self.false_verdicts());
        println!("| | right | of | worst error |\n|---|---|---|---|");
        for (criterion, rate) in &self.rates {
            let worst = if rate.worst_ms > 0.0 {
                format!("{:.2} ms", rate.worst_ms)
            } else {
                String::new()
            };
            let right = rate.of - rate.missed;
            println!("| {} | {right} | {} | {worst} |", criterion.name(), rate.of);
        }
        if !self.holds() {
            println!("\n{} missed:", self.misses.len());
        }
        for miss in &self.misses {
            println!("  {miss}");
        }
    }

    pub(super) fn json(&self) -> Value {
        let matrix: Vec<Value> = self
            .matrix
            .iter()
            .map(|((truth, told), count)| json!({ "truth": truth, "told": told, "count": count }))
            .collect();
        let criterion = |of: Criterion| {
            let rate = self.rates.get(&of).copied().unwrap_or_default();
            let Rate { of: judged, missed, worst_ms } = rate;
            (of.name().to_owned(), json!({ "of": judged, "missed": missed, "worst_ms": worst_ms }))
        };
        let criteria: serde_json::Map<String, Value> =
            Criterion::ALL.into_iter().map(criterion).collect();
        json!({
            "runs": self.runs, "failed": self.failed, "again": self.again,
            "matrix": matrix, "criteria": criteria,
            "false_verdicts": self.false_verdicts(), "misses": self.misses, "skipped": self.skipped,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::judge::Point;

    fn judged(truth: &str, told: &str, miss: Option<&str>) -> Judged {
        let verdict = Some((truth.to_owned(), told.to_owned()));
        let miss = miss.map(str::to_owned);
        let point =
            Point { criterion: Criterion::Duration, error_ms: Some(2.5), miss, noise: false };
        Judged { points: vec![point], verdict }
    }

    #[test]
    fn what_is_added_is_told() {
        let mut tally = Tally::default();
        tally.add("a", &judged("sync-io", "sync-io", None));
        assert!(tally.holds());
        tally.add("b", &judged("healthy", "cpu-starved", Some("2 ms were told as 9")));
        tally.failed("c", "it has told no truth");
        let json = tally.json();
        assert!(!tally.holds());
        assert_eq!((&json["runs"], &json["failed"]), (&json!(3), &json!(1)));
        assert_eq!(json["false_verdicts"], 1);
        assert_eq!(json["criteria"]["duration"], json!({ "of": 2, "missed": 1, "worst_ms": 2.5 }));
        assert_eq!(
            json["misses"],
            json!(["b: duration: 2 ms were told as 9", "c: it has told no truth"])
        );
    }
}
