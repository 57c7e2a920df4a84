//! Timers and immediates. The library numbers them, and calls what a number stands for.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use loop_core::{ImmediateId, Loop, TimerId};

use super::{NOTHING, Returned, Table};
use crate::script::engine::Entry;
use crate::script::host::Shared;
use crate::script::value::{Arguments, Value};

/// Names by number, as long as they may be used.
#[derive(Debug, Default)]
struct Names {
    timers: RefCell<HashMap<u64, TimerId>>,
    immediates: RefCell<HashMap<u64, ImmediateId>>,
}

pub(super) fn add(table: &mut Table) {
    let names = Rc::new(Names::default());
    let mut with_names = |name, native: fn(&Rc<Names>, &Shared, &Arguments) -> Returned| {
        let names = Rc::clone(&names);
        table.share(name, move |shared, arguments| native(&names, shared, &arguments));
    };
    with_names("setTimer", set_timer);
    with_names("clearTimer", clear_timer);
    with_names("refreshTimer", refresh_timer);
    with_names("holdTimer", hold_timer);
    with_names("setImmediate", set_immediate);
    with_names("clearImmediate", clear_immediate);
    with_names("holdImmediate", hold_immediate);
    table.share("setTicks", |shared, arguments| {
        shared.ticks.set(arguments.truth(0));
        NOTHING
    });
    table.share("rejectionsWait", |shared, _| {
        shared.rejections.set(true);
        NOTHING
    });
}

/// `(id, ms, repeats)`.
fn set_timer(names: &Rc<Names>, shared: &Shared, arguments: &Arguments) -> Returned {
    let (id, ms) = (arguments.id(0), arguments.id(1));
    let repeats = arguments.truth(2);
    if let Some(trace) = &shared.trace {
        trace.timer(id, ms);
    }
    let caller = shared.caller();
    let names_then = Rc::clone(names);
    let set = |lp: &mut Loop| {
        if repeats {
            return lp.set_interval(ms, move |lp| caller.call(lp, Entry::Timer, &[number(id)]));
        }
        lp.set_timeout(ms, move |lp| {
            names_then.timers.borrow_mut().remove(&id);
            caller.call(lp, Entry::Timer, &[number(id)]);
        })
    };
    if let Some(timer) = shared.with_loop(set) {
        names.timers.borrow_mut().insert(id, timer);
    }
    NOTHING
}

/// `(id)`.
fn clear_timer(names: &Rc<Names>, shared: &Shared, arguments: &Arguments) -> Returned {
    if let Some(timer) = names.timers.borrow_mut().remove(&arguments.id(0)) {
        shared.with_loop(|lp| lp.clear_timer(timer));
    }
    NOTHING
}

/// `(id)`: whether it was there to be started again.
fn refresh_timer(names: &Rc<Names>, shared: &Shared, arguments: &Arguments) -> Returned {
    let timer = names.timers.borrow().get(&arguments.id(0)).copied();
    let refreshed = timer.and_then(|timer| shared.with_loop(|lp| lp.timer_refresh(timer)));
    Ok(Value::Bool(refreshed.is_some()))
}

/// `(id, whether it holds the loop)`.
fn hold_timer(names: &Rc<Names>, shared: &Shared, arguments: &Arguments) -> Returned {
    let timer = names.timers.borrow().get(&arguments.id(0)).copied();
    if let Some(timer) = timer {
        shared.with_loop(|lp| match arguments.truth(1) {
            true => lp.timer_ref(timer),
            false => lp.timer_unref(timer),
        });
    }
    NOTHING
}

/// `(id)`.
fn set_immediate(names: &Rc<Names>, shared: &Shared, arguments: &Arguments) -> Returned {
    let id = arguments.id(0);
    let caller = shared.caller();
    let names_then = Rc::clone(names);
    let set = |lp: &mut Loop| {
        lp.set_immediate(move |lp| {
            names_then.immediates.borrow_mut().remove(&id);
            caller.call(lp, Entry::Immediate, &[number(id)]);
        })
    };
    if let Some(immediate) = shared.with_loop(set) {
        names.immediates.borrow_mut().insert(id, immediate);
    }
    NOTHING
}

/// `(id)`.
fn clear_immediate(names: &Rc<Names>, shared: &Shared, arguments: &Arguments) -> Returned {
    if let Some(immediate) = names.immediates.borrow_mut().remove(&arguments.id(0)) {
        shared.with_loop(|lp| lp.clear_immediate(immediate));
    }
    NOTHING
}

/// `(id, whether it holds the loop)`.
fn hold_immediate(names: &Rc<Names>, shared: &Shared, arguments: &Arguments) -> Returned {
    let immediate = names.immediates.borrow().get(&arguments.id(0)).copied();
    if let Some(immediate) = immediate {
        shared.with_loop(|lp| match arguments.truth(1) {
            true => lp.immediate_ref(immediate),
            false => lp.immediate_unref(immediate),
        });
    }
    NOTHING
}

fn number(id: u64) -> Value {
    Value::Number(id as f64)
}
