//! `top` where there is no terminal: a line for each loop at each look, and one for each new stall.

use loop_core::units::format_ns;

use super::{Top, culprit, who};
use crate::terminal::printable;

/// What is so now, as lines with tabs between columns, under a head where there is none yet.
pub fn lines(top: &Top, headed: bool) -> String {
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
    let seen = top.before.as_ref().map_or(0, |before| before.unix_ns);
    let is_new = |end_ns: u64| end_ns > seen;
    for of in top.stalls().into_iter().rev() {
        let end_ns = of.start_unix_ns.saturating_add(of.duration_ns);
        if !of.running && is_new(end_ns) {
            text.push_str(&format!(
                "# {} ({}): held up for {}, {} {}\n",
                printable(&who(&of.target, &of.thread)),
                of.pid,
                format_ns(of.duration_ns),
                of.cause,
                printable(&culprit(of)),
            ));
        }
    }
    text
}
