//! `cpu-starved`: the loop could run, and the CPU was given to others or a quota was used up.

use loop_core::snapshot::{LedgerKey, LoopSnapshot};
use loop_core::units::{format_count, format_ns};

use super::blame::{Group, taken_ns};
use super::thresholds::{
    STARVED_NS, STARVED_RATIO, STARVED_SHARE, STARVED_STALLS, STARVED_WAIT_NS, STARVED_WAIT_SHARE,
};
use super::{Confidence, Finding, Id, Seen, evidence};

const ADVICE: &str = "Nothing in the code is at fault: give the process a CPU. Raise its quota, \
    move its neighbours away, and start no more busy threads than there are CPUs.";

pub(super) fn find(seen: &Seen<'_>) -> Option<Finding> {
    let group = seen.groups.get(Id::CpuStarved);
    let by_stalls = is_starvation(group, seen.of);
    if !by_stalls && !waits_far_longer_than_it_runs(seen.of) {
        return None;
    }
    let taken = Taken::of(group);
    let mut told = Vec::new();
    if group.count > 0 {
        told.push(evidence::stalls(group));
        told.extend(taken.told());
        told.extend(group.longest().and_then(evidence::ledger));
    }
    told.extend(evidence::cpu(seen.of));
    told.extend(throttled(seen.of));
    told.extend(evidence::effects(seen.of));
    let waited_ns = seen.of.cpu.waited_ns().unwrap_or(0);
    let summary = if by_stalls {
        let (one, many) = taken.names();
        evidence::summary(group, one, many)
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

/// What the CPU was taken by in the stalls of which the details are known.
#[derive(Clone, Copy)]
struct Taken {
    /// By a quota; `None` where that isn't told apart.
    quota_ns: Option<u64>,
    /// By whatever else ran.
    others_ns: u64,
}

impl Taken {
    fn of(group: &Group<'_>) -> Taken {
        let sum = |key| {
            let parts = group.listed.iter().filter_map(|stall| stall.ledger_ns.get(key));
            parts.reduce(u64::saturating_add)
        };
        let others_ns = sum(LedgerKey::RunQueue).unwrap_or(0);
        Taken { quota_ns: sum(LedgerKey::Throttled), others_ns }
    }

    /// What one stall is by, and many are.
    fn names(self) -> (&'static str, &'static str) {
        match self.quota_ns {
            Some(quota_ns) if quota_ns > self.others_ns => {
                ("A CPU quota that was used up", "a CPU quota that was used up")
            }
            _ => ("Waiting for a CPU", "waiting for a CPU"),
        }
    }

    fn told(self) -> Option<String> {
        let quota_ns = self.quota_ns?;
        Some(match (quota_ns, self.others_ns) {
            (0, 0) => return None,
            (0, others_ns) => {
                format!("{} went to neighbours on the CPU, none to a quota", format_ns(others_ns))
            }
            (quota_ns, 0) => format!("{} went to a CPU quota", format_ns(quota_ns)),
            (quota_ns, others_ns) => format!(
                "{} went to a CPU quota, {} to neighbours on the CPU",
                format_ns(quota_ns),
                format_ns(others_ns)
            ),
        })
    }
}

/// Whether the stalls by waiting for a CPU are more than blips.
fn is_starvation(group: &Group<'_>, seen: &LoopSnapshot) -> bool {
    let often = group.count >= STARVED_STALLS
        && group.duration_ns as f64 >= observed_ns(seen) as f64 * STARVED_SHARE;
    often || group.longest().is_some_and(|stall| stall.duration_ns >= STARVED_NS)
}

/// Whether the thread waits so much longer than it runs that every turn suffers.
fn waits_far_longer_than_it_runs(seen: &LoopSnapshot) -> bool {
    let (Some(ran_ns), Some(waited_ns)) = (seen.cpu.on_cpu_ns, seen.cpu.waited_ns()) else {
        return false;
    };
    waited_ns >= STARVED_WAIT_NS
        && waited_ns / STARVED_RATIO >= ran_ns
        && waited_ns as f64 >= observed_ns(seen) as f64 * STARVED_WAIT_SHARE
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
