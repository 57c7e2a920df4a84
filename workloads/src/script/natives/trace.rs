//! What the library tells the timeline, where one is recorded.

use super::process::Program;
use super::{NOTHING, Returned, Table};
use crate::script::trace::timeline::Function;
use crate::script::trace::{Making, Trace};
use crate::script::value::{Arguments, Value};

pub(super) fn add(table: &mut Table, program: &Program) {
    let is_traced = program.trace.is_some();
    table.add("isTraced", move |_| Ok(Value::Bool(is_traced)));
    let is_walked = program.trace.as_ref().is_some_and(Trace::has_calls);
    table.add("isWalked", move |_| Ok(Value::Bool(is_walked)));
    let Some(trace) = &program.trace else { return };
    let made = trace.clone();
    table.share("traceMade", move |shared, arguments| {
        let now_ms = shared.with_loop(|lp| lp.now_ms()).unwrap_or(0);
        let kept = made.made(&Making {
            what: arguments.text(0),
            id: arguments.id(1),
            function: function(&arguments, 2),
            asked_ms: arguments.has_number(5),
            now_ms,
            stack: arguments.text(6),
        });
        Ok(Value::Bool(!kept))
    });
    let walk = trace.clone();
    // `(source, file) -> source` whose functions call `_loopscope` when they begin.
    table.add("walkedSource", move |arguments| {
        Ok(walk.instrument(arguments.text(1), arguments.text(0)).into())
    });
    let walk = trace.clone();
    table.add("walkUnseen", move |arguments| {
        walk.unseen(arguments.text(0));
        NOTHING
    });
    let walk = trace.clone();
    table.add("walkAsWritten", move |arguments| Ok(walk.as_written(arguments.text(0)).into()));
    let walk = trace.clone();
    table.add("walkBegins", move |arguments| {
        let is_top = arguments.number(1) == 1.0;
        Ok(Value::Bool(!walk.begins(arguments.text(0), is_top)))
    });
    let walk = trace.clone();
    table.add("walkDropped", move |_| {
        walk.call_dropped();
        NOTHING
    });
    let dropped = trace.clone();
    table.add("traceDropped", move |_| {
        dropped.dropped();
        NOTHING
    });
    let runs = trace.clone();
    table.add("traceRuns", move |arguments| {
        runs.runs(arguments.id(0), function(&arguments, 1));
        NOTHING
    });
    let output = trace.clone();
    table.add("traceOutput", move |arguments| write(&output, arguments));
    let uncaught = trace.clone();
    table.add("traceUncaught", move |arguments| {
        uncaught.uncaught(arguments.text(0), arguments.text(1));
        NOTHING
    });
}

/// `(descriptor, text or bytes, stack)`: what is printed becomes a part of the timeline.
fn write(trace: &Trace, mut arguments: Arguments) -> Returned {
    let stack = arguments.text(2).to_owned();
    let to_stderr = arguments.id(0) == 2;
    trace.output(to_stderr, &arguments.bytes(1), &stack);
    NOTHING
}

/// Name, file and line, from this argument on.
fn function(arguments: &Arguments, from: usize) -> Function {
    Function::new(arguments.text(from), arguments.text(from + 1), arguments.id(from + 2))
}
