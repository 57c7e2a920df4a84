//! Time, as the loop has it.
//!
//! Under a virtual clock each reading takes a microsecond, so that a loop that waits by reading the
//! clock comes to an end, after as many readings each time.

use std::time::Duration;

use super::{Program, Table};
use crate::script::value::Value;

/// What reading a virtual clock takes.
const READING: Duration = Duration::from_micros(1);

pub(super) fn add(table: &mut Table, program: &Program) {
    let clock = program.clock.clone();
    let origin_ns = clock.now_ns();
    let is_virtual = program.is_virtual();
    table.add("clockIsVirtual", move |_| Ok(Value::Bool(is_virtual)));
    let origin_ms = clock.unix_ns(origin_ns) as f64 / 1e6;
    table.add("timeOrigin", move |_| Ok(Value::Number(origin_ms)));
    // Nanoseconds since the origin, and on the clock of `hrtime`.
    let reading = clock.clone();
    table.share("now", move |shared, _| {
        if is_virtual {
            shared.with_loop(|lp| lp.busy(READING));
        }
        Ok(Value::Number((reading.now_ns() - origin_ns) as f64))
    });
    table.add("hrtime", move |_| Ok(Value::Number(clock.now_ns() as f64)));
}
