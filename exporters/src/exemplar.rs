//! Stalls as examples of what a histogram counts: from a bucket to the stall that it has seen.
//!
//! Cost: one look at each stall that a loop lists, for the two histograms that have examples.
//!
//! **Invariant**: only a bucket that holds something has an example, and the example's value lies
//! within the bucket's bounds.

use loop_core::snapshot::{ClockKind, Stall};

use crate::classic::Classic;
use crate::limits::{BOUNDS, Bounds};
use crate::metrics::{Metric, Series, Value};
use crate::{View, stall_id};

/// The label that tells which stall it is.
pub(crate) const STALL_ID: &str = "stall_id";

/// A stall that a bucket has counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exemplar {
    /// The value of [`STALL_ID`].
    pub(crate) stall_id: String,
    /// How long it lasted.
    pub(crate) duration_ns: u64,
    /// When it was over, in nanoseconds since the Unix epoch; `None` under a virtual clock.
    pub(crate) end_unix_ns: Option<u64>,
}

/// The newest example of each bucket of a histogram, the one of `+Inf` last.
pub(crate) type Exemplars = [Option<Exemplar>; BOUNDS + 1];

/// The newest completed stall of each bucket of a series. None where loops share the series: then
/// nobody knows whose stall it was.
pub(crate) fn newest(
    view: &View<'_>,
    metric: &Metric,
    series: &Series<'_>,
    classic: &Classic,
) -> Exemplars {
    let mut newest = [const { None }; BOUNDS + 1];
    let owner = series.owner.map(|owner| &view.loops[owner]).filter(|owner| owner.is_one());
    let (Some(owner), Value::Histogram(histogram)) = (owner, series.value) else { return newest };
    let bounds = &Bounds::of(histogram.scale).bounds;
    let is_example = |stall: &&Stall| !stall.running && metric.is_example(stall, series.labels);
    for stall in owner.data.stalls.iter().filter(is_example) {
        let bucket = bounds.partition_point(|bound| *bound < stall.duration_ns);
        if classic.own(bucket) == 0 {
            continue;
        }
        let end_unix_ns = stall.start_unix_ns.saturating_add(stall.duration_ns);
        newest[bucket] = Some(Exemplar {
            stall_id: stall_id(&owner.data, stall),
            duration_ns: stall.duration_ns,
            end_unix_ns: (view.snapshot.clock == ClockKind::Real).then_some(end_unix_ns),
        });
    }
    newest
}
