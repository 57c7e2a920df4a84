//! Collapsed stacks: a line for each stack, outermost frame first, and its time in microseconds.
//!
//! ```text
//! main of 4711;handle (/srv/web.js);render (/srv/view.js) 730000
//! ```
//!
//! Read by Brendan Gregg's `flamegraph.pl`, inferno, speedscope and others.

use std::collections::BTreeMap;
use std::io::{self, Write};

use loop_core::snapshot::{ProfileFrame, Snapshot};

use super::{ProfileFormat, WAITING, name, sampled};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Collapsed;

impl ProfileFormat for Collapsed {
    fn write(&self, snapshot: &Snapshot, out: &mut dyn Write) -> io::Result<()> {
        let mut stacks: BTreeMap<String, u64> = BTreeMap::new();
        for (of, stretches) in sampled(snapshot) {
            for stretch in stretches {
                let mut line = format!("{} of {}", plain(&of.thread), of.pid);
                for frame in stretch.frames() {
                    line.push(';');
                    line.push_str(&text(frame));
                }
                if stretch.waits() {
                    line.push(';');
                    line.push_str(WAITING);
                }
                *stacks.entry(line).or_default() += stretch.ns();
            }
        }
        // What is shorter than the unit is no line of 0.
        for (stack, ns) in stacks.into_iter().filter(|(_, ns)| *ns >= 1_000) {
            writeln!(out, "{stack} {}", ns / 1_000)?;
        }
        Ok(())
    }
}

fn text(frame: &ProfileFrame) -> String {
    let name = plain(name(frame));
    frame.file.as_ref().map_or(name.clone(), |file| format!("{name} ({})", plain(file)))
}

/// Without what separates frames, and lines.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c == ';' || c.is_control() { '_' } else { c }).collect()
}
