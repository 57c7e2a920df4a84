//! Microtasks and nextTicks, queued and run: many in one drain, where an operation is a job, and
//! drains of one.

use std::hint::black_box;

use loop_core::{Loop, Record};

use crate::measure::{Batch, Case};

/// Jobs in a drain: as many as the promises of the pathology this project began with.
pub const JOBS: u64 = 30_000;

/// What each job captures besides what it needs: with that, 24 bytes, as a promise's reaction.
type Captured = (u64, u64);

const CAPTURED: Captured = (1, 2);

/// All microtasks are queued first, then run.
pub fn microtasks_flat<R: Record>(lp: Loop<R>) -> Case {
    drains(lp, |lp| {
        for number in 0..JOBS {
            lp.queue_microtask(move |_| {
                black_box((number, CAPTURED));
            });
        }
    })
}

/// Each microtask queues the next one.
pub fn microtasks_chained<R: Record>(lp: Loop<R>) -> Case {
    fn queue<R: Record>(lp: &mut Loop<R>, left: u64, captured: Captured) {
        lp.queue_microtask(move |lp| {
            let captured = black_box(captured);
            if left > 1 {
                queue(lp, left - 1, captured);
            }
        });
    }
    drains(lp, |lp| queue(lp, JOBS, CAPTURED))
}

/// All ticks are queued first, then run.
pub fn ticks_flat<R: Record>(lp: Loop<R>) -> Case {
    drains(lp, |lp| {
        for number in 0..JOBS {
            lp.next_tick(move |_| {
                black_box((number, CAPTURED));
            });
        }
    })
}

/// Each tick queues the next one.
pub fn ticks_chained<R: Record>(lp: Loop<R>) -> Case {
    fn queue<R: Record>(lp: &mut Loop<R>, left: u64, captured: Captured) {
        lp.next_tick(move |lp| {
            let captured = black_box(captured);
            if left > 1 {
                queue(lp, left - 1, captured);
            }
        });
    }
    drains(lp, |lp| queue(lp, JOBS, CAPTURED))
}

/// Drains of one microtask each: an operation is a drain.
pub fn drains_of_one<R: Record>(mut lp: Loop<R>) -> Case {
    Box::new(move || {
        Ok(Batch::timed(JOBS, || {
            for number in 0..JOBS {
                lp.enter(|lp| {
                    lp.queue_microtask(move |_| {
                        black_box((number, CAPTURED));
                    });
                });
            }
        }))
    })
}

fn drains<R: Record>(mut lp: Loop<R>, queue: fn(&mut Loop<R>)) -> Case {
    Box::new(move || Ok(Batch::timed(JOBS, || lp.enter(queue))))
}
