//! `frozen`: the process was stopped or suspended, and what was pending came late by that.
//!
//! A freeze in which nothing was pending hurts nobody: between two invocations of a function on
//! AWS Lambda it is how things are. A freeze shows in two ways: inside a turn, as a stall; between
//! two turns, as time that is neither active nor idle, and timers late by more than any turn can
//! explain.
//!
//! A process that is stopped by a signal at the end of the observation, or by its control group, is
//! frozen, too, whatever was pending: nothing that comes is answered until it goes on.
//!
//! A stop that nobody told the loop of, as by `SIGSTOP` while it waited in the poll, shows in the
//! timers alone. It is told at low confidence, and only where neither turns nor waits for a CPU
//! explain how late they were.

use loop_core::snapshot::{LoopSnapshot, Stall, StoppedBy, Wait};
use loop_core::units::format_ns;

use super::thresholds::{STALL_NS, UNEXPLAINED_NS};
use super::{Confidence, Finding, Id, Seen, evidence};

const ADVICE: &str = "Leave nothing pending when the process may be stopped: await all work \
    before a function returns, and don't rely on timers that run on in the background.";

const STOPPED_ADVICE: &str = "Let it go on with `kill -CONT PID`, and find out what has stopped \
    it: Ctrl-Z in its terminal, a debugger, a supervisor, or a tool that stops what it looks at.";

const GROUP_ADVICE: &str = "Thaw its control group (`docker unpause`, or 0 in `cgroup.freeze`), \
    and find out who has frozen it: a pause of the container, a checkpoint, an autoscaler.";

/// How a wait is called in which the whole process stood still.
const FREEZES: [&str; 3] = ["stopped by a signal", "control group frozen", "machine paused"];

pub(super) fn find(seen: &Seen<'_>) -> Option<Finding> {
    let group = seen.groups.get(Id::Frozen);
    let gap = gap(seen.of);
    if group.count == 0 && gap.is_none() {
        return stopped_now(seen.of).or_else(|| stopped_unseen(seen.of));
    }
    let mut told = Vec::new();
    told.extend(
        gap.map(|gap| format!("frozen for {} in all, between turns", format_ns(gap.frozen_ns))),
    );
    if group.count > 0 {
        told.push(evidence::stalls(group));
        told.extend(group.longest().and_then(by));
        told.extend(group.longest().and_then(evidence::ledger));
    }
    told.extend(evidence::effects(seen.of));
    let summary = match gap {
        Some(gap) if group.count == 0 => summary(gap),
        _ => evidence::summary(group, "A frozen process", "a frozen process"),
    };
    let late_ns = gap.map_or(0, |gap| gap.late_ns.unwrap_or(gap.frozen_ns));
    let inferred = group.count == 0 && gap.is_some_and(|gap| gap.late_ns.is_none());
    Some(Finding {
        id: Id::Frozen,
        blocked_ns: group.duration_ns.saturating_add(late_ns),
        summary,
        evidence: told,
        advice: ADVICE,
        culprit: None,
        confidence: if inferred { Confidence::Low } else { Confidence::High },
    })
}

/// What a process was frozen by in the middle of a turn, where that was seen.
fn by(stall: &Stall) -> Option<String> {
    let is_freeze = |wait: &&Wait| FREEZES.contains(&wait.call.as_str());
    let freeze = stall.waits.iter().flatten().find(is_freeze)?;
    Some(format!("{} for {} of the longest", freeze.call, format_ns(freeze.duration_ns)))
}

/// Time frozen between turns.
#[derive(Clone, Copy)]
struct Gap {
    frozen_ns: u64,
    /// By how much some timer was later than the longest turn explains; `None` where the lateness
    /// of timers isn't measured.
    late_ns: Option<u64>,
}

/// The freezes between turns, if they were long and made something late.
fn gap(seen: &LoopSnapshot) -> Option<Gap> {
    let frozen_ns = seen.frozen_ns.filter(|&ns| ns >= STALL_NS)?;
    let longest_ns = seen.turn_ns.as_ref().map_or(0, |turns| turns.max);
    let late = seen.timer_lateness_ns.as_ref();
    let late_ns = late.map(|late| late.max.saturating_sub(longest_ns).min(frozen_ns));
    late_ns.is_none_or(|ns| ns >= STALL_NS).then_some(Gap { frozen_ns, late_ns })
}

/// A process that is stopped, and whose loop waited when that happened: nothing of it is late yet.
fn stopped_now(seen: &LoopSnapshot) -> Option<Finding> {
    let stopped = seen.stopped.filter(|stopped| stopped.age_ns >= STALL_NS)?;
    let age = format_ns(stopped.age_ns);
    let (how, advice) = match stopped.by {
        StoppedBy::Signal => ("stopped by a signal", STOPPED_ADVICE),
        StoppedBy::ControlGroup => ("frozen with its control group", GROUP_ADVICE),
    };
    let told = match stopped.always {
        true => format!("{how} for the whole observation, {age}"),
        false => format!("{how} for the last {age}"),
    };
    seen.open.is_none().then(|| Finding {
        id: Id::Frozen,
        blocked_ns: stopped.age_ns,
        summary: format!("The process is stopped, for {age} by now, and does nothing"),
        evidence: [told].into_iter().chain(evidence::effects(seen)).collect(),
        advice,
        culprit: None,
        confidence: Confidence::High,
    })
}

/// A stop that shows in the lateness of a timer alone.
fn stopped_unseen(seen: &LoopSnapshot) -> Option<Finding> {
    let late = seen.timer_lateness_ns.as_ref()?;
    let longest_ns = longest_turn_ns(seen)?;
    let known = [seen.cpu.waited_ns(), seen.frozen_ns];
    // A timer that comes due while others run has to wait for the whole next turn, too.
    let explained_ns = known.into_iter().flatten().fold(longest_ns, u64::saturating_add);
    let late_ns = late.max.saturating_sub(explained_ns.saturating_add(longest_ns));
    if late_ns < UNEXPLAINED_NS {
        return None;
    }
    let mut told = vec![format!(
        "a timer fired {} later than the loop's turns and its waits for a CPU explain",
        format_ns(late_ns)
    )];
    told.push(format!("the longest turn took {}", format_ns(longest_ns)));
    told.extend(evidence::cpu(seen));
    told.extend(evidence::effects(seen));
    Some(Finding {
        id: Id::Frozen,
        blocked_ns: late_ns,
        summary: format!(
            "A timer fired {} late, and no turn explains it: either the process was stopped or \
             suspended while it waited, or the machine gave it no CPU",
            format_ns(late.max)
        ),
        evidence: told,
        advice: ADVICE,
        culprit: None,
        confidence: Confidence::Low,
    })
}

/// The turn that is still open included; `None` where turns are not timed.
fn longest_turn_ns(seen: &LoopSnapshot) -> Option<u64> {
    Some(seen.turn_ns.as_ref()?.max.max(seen.current_turn_ns()))
}

/// A timer that was later than any turn explains, and by too little to be called frozen.
pub(super) fn moment(seen: &LoopSnapshot) -> Option<String> {
    let late_ns = seen.timer_lateness_ns.as_ref()?.max;
    let more_ns = late_ns.saturating_sub(longest_turn_ns(seen)?);
    (more_ns >= STALL_NS).then(|| {
        format!(
            "a timer fired {} later than the longest turn explains: the process was stopped for \
             a moment, or the machine gave it no CPU",
            format_ns(more_ns)
        )
    })
}

fn summary(gap: Gap) -> String {
    let frozen = format_ns(gap.frozen_ns);
    match gap.late_ns {
        Some(late_ns) => format!(
            "The process was frozen for {frozen}, and a timer fired {} late by it",
            format_ns(late_ns)
        ),
        None => format!("The process was frozen for {frozen}"),
    }
}

/// Freezes that made nothing late enough to matter.
pub(super) fn harmless(seen: &LoopSnapshot) -> Option<String> {
    let (frozen, least) = (seen.frozen_ns.filter(|&ns| ns > 0)?, format_ns(STALL_NS));
    Some(format!("frozen for {} in all, which made no timer {least} late", format_ns(frozen)))
}
