//! What a script did on the loop, and why there: its timeline as text, as JSON and as a picture.
//!
//! **Invariant**: all three are made of one [`Explained`], a plain value; nothing here runs
//! anything or reads a clock.

mod html;
mod json;
mod text;
mod tree;
mod why;

use std::collections::BTreeMap;

use loopscope_workloads::ScriptHeader;
use loopscope_workloads::timeline::Timeline;

pub use html::html;
pub use json::json;
pub use text::text;

/// A run, and what else is known of the program.
#[derive(Debug)]
pub struct Explained<'a> {
    /// How it was asked for.
    pub name: String,
    /// What happened.
    pub timeline: &'a Timeline,
    /// Its exit status; `None` where it was cut short.
    pub status: Option<i32>,
    /// Whether time was virtual.
    pub virtual_clock: bool,
    /// What its head tells, if it is a script of the catalogue.
    pub header: Option<ScriptHeader>,
    /// The sources that the timeline names, by file; empty where one can't be read.
    pub sources: BTreeMap<String, String>,
}
