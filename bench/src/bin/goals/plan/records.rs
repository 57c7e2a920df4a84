//! One value in a histogram.

use loopscope_bench::Failure;
use loopscope_bench::cases::record;
use loopscope_bench::measure::interleaved;
use loopscope_bench::peers::histograms;

use super::Size;
use crate::row::{Row, Unit};

const WHY: &str = "the sum is loaded and stored for every value";

pub(super) fn records(size: &Size) -> Result<Vec<Row>, Failure> {
    let mut cases = [
        record::histogram(),
        record::recorder(),
        record::nothing(),
        histograms::hdrhistogram()?,
        histograms::prometheus()?,
        histograms::prometheus_client(),
        histograms::opentelemetry(false),
        histograms::opentelemetry(true),
        record::runs(),
        record::reading(),
    ];
    let figures = interleaved(size.rounds, &mut cases)?;
    const BASIS: &str = "values from 50 ns to 50 ms";
    const SWITCHED: &str = "not switched since the last; at most one in 1 ms without detail";
    let row = |what, at: usize| Row::time(what, Unit::Ns, &figures[at], BASIS);
    Ok(vec![
        row("record, one histogram", 0).at_most(1.5).missed_because(WHY),
        row("record, one histogram, in runs of 64", 8),
        row("record, a loop's recorder", 1).at_most(1.5).missed_because(WHY),
        row("  of these, the walk over the values", 2),
        row("  peer: hdrhistogram, 2 digits", 3),
        row("  peer: prometheus, 19 buckets", 4),
        row("  peer: prometheus-client, 19 buckets", 5),
        row("  peer: opentelemetry, 19 buckets, no attributes", 6),
        row("  peer: opentelemetry, 19 buckets, 3 attributes", 7),
        Row::time("reading of the thread's counters", Unit::Ns, &figures[9], SWITCHED),
    ])
}
