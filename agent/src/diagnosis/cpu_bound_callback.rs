//! `cpu-bound-callback`: few callbacks, each computing for so long that the loop stalls.
//!
//! What is told is what is known: one callback where one explains the stall, and else how many of
//! what there were.

use loop_core::snapshot::{ClockKind, LedgerKey, LoopSnapshot, Queue, Stall};
use loop_core::units::format_count;

use super::blame::{longest_callback_ns, open_drain, own_cause};
use super::{Confidence, Finding, Id, Seen, evidence};

const ADVICE: &str = "Cut the computation into steps and let the loop turn between them, or move \
    it to a worker thread.";

pub(super) fn find(seen: &Seen<'_>) -> Option<Finding> {
    let group = seen.groups.get(Id::CpuBoundCallback);
    if group.count == 0 {
        return None;
    }
    let held_by = group.longest().map_or(HeldBy::One, |stall| held_by(stall, seen.of));
    let mut told = vec![evidence::stalls(group)];
    told.extend(held_by.evidence());
    told.extend(group.longest().and_then(evidence::ledger));
    told.extend(group.longest().and_then(|stall| evidence::callbacks(stall, seen.of)));
    told.extend(evidence::effects(seen.of));
    Some(Finding {
        id: Id::CpuBoundCallback,
        blocked_ns: group.duration_ns,
        summary: evidence::summary(group, &held_by.one(), held_by.many()),
        evidence: told,
        advice: ADVICE,
        culprit: group.culprit(),
        confidence: group.longest().map_or(Confidence::Low, |stall| confidence(stall, seen)),
    })
}

/// What a stall is made of.
#[derive(Clone, Copy)]
enum HeldBy {
    /// One callback, as far as is known.
    One,
    /// So many callbacks, none of which is known to explain it.
    Callbacks(u64),
    /// Jobs of this queue, and how many, where that is counted.
    Jobs(Queue, Option<u64>),
}

fn held_by(stall: &Stall, seen: &LoopSnapshot) -> HeldBy {
    let open = |queue| open_drain(seen, queue).filter(|_| stall.running).map(|drain| drain.jobs);
    match own_cause(&stall.ledger_ns) {
        LedgerKey::Microtasks => {
            let jobs = stall.microtasks.max(open(Queue::Microtask));
            return HeldBy::Jobs(Queue::Microtask, jobs.filter(|&jobs| jobs > 0));
        }
        LedgerKey::Ticks => return HeldBy::Jobs(Queue::NextTick, open(Queue::NextTick)),
        _ => {}
    }
    let one = || longest_callback_ns(stall, seen).is_some_and(|longest| longest.explains);
    match stall.callbacks.filter(|&callbacks| callbacks > 1 && stall.phase.is_some()) {
        Some(callbacks) if !one() => HeldBy::Callbacks(callbacks),
        _ => HeldBy::One,
    }
}

impl HeldBy {
    fn one(self) -> String {
        match self {
            HeldBy::One => "A callback that computes".to_owned(),
            HeldBy::Callbacks(count) => format!("{} callbacks", format_count(count)),
            HeldBy::Jobs(Queue::Microtask, None) => "Promise reactions".to_owned(),
            HeldBy::Jobs(Queue::Microtask, Some(1)) => "1 promise reaction".to_owned(),
            HeldBy::Jobs(Queue::Microtask, Some(count)) => {
                format!("{} promise reactions", format_count(count))
            }
            HeldBy::Jobs(Queue::NextTick, None) => "NextTick callbacks".to_owned(),
            HeldBy::Jobs(Queue::NextTick, Some(1)) => "1 nextTick callback".to_owned(),
            HeldBy::Jobs(Queue::NextTick, Some(count)) => {
                format!("{} nextTick callbacks", format_count(count))
            }
        }
    }

    /// What its stalls are by, when there are many.
    fn many(self) -> &'static str {
        match self {
            HeldBy::One | HeldBy::Callbacks(_) => "callbacks that compute",
            HeldBy::Jobs(Queue::Microtask, _) => "promise reactions that compute",
            HeldBy::Jobs(Queue::NextTick, _) => "nextTick callbacks that compute",
        }
    }

    fn evidence(self) -> Option<String> {
        match self {
            HeldBy::Jobs(_, Some(_)) => Some(format!("{} in the longest stall", self.one())),
            _ => None,
        }
    }
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
