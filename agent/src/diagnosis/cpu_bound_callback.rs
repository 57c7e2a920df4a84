//! `cpu-bound-callback`: few callbacks, each computing for so long that the loop stalls.

use loop_core::snapshot::{LedgerKey, LoopSnapshot, Queue};
use loop_core::units::{format_count, format_ns};

use super::evidence::Flooded;
use super::flood::is_flooded;
use super::{Finding, evidence};

const ADVICE: &str = "Cut the computation into steps and let the loop turn between them, or move \
    it to a worker thread:\n\
    for (const chunk of chunks) {\n\
    \x20 compute(chunk); // a few milliseconds at most\n\
    \x20 await new Promise((resume) => setImmediate(resume));\n\
    }";

pub(super) fn find(observed: &LoopSnapshot) -> Option<Finding> {
    let stalls = evidence::stalls(observed, &causes(observed), Flooded::Out);
    let (count, all) = (format_count(stalls.count), format_ns(stalls.duration_ns));
    let summary = match (stalls.count, stalls.longest) {
        (0, _) => return None,
        (1, Some(stall)) => {
            let how_long = evidence::how_long(stall);
            format!("A callback that computes held up the loop for {how_long}")
        }
        (_, Some(stall)) => {
            let how_long = evidence::how_long(stall);
            format!("{count} stalls by callbacks that compute, the longest for {how_long}")
        }
        (_, None) => format!("{count} stalls by callbacks that compute, {all} in all"),
    };
    let times = if stalls.count == 1 { "stall" } else { "stalls" };
    let mut told = vec![format!("{count} {times} past the threshold, {all} in all")];
    told.extend(stalls.longest.and_then(evidence::ledger));
    told.extend(evidence::lateness(observed));
    told.extend(evidence::arrival(observed));
    Some(Finding {
        id: "cpu-bound-callback",
        blocked_ns: stalls.duration_ns,
        summary,
        evidence: told,
        advice: ADVICE,
        culprit: stalls.culprit,
    })
}

/// Causes that mean computing. A drain that is no flood and yet stalls the loop has few jobs, each
/// of which computes for long; where it is a flood, that rule tells of these stalls.
fn causes(observed: &LoopSnapshot) -> Vec<LedgerKey> {
    let mut causes = vec![LedgerKey::Native, LedgerKey::Javascript, LedgerKey::Unknown];
    let drains = [(Queue::Microtask, LedgerKey::Microtasks), (Queue::NextTick, LedgerKey::Ticks)];
    let few = drains.into_iter().filter(|&(queue, _)| !is_flooded(observed, queue));
    causes.extend(few.map(|(_, cause)| cause));
    causes
}
