//! `healthy`: the verdict where no rule finds anything, with the figures it rests on.

use loop_core::snapshot::{LedgerKey, LoopSnapshot, Snapshot};
use loop_core::units::{format_count, format_ns};

use super::evidence::Flooded;
use super::{Diagnosis, evidence};

pub(super) fn verdict(snapshot: &Snapshot) -> Diagnosis {
    let slowest = snapshot.loops.iter().max_by_key(|observed| longest_turn_ns(observed));
    let told = slowest.map_or_else(Vec::new, |observed| {
        let turn = observed.turn_ns.as_ref().filter(|turns| !turns.is_empty());
        let mut told = Vec::new();
        told.extend(turn.map(|turns| format!("the longest turn took {}", format_ns(turns.max))));
        told.extend(evidence::lateness(observed));
        told.extend(evidence::arrival(observed));
        told
    });
    Diagnosis {
        id: "healthy",
        pid: slowest.map_or(0, |observed| observed.pid),
        thread: slowest.map_or_else(|| "main".to_owned(), |observed| observed.thread.clone()),
        summary: summary(snapshot),
        evidence: told,
        advice: "Nothing needs to be done.".to_owned(),
        culprit: None,
    }
}

fn summary(snapshot: &Snapshot) -> String {
    let all = snapshot
        .loops
        .iter()
        .map(|observed| evidence::stalls(observed, &LedgerKey::ALL, Flooded::ByCause));
    let stalls: u64 = all.map(|stalls| stalls.count).sum();
    let turns: u64 = snapshot.loops.iter().map(|observed| observed.turns).sum();
    match (turns, stalls) {
        (0, 0) => "No turn has ended yet, and nothing holds the loop up".to_owned(),
        (1, 0) => "No stall in 1 turn".to_owned(),
        (_, 0) => format!("No stall in {} turns", format_count(turns)),
        _ => format!(
            "{} stalls that no known pathology explains; their causes are listed below",
            format_count(stalls)
        ),
    }
}

fn longest_turn_ns(observed: &LoopSnapshot) -> u64 {
    observed.turn_ns.as_ref().map_or(0, |turns| turns.max).max(observed.current_turn_ns())
}
