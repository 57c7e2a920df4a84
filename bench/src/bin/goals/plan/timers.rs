//! A timer's life, beside those of others.

use loopscope_bench::Failure;
use loopscope_bench::cases::timers::{Durations, Part, first_timers, scattered_timers, timers};
use loopscope_bench::cases::{measured, under_virtual_time};
use loopscope_bench::measure::{Case, interleaved};
use loopscope_bench::peers;

use super::Size;
use crate::row::{Row, Unit};

/// What is timed, its name, the goal for timers that are spread, and why it is missed where it is.
const PARTS: [(Part, &str, f64, &str); 3] = [
    (
        Part::Insert,
        "insert",
        15.0,
        "two cache misses (list, last entries), and too many instructions to overlap them",
    ),
    (Part::Cancel, "cancel", 25.0, "the timer's row is in none of the near caches"),
    (
        Part::Expire,
        "expire",
        100.0,
        "two cache misses (row, closure), and a poll for each millisecond in which one is due",
    ),
];

pub(super) fn all(size: &Size) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for which in [Durations::Spread, Durations::Same] {
        let spread = if which == Durations::Spread { "1 ms to 1 min" } else { "all 1 s" };
        let basis = format!("{} timers, {spread}", size.timers);
        for (part, name, limit, why) in PARTS {
            eprintln!("  {name}, {spread} ...");
            let goal = (which == Durations::Spread).then_some((limit, why));
            rows.extend(life(size, (which, part), (name, &basis), goal)?);
        }
    }
    Ok(rows)
}

fn life(
    size: &Size,
    (which, part): (Durations, Part),
    (name, basis): (&str, &str),
    goal: Option<(f64, &'static str)>,
) -> Result<Vec<Row>, Failure> {
    let count = size.timers;
    let mut cases: Vec<Case> = vec![timers(under_virtual_time, count, which, part)];
    let mut names = vec!["timer"];
    if part == Part::Insert {
        cases.push(timers(measured, count, which, part));
        names.push("  by the real clock");
        cases.push(first_timers(under_virtual_time, count, which));
        names.push("  memory not yet there");
        cases.push(scattered_timers(under_virtual_time, count, which));
        names.push("  memory freed at random");
    }
    cases.push(peers::tokio_timers::timers(count, which, part)?);
    names.push("  peer: tokio");
    const LIBUV: &str = "  peer: libuv";
    #[cfg(feature = "libuv")]
    {
        cases.push(peers::libuv::timers(count, which, part)?);
        names.push(LIBUV);
    }
    let figures = interleaved(size.timer_rounds, &mut cases)?;
    let row = |(who, figures)| Row::time(&format!("{who}, {name}"), Unit::Ns, figures, basis);
    let mut rows: Vec<Row> = names.into_iter().zip(&figures).map(row).collect();
    if let (Some((limit, why)), Some(first)) = (goal, rows.first_mut()) {
        *first = std::mem::take(first).at_most(limit).missed_because(why);
    }
    #[cfg(not(feature = "libuv"))]
    rows.push(Row::not_measured(&format!("{LIBUV}, {name}"), Unit::Ns, super::NO_LIBUV));
    Ok(rows)
}
