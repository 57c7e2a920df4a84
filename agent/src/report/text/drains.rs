//! Drains of Node's two queues: how many jobs at a time, and for how long.

use std::io::{self, Write};

use loop_core::snapshot::{LoopSnapshot, Queue};
use loop_core::units::format_count;

use super::times::write_rows;
use super::write_heading;
use crate::report::figures;
use crate::report::reasons::Reasons;
use crate::terminal::Terminal;

pub(super) fn write(
    observed: &LoopSnapshot,
    reasons: &Reasons,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_heading("Drains", &remark(observed), terminal, out)?;
    write_rows(&figures::drains(observed), reasons, terminal, out)
}

fn remark(observed: &LoopSnapshot) -> String {
    let count = |jobs: Option<u64>, name| match jobs {
        Some(jobs) => format!("{} {name}", format_count(jobs)),
        None => format!("{name} not counted"),
    };
    let (microtasks, ticks) = (observed.microtasks, observed.ticks);
    let mut text = format!("{}, {}", count(microtasks, "microtasks"), count(ticks, "nextTicks"));
    if let Some(drain) = observed.open.and_then(|open| open.drain) {
        let queue = match drain.queue {
            Queue::Microtask => "microtasks",
            Queue::NextTick => "nextTicks",
        };
        let jobs = format_count(drain.jobs);
        text.push_str(&format!("; still draining {queue}: {jobs} so far"));
    }
    text
}
