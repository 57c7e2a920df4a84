//! The time tier: what varies from run to run is compared by statistics.
//!
//! ```text
//! pairs of runs ──> log ratios ──┬──> middle, interval (bootstrap)
//!                                ├──> rank test ──> Holm ──> looks
//! base against base ─────────────┴──> noise
//! ```
//!
//! One run is one value: what happens within a run hangs together and tells nothing of how runs
//! differ. A metric is worse only if all of these say so:
//!
//! 1. the interval of the ratio lies above the smallest change that matters,
//! 2. the rank test, corrected for the number of metrics and looks, is below [`ALPHA`],
//! 3. the difference is above an absolute floor,
//! 4. the ratio is larger than what the base shows against itself in the same job.
//!
//! It is the same only if a change that matters would have been seen: what the base shows against
//! itself, and what the interval has above the ratio, are smaller than that.
//!
//! **Invariant**: where nothing has changed, and runs in a pair could as well be exchanged, a gate
//! calls anything worse in at most [`ALPHA`] of all cases, whatever the noise looks like: the rank
//! test alone holds that, and the other three only ever take away.

use super::comparison::{Change, Standing};
use super::measure::Limits;
use super::statistics::{holm, interval, median, middle, spread, wilcoxon};

/// How likely a false alarm of one whole gate may be.
pub const ALPHA: f64 = 0.01;

/// Whoever looks again and again finds something in the end. The first look may spend this share of
/// [`ALPHA`], and each other one this share of what the one before has left over, so that all looks
/// together spend no more than there is.
const FIRST_SHARE: f64 = 0.6;

/// The most times that decide.
pub(super) const TIMES_MAX: usize = 6;

/// Ten pairs that all say the same are enough at the first look, with all times deciding.
const _: () = assert!(TIMES_MAX as f64 / 1_024.0 < ALPHA * FIRST_SHARE);

/// One metric in all pairs of runs.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// Its values before, in the order of the pairs.
    pub base: &'a [f64],
    /// Its values after; as many.
    pub head: &'a [f64],
    /// What change of it matters.
    pub limits: Limits,
    /// Whether it decides, and is corrected for.
    pub decides: bool,
}

/// What is known of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// How head stands to base.
    pub change: Change,
    /// What the base shows against itself, as a ratio less 1; `None` with fewer than two blocks.
    pub noise: Option<f64>,
    /// What that comes to.
    pub standing: Standing,
}

/// Judges all metrics at the `look`-th time, from 0 on, that this is done in one gate.
pub fn judge(series: &[Series<'_>], look: u32) -> Vec<Judged> {
    let differences: Vec<Vec<f64>> = series.iter().map(log_ratios).collect();
    let tails: Vec<_> = differences.iter().map(|all| wilcoxon(all)).collect();
    let correct = |side: fn(&super::statistics::Tails) -> f64| {
        let deciding = tails.iter().zip(series).filter(|(_, one)| one.decides);
        let mut held = holm(&deciding.map(|(tails, _)| side(tails)).collect::<Vec<_>>());
        held.reverse();
        let one = |(tails, one): (_, &Series<'_>)| {
            let p = if one.decides { held.pop().unwrap_or(1.0) } else { side(tails) };
            corrected(p, look)
        };
        tails.iter().zip(series).map(one).collect::<Vec<f64>>()
    };
    let (above, below) = (correct(|tails| tails.above), correct(|tails| tails.below));
    let sides = above.into_iter().zip(below);
    let each = series.iter().zip(&differences).zip(sides);
    each.map(|((one, differences), sides)| judge_one(one, differences, sides)).collect()
}

/// A probability, corrected for looking again and again.
pub(super) fn corrected(p: f64, look: u32) -> f64 {
    let spent = FIRST_SHARE * (1.0 - FIRST_SHARE).powi(i32::try_from(look).unwrap_or(i32::MAX));
    (p / spent).min(1.0)
}

fn judge_one(series: &Series<'_>, differences: &[f64], (above, below): (f64, f64)) -> Judged {
    let center = middle(&mut differences.to_vec());
    let (low, high) = interval(differences);
    let (ratio, low, high) = (center.exp(), low.exp(), high.exp());
    let before = median(&mut series.base.to_vec()).max(1.0);
    let noise = noise(series.base, differences.len());
    let change = Change {
        ratio,
        interval: (low, high),
        p: if ratio >= 1.0 { above } else { below },
        difference: (ratio - 1.0) * before,
    };
    let Limits { effect, floor } = series.limits;
    let beyond_noise = noise.is_none_or(|noise| ratio.max(1.0 / ratio) - 1.0 > noise);
    let is_sure = change.p < ALPHA && beyond_noise && change.difference.abs() > floor;
    // What is known to less than matters may have changed by as much.
    let is_small = |share: f64| share <= effect || share * before <= floor;
    let is_quiet = noise.is_none_or(is_small) && is_small(high / ratio - 1.0);
    let standing = match () {
        () if is_sure && low > 1.0 + effect => Standing::Worse,
        () if is_sure && high < 1.0 / (1.0 + effect) => Standing::Better,
        () if is_quiet && is_small(high - 1.0) => Standing::Same,
        () => Standing::Unclear,
    };
    Judged { change, noise, standing }
}

/// Head to base in each pair, as a logarithm: twice as much and half as much are as far apart.
fn log_ratios(series: &Series<'_>) -> Vec<f64> {
    let pairs = series.base.iter().zip(series.head);
    pairs.map(|(&base, &head)| log_ratio(base, head)).collect()
}

/// Nothing counts as one of the unit, which is less than what matters of anything.
fn log_ratio(base: f64, head: f64) -> f64 {
    (head.max(1.0) / base.max(1.0)).ln()
}

/// The change that as many pairs of the base with itself would show in 95 of 100 cases.
fn noise(base: &[f64], pairs: usize) -> Option<f64> {
    let blocks: Vec<f64> =
        base.chunks_exact(2).map(|block| log_ratio(block[0], block[1])).collect();
    if blocks.len() < 2 {
        return None;
    }
    spread(&blocks, pairs).map(|spread| spread.exp() - 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::statistics::Random;
    use super::*;

    const LIMITS: Limits = Limits { effect: 0.05, floor: 1e6 };
    const SECOND: f64 = 1e9;

    /// Runs of about a second, up to `noise` apart, the head slower by `slowdown`.
    fn runs(pairs: usize, noise: f64, slowdown: f64, seed: u64) -> (Vec<f64>, Vec<f64>) {
        let mut random = Random::new(seed);
        let mut one = |factor: f64| SECOND * factor * (1.0 + noise * (random.unit() - 0.5));
        (0..pairs).map(|_| (one(1.0), one(1.0 + slowdown))).unzip()
    }

    fn standing(base: &[f64], head: &[f64], limits: Limits) -> Standing {
        let series = Series { base, head, limits, decides: true };
        judge(&[series], 0).remove(0).standing
    }

    #[test]
    fn the_table_of_decisions() {
        let check = |pairs, noise, slowdown, want: Standing| {
            let (base, head) = runs(pairs, noise, slowdown, 5);
            let got = standing(&base, &head, LIMITS);
            assert_eq!(got, want, "{pairs} pairs, noise {noise}, slowdown {slowdown}");
        };
        check(10, 0.04, 0.0, Standing::Same);
        check(10, 0.04, 0.02, Standing::Same);
        check(10, 0.04, 0.2, Standing::Worse);
        check(10, 0.04, -0.2, Standing::Better);
        check(10, 0.8, 0.0, Standing::Unclear);
        check(4, 0.04, 0.2, Standing::Unclear);
        check(40, 0.3, 0.2, Standing::Worse);
    }

    /// A neighbour that holds up each second run of the base, and other runs of head, leaves pairs
    /// whose middle says nothing.
    #[test]
    fn noise_above_what_matters_is_never_the_same() {
        let base: Vec<f64> = (0..12).map(|run| SECOND * f64::from(1 + run % 2)).collect();
        let judged = |head: &[f64]| {
            let series = Series { base: &base, head, limits: LIMITS, decides: true };
            judge(&[series], 0).remove(0)
        };
        let as_noisy = judged(&base);
        assert!(as_noisy.noise.is_some_and(|noise| noise > 0.05), "{as_noisy:?}");
        assert_eq!(as_noisy.change.interval, (1.0, 1.0));
        assert_eq!(as_noisy.standing, Standing::Unclear);

        // Head is faster in the middle, by 4 to 40 %: nobody knows.
        let quiet = [SECOND; 12];
        let wide: Vec<f64> = (0..12).map(|run| SECOND * [0.96, 0.6, 1.1][run % 3]).collect();
        let series = Series { base: &quiet, head: &wide, limits: LIMITS, decides: true };
        let judged = judge(&[series], 0).remove(0);
        assert!(judged.change.interval.1 < 1.05 && judged.change.ratio < 0.95, "{judged:?}");
        assert_eq!(judged.standing, Standing::Unclear);
        let floor = Limits { floor: SECOND, ..LIMITS };
        assert_eq!(standing(&quiet, &wide, floor), Standing::Same, "below the floor");
    }

    #[test]
    fn a_difference_below_the_floor_is_none() {
        let (base, head) = runs(10, 0.04, 0.2, 5);
        let floor = Limits { floor: 0.5 * SECOND, ..LIMITS };
        assert_eq!(standing(&base, &head, floor), Standing::Same);
    }

    #[test]
    fn what_the_base_shows_against_itself_is_no_change() {
        // Each second run of the base takes twice as long, by whatever it may be.
        let base: Vec<f64> = (0..10).map(|run| SECOND * f64::from(1 + run % 2)).collect();
        let head: Vec<f64> = base.iter().map(|value| value * 1.1).collect();
        let judged =
            judge(&[Series { base: &base, head: &head, limits: LIMITS, decides: true }], 0);
        assert!(judged[0].change.interval.0 > 1.09 && judged[0].change.p < ALPHA);
        assert!(judged[0].noise.unwrap() > 0.1);
        assert_eq!(judged[0].standing, Standing::Unclear);
    }

    #[test]
    fn more_metrics_and_more_looks_need_more_certainty() {
        let (base, head) = runs(10, 0.04, 0.2, 5);
        let series = Series { base: &base, head: &head, limits: LIMITS, decides: true };
        let p = |count: usize, look| judge(&vec![series; count], look)[0].change.p;
        assert!((p(1, 0) - 1.0 / 1_024.0 / 0.6).abs() < 1e-9);
        assert!((p(6, 0) - 6.0 / 1_024.0 / 0.6).abs() < 1e-9 && p(6, 0) < ALPHA);
        assert!((p(1, 1) - 1.0 / 1_024.0 / 0.24).abs() < 1e-9);
        let told = Series { decides: false, ..series };
        let judged = judge(&[series, told, told], 0);
        assert!((judged[0].change.p - p(1, 0)).abs() < 1e-9, "what is told is not corrected for");
        let shares: f64 = (0..60).map(|look| FIRST_SHARE * (1.0 - FIRST_SHARE).powi(look)).sum();
        assert!((shares - 1.0).abs() < 1e-9, "all looks together spend what there is");
    }

    #[test]
    fn each_metric_has_its_own_probability() {
        let (base, head) = runs(10, 0.04, 0.2, 5);
        let slower = Series { base: &base, head: &head, limits: LIMITS, decides: true };
        let faster = Series { base: &head, head: &base, ..slower };
        let judged = judge(&[faster, slower], 0);
        assert_eq!(judged[0].standing, Standing::Better);
        assert_eq!(judged[1].standing, Standing::Worse);
    }

    #[test]
    fn nothing_before_and_nothing_after_is_the_same() {
        assert_eq!(standing(&[0.0; 10], &[0.0; 10], LIMITS), Standing::Same);
        let (_, head) = runs(10, 0.04, 0.0, 5);
        assert_eq!(standing(&[0.0; 10], &head, LIMITS), Standing::Worse);
        let little: Vec<f64> = head.iter().map(|value| value / 1e6).collect();
        assert_eq!(standing(&[0.0; 10], &little, LIMITS), Standing::Same, "below the floor");
    }

    #[test]
    fn chance_alone_seldom_alarms() {
        let alarms = (0..400).filter(|seed| {
            let (base, head) = runs(10, 0.6, 0.0, *seed);
            standing(&base, &head, LIMITS) == Standing::Worse
        });
        assert!(alarms.count() <= 4);
    }
}
