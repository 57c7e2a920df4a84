//! How the dashboards look: one colour for one thing, wherever it is shown.

use serde_json::{Value, json};

/// A name in a legend and its colour.
pub(crate) type Colours = &'static [(&'static str, &'static str)];

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

/// The keys of a ledger.
pub(crate) const CAUSES: Colours = &[
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
pub(crate) const PHASES: Colours = &[
    ("timers", BLUE),
    ("pending", YELLOW),
    ("idle", GREY),
    ("prepare", ICE),
    ("poll", TEAL),
    ("check", GREEN),
    ("close", ORANGE),
];

/// The queues that are drained after each callback: a drain is coloured as the stall it makes.
pub(crate) const QUEUES: Colours = &[
    ("microtask", PURPLE),
    ("microtask p50", PURPLE),
    ("microtask p99", PURPLE),
    ("next_tick", ORANGE),
    ("next_tick p50", ORANGE),
    ("next_tick p99", ORANGE),
];

/// What turns and arrivals, and their quantiles, are told by.
pub(crate) const QUANTILES: Colours = &[
    ("p50", BLUE),
    ("p99", BLUE),
    ("turn p50", BLUE),
    ("turn p99", BLUE),
    ("arrival p50", RED),
    ("arrival p99", RED),
];

/// Kinds of collections.
pub(crate) const COLLECTIONS: Colours = &[
    ("minor", TEAL),
    ("minor p50", TEAL),
    ("minor p99", TEAL),
    ("major", GREEN),
    ("major p50", GREEN),
    ("major p99", GREEN),
];

/// What a thread's time goes into.
pub(crate) const THREAD: Colours =
    &[("on a CPU", YELLOW), ("waiting for a CPU", RED), ("throttled", PINK)];

/// Whether processes are observed.
pub(crate) const STATES: Colours = &[("attached", GREEN), ("pending", YELLOW), ("failed", RED)];

/// How closely processes are observed.
pub(crate) const TIERS: Colours = &[("full", GREEN), ("turn", TEAL), ("passive", GREY)];

/// Every list, for the check that no name has two colours.
pub(crate) const ALL: [Colours; 8] =
    [CAUSES, PHASES, QUEUES, QUANTILES, COLLECTIONS, THREAD, STATES, TIERS];

/// From which value on a figure has which colour; below the first it is green.
pub(crate) type Steps = &'static [(&'static str, f64)];

/// No value is better than another.
pub(crate) const PLAIN: Steps = &[];

/// Times of a loop: past the stall threshold, and past what a person notices.
pub(crate) const TIMES: Steps = &[("orange", 0.05), ("red", 1.0)];

/// Utilisation of a loop.
pub(crate) const BUSY: Steps = &[("orange", 0.7), ("red", 0.9)];

/// What should not be at all.
pub(crate) const NONE: Steps = &[("orange", 1.0)];

pub(crate) fn thresholds(steps: Steps) -> Value {
    let first = json!({ "color": "green", "value": null });
    let rest = steps.iter().map(|(color, value)| json!({ "color": color, "value": value }));
    json!({ "mode": "absolute", "steps": std::iter::once(first).chain(rest).collect::<Vec<_>>() })
}

/// Gives the named series their colours.
pub(crate) fn coloured(colours: Colours) -> Vec<Value> {
    let one = |(name, colour): &(&str, &str)| {
        let color = json!({ "mode": "fixed", "fixedColor": colour });
        named(name, &[("color", color)])
    };
    colours.iter().map(one).collect()
}

/// Draws medians dashed: they have the colour of the quantile above them.
pub(crate) fn medians_dashed() -> Value {
    json!({
        "matcher": { "id": "byRegexp", "options": "/p50$/" },
        "properties": [
            { "id": "custom.lineStyle", "value": { "fill": "dash", "dash": [6, 4] } },
            { "id": "custom.fillOpacity", "value": 0 },
        ],
    })
}

/// Sets properties of the series or column with this name.
pub(crate) fn named(name: &str, properties: &[(&str, Value)]) -> Value {
    let properties: Vec<Value> =
        properties.iter().map(|(id, value)| json!({ "id": id, "value": value })).collect();
    json!({ "matcher": { "id": "byName", "options": name }, "properties": properties })
}
