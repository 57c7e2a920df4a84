//! Reading, and memory.

use loop_core::buckets::Scale;
use loop_core::{Clock, HistogramWriter, Recorder};
use loopscope_bench::Failure;
use loopscope_bench::cases::read;
use loopscope_bench::counting::asked_by;
use loopscope_bench::measure::interleaved;
use loopscope_bench::peers::pages;

use super::Size;
use crate::row::{Row, Unit};

const WHY_COPY: &str = "every bucket between the smallest and the largest value is copied";
const WHY_PAGE: &str = "digits: the page is mostly numbers";
const WHY_MEMORY: &str = "8 KB a histogram, and the rows of 64 turns";

pub(super) fn reads(size: &Size) -> Result<Vec<Row>, Failure> {
    let page = read::page()?;
    let histograms = pages::histograms_in(&page);
    let mut cases = [
        read::snapshot_copy()?,
        read::new_snapshot()?,
        read::text_page()?,
        read::scrape()?,
        pages::prometheus(histograms)?,
        pages::prometheus_client(histograms),
    ];
    let figures = interleaved(size.rounds, &mut cases)?;
    let row = |what, at: usize, basis: &str| Row::time(what, Unit::Us, &figures[at], basis);
    let whole_page = format!("{histograms} histograms, {:.1} KB", page.len() as f64 / 1_000.0);
    let same = format!("{histograms} histograms");
    Ok(vec![
        row("reader's copy of a loop", 0, "all histograms, memory used again")
            .at_most(5.0)
            .missed_because(WHY_COPY),
        row("  a new snapshot", 1, "memory not yet there"),
        row("text page of a loop", 2, &whole_page).at_most(30.0).missed_because(WHY_PAGE),
        row("scrape: copy and page", 3, &whole_page),
        row("  peer: prometheus, gather and encode", 4, &same),
        row("  peer: prometheus-client, encode", 5, &same),
    ])
}

pub(super) fn memory(_: &Size) -> Result<Vec<Row>, Failure> {
    let recorder =
        asked_for("recorder of a loop", || Recorder::new(Clock::real(), u64::MAX, false));
    Ok(vec![
        recorder.at_most(400.0).missed_because(WHY_MEMORY),
        asked_for("  one histogram by itself", || HistogramWriter::new(Scale::Time)),
    ])
}

fn asked_for<T>(what: &str, make: impl FnOnce() -> T) -> Row {
    let (asked, made) = asked_by(make);
    drop(made);
    let basis = format!("{} allocations", asked.calls);
    Row::exact(what, Unit::Kb, asked.bytes as f64 / 1_000.0, &basis)
}
