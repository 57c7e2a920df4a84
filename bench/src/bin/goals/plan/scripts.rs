//! JavaScript: what the host adds to a job of the engine, what Node takes for the same script, and
//! how long a start takes.

use std::env;

use loop_core::Clock;
use loopscope_bench::Failure;
use loopscope_bench::cases::javascript::{Kind, first_line, on_loop, start_of};
use loopscope_bench::measure::{Case, Figures, interleaved};
use loopscope_bench::peers::{node, quickjs};

use super::Size;
use crate::row::{Row, Unit};

/// As an argument of this program: it runs a script of one line and does nothing else.
pub(crate) const FIRST_LINE: &str = "--first-line";

const WHY_HOST: &str = "the loop's queue and its counting, for each job";
const WHY_START: &str = "the library is compiled at each start";
const NO_NODE: &str = "there is no `node` on the PATH";

/// The most that a host may take, as a share of what the bare engine does.
const HOST_MAX: f64 = 1.10;

const START_MAX_US: f64 = 20_000.0;

pub(super) fn all(size: &Size) -> Result<Vec<Row>, Failure> {
    let many = size.timers as u64;
    let mut rows = Vec::new();
    rows.extend(jobs(size, "30,000 x then().then(), a reaction", Kind::Then, 60_000)?);
    rows.extend(jobs(size, "queueMicrotask, chained", Kind::Microtask, many)?);
    rows.extend(jobs(size, "await null", Kind::Await, many)?);
    rows.extend(callbacks(size, "process.nextTick, chained", Kind::Tick, many / 10)?);
    rows.extend(callbacks(size, "setImmediate, many at once", Kind::Immediate, many / 10)?);
    rows.extend(callbacks(size, "setTimeout, many at once", Kind::Timeout, many / 10)?);
    rows.extend(starts(size)?);
    Ok(rows)
}

/// What stands in the engine's own queue, beside the engine alone.
fn jobs(size: &Size, what: &str, kind: Kind, operations: u64) -> Result<Vec<Row>, Failure> {
    let mut cases =
        vec![on_loop(kind, operations, Clock::real())?, quickjs::jobs(kind, operations)?];
    let node = add_node(&mut cases, || node::batches(kind, operations))?;
    let figures = interleaved(size.timer_rounds, &mut cases)?;
    let ratio = Row::ratio(&format!("{what}, to the bare engine"), &figures[0], &figures[1]);
    let mut rows = vec![ratio.at_most(HOST_MAX).missed_because(WHY_HOST)];
    rows.extend(beside_node(what, Unit::Ns, &figures, node));
    Ok(rows)
}

/// What the engine by itself does not have.
fn callbacks(size: &Size, what: &str, kind: Kind, operations: u64) -> Result<Vec<Row>, Failure> {
    let mut cases = vec![on_loop(kind, operations, Clock::real())?];
    let node = add_node(&mut cases, || node::batches(kind, operations))?;
    let figures = interleaved(size.timer_rounds, &mut cases)?;
    Ok(beside_node(what, Unit::Ns, &figures, node))
}

fn starts(size: &Size) -> Result<Vec<Row>, Failure> {
    let mut cases = vec![start_of(env::current_exe()?, vec![FIRST_LINE.to_owned()])];
    let script = first_line().to_string_lossy().into_owned();
    let node = add_node(&mut cases, || Ok(start_of(node::PROGRAM.into(), vec![script])))?;
    let figures = interleaved(size.rounds, &mut cases)?;
    let mut rows = beside_node("start to the first line of a script", Unit::Us, &figures, node);
    if let Some(own) = rows.first_mut() {
        *own = std::mem::take(own).at_most(START_MAX_US).missed_because(WHY_START);
    }
    Ok(rows)
}

/// Adds a case of Node's as the last one. Returns whether there is one.
fn add_node(
    cases: &mut Vec<Case>,
    make: impl FnOnce() -> Result<Case, Failure>,
) -> Result<bool, Failure> {
    let is_there = node::is_there();
    if is_there {
        cases.push(make()?);
    }
    Ok(is_there)
}

/// Our time, which is the first of the figures, and Node's, which is the last.
fn beside_node(what: &str, unit: Unit, figures: &[Figures], node: bool) -> Vec<Row> {
    let (ours, last) = (&figures[0], &figures[figures.len() - 1]);
    let theirs = format!("  peer: Node, {what}");
    let peer = match node {
        true => Row::time(&theirs, unit, last, "warm, in a process of its own"),
        false => Row::not_measured(&theirs, unit, NO_NODE),
    };
    vec![Row::time(what, unit, ours, ""), peer]
}
