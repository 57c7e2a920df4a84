//! `cpu-bound-callback`: few callbacks, each computing for so long that the loop stalls.

use loop_core::snapshot::{ClockKind, LedgerKey, Stall};

use super::blame::longest_callback_ns;
use super::{Confidence, Finding, Id, Seen, evidence};

const ADVICE: &str = "Cut the computation into steps and let the loop turn between them, or move \
    it to a worker thread:\n\
    for (const chunk of chunks) {\n\
    \x20 compute(chunk); // a few milliseconds at most\n\
    \x20 await new Promise((resume) => setImmediate(resume));\n\
    }";

pub(super) fn find(seen: &Seen<'_>) -> Option<Finding> {
    let group = seen.groups.get(Id::CpuBoundCallback);
    if group.count == 0 {
        return None;
    }
    let mut told = vec![evidence::stalls(group)];
    told.extend(group.longest().and_then(evidence::ledger));
    told.extend(group.longest().and_then(|stall| evidence::callbacks(stall, seen.of)));
    told.extend(evidence::effects(seen.of));
    Some(Finding {
        id: Id::CpuBoundCallback,
        blocked_ns: group.duration_ns,
        summary: evidence::summary(group, "A callback that computes", "callbacks that compute"),
        evidence: told,
        advice: ADVICE,
        culprit: group.culprit(),
        confidence: group.longest().map_or(Confidence::Low, |stall| confidence(stall, seen)),
    })
}

fn confidence(stall: &Stall, seen: &Seen<'_>) -> Confidence {
    if stall.ledger_ns.cause() == LedgerKey::Unknown {
        return Confidence::Low;
    }
    let waits_known =
        stall.ledger_ns.get(LedgerKey::RunQueue).is_some() || seen.clock == ClockKind::Virtual;
    // A main script is one piece of code.
    let one = stall.phase.is_none()
        || stall.callbacks == Some(1)
        || stall.culprit.is_some()
        || longest_callback_ns(stall, seen.of).is_some_and(|longest| longest.explains);
    if waits_known && one { Confidence::High } else { Confidence::Medium }
}
