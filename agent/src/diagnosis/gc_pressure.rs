//! `gc-pressure`: garbage collection stops the loop for too long, or too much of the time.
//!
//! A pause inside a flood of microtasks is the flood's: its promises are the garbage.

use loop_core::snapshot::{LedgerKey, LoopSnapshot};
use loop_core::units::{format_count, format_ns};

use super::thresholds::{GC_PAUSE_NS, GC_SHARE, STALL_NS};
use super::{Confidence, Finding, Id, Seen, evidence};

const ADVICE: &str = "Make less garbage, or keep less alive: reuse buffers, stream instead of \
    collecting, bound caches, and give the young generation room if most dies young.";

pub(super) fn find(seen: &Seen<'_>) -> Option<Finding> {
    let group = seen.groups.get(Id::GcPressure);
    let share = pressure(seen);
    if group.count == 0 && share.is_none() {
        return None;
    }
    let mut told = Vec::new();
    if group.count > 0 {
        told.push(evidence::stalls(group));
        told.extend(group.longest().and_then(evidence::ledger));
    }
    told.extend(pauses(seen.of));
    told.extend(
        share
            .map(|share| format!("{:.0} % of the active time went to it", 100.0 * share.of_active)),
    );
    told.extend(evidence::effects(seen.of));
    let summary = match share {
        Some(share) if group.count == 0 => {
            format!("Garbage collection took {} of the loop's time", format_ns(share.ns))
        }
        _ => evidence::summary(group, "Garbage collection", "garbage collection"),
    };
    Some(Finding {
        id: Id::GcPressure,
        blocked_ns: group.duration_ns.max(share.map_or(0, |share| share.ns)),
        summary,
        evidence: told,
        advice: ADVICE,
        culprit: group.culprit(),
        confidence: Confidence::High,
    })
}

/// How much of the active time pauses took.
#[derive(Clone, Copy)]
struct Pressure {
    ns: u64,
    of_active: f64,
}

/// The pauses outside of floods, if they take too much of the active time.
fn pressure(seen: &Seen<'_>) -> Option<Pressure> {
    let all_ns = u64::try_from(seen.of.gc_pause_ns()?.sum).unwrap_or(u64::MAX);
    let active_ns = seen.of.active_ns.filter(|&ns| ns > 0)?;
    let flooded = seen.groups.get(Id::MicrotaskFlood).listed.iter();
    let in_floods_ns =
        flooded.filter_map(|stall| stall.ledger_ns.get(LedgerKey::Gc)).fold(0, u64::saturating_add);
    let ns = all_ns.saturating_sub(in_floods_ns);
    let of_active = ns as f64 / active_ns as f64;
    let longest_ns = seen.of.gc_major_ns.as_ref().map_or(0, |pauses| pauses.max);
    let held_up = longest_ns >= GC_PAUSE_NS;
    (held_up && ns >= STALL_NS && of_active >= GC_SHARE).then_some(Pressure { ns, of_active })
}

fn pauses(seen: &LoopSnapshot) -> Option<String> {
    let pauses = seen.gc_pause_ns().filter(|pauses| !pauses.is_empty())?;
    let sum_ns = u64::try_from(pauses.sum).unwrap_or(u64::MAX);
    let (count, longest) = (format_count(pauses.count()), format_ns(pauses.max));
    Some(format!("{count} pauses of {} in all, the longest {longest}", format_ns(sum_ns)))
}
