//! The stalls, worst first, each with who is to blame, where its time went, and what it waited for.

use std::io::{self, Write};

use loop_core::snapshot::{ClockKind, LoopSnapshot, Stall};
use loop_core::units::{format_count, format_ns};

use super::{blame, counters, write_heading};
use crate::layout::{bar, pad_right, percent};
use crate::terminal::{Ink, Terminal};

/// More stalls than this are counted, not listed.
const LISTED_MAX: usize = 5;

/// Columns for a ledger key: the longest is `microtasks` or `javascript`.
const KEY_COLUMNS: usize = 10;

pub(super) fn write(
    observed: &LoopSnapshot,
    clock: ClockKind,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let running = observed.stalls.iter().filter(|stall| stall.running).count() as u64;
    let all = observed.stall_totals.total_count() + running;
    if all == 0 {
        return Ok(());
    }
    let mut worst: Vec<&Stall> = observed.stalls.iter().collect();
    worst.sort_by_key(|stall| std::cmp::Reverse(stall.duration_ns));
    worst.truncate(LISTED_MAX);
    let remark = if all as usize > worst.len() {
        // The details of older ones are overwritten, so a longer one may be among those.
        match observed.stalls.len() {
            listed if all as usize > listed => format!(
                "the {} longest of the {} listed, of {} in all",
                worst.len(),
                format_count(listed as u64),
                format_count(all)
            ),
            _ => format!("the {} longest of {}", worst.len(), format_count(all)),
        }
    } else {
        String::new()
    };
    write_heading("Stalls", &remark, terminal, out)?;
    let mut told: Vec<&[String]> = Vec::new();
    for (rank, stall) in worst.into_iter().enumerate() {
        write_stall(stall, clock, terminal, out)?;
        if rank == 0
            && let Some(line) = counters::line(&stall.counters)
        {
            writeln!(out, "    {}", terminal.paint(Ink::Faint, &line))?;
        }
        // Most stalls of a loop are alike: a stack that was told already tells nothing new.
        let stack = stall.stack.as_deref().unwrap_or_default();
        if !told.contains(&stack) {
            blame::write_stack(stack, terminal, out)?;
            told.push(stack);
        }
    }
    Ok(())
}

fn write_stall(
    stall: &Stall,
    clock: ClockKind,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let line = head(stall, clock);
    let (first, rest) = line.split_at(line.find(" at ").unwrap_or(line.len()));
    writeln!(out, "  {}{rest}", terminal.paint(Ink::Bad, first))?;
    blame::write_culprit(stall, terminal, out)?;
    let whole = stall.duration_ns.max(1) as f64;
    let parts =
        stall.ledger_ns.iter().filter_map(|(key, ns)| Some((key, ns.filter(|&ns| ns > 0)?)));
    for (key, ns) in parts {
        let share = ns as f64 / whole;
        let key = pad_right(&key.name().replace('_', " "), KEY_COLUMNS);
        writeln!(out, "    {key} {} {:>7}  {}", bar(share), percent(share), format_ns(ns))?;
    }
    blame::write_waits(stall, terminal, out)
}

/// `1.50 s at 08:00:00.250 UTC, poll, 60,000 microtasks`.
pub(in crate::report) fn head(stall: &Stall, clock: ClockKind) -> String {
    let phase = match stall.phase {
        Some(phase) => phase.name(),
        None if stall.is_dark() => "in a phase that was not seen",
        None => "outside of phases",
    };
    let running = if stall.running { ", still running" } else { "" };
    let jobs = match stall.microtasks {
        Some(jobs) if jobs > 0 => format!(", {} microtasks", format_count(jobs)),
        _ => String::new(),
    };
    let callbacks = match stall.callbacks {
        Some(count) if count > 1 => format!(", {} callbacks", format_count(count)),
        _ => String::new(),
    };
    let (lasted, at) = (format_ns(stall.duration_ns), moment(stall.start_unix_ns, clock));
    format!("{lasted}{running} at {at}, {phase}{callbacks}{jobs}")
}

/// The time of day in UTC; under virtual time, how far into the run.
fn moment(start_unix_ns: u64, clock: ClockKind) -> String {
    if clock == ClockKind::Virtual {
        return format!("+{}", format_ns(start_unix_ns));
    }
    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
    let ms = start_unix_ns / 1_000_000 % DAY_MS;
    let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
    let (second, ms) = (ms / 1_000 % 60, ms % 1_000);
    format!("{hour:02}:{minute:02}:{second:02}.{ms:03} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_utc() {
        let told = moment(1_763_712_000_123_456_789, ClockKind::Real);
        assert_eq!(told, "08:00:00.123 UTC");
        assert_eq!(moment(1_500_000_000, ClockKind::Virtual), "+1.50 s");
    }
}
