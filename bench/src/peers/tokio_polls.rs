//! tokio's histogram of poll times: tasks that yield, on a runtime that has it on or off. An
//! operation is a poll of a task.
//!
//! Built where tokio has it, that is with `RUSTFLAGS="--cfg tokio_unstable"`.

use tokio::runtime::{Builder, HistogramConfiguration, LogHistogram};
use tokio::task::{JoinSet, yield_now};

use crate::Failure;
use crate::measure::{Batch, Case};

/// Tasks that take turns.
const TASKS: u64 = 10;

/// Polls of each in a batch.
const POLLS: u64 = 2_000;

/// Polls with the histogram off, or on in its logarithmic form.
///
/// # Errors
/// When tokio can't make a runtime.
pub fn polls(histogram: bool) -> Result<Case, Failure> {
    let mut builder = Builder::new_current_thread();
    if histogram {
        builder.enable_metrics_poll_time_histogram();
        builder.metrics_poll_time_histogram_configuration(HistogramConfiguration::log(
            LogHistogram::default(),
        ));
    }
    let runtime = builder.build()?;
    Ok(Box::new(move || {
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            tasks.spawn_on(
                async {
                    for _ in 1..POLLS {
                        yield_now().await;
                    }
                },
                runtime.handle(),
            );
        }
        Ok(Batch::timed(TASKS * POLLS, || {
            runtime.block_on(async { while tasks.join_next().await.is_some() {} })
        }))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_poll() {
        for histogram in [false, true] {
            assert_eq!(polls(histogram).unwrap()().unwrap().operations, TASKS * POLLS);
        }
    }
}
