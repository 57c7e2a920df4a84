//! Turns, callbacks and jobs: what measuring adds to them.

use loopscope_bench::Failure;
use loopscope_bench::cases::{measured, measured_in_detail, queues, turn, unmeasured};
use loopscope_bench::measure::{Case, interleaved};
#[cfg(any(feature = "libuv", tokio_unstable))]
use loopscope_bench::peers;

use super::Size;
use crate::row::{Row, Unit};

const WHY_TURN: &str = "a clock reading more a turn, and the counting of three values";
const WHY_JOB: &str = "each job waits for the stores of the one before";

pub(super) fn empty(size: &Size) -> Result<Vec<Row>, Failure> {
    let mut cases =
        vec![turn::turns(unmeasured()?, size.turns, 0), turn::turns(measured()?, size.turns, 0)];
    #[cfg(feature = "libuv")]
    cases.push(peers::libuv::turns(size.turns)?);
    let figures = interleaved(size.rounds, &mut cases)?;
    let (own, ours) = (&figures[0], &figures[1]);
    const AGAINST_LIBUV: &str = "empty turn, measured, to libuv's unmeasured";
    #[cfg(feature = "libuv")]
    let against_libuv = Row::ratio(AGAINST_LIBUV, ours, &figures[2]);
    #[cfg(not(feature = "libuv"))]
    let against_libuv = Row::not_measured(AGAINST_LIBUV, Unit::Ratio, super::NO_LIBUV);
    Ok(vec![
        against_libuv.at_most(0.85).missed_because(WHY_TURN),
        Row::ratio("empty turn, measured to unmeasured", ours, own)
            .at_most(1.15)
            .missed_because(WHY_TURN),
        Row::difference("  what measuring adds to a turn", ours, own, 1),
    ])
}

pub(super) fn socket(size: &Size) -> Result<Vec<Row>, Failure> {
    let turns = size.turns / 10;
    let mut cases = [
        turn::unix_turns(unmeasured()?, turns)?,
        turn::unix_turns(measured()?, turns)?,
        turn::tcp_turns(unmeasured()?, turns)?,
        turn::tcp_turns(measured()?, turns)?,
    ];
    let figures = interleaved(size.rounds, &mut cases)?;
    let ratio = |what, at: usize| {
        Row::ratio(what, &figures[at], &figures[at - 1]).at_most(1.03).missed_because(WHY_TURN)
    };
    Ok(vec![
        ratio("turn with a byte over a Unix socket, measured to unmeasured", 1),
        ratio("turn with a byte over TCP, measured to unmeasured", 3),
    ])
}

pub(super) fn immediates(size: &Size) -> Result<Vec<Row>, Failure> {
    let (turns, fewer) = (size.turns / 10, size.turns / 100);
    let mut cases = [
        turn::turns(unmeasured()?, turns, 100),
        turn::turns(measured()?, turns, 100),
        turn::turns(unmeasured()?, fewer, 1_000),
        turn::turns(measured()?, fewer, 1_000),
        turn::immediates(measured()?, fewer, 1_000),
        turn::immediates_chained(measured()?, fewer, 1_000),
    ];
    let figures = interleaved(size.rounds, &mut cases)?;
    let ratio = |what, at: usize, limit| {
        let row = Row::ratio(what, &figures[at], &figures[at - 1]);
        row.at_most(limit).missed_because(WHY_TURN)
    };
    let time = |what, at: usize| {
        let row = Row::time(what, Unit::Ns, &figures[at], "1,000 a turn, poll included");
        row.at_most(5.0).missed_because(WHY_JOB)
    };
    Ok(vec![
        ratio("turn with 100 immediates, measured to unmeasured", 1, 1.10),
        ratio("turn with 1,000 immediates, measured to unmeasured", 3, 1.03),
        time("immediate, flat", 4),
        time("immediate, chained", 5),
    ])
}

/// Two clock readings a callback. tokio's histogram of poll times is the same thing done to tasks.
pub(super) fn detail(size: &Size) -> Result<Vec<Row>, Failure> {
    const IMMEDIATES: u32 = 100;
    let turns = size.turns / 10;
    let mut cases: Vec<Case> = vec![
        turn::turns(measured()?, turns, IMMEDIATES.into()),
        turn::turns(measured_in_detail()?, turns, IMMEDIATES.into()),
    ];
    #[cfg(tokio_unstable)]
    cases.extend([peers::tokio_polls::polls(false)?, peers::tokio_polls::polls(true)?]);
    let figures = interleaved(size.rounds, &mut cases)?;
    let (off, on) = (&figures[0], &figures[1]);
    let mut rows = vec![
        Row::difference("timing one callback, with --detail", on, off, IMMEDIATES),
        Row::ratio("turn with 100 immediates, with detail to without", on, off),
    ];
    const TIMING: &str = "  peer: tokio, timing one poll of a task";
    const POLL: &str = "  peer: tokio, poll of a task, histogram on to off";
    #[cfg(tokio_unstable)]
    rows.extend([
        Row::difference(TIMING, &figures[3], &figures[2], 1),
        Row::ratio(POLL, &figures[3], &figures[2]),
    ]);
    #[cfg(not(tokio_unstable))]
    rows.extend([(TIMING, Unit::Ns), (POLL, Unit::Ratio)].map(|(what, unit)| {
        Row::not_measured(what, unit, "build with RUSTFLAGS=\"--cfg tokio_unstable\"")
    }));
    Ok(rows)
}

pub(super) fn jobs(size: &Size) -> Result<Vec<Row>, Failure> {
    let mut cases = [
        queues::microtasks_flat(measured()?),
        queues::microtasks_chained(measured()?),
        queues::ticks_flat(measured()?),
        queues::ticks_chained(measured()?),
        queues::drains_of_one(unmeasured()?),
        queues::drains_of_one(measured()?),
    ];
    let figures = interleaved(size.rounds, &mut cases)?;
    let row = |what, at: usize| {
        Row::time(what, Unit::Ns, &figures[at], "30,000 in a drain, queued and run")
            .at_most(5.0)
            .missed_because(WHY_JOB)
    };
    Ok(vec![
        row("microtask, flat", 0),
        row("microtask, chained", 1),
        row("nextTick, flat", 2),
        row("nextTick, chained", 3),
        Row::time("drain of one microtask, measured", Unit::Ns, &figures[5], "in a callback"),
        Row::difference("  what measuring adds to it", &figures[5], &figures[4], 1),
    ])
}
