//! How many turns were stalls: a time that is told as a count.
//!
//! A turn of 49.6 ms is none and one of 50.4 ms is one, though nothing has changed. So a stall of
//! one run is new to another only where some turn of it is longer by [`EFFECT`] than the other's
//! turn of the same rank:
//!
//! ```text
//!               threshold
//! base  ----|----·-------·        2 turns, 1 of them a stall
//! head  ----|----·-------·---|    3 turns, and 2 stalls, from here on: one is new
//! ```
//!
//! Where that is so in all pairs, and the base never varies, it is exact. Else pairs are counted.
//! Where nothing has changed, and runs of a pair could as well be exchanged, it is chance alone
//! which of the two has a stall that is new to the other.
//!
//! Cost: the buckets above the threshold, times all, for each pair: a millisecond.

use loop_core::snapshot::Histogram;

use super::comparison::{Change, GateTier, Metric, Standing};
use super::decide::{Rules, blank};
use super::exact;
use super::measure::Measure;
use super::sample::Sample;
use super::statistics::{median, wilcoxon};
use super::time;

/// A turn has to be longer by this share to be another one: as much as of the longest turn.
const EFFECT: f64 = 0.10;

/// How likely so many pairs that say the same are by chance, if that is to be sure: as likely as
/// that 16 do, and none says the contrary.
const CHANCE_MAX: f64 = 1.0 / 65_536.0;

/// As likely as that 4 do, and none says the contrary: what is less likely is looked at again.
const OPEN_MAX: f64 = 1.0 / 16.0;

/// What is known of the number of stalls; `None` where one side has no runs.
pub(super) fn judge(
    measure: &Measure,
    base: &[Sample],
    head: &[Sample],
    rules: Rules,
) -> Option<Metric> {
    let counts = |samples: &[Sample]| -> Vec<f64> {
        samples.iter().map(|sample| sample.figures.stalls as f64).collect()
    };
    let (before, after) = (counts(base), counts(head));
    before.first().zip(after.first())?;
    let pairs = || base.iter().zip(head);
    let tolerance = rules.exact_tolerance;
    let more = pairs().filter(|(base, head)| is_new(head, base, tolerance)).count();
    let fewer = pairs().filter(|(base, head)| is_new(base, head, 0.0)).count();
    let exact = exact::judge(&before, &after, tolerance).filter(|(standing, _)| match standing {
        Standing::Worse => more == pairs().count(),
        Standing::Better => fewer == pairs().count(),
        _ => true,
    });
    let (tier, decides, standing, change) = match exact {
        Some((standing, change)) => (GateTier::Exact, true, standing, change),
        None => {
            let chance = chance(more, fewer);
            let p = time::corrected(chance, rules.look);
            let change = change(&before, &after, p);
            let is_sure = chance <= CHANCE_MAX;
            let is_open = chance <= OPEN_MAX && 2 * more.saturating_sub(fewer) >= pairs().count();
            let (decides, standing) = match () {
                () if is_sure => (true, Standing::Worse),
                () if is_open => (true, Standing::Unclear),
                // A run that was held up is none of the program's doing.
                () if change.difference > 0.0 => (false, Standing::Worse),
                () if change.difference < 0.0 => (false, Standing::Better),
                () => (false, Standing::Same),
            };
            (GateTier::Time, decides, standing, change)
        }
    };
    let change = Some(change);
    Some(Metric { tier, decides, standing, change, base: before, head: after, ..blank(measure) })
}

/// How likely it is by chance that so many pairs or more, of those that say anything, say the same.
fn chance(more: usize, fewer: usize) -> f64 {
    let signs = [vec![1.0; more], vec![-1.0; fewer]].concat();
    wilcoxon(&signs).above
}

/// The middles of both sides. There is no interval of what is nothing in most runs.
fn change(before: &[f64], after: &[f64], p: f64) -> Change {
    let (before, after) = (median(&mut before.to_vec()), median(&mut after.to_vec()));
    let ratio = if before == after { 1.0 } else { after / before };
    Change { ratio, interval: (f64::NAN, f64::NAN), p, difference: after - before }
}

/// Whether a run has more stalls than another, and a turn, a stall, that is longer by [`EFFECT`]
/// than the other's of the same rank. The other may have more by `tolerance`.
fn is_new(run: &Sample, other: &Sample, tolerance: f64) -> bool {
    let most = exact::bound(other.figures.stalls as f64, tolerance);
    let threshold_ns = threshold_ns(run);
    let turns = run.figures.turn_ns.as_ref();
    let longest_ns = turns.map(|turns| turns.max as f64);
    let edges = turns
        .into_iter()
        .flat_map(|turns| (0..turns.counts.len()).map(|index| turns.scale.lower(index) as f64));
    // The more there are, the more exactly it is told; these are all where nothing was counted.
    let looks = [threshold_ns, threshold_ns * (1.0 + EFFECT)].into_iter().chain(longest_ns);
    let mut looks = looks.chain(edges).filter(|&ns| ns >= threshold_ns);
    run.figures.stalls as f64 > most
        && looks.any(|ns| at_least(run, ns) > most.max(at_most(other, ns / (1.0 + EFFECT))))
}

fn threshold_ns(run: &Sample) -> f64 {
    run.stall_threshold_ns as f64
}

/// How many turns of a run have surely lasted for so long, which is a stall or longer.
fn at_least(run: &Sample, ns: f64) -> f64 {
    let figures = &run.figures;
    if ns <= threshold_ns(run) {
        return figures.stalls as f64;
    }
    let listed = figures.stalls_ns.iter().filter(|&&stall| stall as f64 >= ns).count() as u64;
    let counted = figures.turn_ns.as_ref().map_or(0, |turns| {
        let surely = |index: usize| turns.scale.lower(index) as f64 >= ns;
        counted(turns, surely).max(u64::from(turns.max as f64 >= ns))
    });
    listed.max(counted) as f64
}

/// How many may have; infinite where nobody has counted those that are no stalls.
fn at_most(run: &Sample, ns: f64) -> f64 {
    let figures = &run.figures;
    let counted = figures.turn_ns.as_ref().map(|turns| match turns.max as f64 >= ns {
        true => counted(turns, |index| turns.scale.upper(index) as f64 > ns),
        false => 0,
    });
    // Turns that go on are listed, and not counted yet.
    let most = counted.map_or(f64::INFINITY, |count| (count + figures.stalls_running) as f64);
    if ns < threshold_ns(run) { most } else { most.min(figures.stalls as f64) }
}

fn counted(turns: &Histogram, is_meant: impl Fn(usize) -> bool) -> u64 {
    let buckets = turns.counts.iter().enumerate().filter(|(_, count)| **count > 0);
    buckets.filter(|(index, _)| is_meant(*index)).map(|(_, count)| count).sum()
}

#[cfg(test)]
#[path = "stalls_tests.rs"]
mod tests;
