//! Turns and tasks of tokio's runtime on one thread.

use std::future::poll_fn;
use std::hint::black_box;
use std::task::Poll;

use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

use crate::Failure;
use crate::cases::queues::JOBS;
use crate::counting::held_bytes;
use crate::measure::{Batch, Case};

/// What a task captures, besides a number: as much as a job of ours.
const CAPTURED: (u64, u64) = (1, 2);

/// Turns of the runtime: a future yields, and as nothing else is ready, the driver asks the kernel
/// once for events, waits for none, and the future is polled again. An operation is a turn.
///
/// # Errors
/// When tokio can't make a runtime.
pub fn turns(turns: u64) -> Result<Case, Failure> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    Ok(Box::new(move || {
        Ok(Batch::timed(turns, || {
            runtime.block_on(async {
                for _ in 0..turns {
                    yield_now().await;
                }
            });
        }))
    }))
}

/// Tasks that are all spawned first, then run: an operation is a task.
///
/// # Errors
/// As [`turns`].
pub fn spawned() -> Result<Case, Failure> {
    let runtime = Builder::new_current_thread().build()?;
    Ok(Box::new(move || {
        Ok(Batch::timed(JOBS, || {
            runtime.block_on(async {
                spawn_all();
                // Behind all others.
                let last = tokio::spawn(async {});
                let _ = last.await;
            });
        }))
    }))
}

fn spawn_all() {
    for number in 0..JOBS {
        drop(tokio::spawn(async move {
            black_box((number, CAPTURED));
        }));
    }
}

/// A task that wakes itself whenever it is polled, which puts it behind the queue of the runtime,
/// not into the driver: an operation is a poll.
///
/// # Errors
/// As [`turns`].
pub fn self_waking() -> Result<Case, Failure> {
    let runtime = Builder::new_current_thread().build()?;
    Ok(Box::new(move || {
        let mut left = JOBS;
        let task = poll_fn(move |context| {
            black_box(CAPTURED);
            left -= 1;
            if left == 0 {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        });
        let handle = runtime.spawn(task);
        Ok(Batch::timed(JOBS, || drop(runtime.block_on(handle))))
    }))
}

/// What the allocator is asked for by a task that waits to run, in bytes: the mean of many.
///
/// # Errors
/// As [`turns`].
pub fn bytes_of_a_task() -> Result<f64, Failure> {
    let runtime: Runtime = Builder::new_current_thread().build()?;
    let held = runtime.block_on(async {
        let before = held_bytes();
        spawn_all();
        held_bytes() - before
    });
    Ok(held as f64 / JOBS as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_them_run() {
        let cases = [turns(100), spawned(), self_waking()];
        let done = cases.map(|case| case.unwrap()().unwrap().operations);
        assert_eq!(done, [100, JOBS, JOBS]);
    }
}
