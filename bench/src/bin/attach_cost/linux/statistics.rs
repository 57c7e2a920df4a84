//! The middle of some figures, how sure it is, and what that says of a goal.

/// How often figures are drawn again to tell how far their middle may lie elsewhere.
const DRAWS: usize = 10_000;

/// The share of the draws that the interval leaves out on either side.
const OUTSIDE: f64 = 0.025;

/// The median, and the interval that holds it in 95 of 100 cases (bootstrap).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Middle {
    pub(super) low: f64,
    pub(super) median: f64,
    pub(super) high: f64,
}

/// What an interval says of a goal, both with two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Met,
    Missed,
    /// The goal lies in the interval.
    NotResolved,
}

impl Middle {
    /// That of one figure a round.
    pub(super) fn of(figures: &[f64], random: &mut Random) -> Middle {
        let mut medians: Vec<f64> = (0..DRAWS)
            .map(|_| median(figures.iter().map(|_| figures[random.below(figures.len())]).collect()))
            .collect();
        medians.sort_by(f64::total_cmp);
        let outside = (DRAWS as f64 * OUTSIDE) as usize;
        Middle {
            low: medians[outside],
            median: median(figures.to_vec()),
            high: medians[DRAWS - 1 - outside],
        }
    }

    /// Whether it is at most `goal`.
    pub(super) fn against(self, goal: f64) -> Verdict {
        let hundredths = |ratio: f64| (ratio * 100.0).round() as i64;
        match hundredths(goal) {
            goal if hundredths(self.high) <= goal => Verdict::Met,
            goal if hundredths(self.low) > goal => Verdict::Missed,
            _ => Verdict::NotResolved,
        }
    }

    pub(super) fn holds(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

impl Verdict {
    pub(super) fn word(self) -> &'static str {
        match self {
            Verdict::Met => "met",
            Verdict::Missed => "MISSED",
            Verdict::NotResolved => "not resolved",
        }
    }
}

/// The middle one; of an even number the mean of the two. Never called with none.
pub(super) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let half = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[half] } else { figures[half - 1].midpoint(figures[half]) }
}

/// Numbers that look drawn, the same in every run (splitmix64).
#[derive(Clone, Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    /// One below `count`, which is small, so that the remainder favours none by much.
    pub(super) fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % count as u64) as usize
    }

    /// Puts them into another order; each is as likely.
    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            list.swap(end, self.below(end + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_as_wide_as_the_figures_are_spread() {
        let mut random = Random(1);
        assert_eq!(median(vec![4.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        let same = Middle::of(&[1.5; 9], &mut random);
        assert_eq!(same, Middle { low: 1.5, median: 1.5, high: 1.5 });
        let figures: Vec<f64> = (0..21).map(|step| 1.0 + f64::from(step) / 100.0).collect();
        let middle = Middle::of(&figures, &mut random);
        assert!((middle.median - 1.1).abs() < 1e-9);
        assert!(middle.low > 1.03 && middle.low < 1.1, "{middle:?}");
        assert!(middle.high > 1.1 && middle.high < 1.17, "{middle:?}");
        assert!(middle.holds(1.1) && !middle.holds(1.0));
    }

    #[test]
    fn a_goal_is_met_missed_or_in_between() {
        let middle = |low, high| Middle { low, median: low, high };
        assert_eq!(middle(0.99, 1.02).against(1.02), Verdict::Met);
        assert_eq!(middle(0.99, 1.024).against(1.02), Verdict::Met, "as it is printed");
        assert_eq!(middle(0.99, 1.03).against(1.02), Verdict::NotResolved);
        assert_eq!(middle(1.03, 1.05).against(1.02), Verdict::Missed);
    }

    #[test]
    fn an_order_is_another_one_with_the_same_members() {
        let mut random = Random(7);
        let orders: std::collections::BTreeSet<[u8; 3]> = (0..200)
            .map(|_| {
                let mut list = [1, 2, 3];
                random.shuffle(&mut list);
                list
            })
            .collect();
        assert_eq!(orders.len(), 6);
        assert!(orders.iter().all(|order| order.iter().sum::<u8>() == 6));
    }
}
