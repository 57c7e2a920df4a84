//! `healthy`: the verdict where no rule finds anything, with the figures it rests on.

use loop_core::snapshot::LoopSnapshot;
use loop_core::units::{format_count, format_ns};

use super::{Confidence, Diagnosis, Id, Seen, cpu_starved, evidence, frozen};

pub(super) fn verdict(all: &[Seen<'_>]) -> Diagnosis {
    let slowest = all.iter().max_by_key(|seen| longest_turn_ns(seen.of));
    let told = slowest.map_or_else(Vec::new, |seen| {
        let turn = seen.of.turn_ns.as_ref().filter(|turns| !turns.is_empty());
        let mut told = Vec::new();
        told.extend(turn.map(|turns| format!("the longest turn took {}", format_ns(turns.max))));
        told.extend(cpu_starved::blips(seen));
        told.extend(frozen::harmless(seen.of));
        told.extend(frozen::moment(seen.of));
        told.extend(evidence::effects(seen.of));
        told
    });
    let id = Id::Healthy;
    Diagnosis {
        id: id.name(),
        pid: slowest.map_or(0, |seen| seen.of.pid),
        thread: slowest.map_or_else(|| "main".to_owned(), |seen| seen.of.thread.clone()),
        summary: summary(all),
        evidence: told,
        advice: "Nothing needs to be done.".to_owned(),
        example: None,
        culprit: None,
        confidence: confidence(all),
        docs: id.docs(),
    }
}

fn summary(all: &[Seen<'_>]) -> String {
    let stalls = all.iter().map(|seen| seen.groups.all().0).fold(0, u64::saturating_add);
    let turns = all.iter().filter_map(|seen| seen.of.turns).reduce(u64::saturating_add);
    match (turns, stalls) {
        (None, 0) => "No stall was seen".to_owned(),
        (Some(0), 0) => "No turn has ended yet, and nothing holds the loop up".to_owned(),
        (Some(1), 0) => "No stall in 1 turn".to_owned(),
        (Some(turns), 0) => format!("No stall in {} turns", format_count(turns)),
        (_, 1) => "1 stall, by waiting for a CPU: too little to call it starved".to_owned(),
        _ => format!(
            "{} stalls, by waiting for a CPU: too few to call it starved",
            format_count(stalls)
        ),
    }
}

/// Low where nothing was seen that could be ill.
fn confidence(all: &[Seen<'_>]) -> Confidence {
    let timed = |seen: &Seen<'_>| seen.of.turns > Some(0) && seen.of.turn_ns.is_some();
    match (all.iter().any(timed), all.iter().all(timed)) {
        (true, true) => Confidence::High,
        (true, false) => Confidence::Medium,
        (false, _) => Confidence::Low,
    }
}

fn longest_turn_ns(seen: &LoopSnapshot) -> u64 {
    seen.turn_ns.as_ref().map_or(0, |turns| turns.max).max(seen.current_turn_ns())
}
