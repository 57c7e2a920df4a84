//! Evidence that several rules tell in the same words. What was not seen is not told.

use loop_core::Phase;
use loop_core::snapshot::{Culprit, LedgerKey, LoopSnapshot, Stall};
use loop_core::units::format_ns;

use super::thresholds::{FLOOD_JOBS, LATE_NS, PART_SHARE};

/// Stalls of some causes: those that ended, by the totals, and the one that still runs.
pub(super) struct Stalls<'a> {
    pub(super) count: u64,
    pub(super) duration_ns: u64,
    pub(super) longest: Option<&'a Stall>,
    /// Of the longest stall that has one.
    pub(super) culprit: Option<Culprit>,
}

/// What becomes of a stall in which a flood of microtasks ran, whatever took most of its time: to
/// make the promises of a flood may take longer than their reactions do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flooded {
    /// It is among those that are asked for.
    In,
    /// It is not.
    Out,
    /// Its cause decides, as for any other.
    ByCause,
}

/// All stalls whose cause is one of `causes`, but for flooded ones.
pub(super) fn stalls<'a>(
    observed: &'a LoopSnapshot,
    causes: &[LedgerKey],
    flooded: Flooded,
) -> Stalls<'a> {
    let by_cause = |stall: &Stall| causes.contains(&stall.ledger_ns.cause());
    let is_ours = move |stall: &Stall| match flooded {
        _ if stall.microtasks < Some(FLOOD_JOBS) => by_cause(stall),
        Flooded::In => true,
        Flooded::Out => false,
        Flooded::ByCause => by_cause(stall),
    };
    let ours = || observed.stalls.iter().filter(|stall| is_ours(stall));
    let running = || ours().filter(|stall| stall.running);
    let totals = &observed.stall_totals;
    let mut count = causes.iter().map(|&cause| totals.count(cause)).sum::<u64>();
    let mut duration_ns = causes.iter().map(|&cause| totals.duration_ns(cause)).sum::<u64>();
    // The totals go by cause. Those listed that belong elsewhere are moved.
    for stall in observed.stalls.iter().filter(|stall| !stall.running) {
        match (by_cause(stall), is_ours(stall)) {
            (false, true) => (count, duration_ns) = (count + 1, duration_ns + stall.duration_ns),
            (true, false) => {
                count = count.saturating_sub(1);
                duration_ns = duration_ns.saturating_sub(stall.duration_ns);
            }
            _ => {}
        }
    }
    let culprits = ours().filter_map(|stall| Some((stall.duration_ns, stall.culprit.as_ref()?)));
    Stalls {
        count: count + running().count() as u64,
        duration_ns: duration_ns + running().map(|stall| stall.duration_ns).sum::<u64>(),
        longest: ours().max_by_key(|stall| stall.duration_ns),
        culprit: culprits.max_by_key(|(ns, _)| *ns).map(|(_, culprit)| culprit.clone()),
    }
}

/// `1.50 s in phase poll`, with `so far` while it goes on.
pub(super) fn how_long(stall: &Stall) -> String {
    let so_far = if stall.running { " so far" } else { "" };
    format!("{}{so_far} {}", format_ns(stall.duration_ns), place(stall.phase))
}

/// Where a stall was: `in phase poll`, or outside of any.
fn place(phase: Option<Phase>) -> String {
    phase.map_or_else(
        || "outside of any phase, as in a main script".to_owned(),
        |phase| format!("in phase {}", phase.name()),
    )
}

/// The parts of a stall that matter: `of it 1.49 s microtasks (99 %), ...`.
pub(super) fn ledger(stall: &Stall) -> Option<String> {
    let whole = stall.duration_ns.max(1) as f64;
    let mut parts: Vec<(LedgerKey, u64)> = stall
        .ledger_ns
        .iter()
        .filter_map(|(key, ns)| Some((key, ns?)))
        .filter(|&(_, ns)| ns as f64 >= whole * PART_SHARE)
        .collect();
    parts.sort_by_key(|&(_, ns)| std::cmp::Reverse(ns));
    let told: Vec<String> = parts
        .iter()
        .map(|&(key, ns)| {
            let share = 100.0 * ns as f64 / whole;
            format!("{} {} ({share:.0} %)", format_ns(ns), key.name().replace('_', " "))
        })
        .collect();
    (!told.is_empty()).then(|| format!("where the time went: {}", told.join(", ")))
}

/// How late timers were, if they were.
pub(super) fn lateness(observed: &LoopSnapshot) -> Option<String> {
    let late = observed.timer_lateness_ns.as_ref()?;
    (late.max >= LATE_NS).then(|| format!("a timer fired {} late", format_ns(late.max)))
}

/// What a request that arrived at a random instant would have met.
pub(super) fn arrival(observed: &LoopSnapshot) -> Option<String> {
    let summary = observed.arrival_delay_ns.as_ref()?.summary();
    let (p50, p99) = (summary.p50?, summary.p99?);
    (p99 >= LATE_NS).then(|| {
        format!(
            "an event at a random instant would have waited {} (p50), {} (p99)",
            format_ns(p50),
            format_ns(p99)
        )
    })
}
