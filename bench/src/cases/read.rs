//! Reading: the copy of what a recorder holds, and the page for Prometheus. An operation is one
//! copy or one page.

use std::hint::black_box;

use loop_core::snapshot::{ClockKind, LoopSnapshot, Runtime, Snapshot, Source, Target, Tier};
use loop_core::{Loop, Reader, RunMode};
use loopscope_exporters::{Exporter, PrometheusText, SelfStats};

use super::measured;
use crate::Failure;
use crate::measure::{Batch, Case};

/// Copies or pages in a batch.
const READS: u64 = 200;

/// Turns that the loop has behind it.
const TURNS: u64 = 20_000;

/// A copy of all histograms of a loop, into memory that is used again.
///
/// # Errors
/// Those of the loop.
pub fn snapshot_copy() -> Result<Case, Failure> {
    let reader = reader_of_a_used_loop()?;
    let mut snapshot = LoopSnapshot::default();
    Ok(Box::new(move || {
        Ok(Batch::timed(READS, || {
            for _ in 0..READS {
                reader.snapshot_into(black_box(&mut snapshot));
            }
        }))
    }))
}

/// The text page of one loop, from a snapshot that was taken before.
///
/// # Errors
/// Those of the loop.
pub fn text_page() -> Result<Case, Failure> {
    let snapshot = snapshot_of_a_used_loop()?;
    let stats = SelfStats::default();
    let mut page = Vec::new();
    Ok(Box::new(move || {
        Batch::try_timed(READS, || {
            (0..READS).try_for_each(|_| {
                page.clear();
                PrometheusText.export(black_box(&snapshot), &stats, &mut page)
            })
        })
    }))
}

/// A snapshot of one loop that has done some of everything, and of its process.
///
/// # Errors
/// Those of the loop.
pub fn snapshot_of_a_used_loop() -> Result<Snapshot, Failure> {
    let observed = reader_of_a_used_loop()?.snapshot();
    let target = Target {
        pid: observed.pid,
        name: "bench".to_owned(),
        runtime: Runtime::LoopCore,
        runtime_version: env!("CARGO_PKG_VERSION").to_owned(),
        source: Source::Embedded,
        tier: Tier::Full,
        overhead_ratio: None,
        sampled: false,
    };
    let empty = Snapshot::empty(ClockKind::Real);
    Ok(Snapshot { targets: vec![target], loops: vec![observed], ..empty })
}

fn reader_of_a_used_loop() -> Result<Reader, Failure> {
    let mut lp = measured()?;
    let mut left = TURNS;
    lp.idle_start(|lp| lp.next_tick(|_| {}));
    lp.check_start(move |lp| {
        some_of_everything(lp, left);
        left -= 1;
        if left == 0 {
            lp.stop();
        }
    });
    lp.run(RunMode::Default)?;
    Ok(lp.reader())
}

fn some_of_everything(lp: &mut Loop, number: u64) {
    (0..number % 64).for_each(|_| lp.queue_microtask(|_| {}));
    if number.is_multiple_of(16) {
        lp.set_immediate(|_| {});
        lp.set_timeout(1, |_| {});
    }
    if number.is_multiple_of(1_000) {
        lp.queue_work(|| (), |_, _| {});
    }
}
