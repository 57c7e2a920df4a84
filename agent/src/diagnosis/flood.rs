//! `microtask-flood` and `next-tick-starvation`: drains so long that the loop stands still behind
//! them.
//!
//! A drain that is a flood is told even where no turn became a stall by it.

use loop_core::buckets::Scale;
use loop_core::snapshot::{LongestDrain as Drained, LoopSnapshot, Queue, Repeated};
use loop_core::units::{format_count, format_ns};

use super::blame::{self, Group, LongestDrain};
use super::thresholds::FLOOD_JOBS;
use super::{Confidence, Finding, Id, Seen, evidence};

/// A drain in which so many times as many ran as waited when it began has grown by itself.
const GROWN: u64 = 10;

/// Functions of a drain that are told.
const REACTIONS_TOLD: usize = 3;

/// A pathology that is a flood of one queue.
struct Flood {
    id: Id,
    queue: Queue,
    /// What the queue's jobs are called.
    jobs_name: &'static str,
    /// What its stalls are by, when there are many.
    many: &'static str,
    advice: &'static str,
}

const MICROTASKS: Flood = Flood {
    id: Id::MicrotaskFlood,
    queue: Queue::Microtask,
    jobs_name: "microtasks",
    many: "floods of microtasks",
    advice: "Give the loop a turn between batches. `await` on a promise that is already settled \
        does not yield: its reaction joins the same drain. Yield with setImmediate.",
};

const TICKS: Flood = Flood {
    id: Id::NextTickStarvation,
    queue: Queue::NextTick,
    jobs_name: "nextTick callbacks",
    many: "floods of nextTick callbacks",
    advice: "Queue the next step with setImmediate: a nextTick callback runs before the loop goes \
        on, so one that queues another keeps timers and I/O out until the last is done.",
};

pub(super) fn microtasks(seen: &Seen<'_>) -> Option<Finding> {
    let longest = blame::flood(seen.of, Queue::Microtask)?;
    Some(MICROTASKS.found(seen, longest))
}

pub(super) fn ticks(seen: &Seen<'_>) -> Option<Finding> {
    match blame::flood(seen.of, Queue::NextTick) {
        Some(longest) => Some(TICKS.found(seen, longest)),
        None => ping_pong(seen),
    }
}

impl Flood {
    fn found(&self, seen: &Seen<'_>, longest: LongestDrain) -> Finding {
        let group = seen.groups.get(self.id);
        let ran = if longest.open { "have run in one drain so far" } else { "ran in one drain" };
        let held = group.longest().map_or_else(String::new, |stall| {
            format!(" and held up the loop for {}", evidence::how_long(stall))
        });
        let mut told = self.drains(seen.of);
        told.extend((group.count > 1).then(|| evidence::stalls(group)));
        if self.queue == Queue::Microtask {
            let longest = group.longest().and_then(|stall| stall.drain.as_ref());
            told.extend(longest.into_iter().flat_map(anatomy));
        }
        told.extend(group.longest().and_then(evidence::ledger));
        told.extend(evidence::effects(seen.of));
        Finding {
            id: self.id,
            blocked_ns: group.duration_ns,
            summary: format!("{} {} {ran}{held}", format_count(longest.jobs), self.jobs_name),
            evidence: told,
            advice: self.advice,
            culprit: group.culprit(),
            confidence: Confidence::High,
        }
    }

    /// The drain that still runs, and how many ended ones were floods.
    fn drains(&self, seen: &LoopSnapshot) -> Vec<String> {
        let name = self.jobs_name;
        let mut told = Vec::new();
        let open = blame::open_drain(seen, self.queue).filter(|drain| drain.jobs >= FLOOD_JOBS);
        if let Some(drain) = open {
            let (jobs, age) = (format_count(drain.jobs), format_ns(drain.age_ns));
            told.push(format!("a drain still runs: {jobs} {name} in {age} so far"));
        }
        let Some(lengths) = blame::lengths(seen, self.queue) else { return told };
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

/// How a drain grew, and of what it was made.
fn anatomy(drain: &Drained) -> Vec<String> {
    let mut told = Vec::new();
    let jobs = format_count(drain.jobs);
    if let Some(most) = drain.waiting_max.filter(|_| drain.is_square) {
        told.push(format!(
            "{jobs} jobs of a queue that grew to about {}: they grow with the square of its length",
            format_count(most)
        ));
    } else if let Some(queued) = drain.queued.filter(|&queued| queued * GROWN <= drain.jobs) {
        told.push(format!("{jobs} jobs from {} that waited at its start", format_count(queued)));
    }
    let most = drain.reactions.iter().take(REACTIONS_TOLD);
    let parts: Vec<String> = most
        .map(|of| {
            let name = if of.function.is_empty() { "(anonymous)" } else { &of.function };
            format!("{:.0} % {name} ({}:{})", 100.0 * of.share, of.file, of.line)
        })
        .collect();
    if !parts.is_empty() {
        told.push(format!("what ran in it, by samples: {}", parts.join(", ")));
    }
    told
}

/// NextTicks and microtasks that queue each other: no drain is long, and yet there is no end.
fn ping_pong(seen: &Seen<'_>) -> Option<Finding> {
    let group: &Group<'_> = seen.groups.get(Id::NextTickStarvation);
    let longest = group.longest()?;
    if longest.repeated == Some(Repeated::Ticks) {
        return Some(sampled(seen, group));
    }
    let jobs = format_count(longest.microtasks.unwrap_or(0));
    let mut told = vec![format!(
        "{jobs} microtasks ran behind one callback, in drains below {} each: nextTicks came \
         between them",
        format_count(FLOOD_JOBS)
    )];
    told.extend(evidence::of_group(group, seen.of));
    Some(Finding {
        id: Id::NextTickStarvation,
        blocked_ns: group.duration_ns,
        summary: evidence::summary(
            group,
            "nextTicks and promises that queue each other",
            TICKS.many,
        ),
        evidence: told,
        advice: TICKS.advice,
        culprit: group.culprit(),
        confidence: Confidence::Medium,
    })
}

/// NextTicks that can't be counted, as in a live Node.js: they run in JavaScript.
fn sampled(seen: &Seen<'_>, group: &Group<'_>) -> Finding {
    let mut told = vec!["samples saw one nextTick callback after the other".to_owned()];
    told.extend(evidence::of_group(group, seen.of));
    Finding {
        id: Id::NextTickStarvation,
        blocked_ns: group.duration_ns,
        summary: evidence::summary(group, "NextTicks without end", TICKS.many),
        evidence: told,
        advice: TICKS.advice,
        culprit: group.culprit(),
        confidence: Confidence::Medium,
    }
}
