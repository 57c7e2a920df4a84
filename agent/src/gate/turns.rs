//! Whether base and head have as many turns: else a percentile of the one is of other turns than
//! that of the other.
//!
//! Fewer turns that do more are each longer, and all of them together may take less; short turns
//! that are new hide a long one from every percentile. So where the number differs by more than it
//! varies, percentiles of turns decide nothing, and the longest turn does, beside the time in all.

use loop_core::units::format_count;

use super::comparison::Metric;
use super::measure::{Measure, Part};
use super::sample::Sample;
use super::statistics::{interval, median, middle};

/// One turn in a hundred less or more moves no percentile far.
const ALIKE: f64 = 0.01;

/// Percentiles of turns.
const PERCENTILES: [&str; 3] = ["turn_p50", "turn_p90", "turn_p99"];

/// What the first turn of a command is a part of, where it was seen.
const WITH_FIRST: [&str; 10] = [
    "longest_drain",
    "drains",
    "turns",
    "ticks",
    "stalls",
    "turn_time",
    "cpu_time",
    "turn_max",
    "drain_time",
    "gc_time",
];

/// What decides in their place.
const LONGEST: &str = "turn_max";

/// Whether head has more turns than the base, or fewer, by more than varies from run to run.
pub(super) fn differ(base: &[Sample], head: &[Sample]) -> bool {
    let count =
        |run: &Sample| run.figures.turn_ns.as_ref().map(|turns| turns.count().max(1) as f64);
    let pairs = base.iter().zip(head).map(|(base, head)| Some(count(head)? / count(base)?));
    let Some(ratios) = pairs.collect::<Option<Vec<f64>>>().filter(|all| !all.is_empty()) else {
        return false;
    };
    let mut logs: Vec<f64> = ratios.into_iter().map(f64::ln).collect();
    let (low, high) = interval(&logs);
    let varies = low <= 0.0 && 0.0 <= high;
    !varies && middle(&mut logs).abs() > ALIKE.ln_1p()
}

/// Whether a metric decides where it varies.
pub(super) fn decides(measure: &Measure, differ: bool) -> bool {
    match measure.name {
        LONGEST => differ,
        name if PERCENTILES.contains(&name) => !differ && measure.part == Part::Decides,
        _ => measure.part == Part::Decides,
    }
}

/// Whether the first turn is a part of it, where that was seen.
pub(super) fn have_first(measure: &Measure) -> bool {
    WITH_FIRST.contains(&measure.name)
}

/// Why that can't be compared: one side alone was seen from its first turn on.
pub(super) fn first_of_one_side(base: &[Sample], head: &[Sample]) -> Option<String> {
    let seen = |side: &[Sample]| side.iter().any(|run| run.first_turn);
    let [first, late] = match (seen(base), seen(head)) {
        (true, false) if !head.is_empty() => ["base", "head"],
        (false, true) if !base.is_empty() => ["head", "base"],
        _ => return None,
    };
    Some(format!(
        "{first} was observed from its first turn on, {late} was not, as a shell, npm or env \
         starts it; start both in the same way"
    ))
}

/// What is to be known of metrics that were judged so; `None` where there are as many turns.
pub(super) fn note(metrics: &[Metric]) -> Option<String> {
    let named = |name: &str| metrics.iter().find(|metric| metric.name == name);
    named(LONGEST).filter(|longest| longest.decides)?;
    let turns = named("turns")?;
    let [before, after] = [&turns.base, &turns.head].map(|runs| median(&mut runs.clone()));
    Some(format!(
        "a run of base has {} turns and one of head {}, so percentiles of turns are of other turns \
         and decide nothing; the time in turns and the longest turn do",
        format_count(before as u64),
        format_count(after as u64)
    ))
}

#[cfg(test)]
mod tests {
    use loop_core::buckets::Scale;
    use loop_core::snapshot::{Histogram, Snapshot};

    use super::super::sample::Made;
    use super::*;

    /// Runs of so many turns.
    fn runs(turns: impl IntoIterator<Item = usize>) -> Vec<Sample> {
        let made = Made {
            cpu_ns: None,
            stall_threshold_ns: 1,
            from_start: true,
            first_turn: true,
            losses: Vec::new(),
        };
        let snapshot = Snapshot::empty(loop_core::snapshot::ClockKind::Real);
        let of = |turns: usize| {
            let mut sample = Sample::of(&snapshot, made.clone());
            let turns = Histogram::of(Scale::Time, std::iter::repeat_n(1_000, turns));
            sample.figures.turn_ns = Some(turns);
            sample
        };
        turns.into_iter().map(of).collect()
    }

    #[test]
    fn the_number_differs_where_it_does_by_more_than_it_varies() {
        let ten = |turns: usize| runs([turns; 10]);
        assert!(differ(&ten(100), &ten(50)) && differ(&ten(50), &ten(100)));
        assert!(differ(&ten(100), &ten(99)), "of few turns one is much");
        assert!(!differ(&ten(10_000), &ten(9_999)) && !differ(&ten(7), &ten(7)));
        let varying = |seed: usize| runs((0..10).map(|run| 1_000 + (run * 7 + seed * 3) % 10 * 20));
        assert!(!differ(&varying(1), &varying(2)));
        assert!(differ(&varying(1), &ten(1_400)));
        assert!(!differ(&[], &[]));
        let mut blind = ten(100);
        blind[3].figures.turn_ns = None;
        assert!(!differ(&blind, &ten(50)), "nothing is known of one");
    }
}
