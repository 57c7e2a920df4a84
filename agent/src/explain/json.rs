//! The timeline as JSON, schema `loopscope.explain/1`.

use loopscope_workloads::timeline::{Drain, Event};
use serde::Serialize;

use super::Explained;

/// The name and version of the form.
const SCHEMA: &str = "loopscope.explain/1";

/// As it is written. Fields may be added; what is there keeps its name and meaning.
#[derive(Serialize)]
struct Form<'a> {
    schema: &'static str,
    name: &'a str,
    virtual_clock: bool,
    exit_status: Option<i32>,
    turns: u64,
    events_dropped: u64,
    drains_dropped: u64,
    calls_dropped: u64,
    files_unseen: &'a [String],
    drains: &'a [Drain],
    events: &'a [Event],
}

/// The timeline as one JSON object, with a line break behind it.
///
/// # Errors
/// None that a timeline can cause.
pub fn json(explained: &Explained<'_>) -> serde_json::Result<String> {
    let timeline = explained.timeline;
    let mut text = serde_json::to_string_pretty(&Form {
        schema: SCHEMA,
        name: &explained.name,
        virtual_clock: explained.virtual_clock,
        exit_status: explained.status,
        turns: timeline.turns,
        events_dropped: timeline.events_dropped,
        drains_dropped: timeline.drains_dropped,
        calls_dropped: timeline.calls_dropped,
        files_unseen: &timeline.files_unseen,
        drains: &timeline.drains,
        events: &timeline.events,
    })?;
    text.push('\n');
    Ok(text)
}
