//! `thread-pool-saturation`: the pool's threads are busy, and jobs wait long for one.
//!
//! The loop itself turns. What waits are replies: files, `dns.lookup`, crypto, compression.

use loop_core::buckets::Scale;
use loop_core::snapshot::{Histogram, ThreadPoolSnapshot};
use loop_core::units::{format_count, format_ns};

use super::thresholds::{POOL_BUSY_SHARE, POOL_QUEUED, POOL_SHARE, STALL_NS};
use super::{Confidence, Finding, Id, Seen};

const ADVICE: &str = "Start fewer jobs at once, make them shorter, or give the pool more threads \
    (4 unless UV_THREADPOOL_SIZE, set before the process starts, says otherwise; at most 1,024).";

pub(super) fn find(seen: &Seen<'_>) -> Option<Finding> {
    let pool = &seen.of.thread_pool;
    let waits = pool.queue_ns.as_ref().filter(|waits| !waits.is_empty())?;
    let long = at_least(waits, STALL_NS);
    let count = waits.count();
    let crowded = pool.queue_length_max.is_none_or(|most| most >= POOL_QUEUED);
    let often = pool.crowded_share.is_none_or(|share| share >= POOL_SHARE);
    let many = long > 0 && long as f64 >= count as f64 * POOL_SHARE;
    if !(many && crowded && often && were_busy(pool)) {
        return None;
    }
    let (jobs, longest) = (format_count(count), format_ns(waits.max));
    let mut told = vec![format!(
        "{} of {jobs} jobs waited {} or longer for a thread, one of them {longest}",
        format_count(long),
        format_ns(STALL_NS)
    )];
    told.extend(runs(pool));
    told.extend(
        pool.queue_length_max
            .map(|most| format!("at most {} jobs waited at once", format_count(most))),
    );
    told.extend(
        pool.queue_length
            .filter(|&now| now > 0)
            .map(|now| format!("{} jobs wait now", format_count(now))),
    );
    let known = pool.queue_length_max.is_some() && pool.run_ns.is_some();
    Some(Finding {
        id: Id::ThreadPoolSaturation,
        blocked_ns: waits.max,
        summary: format!("Jobs waited up to {longest} for a thread of the pool"),
        evidence: told,
        advice: ADVICE,
        culprit: None,
        confidence: if known { Confidence::High } else { Confidence::Medium },
    })
}

/// How many values are `least` or more, to the width of a bucket.
fn at_least(times: &Histogram, least: u64) -> u64 {
    times.counts[Scale::Time.index(least)..].iter().sum()
}

/// Whether the jobs that ran explain the longest wait, or enough of it. Where they don't, the
/// pool's threads were late to wake up, and not busy.
fn were_busy(pool: &ThreadPoolSnapshot) -> bool {
    let longest = pool.queue_ns.as_ref().map_or(0, |waits| waits.max);
    let least = longest as f64 * POOL_BUSY_SHARE;
    pool.run_ns.as_ref().is_none_or(|runs| runs.sum as f64 >= least)
}

fn runs(pool: &ThreadPoolSnapshot) -> Option<String> {
    let summary = pool.run_ns.as_ref()?.summary();
    let (p50, max) = (summary.p50?, summary.max?);
    Some(format!("a job ran for {} (p50), the longest for {}", format_ns(p50), format_ns(max)))
}
