//! What is held of the allocator for one histogram and for one timer, by us and by others, in
//! bytes: the mean of many, what they share included. Where
//! [`Counting`](crate::counting::Counting) is not the `#[global_allocator]`, all of it is 0.

use std::future::Future;
use std::task::{Context, Waker};
use std::time::Duration;

use loop_core::buckets::Scale;
use loop_core::{HistogramWriter, Loop};
use tokio::runtime::Builder;
use tokio::time::sleep;

use super::{BOUNDS_SECONDS, otlp};
use crate::Failure;
use crate::cases::queues::JOBS;
use crate::cases::timers::{Durations, durations};
use crate::cases::under_virtual_time;
use crate::counting::held_bytes;

/// Histograms that a mean is taken of.
const HISTOGRAMS: usize = 100;

/// Bytes held for each of so many things, which `make` returns.
fn bytes_each<T>(count: usize, make: impl FnOnce() -> T) -> f64 {
    let before = held_bytes();
    let made = make();
    let held = held_bytes() - before;
    drop(made);
    held as f64 / count as f64
}

fn many<T>(make: impl FnMut() -> T) -> f64 {
    let mut all = Vec::with_capacity(HISTOGRAMS);
    bytes_each(HISTOGRAMS, || all.extend(std::iter::repeat_with(make).take(HISTOGRAMS)))
}

/// One of ours, by itself.
pub fn histogram() -> f64 {
    many(|| HistogramWriter::new(Scale::Time))
}

/// `hdrhistogram` with two significant digits, up to an hour.
///
/// # Errors
/// Never, with these bounds.
pub fn hdrhistogram() -> Result<f64, Failure> {
    let empty = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 3_600_000_000_000, 2)?;
    Ok(many(|| empty.clone()))
}

/// `prometheus`, 19 bounds as in our exporter.
///
/// # Errors
/// Never, with these bounds.
pub fn prometheus() -> Result<f64, Failure> {
    let make = || {
        let options = prometheus::HistogramOpts::new("turn", "turn");
        prometheus::Histogram::with_opts(options.buckets(BOUNDS_SECONDS.to_vec()))
    };
    make()?;
    Ok(many(make))
}

/// `prometheus-client`, with the same bounds.
pub fn prometheus_client() -> f64 {
    many(|| prometheus_client::metrics::histogram::Histogram::new(BOUNDS_SECONDS))
}

/// OpenTelemetry's SDK, with the same bounds and a value in each.
pub fn opentelemetry() -> f64 {
    bytes_each(HISTOGRAMS, otlp::made(HISTOGRAMS))
}

/// A timer of ours with its closure of 8 bytes.
///
/// # Errors
/// Those of the loop.
pub fn timer(count: usize) -> Result<f64, Failure> {
    let mut lp = under_virtual_time()?;
    let durations = durations(count, Durations::Spread);
    Ok(bytes_each(count, || {
        for ms in durations.iter().copied() {
            lp.set_timeout(ms, move |_| {
                std::hint::black_box(ms);
            });
        }
    }))
}

/// A `Sleep` of tokio in a box.
///
/// # Errors
/// When tokio can't make a runtime.
pub fn tokio_timer(count: usize) -> Result<f64, Failure> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let _guard = runtime.enter();
    let durations = durations(count, Durations::Spread);
    let mut all = Vec::with_capacity(count);
    let mut nobody = Context::from_waker(Waker::noop());
    let bytes = bytes_each(count, || {
        for ms in &durations {
            let mut timer = Box::pin(sleep(Duration::from_millis(*ms)));
            let _ = timer.as_mut().poll(&mut nobody);
            all.push(timer);
        }
    });
    drop(all);
    Ok(bytes)
}

/// A microtask of ours that waits to run, with its closure of 24 bytes.
///
/// # Errors
/// Those of the loop.
pub fn microtask() -> Result<f64, Failure> {
    fn queue(lp: &mut Loop) {
        for number in 0..JOBS {
            lp.queue_microtask(move |_| {
                std::hint::black_box((number, 1_u64, 2_u64));
            });
        }
    }
    let mut lp = under_virtual_time()?;
    let mut held = 0;
    lp.enter(|lp| {
        let before = held_bytes();
        queue(lp);
        held = held_bytes() - before;
    });
    Ok(held as f64 / JOBS as f64)
}
