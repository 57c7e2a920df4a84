//! `top` where there is no terminal: a line for each loop at each look, and one for each new stall.

use std::collections::BTreeSet;

use loop_core::units::format_ns;

use super::{Top, culprit, who};
use crate::now::Listed;
use crate::terminal::printable;

/// What is so now, as lines with tabs between columns, under a head where there is none yet.
pub fn lines(top: &mut Top, headed: bool) -> String {
    let mut text = loops(top, headed);
    for of in new_stalls(top) {
        text.push_str(&format!(
            "# {} ({}): held up for {}, {} {}\n",
            printable(&who(&of.target, &of.thread)),
            of.pid,
            format_ns(of.duration_ns),
            of.cause,
            printable(&culprit(&of)),
        ));
    }
    text
}

/// Stalls that are told for the first time, oldest first. When a stall began is told by a clock of
/// its own, so it is compared with other stalls, not with the time of day.
fn new_stalls(top: &mut Top) -> Vec<Listed> {
    let ended = top.stalls().into_iter().rev().filter(|of| !of.running);
    let mut ended: Vec<Listed> = ended.cloned().collect();
    ended.retain(|of| {
        let newest = top.told.get(&(of.pid, of.thread.clone()));
        newest.is_none_or(|&newest| of.start_unix_ns > newest)
    });
    for of in &ended {
        let newest = top.told.entry((of.pid, of.thread.clone())).or_default();
        *newest = of.start_unix_ns.max(*newest);
    }
    let now = top.now.as_ref();
    let pids = now.iter().flat_map(|now| {
        now.loops.iter().map(|row| row.pid).chain(now.stalls.iter().map(|of| of.pid))
    });
    let pids: BTreeSet<u32> = pids.collect();
    top.told.retain(|(pid, _), _| pids.contains(pid));
    ended
}

fn loops(top: &Top, headed: bool) -> String {
    let mut text = String::new();
    let Some(now) = &top.now else { return text };
    if !headed {
        text.push_str("#time_s\ttarget\tpid\tthread\tnow\tutilization\tturns_per_s\tstalls\n");
    }
    let time_s = now.wall_ns as f64 / 1e9;
    let known =
        |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), |of| format!("{of:.3}"));
    for row in top.rows() {
        let state = match row.current_turn_ns {
            _ if row.ended => "has ended".to_owned(),
            ns if row.held_up => format!("held up for {}", format_ns(ns)),
            0 => "waits".to_owned(),
            _ => "runs".to_owned(),
        };
        let target = printable(&who(&row.target, "main"));
        text.push_str(&format!(
            "{time_s:.1}\t{target}\t{}\t{}\t{state}\t{}\t{}\t{}\n",
            row.pid,
            row.thread,
            known(row.utilization),
            known(top.turns_per_s(row)),
            row.stalls,
        ));
    }
    text
}
