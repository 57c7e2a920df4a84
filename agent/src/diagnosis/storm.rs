//! `timer-storm`, `poll-flood` and `immediate-flood`: each callback is short, and there are so many
//! in one turn that the loop stalls.

use loop_core::snapshot::{LoopSnapshot, Stall};
use loop_core::units::format_count;

use super::blame::longest_callback_ns;
use super::{Confidence, Finding, Id, Seen, evidence};

/// A pathology that is very many callbacks of one phase.
struct Storm {
    id: Id,
    /// What the callbacks are.
    name: &'static str,
    /// What its stalls are by, when there are many.
    many: &'static str,
    /// How many there were since the observation began, where that is counted.
    total: fn(&LoopSnapshot) -> Option<String>,
    advice: &'static str,
}

const TIMERS: Storm = Storm {
    id: Id::TimerStorm,
    name: "timers that came due together",
    many: "timers that come due together",
    total: |seen| Some(format!("{} timers fired in all", format_count(seen.timers?))),
    advice: "Spread the timers, or keep one for all: a timer that serves a queue of deadlines \
        does in steps what thousands do in one go.",
};

const POLL: Storm = Storm {
    id: Id::PollFlood,
    name: "events that were ready together",
    many: "polls with very many events",
    total: |_| None,
    advice: "Take less at a time: limit the connections, read in larger pieces, batch on the \
        sender's side, or share the load over processes.",
};

const IMMEDIATES: Storm = Storm {
    id: Id::ImmediateFlood,
    name: "immediates of one turn",
    many: "turns with very many immediates",
    total: |seen| Some(format!("{} immediates ran in all", format_count(seen.immediates?))),
    advice: "Queue one immediate that works through a list in batches: all that are queued when \
        the check phase begins run in that turn.",
};

pub(super) fn timers(seen: &Seen<'_>) -> Option<Finding> {
    TIMERS.find(seen)
}

pub(super) fn poll(seen: &Seen<'_>) -> Option<Finding> {
    POLL.find(seen)
}

pub(super) fn immediates(seen: &Seen<'_>) -> Option<Finding> {
    IMMEDIATES.find(seen)
}

impl Storm {
    fn find(&self, seen: &Seen<'_>) -> Option<Finding> {
        let group = seen.groups.get(self.id);
        let longest = group.longest()?;
        let many = longest.callbacks.map_or_else(|| "Very many".to_owned(), format_count);
        let one = format!("{many} {}", self.name);
        let mut told = vec![evidence::stalls(group)];
        told.extend(evidence::callbacks(longest, seen.of));
        told.extend((self.total)(seen.of));
        told.extend(evidence::ledger(longest));
        told.extend(evidence::effects(seen.of));
        Some(Finding {
            id: self.id,
            blocked_ns: group.duration_ns,
            summary: evidence::summary(group, &one, self.many),
            evidence: told,
            advice: self.advice,
            culprit: group.culprit(),
            confidence: confidence(longest, seen.of),
        })
    }
}

/// Without the times of single callbacks, one long one among many short ones looks the same.
fn confidence(stall: &Stall, seen: &LoopSnapshot) -> Confidence {
    match longest_callback_ns(stall, seen) {
        Some(_) => Confidence::High,
        None => Confidence::Medium,
    }
}
