//! Counts against their limits.

use std::fmt::Write;

use crate::lock::Lock;

/// How one path came out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Within the tolerance, above or below.
    Same,
    /// Costs more than it may.
    Worse,
    /// Costs less: worth accepting, so that it stays.
    Better,
    /// Not in the lock.
    Unknown,
}

/// The outcome of a count.
pub(crate) fn judge(lock: &Lock, name: &str, count: f64) -> Outcome {
    let Some(limit) = lock.limit(name) else { return Outcome::Unknown };
    // Locks hold two digits behind the point.
    const ROUNDING: f64 = 0.005;
    let room = limit * lock.tolerance_percent / 100.0 + ROUNDING;
    match count - limit {
        change if change > room => Outcome::Worse,
        change if change < -room => Outcome::Better,
        _ => Outcome::Same,
    }
}

/// The table, and whether it fails.
pub(crate) fn render(lock: &Lock, counts: &[(&str, f64)]) -> (String, bool) {
    const HEAD: &str = "instructions";
    let width = counts.iter().map(|(name, _)| name.len()).fold(HEAD.len(), usize::max);
    let mut text = format!("{HEAD:<width$}  {:>10}  {:>10}  {:>8}\n", "limit", "now", "change");
    let mut failed = 0;
    for &(name, count) in counts {
        let outcome = judge(lock, name, count);
        let word = match outcome {
            Outcome::Same => "",
            Outcome::Worse => "WORSE",
            Outcome::Better => "better",
            Outcome::Unknown => "NOT IN THE LOCK",
        };
        failed += usize::from(matches!(outcome, Outcome::Worse | Outcome::Unknown));
        let limit = lock.limit(name);
        let change = limit.map(|limit| format!("{:+.1} %", (count / limit - 1.0) * 100.0));
        let limit = limit.map(|limit| format!("{limit:.2}"));
        let (limit, change) = (limit.unwrap_or_default(), change.unwrap_or_default());
        let line = format!("{name:<width$}  {limit:>10}  {count:>10.2}  {change:>8}  {word}");
        // Writing to a string can't fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let total = counts.len();
    let _ = match failed {
        0 => writeln!(text, "\nall {total} within {:.1} % of their limits", lock.tolerance_percent),
        _ => writeln!(
            text,
            "\n{failed} of {total} failed (tolerance {:.1} %). If that is wanted, run it with \
             `-- --accept`\nand commit the lock.",
            lock.tolerance_percent
        ),
    };
    (text, failed > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        let limits = vec![("turn".to_owned(), 400.0), ("job".to_owned(), 20.0)];
        Lock { limits, tolerance_percent: 1.0, ..Lock::new("rustc") }
    }

    #[test]
    fn what_is_beyond_the_tolerance_is_judged() {
        assert_eq!(judge(&lock(), "turn", 403.9), Outcome::Same);
        assert_eq!(judge(&lock(), "turn", 404.1), Outcome::Worse);
        assert_eq!(judge(&lock(), "turn", 395.0), Outcome::Better);
        assert_eq!(judge(&lock(), "job", 21.0), Outcome::Worse);
        assert_eq!(judge(&lock(), "new", 1.0), Outcome::Unknown);
    }

    #[test]
    fn the_table_names_what_got_worse_and_by_how_much() {
        let (text, failed) = render(&lock(), &[("turn", 420.0), ("job", 10.0)]);
        assert!(failed);
        assert!(text.contains("turn              400.00      420.00    +5.0 %  WORSE\n"), "{text}");
        assert!(text.contains("10.00   -50.0 %  better\n"), "{text}");
        assert!(text.contains("1 of 2 failed (tolerance 1.0 %)"), "{text}");
        assert!(!render(&lock(), &[("turn", 400.0)]).1);
        assert!(render(&lock(), &[("new", 1.0)]).1);
    }
}
