//! `cpu-starved`: the loop could run, and the CPU was given to others or a quota was used up.

use loop_core::snapshot::{LedgerKey, LoopSnapshot};
use loop_core::units::{format_count, format_ns};

use super::blame::{Group, taken_ns};
use super::thresholds::{
    STARVED_NS, STARVED_RATIO, STARVED_SHARE, STARVED_STALLS, STARVED_WAIT_NS, STARVED_WAIT_SHARE,
};
use super::{Confidence, Finding, Id, Seen, evidence};

const ADVICE: &str = "Nothing in the code is at fault: give the process a CPU. Raise its quota, \
    move its neighbours away, and start no more busy threads than there are CPUs:\n\
    const os = require('node:os');\n\
    const workers = Math.max(1, os.availableParallelism() - 1); // one CPU is the loop's\n\
    for (let i = 0; i < workers; i++) new Worker('./crunch.js');";

pub(super) fn find(seen: &Seen<'_>) -> Option<Finding> {
    let group = seen.groups.get(Id::CpuStarved);
    let by_stalls = is_starvation(group, seen.of);
    if !by_stalls && !waits_far_longer_than_it_runs(seen.of) {
        return None;
    }
    let mut told = Vec::new();
    if group.count > 0 {
        told.push(evidence::stalls(group));
        told.extend(group.longest().and_then(evidence::ledger));
    }
    told.extend(evidence::cpu(seen.of));
    told.extend(throttled(seen.of));
    told.extend(evidence::effects(seen.of));
    let waited_ns = waited_ns(seen.of).unwrap_or(0);
    let summary = if by_stalls {
        evidence::summary(group, "Waiting for a CPU", "waiting for a CPU")
    } else {
        format!(
            "The loop's thread waited {} for a CPU, far longer than it ran",
            format_ns(waited_ns)
        )
    };
    Some(Finding {
        id: Id::CpuStarved,
        blocked_ns: if by_stalls { group.duration_ns } else { waited_ns },
        summary,
        evidence: told,
        advice: ADVICE,
        culprit: None,
        confidence: Confidence::High,
    })
}

/// Whether the stalls by waiting for a CPU are more than blips.
fn is_starvation(group: &Group<'_>, seen: &LoopSnapshot) -> bool {
    let often = group.count >= STARVED_STALLS
        && group.duration_ns as f64 >= observed_ns(seen) as f64 * STARVED_SHARE;
    often || group.longest().is_some_and(|stall| stall.duration_ns >= STARVED_NS)
}

/// Whether the thread waits so much longer than it runs that every turn suffers.
fn waits_far_longer_than_it_runs(seen: &LoopSnapshot) -> bool {
    let (Some(ran_ns), Some(waited_ns)) = (seen.cpu.on_cpu_ns, waited_ns(seen)) else {
        return false;
    };
    waited_ns >= STARVED_WAIT_NS
        && waited_ns / STARVED_RATIO >= ran_ns
        && waited_ns as f64 >= observed_ns(seen) as f64 * STARVED_WAIT_SHARE
}

/// Waiting for a CPU and for the next period of a quota; `None` where neither was measured.
fn waited_ns(seen: &LoopSnapshot) -> Option<u64> {
    let parts = [seen.cpu.run_delay_ns, seen.cpu.throttled_ns];
    parts.into_iter().flatten().reduce(u64::saturating_add)
}

/// Time in which the loop was watched and not frozen, the open turn included.
fn observed_ns(seen: &LoopSnapshot) -> u64 {
    seen.active_ns.unwrap_or(0).saturating_add(seen.idle_ns.unwrap_or(0))
}

fn throttled(seen: &LoopSnapshot) -> Option<String> {
    let ns = seen.cpu.throttled_ns.filter(|&ns| ns > 0)?;
    Some(format!("in all, a CPU quota held the thread back for {}", format_ns(ns)))
}

/// Stalls by waiting for a CPU that are too few to be called starvation.
pub(super) fn blips(seen: &Seen<'_>) -> Option<String> {
    let group = seen.groups.get(Id::CpuStarved);
    let longest = group.longest()?;
    let times = if group.count == 1 { "stall" } else { "stalls" };
    let waited_ns = taken_ns(&longest.ledger_ns);
    let why = match longest.ledger_ns.get(LedgerKey::Throttled) {
        Some(ns) if ns > waited_ns / 2 => "held back by a CPU quota",
        _ => "waiting for a CPU",
    };
    Some(format!(
        "{} {times} by {why}, the longest of {}: a neighbour was busy for a moment",
        format_count(group.count),
        format_ns(longest.duration_ns)
    ))
}
