//! One colour for one thing, wherever it is drawn: dashboards, the served page, the HTML report.

const PURPLE: &str = "#A352CC";
const ORANGE: &str = "#F2762E";
const BLUE: &str = "#3274D9";
const TEAL: &str = "#1F9E89";
const GREEN: &str = "#56A64B";
const BROWN: &str = "#A0794A";
const YELLOW: &str = "#E0B400";
const RED: &str = "#E02F44";
const PINK: &str = "#FF7383";
const ICE: &str = "#8AB8FF";
const GREY: &str = "#8E8E8E";

/// A name in a legend and its colour, as `#RRGGBB`.
pub type Colours = &'static [(&'static str, &'static str)];

/// The keys of a ledger.
pub const CAUSES: Colours = &[
    ("javascript", YELLOW),
    ("native", BLUE),
    ("microtasks", PURPLE),
    ("ticks", ORANGE),
    ("gc", GREEN),
    ("sync_io", TEAL),
    ("lock_wait", BROWN),
    ("run_queue", RED),
    ("throttled", PINK),
    ("frozen", ICE),
    ("unknown", GREY),
];

/// The phases of a turn.
pub const PHASES: Colours = &[
    ("timers", BLUE),
    ("pending", YELLOW),
    ("idle", GREY),
    ("prepare", ICE),
    ("poll", TEAL),
    ("check", GREEN),
    ("close", ORANGE),
];

/// The queues that are drained after each callback: a drain is coloured as the stall it makes.
pub const QUEUES: Colours = &[
    ("microtask", PURPLE),
    ("microtask p50", PURPLE),
    ("microtask p99", PURPLE),
    ("next_tick", ORANGE),
    ("next_tick p50", ORANGE),
    ("next_tick p99", ORANGE),
];

/// What turns and arrivals, and their quantiles, are told by.
pub const QUANTILES: Colours = &[
    ("p50", BLUE),
    ("p99", BLUE),
    ("turn p50", BLUE),
    ("turn p99", BLUE),
    ("arrival p50", RED),
    ("arrival p99", RED),
];

/// Kinds of collections.
pub const COLLECTIONS: Colours = &[
    ("minor", TEAL),
    ("minor p50", TEAL),
    ("minor p99", TEAL),
    ("major", GREEN),
    ("major p50", GREEN),
    ("major p99", GREEN),
];

/// What a thread's time goes into.
pub const THREAD: Colours =
    &[("on a CPU", YELLOW), ("waiting for a CPU", RED), ("throttled", PINK)];

/// Whether processes are observed.
pub const STATES: Colours = &[("attached", GREEN), ("pending", YELLOW), ("failed", RED)];

/// How closely processes are observed.
pub const TIERS: Colours = &[("full", GREEN), ("turn", TEAL), ("passive", GREY)];

/// Every list, for the check that no name has two colours.
pub const ALL: [Colours; 8] =
    [CAUSES, PHASES, QUEUES, QUANTILES, COLLECTIONS, THREAD, STATES, TIERS];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use loop_core::snapshot::LedgerKey;

    use super::*;

    #[test]
    fn each_cause_has_a_colour_of_its_own() {
        let named: BTreeSet<&str> = CAUSES.iter().map(|(name, _)| *name).collect();
        let keys: BTreeSet<&str> = LedgerKey::ALL.iter().map(|key| key.name()).collect();
        assert_eq!(named, keys);
        let colours: BTreeSet<&str> = CAUSES.iter().map(|(_, colour)| *colour).collect();
        assert_eq!(colours.len(), CAUSES.len());
    }
}
