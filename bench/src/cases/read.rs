//! Reading: the copy of what a recorder holds, and the pages of each format. An operation is one
//! copy or one page.

use std::hint::black_box;
use std::time::Duration;

use loop_core::snapshot::{ClockKind, LoopSnapshot, Runtime, Snapshot, Source, Target, Tier};
use loop_core::{Loop, Reader, RunMode};
use loopscope_exporters::{
    Exporter, JsonLines, OpenMetrics, Otlp, PrometheusText, Protobuf, SelfStats,
};

use super::timers::Random;
use super::under_virtual_time;
use crate::Failure;
use crate::measure::{Batch, Case};

/// Copies or pages in a batch.
const READS: u64 = 200;

/// Turns that the loop has behind it.
const TURNS: u64 = 5_000;

/// A copy of all histograms of a loop, into memory that is used again.
///
/// # Errors
/// Those of the loop.
pub fn snapshot_copy() -> Result<Case, Failure> {
    let reader = reader_of_a_used_loop()?;
    let mut snapshot = LoopSnapshot::default();
    Ok(reads(move || {
        reader.snapshot_into(black_box(&mut snapshot));
        Ok::<_, Failure>(())
    }))
}

/// The same copy, into memory that has to be found for it.
///
/// # Errors
/// Those of the loop.
pub fn new_snapshot() -> Result<Case, Failure> {
    let reader = reader_of_a_used_loop()?;
    Ok(reads(move || {
        black_box(reader.snapshot());
        Ok::<_, Failure>(())
    }))
}

/// The text page of one loop, from a snapshot that was taken before.
///
/// # Errors
/// Those of the loop.
pub fn text_page() -> Result<Case, Failure> {
    written(PrometheusText)
}

/// The same page in OpenMetrics.
///
/// # Errors
/// Those of the loop.
pub fn openmetrics_page() -> Result<Case, Failure> {
    written(OpenMetrics)
}

/// The same page in Prometheus' protobuf, with native histograms.
///
/// # Errors
/// Those of the loop.
pub fn protobuf_page() -> Result<Case, Failure> {
    written(Protobuf)
}

/// The same figures as a line of JSON.
///
/// # Errors
/// Those of the loop.
pub fn json_line() -> Result<Case, Failure> {
    written(JsonLines::default())
}

/// The same figures as a request of OTLP.
///
/// # Errors
/// Those of the loop.
pub fn otlp_request() -> Result<Case, Failure> {
    written(Otlp::default())
}

fn written(exporter: impl Exporter + 'static) -> Result<Case, Failure> {
    let snapshot = snapshot_of_a_used_loop()?;
    let stats = SelfStats::default();
    let mut page = Vec::new();
    Ok(reads(move || {
        page.clear();
        exporter.export(black_box(&snapshot), &stats, &mut page)
    }))
}

/// A scrape of one loop: the copy, and the page from it.
///
/// # Errors
/// Those of the loop.
pub fn scrape() -> Result<Case, Failure> {
    copied_and_written(PrometheusText)
}

fn copied_and_written(exporter: impl Exporter + 'static) -> Result<Case, Failure> {
    let reader = reader_of_a_used_loop()?;
    let mut snapshot = snapshot_of_a_used_loop()?;
    let stats = SelfStats::default();
    let mut page = Vec::new();
    Ok(reads(move || {
        page.clear();
        reader.snapshot_into(&mut snapshot.loops[0]);
        exporter.export(black_box(&snapshot), &stats, &mut page)
    }))
}

/// What is pushed of one loop: the copy, and a request of OTLP from it.
///
/// # Errors
/// Those of the loop.
pub fn push() -> Result<Case, Failure> {
    copied_and_written(Otlp::default())
}

/// The page that [`text_page`] writes.
///
/// # Errors
/// Those of the loop.
pub fn page() -> Result<String, Failure> {
    let mut page = Vec::new();
    PrometheusText.export(&snapshot_of_a_used_loop()?, &SelfStats::default(), &mut page)?;
    Ok(String::from_utf8(page)?)
}

fn reads<E: Into<Failure>>(mut read: impl FnMut() -> Result<(), E> + 'static) -> Case {
    Box::new(move || Batch::try_timed(READS, || (0..READS).try_for_each(|_| read())))
}

/// A snapshot of one loop that has done some of everything, and of its process.
///
/// # Errors
/// Those of the loop.
pub fn snapshot_of_a_used_loop() -> Result<Snapshot, Failure> {
    // Numbers of the machine would make the page differ from run to run.
    let observed = LoopSnapshot { pid: 1_234, tid: 1_234, ..reader_of_a_used_loop()?.snapshot() };
    let target = Target {
        pid: observed.pid,
        name: "bench".to_owned(),
        runtime: Runtime::LoopCore,
        runtime_version: env!("CARGO_PKG_VERSION").to_owned(),
        source: Source::Embedded,
        tier: Tier::Full,
        overhead_ratio: None,
        sampled: false,
        limits: Vec::new(),
    };
    let empty = Snapshot::empty(ClockKind::Real);
    Ok(Snapshot { targets: vec![target], loops: vec![observed], ..empty })
}

/// The loop has run under virtual time, so that it has done the same in every run. Its durations
/// are from 50 ns to 50 ms.
fn reader_of_a_used_loop() -> Result<Reader, Failure> {
    let mut lp = under_virtual_time()?;
    let mut random = Random::default();
    let mut left = TURNS;
    let idle = lp.idle_start(|lp| lp.next_tick(|_| {}));
    lp.set_interval(1, |_| {});
    lp.check_start(move |lp| {
        some_of_everything(lp, &mut random, left);
        left -= 1;
        if left == TURNS / 2 {
            // From here on the loop waits.
            lp.close(idle);
        }
        if left == 0 {
            lp.stop();
        }
    });
    lp.run(RunMode::Default)?;
    Ok(lp.reader())
}

fn some_of_everything(lp: &mut Loop, random: &mut Random, number: u64) {
    (0..number % 64).for_each(|_| lp.queue_microtask(|_| {}));
    let ns = 50.0 * 1e6_f64.powf(random.below(1 << 20) as f64 / f64::from(1 << 20));
    let cost = Duration::from_nanos(ns as u64);
    match number % 4 {
        0 => {
            lp.set_immediate(move |lp| lp.busy(cost));
        }
        1 => lp.queue_microtask(move |lp| lp.busy(cost)),
        2 => lp.next_tick(move |lp| lp.busy(cost)),
        _ => lp.busy(cost),
    }
    if number.is_multiple_of(100) {
        lp.queue_work(|| (), |_, _| {});
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_used_loop_is_the_same_in_every_run_and_has_done_much() {
        let seen = || LoopSnapshot { tid: 0, ..reader_of_a_used_loop().unwrap().snapshot() };
        assert_eq!(seen(), seen());
        assert!(seen().turns > Some(TURNS), "{:?}", seen().turns);
    }
}
