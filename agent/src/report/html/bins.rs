//! A histogram as it is drawn: some bars for each factor of two, with its quantiles.

use std::collections::BTreeMap;

use loop_core::buckets::{SUB_BUCKETS, Scale};
use loop_core::snapshot::{Histogram, Summary};
use serde::Serialize;

use crate::report::figures::{Row, Unit};

/// Buckets that become one bar: 8 bars are left for each factor of two.
const BUCKETS_A_BAR: usize = 4;

/// A histogram and what it is of.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    name: &'static str,
    /// Which figures it belongs to.
    group: &'static str,
    /// `ns`, or empty for numbers of things.
    unit: &'static str,
    /// Whether the number of values tells the reader anything.
    counted: bool,
    summary: Summary,
    /// From, to (not included), and how many: smallest first, without empty ones.
    bars: Vec<(u64, u64, u64)>,
}

impl Chart {
    /// The chart of a histogram that has values; `None`: it is missing, or has none.
    pub(super) fn of(row: &Row<'_>, group: &'static str) -> Option<Chart> {
        let histogram = row.histogram.as_deref().filter(|histogram| !histogram.is_empty())?;
        let unit = match row.unit {
            Unit::Time => "ns",
            Unit::Count => "",
        };
        let (name, counted) = (row.name, row.counted);
        Some(Chart {
            name,
            group,
            unit,
            counted,
            summary: histogram.summary(),
            bars: bars(histogram),
        })
    }
}

fn bars(histogram: &Histogram) -> Vec<(u64, u64, u64)> {
    let scale = histogram.scale;
    let mut bars: BTreeMap<usize, (u64, u64, u64)> = BTreeMap::new();
    for (index, &count) in histogram.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (first, last) = bar_of(scale, index);
        // The last bucket has no end.
        let end = scale.upper(last).min(histogram.max.saturating_add(1).max(scale.lower(last)));
        let bar = bars.entry(first).or_insert((scale.lower(first), end, 0));
        bar.1 = bar.1.max(end);
        bar.2 += count;
    }
    bars.into_values().collect()
}

/// The first and the last bucket of the bar that a bucket belongs to. Small numbers of things have
/// a bar each.
fn bar_of(scale: Scale, index: usize) -> (usize, usize) {
    if scale == Scale::Length && index < 2 * SUB_BUCKETS {
        return (index, index);
    }
    let first = index - index % BUCKETS_A_BAR;
    (first, (first + BUCKETS_A_BAR - 1).min(loop_core::buckets::BUCKETS - 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_numbers_have_a_bar_each() {
        let histogram = Histogram::of(Scale::Length, [1, 1, 2, 63, 60_000]);
        let bars = bars(&histogram);
        assert_eq!(bars[..3], [(1, 2, 2), (2, 3, 1), (63, 64, 1)]);
        assert!(bars[3].0 <= 60_000 && 60_000 < bars[3].1 && bars[3].2 == 1, "{bars:?}");
    }

    proptest! {
        #[test]
        fn every_value_lies_in_one_bar(values in prop::collection::vec(any::<u64>(), 1..60)) {
            for scale in [Scale::Time, Scale::Length] {
                let bars = bars(&Histogram::of(scale, values.iter().copied()));
                let all: u64 = bars.iter().map(|bar| bar.2).sum();
                prop_assert_eq!(all, values.len() as u64);
                prop_assert!(bars.iter().all(|bar| bar.0 < bar.1), "{:?}", bars);
                prop_assert!(bars.windows(2).all(|two| two[0].1 <= two[1].0), "{:?}", bars);
            }
        }
    }
}
