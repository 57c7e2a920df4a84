//! Where the time of a loop went while it was observed, stalls by their ledgers.
//!
//! ```text
//!  |<------------------------- wall time ------------------------->|
//!   stalls, by key | older stalls | shorter turns | waits | not seen
//! ```
//!
//! **Invariant**: the parts sum to the wall time, or to more where clocks are read at different
//! moments; what is not known is `unseen`, never a part of another.

use std::collections::BTreeMap;

use loop_core::snapshot::{LedgerKey, LoopSnapshot, Stall};
use serde::Serialize;

/// Stalls whose details were overwritten by newer ones.
const OLDER: &str = "older";

/// Turns that were no stalls.
const TURNS: &str = "turns";

/// Time in which the loop waited for events.
const IDLE: &str = "idle";

/// Time of which nothing is known.
const UNSEEN: &str = "unseen";

/// A part of the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Part {
    key: &'static str,
    ns: u64,
}

/// Where the time of a loop went. No part is 0.
pub(super) fn parts(of: &LoopSnapshot, wall_ns: u64) -> Vec<Part> {
    let mut keys = of_stalls(&of.stalls);
    let frozen_in_stalls_ns = keys.get(&LedgerKey::Frozen).copied().unwrap_or(0);
    let ended = of.stalls.iter().filter(|stall| !stall.running);
    let listed_ns = ended.map(|stall| stall.duration_ns).fold(0, u64::saturating_add);
    let older_ns = stalled_ns(of).saturating_sub(listed_ns);
    let stalled_ns = keys.values().copied().fold(older_ns, u64::saturating_add);
    if let Some(frozen_ns) = of.frozen_ns {
        let frozen = keys.entry(LedgerKey::Frozen).or_default();
        *frozen = frozen_ns.max(*frozen);
    }
    // Where frozen time is told apart it is no active time.
    let in_turns_ns = match of.frozen_ns {
        Some(_) => stalled_ns.saturating_sub(frozen_in_stalls_ns),
        None => stalled_ns,
    };
    let turns_ns = of.active_ns.map_or(0, |active_ns| active_ns.saturating_sub(in_turns_ns));
    let named = LedgerKey::ALL.iter().filter_map(|key| Some((key.name(), *keys.get(key)?)));
    let rest = [(OLDER, older_ns), (TURNS, turns_ns), (IDLE, of.idle_ns.unwrap_or(0))];
    let mut parts: Vec<(&str, u64)> = named.chain(rest).collect();
    let sum_ns = parts.iter().map(|(_, ns)| *ns).fold(0, u64::saturating_add);
    parts.push((UNSEEN, wall_ns.saturating_sub(sum_ns)));
    let there = parts.into_iter().filter(|(_, ns)| *ns > 0);
    there.map(|(key, ns)| Part { key, ns }).collect()
}

/// How long stalls were that have ended, in nanoseconds.
pub(super) fn stalled_ns(of: &LoopSnapshot) -> u64 {
    let all = LedgerKey::ALL.iter().map(|&key| of.stall_totals.duration_ns(key));
    all.fold(0, u64::saturating_add)
}

/// The ledgers of all stalls that are listed. What a ledger does not account for is unknown.
fn of_stalls(stalls: &[Stall]) -> BTreeMap<LedgerKey, u64> {
    let mut keys: BTreeMap<LedgerKey, u64> = BTreeMap::new();
    for stall in stalls {
        let missing_ns = stall.duration_ns.saturating_sub(stall.ledger_ns.total_ns());
        let known = stall.ledger_ns.iter().filter_map(|(key, ns)| Some((key, ns?)));
        for (key, ns) in known.chain([(LedgerKey::Unknown, missing_ns)]) {
            let sum_ns = keys.entry(key).or_default();
            *sum_ns = sum_ns.saturating_add(ns);
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use loop_core::snapshot::{CauseTotals, Ledger};
    use proptest::prelude::*;

    use super::*;

    fn told(of: &LoopSnapshot, wall_ns: u64) -> Vec<(&'static str, u64)> {
        parts(of, wall_ns).into_iter().map(|part| (part.key, part.ns)).collect()
    }

    fn stall(duration_ns: u64, microtasks_ns: u64, running: bool) -> Stall {
        let ledger_ns = Ledger::default().with(LedgerKey::Microtasks, microtasks_ns);
        Stall { duration_ns, running, ledger_ns, ..Stall::default() }
    }

    #[test]
    fn time_is_divided_and_what_is_not_known_is_told() {
        let mut stall_totals = CauseTotals::default();
        stall_totals.add(LedgerKey::Microtasks, 60);
        stall_totals.add(LedgerKey::Gc, 70);
        let of = LoopSnapshot {
            active_ns: Some(300),
            idle_ns: Some(500),
            stalls: vec![stall(60, 50, false), stall(90, 90, true)],
            stall_totals,
            ..LoopSnapshot::default()
        };
        let expected = [
            ("microtasks", 140),
            ("unknown", 10),
            ("older", 70),
            ("turns", 80),
            ("idle", 500),
            ("unseen", 200),
        ];
        assert_eq!(told(&of, 1_000), expected);
        assert_eq!(told(&LoopSnapshot::default(), 1_000), [("unseen", 1_000)]);
        let frozen =
            LoopSnapshot { frozen_ns: Some(400), idle_ns: Some(600), ..Default::default() };
        assert_eq!(told(&frozen, 1_000), [("frozen", 400), ("idle", 600)]);
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_wall_time(
            stalls in prop::collection::vec((1u64..1_000, 0u64..1_000, any::<bool>()), 0..9),
            older_ns in 0u64..5_000,
            turns_ns in prop::option::of(0u64..10_000),
            idle_ns in prop::option::of(0u64..10_000),
            more_ns in 0u64..10_000,
        ) {
            let stalls: Vec<Stall> = stalls
                .into_iter()
                .map(|(duration, part, running)| stall(duration, part.min(duration), running))
                .collect();
            let mut stall_totals = CauseTotals::default();
            stall_totals.add(LedgerKey::Gc, older_ns);
            for stall in stalls.iter().filter(|stall| !stall.running) {
                stall_totals.add(LedgerKey::Microtasks, stall.duration_ns);
            }
            let listed_ns: u64 = stalls.iter().map(|stall| stall.duration_ns).sum();
            let stalled_ns = listed_ns + older_ns;
            let active_ns = turns_ns.map(|turns_ns| turns_ns + stalled_ns);
            let of = LoopSnapshot {
                active_ns,
                idle_ns,
                stalls,
                stall_totals,
                ..LoopSnapshot::default()
            };
            let seen_ns = stalled_ns + turns_ns.unwrap_or(0) + idle_ns.unwrap_or(0);
            let wall_ns = seen_ns + more_ns;
            let told = told(&of, wall_ns);
            prop_assert_eq!(told.iter().map(|(_, ns)| ns).sum::<u64>(), wall_ns);
            let unseen = told.iter().find(|(key, _)| *key == "unseen").map_or(0, |(_, ns)| *ns);
            prop_assert_eq!(unseen, more_ns);
        }
    }
}
