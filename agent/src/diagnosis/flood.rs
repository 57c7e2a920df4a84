//! What floods of both queues have in common: a drain so long that the loop stands still behind it.

use loop_core::buckets::Scale;
use loop_core::snapshot::{Drain, Histogram, LedgerKey, LoopSnapshot, Queue};
use loop_core::units::{format_count, format_ns};

use super::evidence::Flooded;
use super::thresholds::FLOOD_JOBS;
use super::{Finding, evidence};

/// A pathology that is a flood of one queue.
pub(super) struct Flood {
    pub(super) id: &'static str,
    pub(super) queue: Queue,
    /// The ledger key of its stalls.
    pub(super) cause: LedgerKey,
    /// What the queue's jobs are called.
    pub(super) jobs_name: &'static str,
    pub(super) advice: &'static str,
}

impl Flood {
    pub(super) fn find(&self, observed: &LoopSnapshot) -> Option<Finding> {
        let longest = longest_drain(observed, self.queue)?;
        let flooded = match self.queue {
            Queue::Microtask => Flooded::In,
            Queue::NextTick => Flooded::ByCause,
        };
        let stalls = evidence::stalls(observed, &[self.cause], flooded);
        let ran = if longest.open { "have run in one drain so far" } else { "ran in one drain" };
        let held = stalls.longest.map_or_else(String::new, |stall| {
            format!(" and held up the loop for {}", evidence::how_long(stall))
        });
        let mut told = self.drains(observed);
        told.extend(stalls.longest.and_then(evidence::ledger));
        told.extend(evidence::lateness(observed));
        told.extend(evidence::arrival(observed));
        Some(Finding {
            id: self.id,
            blocked_ns: stalls.duration_ns,
            summary: format!("{} {} {ran}{held}", format_count(longest.jobs), self.jobs_name),
            evidence: told,
            advice: self.advice,
            culprit: stalls.culprit,
        })
    }

    /// The drain that still runs, and how many ended ones were floods.
    fn drains(&self, observed: &LoopSnapshot) -> Vec<String> {
        let name = self.jobs_name;
        let mut told = Vec::new();
        if let Some(drain) = open_drain(observed, self.queue).filter(|d| d.jobs >= FLOOD_JOBS) {
            let (jobs, age) = (format_count(drain.jobs), format_ns(drain.age_ns));
            told.push(format!("a drain still runs: {jobs} {name} in {age} so far"));
        }
        let Some(lengths) = lengths(observed, self.queue) else { return told };
        let first = Scale::Length.index(FLOOD_JOBS);
        let long: u64 = lengths.counts[first..].iter().sum();
        let longest = format_count(lengths.max);
        match long {
            0 => {}
            1 => told.push(format!("one drain of {longest} {name}")),
            _ => told.push(format!(
                "{} drains of about {} {name} or more, the longest {longest}",
                format_count(long),
                format_count(Scale::Length.lower(first)),
            )),
        }
        told
    }
}

/// The longest drain, and whether it still runs.
struct LongestDrain {
    jobs: u64,
    open: bool,
}

/// Whether some drain of the queue was, or is, a flood.
pub(super) fn is_flooded(observed: &LoopSnapshot, queue: Queue) -> bool {
    longest_drain(observed, queue).is_some()
}

/// The longest drain of the queue, if it is a flood.
fn longest_drain(observed: &LoopSnapshot, queue: Queue) -> Option<LongestDrain> {
    let ended = lengths(observed, queue).map_or(0, |lengths| lengths.max);
    let open = open_drain(observed, queue).map_or(0, |drain| drain.jobs);
    let longest = LongestDrain { jobs: ended.max(open), open: open > ended };
    (longest.jobs >= FLOOD_JOBS).then_some(longest)
}

fn lengths(observed: &LoopSnapshot, queue: Queue) -> Option<&Histogram> {
    match queue {
        Queue::Microtask => observed.microtask_drain_length.as_ref(),
        Queue::NextTick => observed.tick_drain_length.as_ref(),
    }
}

fn open_drain(observed: &LoopSnapshot, queue: Queue) -> Option<Drain> {
    observed.open.and_then(|open| open.drain).filter(|drain| drain.queue == queue)
}
