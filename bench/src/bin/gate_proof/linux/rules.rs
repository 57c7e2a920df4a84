//! Rules that say whether a change is to be failed: the gate's, and those of others.

use loopscope::gate::measure::Limits;
use loopscope::gate::time::{Series, judge};
use loopscope::gate::{comparison::Standing, order};

use super::jobs::Job;

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Worse,
    Passes,
    Inconclusive,
}

/// A rule of others: its name, and whether it fails the job.
pub(crate) type Rival = (&'static str, fn(&Job) -> bool);

/// Those of others.
pub(crate) const RIVALS: [Rival; 5] = [
    ("one run each, more than 5 %", |job| job.head_block[0] > 1.05 * job.base_block[0]),
    ("mean of 10 after 10, more than 5 %", |job| {
        mean(&job.head_block) > 1.05 * mean(&job.base_block)
    }),
    ("mean against a stored result, 5 %", |job| {
        mean(&job.head_block) > 1.05 * mean(&job.base_block) * job.stored
    }),
    ("mean, twice as long (github-action-benchmark)", |job| {
        mean(&job.head_block) > 2.0 * mean(&job.base_block) * job.stored
    }),
    ("Mann-Whitney, 10 after 10 (benchstat)", |job| {
        let (above, p) = mann_whitney(&job.base_block, &job.head_block);
        above && p < 0.05
    }),
];

/// What matters of the simulated figures: that of the gate's totals.
const LIMITS: Limits = Limits { effect: 0.05, floor: 1e6 };

/// What the gate says that begins with `first` pairs and goes on up to `most`.
pub(crate) fn gate(job: &Job, first: usize, most: usize) -> Says {
    let (mut pairs, mut look) = (first, 0);
    loop {
        let figures = job.base.iter().zip(&job.head);
        let series: Vec<Series<'_>> = figures
            .map(|(base, head)| Series {
                base: &base[..pairs],
                head: &head[..pairs],
                limits: LIMITS,
                decides: true,
            })
            .collect();
        let judged = judge(&series, look);
        let any = |standing: Standing| judged.iter().any(|one| one.standing == standing);
        let more = order::more(pairs);
        match () {
            () if any(Standing::Worse) => return Says::Worse,
            () if !any(Standing::Unclear) => return Says::Passes,
            () if more > most => return Says::Inconclusive,
            () => (pairs, look) = (more, look + 1),
        }
    }
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Whether the second values lie above the first, and how likely so clear a difference, up or down,
/// is by chance. Exact; values that are the same count as above.
pub(crate) fn mann_whitney(first: &[f64], second: &[f64]) -> (bool, f64) {
    let pairs = first.iter().flat_map(|a| second.iter().map(move |b| (a, b)));
    let above = pairs.filter(|(a, b)| b >= a).count();
    let all = first.len() * second.len();
    let counts = arrangements(first.len(), second.len());
    let total: f64 = counts.iter().sum();
    let extreme = above.max(all - above);
    let tail: f64 = counts[extreme..].iter().sum::<f64>() / total;
    (2 * above > all, (2.0 * tail).min(1.0))
}

/// In how many orders of `n` and `m` values so many of the second lie above the first.
fn arrangements(n: usize, m: usize) -> Vec<f64> {
    // The Gaussian binomial: multiplied by 1 - x^(n+i), divided by 1 - x^i, for each i up to m.
    let size = n * m + 1;
    let mut counts = vec![0.0; size];
    counts[0] = 1.0;
    for i in 1..=m {
        for place in (n + i..size).rev() {
            counts[place] -= counts[place - n - i];
        }
        for place in i..size {
            counts[place] += counts[place - i];
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrangements_are_counted() {
        assert_eq!(arrangements(2, 2), [1.0, 1.0, 2.0, 1.0, 1.0]);
        // 20 over 10.
        assert_eq!(arrangements(10, 10).iter().sum::<f64>(), 184_756.0);
    }

    #[test]
    fn ranks_are_compared_as_the_tables_say() {
        let low: Vec<f64> = (0..10).map(f64::from).collect();
        let high: Vec<f64> = (10..20).map(f64::from).collect();
        let (above, p) = mann_whitney(&low, &high);
        assert!(above && (p - 2.0 / 184_756.0).abs() < 1e-12);
        assert!(!mann_whitney(&high, &low).0);
        // The critical value for 10 and 10 at 0.05, two-sided, is 23.
        let counts = arrangements(10, 10);
        let tail = |most: usize| 2.0 * counts[..=most].iter().sum::<f64>() / 184_756.0;
        assert!(tail(23) <= 0.05 && tail(24) > 0.05);
    }
}
