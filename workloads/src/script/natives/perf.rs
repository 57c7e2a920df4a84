//! What the loop's recorder knows of its times, for `perf_hooks`.
//!
//! Cost: nothing until a script asks; then a snapshot (`read` in `bench`'s `goals`).

use std::cell::RefCell;
use std::rc::Rc;

use loop_core::buckets::Scale;
use loop_core::snapshot::{Histogram, LoopSnapshot, arrival_delay};

use super::{Returned, Table};
use crate::script::host::Shared;
use crate::script::value::Value;

/// The recorder's state when a script began to watch.
#[derive(Debug)]
struct Mark {
    turns: Histogram,
    idle_ns: u64,
}

impl Mark {
    fn of(snapshot: LoopSnapshot) -> Mark {
        let turns = snapshot.turn_ns.unwrap_or_else(|| Histogram::new(Scale::Time));
        Mark { turns, idle_ns: snapshot.idle_ns.unwrap_or(0) }
    }
}

pub(super) fn add(table: &mut Table) {
    let marks: Rc<RefCell<Vec<Mark>>> = Rc::default();
    // `() -> [active ns, idle ns, turns]`.
    table.share("loopTimes", |shared, _| {
        let Some(now) = snapshot(shared) else { return Ok(Value::Null) };
        let numbers =
            [now.active_ns.unwrap_or(0), now.idle_ns.unwrap_or(0), now.turns.unwrap_or(0)];
        Ok(Value::List(numbers.map(|number| Value::Number(number as f64)).to_vec()))
    });
    let at = Rc::clone(&marks);
    // `(mark or -1) -> mark`: remembers the state of now, in place of an earlier one if given.
    table.share("markDelays", move |shared, arguments| {
        let Some(now) = snapshot(shared).map(Mark::of) else { return Ok(Value::Number(-1.0)) };
        let mut marks = at.borrow_mut();
        let index = arguments.count(0).map_or(marks.len(), |index| index as usize);
        match marks.get_mut(index) {
            Some(mark) => *mark = now,
            None => marks.push(now),
        }
        Ok(Value::Number(index as f64))
    });
    // `(mark) -> [sum, min, max, [value, count], ...]` in nanoseconds: the arrival delay since.
    table.share("delaysSince", move |shared, arguments| -> Returned {
        let marks = marks.borrow();
        let (Some(mark), Some(now)) =
            (marks.get(arguments.id(0) as usize), snapshot(shared).map(Mark::of))
        else {
            return Ok(Value::Null);
        };
        let idle_ns = now.idle_ns.saturating_sub(mark.idle_ns);
        Ok(listed(&arrival_delay(&now.turns.since(&mark.turns), idle_ns)))
    });
}

fn snapshot(shared: &Shared) -> Option<LoopSnapshot> {
    shared.with_loop(|lp| lp.reader().snapshot())
}

fn listed(delays: &Histogram) -> Value {
    let numbers = [delays.sum as f64, delays.min as f64, delays.max as f64];
    let mut list = numbers.map(Value::Number).to_vec();
    for (value, count) in delays.values() {
        list.push(Value::List(vec![Value::Number(value as f64), Value::Number(count as f64)]));
    }
    Value::List(list)
}
