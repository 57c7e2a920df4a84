//! How the dashboards look: one colour for one thing, wherever it is shown.

use serde_json::{Value, json};

pub(crate) use loopscope_exporters::colours::{
    ALL, CAUSES, COLLECTIONS, Colours, PHASES, QUANTILES, QUEUES, STATES, THREAD, TIERS,
};

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
