//! Timers of tokio: `Sleep`s, boxed and registered by their first poll; dropped in random order;
//! expired by one turn of the time driver.
//!
//! Those that are to expire are spread over [`EXPIRE_SPREAD_MS`] and expire after a sleep, in real
//! time: tokio's clock can be stopped only in builds for tests.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::time::{Sleep, sleep};

use crate::Failure;
use crate::cases::timers::{
    Durations, EXPIRE_SPREAD_MS, Part, Random, SPREAD_MS, durations, let_all_fall_due,
};
use crate::measure::{Batch, Case};

/// One part of the life of so many timers: an operation is a timer.
///
/// # Errors
/// When tokio can't make a runtime.
pub fn timers(count: usize, which: Durations, part: Part) -> Result<Case, Failure> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let durations = durations(count, which);
    Ok(Box::new(move || Ok(batch(&runtime, &durations, part))))
}

fn batch(runtime: &Runtime, durations: &[u64], part: Part) -> Batch {
    let _guard = runtime.enter();
    let operations = durations.len() as u64;
    let shorter = if part == Part::Expire { SPREAD_MS / EXPIRE_SPREAD_MS } else { 1 };
    let start = Instant::now();
    let made = durations.iter().map(|ms| Box::pin(sleep(Duration::from_millis(ms / shorter))));
    let mut sleeps: Vec<Pin<Box<Sleep>>> = made.collect();
    let mut nobody = Context::from_waker(Waker::noop());
    for sleep in &mut sleeps {
        let _ = sleep.as_mut().poll(&mut nobody);
    }
    let inserted = Batch { time: start.elapsed(), operations };
    match part {
        Part::Insert => inserted,
        Part::Cancel => {
            Random::default().shuffle(&mut sleeps);
            Batch::timed(operations, || drop(sleeps))
        }
        Part::Expire => {
            let_all_fall_due();
            Batch::timed(operations, || runtime.block_on(sleep(Duration::from_millis(1))))
        }
    }
}
