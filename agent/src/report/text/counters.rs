//! What the kernel counted for the loop's thread, in one line.

use std::io::{self, Write};

use loop_core::snapshot::{Counters, LoopSnapshot};
use loop_core::units::{format_count, format_ns};

use super::write_heading;
use crate::terminal::Terminal;

/// Writes the line of a loop; nothing where nothing was counted.
pub(super) fn write(
    observed: &LoopSnapshot,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some(line) = line(&observed.counters) else { return Ok(()) };
    let cycles = match observed.counters.cycles {
        Some(_) => "",
        None if observed.callback_ns().is_some() => "; cycles, instructions: no PMU",
        None => "; cycles, instructions: need --detail",
    };
    write_heading("Thread", &format!("{line}{cycles}"), terminal, out)
}

/// The counters that are known, in words; `None` where none is.
pub(in crate::report) fn line(counters: &Counters) -> Option<String> {
    let count = |count: Option<u64>, one: &str, many: &str| {
        count.map(|count| {
            let name = if count == 1 { one } else { many };
            format!("{} {name}", format_count(count))
        })
    };
    let parts = [
        counters.task_clock_ns.map(|ns| format!("cpu {}", format_ns(ns))),
        count(counters.context_switches, "context switch", "context switches"),
        count(counters.page_faults, "page fault", "page faults"),
        count(counters.cycles, "cycle", "cycles"),
        count(counters.instructions, "instruction", "instructions"),
    ];
    let known: Vec<String> = parts.into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_counted_is_told() {
        assert_eq!(line(&Counters::default()), None);
        let some = Counters {
            task_clock_ns: Some(1_490_000_000),
            context_switches: Some(12),
            page_faults: Some(1),
            ..Counters::default()
        };
        assert_eq!(line(&some).unwrap(), "cpu 1.49 s, 12 context switches, 1 page fault");
        let all = Counters { cycles: Some(4_000), instructions: Some(1), ..some };
        assert!(line(&all).unwrap().ends_with("1 page fault, 4,000 cycles, 1 instruction"));
    }
}
