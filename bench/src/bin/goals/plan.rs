//! What is measured, in groups whose cases take turns, and against which limits.

use loop_core::{Clock, Recorder};
use loopscope_bench::Failure;
use loopscope_bench::cases::timers::{Durations, Part};
use loopscope_bench::cases::unmeasured;
use loopscope_bench::cases::{measured, queues, read, record, timers, turn, under_virtual_time};
use loopscope_bench::counting::asked_by;
use loopscope_bench::measure::{Case, interleaved};
use loopscope_bench::peers;

use crate::row::{Row, Unit};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    rounds: usize,
    turns: u64,
    timers: usize,
    timer_rounds: usize,
}

/// A minute or two.
pub(crate) const FULL: Size =
    Size { rounds: 61, turns: 20_000, timers: 1_000_000, timer_rounds: 5 };

/// Some seconds.
pub(crate) const QUICK: Size = Size { rounds: 15, turns: 5_000, timers: 100_000, timer_rounds: 3 };

/// Cases that are measured together.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) measure: fn(&Size) -> Result<Vec<Row>, Failure>,
}

/// All of them, in the order of the table.
pub(crate) const GROUPS: &[Group] = &[
    Group { name: "turn", what: "turns with one poll", measure: empty_turns },
    Group { name: "socket", what: "turns with a socket event", measure: socket_turns },
    Group { name: "immediates", what: "turns with immediates", measure: immediates },
    Group { name: "record", what: "records in histograms", measure: records },
    Group { name: "queues", what: "microtasks and ticks", measure: jobs },
    Group { name: "timers", what: "timers", measure: all_timers },
    Group { name: "read", what: "readers", measure: reads },
    Group { name: "memory", what: "memory", measure: memory },
];

/// Why goals are missed where they are, as profiles have shown. Printed only beside a miss.
mod why {
    pub(crate) const TURN: &str = "a third clock reading, and four records of about 4 ns each";
    pub(crate) const RECORD: &str = "two passes: onto the log, and from there into the histogram";
    pub(crate) const JOB: &str = "each job waits for the stores of the one before";
    pub(crate) const TIMER: &str =
        "cache misses: list and entry to set, row to clear, all three to run";
}

const NO_LIBUV: &str = "build with `--features libuv` (needs libclang)";

fn empty_turns(size: &Size) -> Result<Vec<Row>, Failure> {
    let mut cases =
        vec![turn::turns(unmeasured()?, size.turns, 0), turn::turns(measured()?, size.turns, 0)];
    #[cfg(feature = "libuv")]
    cases.push(peers::libuv::turns(size.turns)?);
    let figures = interleaved(size.rounds, &mut cases)?;
    let (own, ours) = (&figures[0], &figures[1]);
    const AGAINST_LIBUV: &str = "empty turn, measured, to libuv's unmeasured";
    let against_libuv = match figures.get(2) {
        Some(libuv) => Row::ratio(AGAINST_LIBUV, ours, libuv),
        None => Row::not_measured(AGAINST_LIBUV, Unit::Ratio, NO_LIBUV),
    };
    Ok(vec![
        against_libuv.at_most(0.85).missed_because(why::TURN),
        Row::ratio("empty turn, measured to unmeasured", ours, own)
            .at_most(1.15)
            .missed_because(why::TURN),
    ])
}

fn socket_turns(size: &Size) -> Result<Vec<Row>, Failure> {
    let turns = size.turns / 10;
    let mut cases =
        [turn::socket_turns(unmeasured()?, turns)?, turn::socket_turns(measured()?, turns)?];
    let figures = interleaved(size.rounds, &mut cases)?;
    Ok(vec![
        Row::ratio("turn with a socket event, measured to unmeasured", &figures[1], &figures[0])
            .at_most(1.03),
    ])
}

fn immediates(size: &Size) -> Result<Vec<Row>, Failure> {
    let turns = size.turns / 10;
    let mut cases = [
        turn::turns(unmeasured()?, turns, 100),
        turn::turns(measured()?, turns, 100),
        turn::immediates(measured()?, turns / 10, 1_000),
    ];
    let figures = interleaved(size.rounds, &mut cases)?;
    Ok(vec![
        Row::ratio("turn with 100 immediates, measured to unmeasured", &figures[1], &figures[0])
            .at_most(1.10),
        Row::time("immediate", Unit::Ns, &figures[2], "1,000 a turn, poll included").at_most(5.0),
    ])
}

fn records(size: &Size) -> Result<Vec<Row>, Failure> {
    let mut cases = [
        record::recorder(),
        record::hdrhistogram()?,
        record::prometheus()?,
        record::prometheus_client(),
        record::reading(),
    ];
    let figures = interleaved(size.rounds, &mut cases)?;
    const SWITCHED: &str = "not switched since the last; at most one in 1 ms without detail";
    const BASIS: &str = "values from 50 ns to 50 ms";
    let peer = |what, at: usize| Row::time(what, Unit::Ns, &figures[at], BASIS);
    Ok(vec![
        peer("record", 0).at_most(1.5).missed_because(why::RECORD),
        peer("  peer: hdrhistogram, 2 digits", 1),
        peer("  peer: prometheus, 19 buckets", 2),
        peer("  peer: prometheus-client, 19 buckets", 3),
        Row::time("reading of the thread's counters", Unit::Ns, &figures[4], SWITCHED),
    ])
}

fn jobs(size: &Size) -> Result<Vec<Row>, Failure> {
    let mut cases = [
        queues::microtasks_flat(measured()?),
        queues::microtasks_chained(measured()?),
        queues::ticks_flat(measured()?),
        queues::ticks_chained(measured()?),
    ];
    let figures = interleaved(size.rounds, &mut cases)?;
    let row = |what, at: usize| {
        Row::time(what, Unit::Ns, &figures[at], "30,000 in a drain, queued and run")
            .at_most(5.0)
            .missed_because(why::JOB)
    };
    Ok(vec![
        row("microtask, flat", 0),
        row("microtask, chained", 1),
        row("nextTick, flat", 2),
        row("nextTick, chained", 3),
    ])
}

fn all_timers(size: &Size) -> Result<Vec<Row>, Failure> {
    let mut rows = timers_of(size, Durations::Spread)?;
    rows.extend(timers_of(size, Durations::Same)?);
    Ok(rows)
}

fn timers_of(size: &Size, which: Durations) -> Result<Vec<Row>, Failure> {
    const PARTS: [(Part, &str, f64); 3] = [
        (Part::Insert, "insert", 15.0),
        (Part::Cancel, "cancel", 25.0),
        (Part::Expire, "expire", 100.0),
    ];
    let spread = if which == Durations::Spread { "1 ms to 1 min" } else { "all 1 s" };
    let basis = format!("{} timers, {spread}", size.timers);
    let mut rows = Vec::new();
    for (part, name, limit) in PARTS {
        eprintln!("  {name}, {spread} ...");
        let mut cases = vec![timers::timers(under_virtual_time, size.timers, which, part)];
        let mut names = vec!["timer"];
        add_peers(&mut cases, &mut names, size, which, part)?;
        let figures = interleaved(size.timer_rounds, &mut cases)?;
        for (figures, who) in figures.iter().zip(names) {
            let row = Row::time(&format!("{who}, {name}"), Unit::Ns, figures, &basis);
            rows.push(if who == "timer" {
                row.at_most(limit).missed_because(why::TIMER)
            } else {
                row
            });
        }
    }
    Ok(rows)
}

/// Peers, and our own loop under other conditions.
fn add_peers(
    cases: &mut Vec<Case>,
    names: &mut Vec<&str>,
    size: &Size,
    which: Durations,
    part: Part,
) -> Result<(), Failure> {
    if part == Part::Insert {
        cases.push(timers::timers(measured, size.timers, which, part));
        names.push("  by the real clock");
        cases.push(timers::first_timers(under_virtual_time, size.timers, which));
        names.push("  memory not yet there");
        cases.push(timers::scattered_timers(under_virtual_time, size.timers, which));
        names.push("  memory freed at random");
    }
    cases.push(peers::tokio_timers::timers(size.timers, which, part)?);
    names.push("  peer: tokio");
    #[cfg(feature = "libuv")]
    {
        cases.push(peers::libuv::timers(size.timers, which, part)?);
        names.push("  peer: libuv");
    }
    Ok(())
}

fn reads(size: &Size) -> Result<Vec<Row>, Failure> {
    let mut cases = [read::snapshot_copy()?, read::text_page()?];
    let figures = interleaved(size.rounds, &mut cases)?;
    Ok(vec![
        Row::time("reader's copy of a loop", Unit::Us, &figures[0], "all histograms").at_most(5.0),
        Row::time("text page of a loop", Unit::Us, &figures[1], "from a snapshot").at_most(30.0),
    ])
}

fn memory(_: &Size) -> Result<Vec<Row>, Failure> {
    let (asked, recorder) = asked_by(|| Recorder::new(Clock::real(), u64::MAX, false));
    drop(recorder);
    let kb = asked.bytes as f64 / 1_000.0;
    let basis = format!("{} allocations", asked.calls);
    Ok(vec![Row {
        measured: Some(kb),
        basis,
        ..Row::not_measured("recorder of a loop", Unit::Kb, "").at_most(400.0)
    }])
}
