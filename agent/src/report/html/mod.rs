//! The report as one page for a browser: what is wrong first, then what shows it.
//!
//! ```text
//!  Report, Timeline ──> body: header, verdicts, tables       as HTML, also without the script
//!                  └──> document: loops, stalls, histograms,  as JSON, in an element of its own
//!                       call trees                            └──> page/*.js draw it
//! ```
//!
//! The page is a file that asks for nothing from anywhere. Whatever of it grows with what was
//! observed is bounded, and what was left out is told (`limits.rs`).
//!
//! Cost: one pass over the snapshot, and over the samples of its stalls; a page is at most some
//! megabytes.
//!
//! **Invariant**: no name of a program becomes markup (`page`).

mod bins;
mod body;
mod columns;
mod document;
mod flame;
mod limits;
mod wall;

use std::io::{self, Write};

use super::Report;
use crate::page;

const STYLE: &str = include_str!("page/page.css");
const BODY: &str = include_str!("page/page.html");
const SCRIPTS: [&str; 6] = [
    include_str!("page/report.js"),
    include_str!("page/timeline.js"),
    include_str!("page/stalls.js"),
    include_str!("page/flame.js"),
    include_str!("page/figures.js"),
    include_str!("page/main.js"),
];

/// When the observation was, and what loops did meanwhile: what a snapshot does not hold. All of it
/// may be missing; then the page shows the stalls alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// When the observation began, in nanoseconds since the Unix epoch; of virtual time where the
    /// clock is virtual.
    pub began_unix_ns: Option<u64>,
    /// The shortest turn that is a stall, in nanoseconds.
    pub stall_threshold_ns: Option<u64>,
    /// What loops did between one moment and the next, oldest first; empty where nobody looked.
    pub ticks: Vec<Tick>,
}

/// What loops did since the tick before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tick {
    /// When it ended, by the clock of [`Timeline::began_unix_ns`].
    pub at_unix_ns: u64,
    /// The loops that there were; none twice.
    pub loops: Vec<LoopTick>,
}

/// What a loop did since the tick before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoopTick {
    /// Process id.
    pub pid: u32,
    /// The thread, by the name that the snapshot has for it.
    pub thread: String,
    /// The share of its time in which it did not wait, 0 to 1; `None`: not seen.
    pub utilization: Option<f64>,
    /// Turns; `None`: not counted.
    pub turns: Option<u64>,
    /// How much of the time lay in stalls, in nanoseconds.
    pub stall_ns: u64,
}

/// Writes the page.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report<'_>, timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    let title = format!("{} - loopscope report", body::title(report));
    let document = document::Document::of(report, timeline);
    let data = page::data(&document)?;
    let script = page::script(&SCRIPTS);
    write!(out, "{}", page::head(&title, page::ALONE, &page::style(STYLE)))?;
    write!(out, "{}", body::top(report))?;
    write!(out, "{BODY}{}", body::bottom(report))?;
    writeln!(out, "<script type=\"application/json\" id=\"data\">{data}</script>")?;
    writeln!(out, "<script>\n{script}</script>\n</body></html>")
}

#[cfg(test)]
mod tests;
