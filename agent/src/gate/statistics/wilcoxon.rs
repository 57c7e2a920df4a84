//! Wilcoxon's signed-rank test, exact, also with ties.
//!
//! If there is no difference, each value is as likely to be above 0 as below. Then the sum of the
//! ranks of those above has a distribution that can be counted out: `2^n` signs, each as likely.
//!
//! Cost: `n^3` additions, 16 million at [`super::super::PAIRS_MAX`] pairs, some milliseconds.

/// How likely sums as extreme as the one that was seen are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tails {
    /// A sum at least as large: small where the values lie above 0.
    pub above: f64,
    /// A sum at most as large: small where they lie below.
    pub below: f64,
}

/// Whether the values lie above or below 0. Those that are 0 tell nothing and are left out.
pub fn wilcoxon(values: &[f64]) -> Tails {
    let mut told: Vec<f64> = values.iter().copied().filter(|&value| value != 0.0).collect();
    told.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
    let ranks = doubled_ranks(&told);
    let signed = told.iter().zip(&ranks).filter(|(value, _)| **value > 0.0);
    let sum: usize = signed.map(|(_, rank)| rank).sum();
    let chances = chances(&ranks);
    Tails {
        above: chances[sum..].iter().sum::<f64>().min(1.0),
        below: chances[..=sum].iter().sum::<f64>().min(1.0),
    }
}

/// Twice the rank of each by its size, which is whole also where several share one.
fn doubled_ranks(sorted: &[f64]) -> Vec<usize> {
    let mut ranks = Vec::with_capacity(sorted.len());
    for group in sorted.chunk_by(|a, b| a.abs() == b.abs()) {
        let first = ranks.len() + 1;
        let last = ranks.len() + group.len();
        ranks.extend(std::iter::repeat_n(first + last, group.len()));
    }
    ranks
}

/// How likely each sum of these ranks is, where each is added in one of two cases.
fn chances(ranks: &[usize]) -> Vec<f64> {
    let mut chances = vec![0.0; ranks.iter().sum::<usize>() + 1];
    chances[0] = 1.0;
    let mut most = 0;
    for &rank in ranks {
        for sum in (0..=most).rev() {
            let half = chances[sum] / 2.0;
            chances[sum] = half;
            chances[sum + rank] += half;
        }
        most += rank;
    }
    chances
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts all signs out, one by one.
    fn counted_out(values: &[f64]) -> Tails {
        let told: Vec<f64> = values.iter().copied().filter(|&value| value != 0.0).collect();
        let rank = |value: f64| {
            let smaller = told.iter().filter(|other| other.abs() < value.abs()).count() as f64;
            let same = told.iter().filter(|other| other.abs() == value.abs()).count() as f64;
            smaller + (same + 1.0) / 2.0
        };
        let ranks: Vec<f64> = told.iter().map(|&value| rank(value)).collect();
        let sum_of = |signs: u32| -> f64 {
            let up = ranks.iter().enumerate().filter(|(index, _)| signs >> index & 1 == 1);
            up.map(|(_, rank)| rank).sum()
        };
        let ups = told.iter().enumerate().filter(|(_, value)| **value > 0.0);
        let seen = sum_of(ups.fold(0, |signs, (index, _)| signs | 1 << index));
        let all = 1_u32 << told.len();
        let share = |counts: &dyn Fn(f64) -> bool| {
            (0..all).filter(|&signs| counts(sum_of(signs))).count() as f64 / f64::from(all)
        };
        Tails { above: share(&|sum| sum >= seen), below: share(&|sum| sum <= seen) }
    }

    #[test]
    fn it_is_what_counting_out_gives() {
        let cases: [&[f64]; 6] = [
            &[1.0, -2.0, 3.0, 4.0, -5.0, 6.0, 7.0],
            &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
            &[1.0, 1.0, -1.0, 2.0, 2.0, -3.0, 0.0, 0.0],
            &[-1.0, -1.0, -1.0],
            &[0.5],
            &[2.0, -2.0],
        ];
        for values in cases {
            let (got, want) = (wilcoxon(values), counted_out(values));
            assert!((got.above - want.above).abs() < 1e-12, "{values:?}: {got:?}, not {want:?}");
            assert!((got.below - want.below).abs() < 1e-12, "{values:?}: {got:?}, not {want:?}");
        }
    }

    /// Critical values from the tables: one-sided 0.01 and 0.05 for 10 and 20 pairs.
    #[test]
    fn it_has_the_critical_values_of_the_tables() {
        // The sum of the ranks below 0 is `smaller`, made of the largest ranks that fit.
        let with_sum = |pairs: u32, smaller: u32| {
            let mut left = smaller;
            let sign = |rank: u32| {
                let down = rank <= left;
                left -= if down { rank } else { 0 };
                if down { -f64::from(rank) } else { f64::from(rank) }
            };
            let values: Vec<f64> = (1..=pairs).rev().map(sign).collect();
            wilcoxon(&values).above
        };
        for (pairs, limit, critical) in
            [(10, 0.05, 10), (10, 0.01, 5), (20, 0.05, 60), (20, 0.01, 43)]
        {
            assert!(with_sum(pairs, critical) <= limit, "{pairs} {critical}");
            assert!(with_sum(pairs, critical + 1) > limit, "{pairs} {critical}");
        }
        assert_eq!(with_sum(10, 0), 1.0 / 1_024.0);
    }

    #[test]
    fn nothing_tells_nothing() {
        assert_eq!(wilcoxon(&[]), Tails { above: 1.0, below: 1.0 });
        assert_eq!(wilcoxon(&[0.0; 9]), Tails { above: 1.0, below: 1.0 });
    }

    #[test]
    fn many_pairs_keep_the_whole() {
        let values: Vec<f64> =
            (1..=200).map(|rank| f64::from(rank) * [1.0, -1.0][rank as usize % 2]).collect();
        let Tails { above, below } = wilcoxon(&values);
        assert!((0.4..0.6).contains(&above) && above + below > 1.0, "{above} {below}");
    }
}
