//! Timers and immediates. The library keeps them in slots, and runs what stands in a slot.

use std::cell::RefCell;
use std::rc::Rc;

use loop_core::{ImmediateId, Loop, TimerId};

use super::{NOTHING, Returned, Table};
use crate::script::engine::Entry;
use crate::script::host::Shared;
use crate::script::value::{Arguments, Value};

/// What the loop calls that which was last put into each slot. A name that has run means nothing to
/// the loop, so none is taken out.
#[derive(Debug, Default)]
struct Names {
    timers: Slots<TimerId>,
    immediates: Slots<ImmediateId>,
}

#[derive(Debug)]
struct Slots<Id>(RefCell<Vec<Option<Id>>>);

impl<Id> Default for Slots<Id> {
    fn default() -> Self {
        Slots(RefCell::new(Vec::new()))
    }
}

impl<Id: Copy> Slots<Id> {
    fn get(&self, slot: u64) -> Option<Id> {
        self.0.borrow().get(usize::try_from(slot).ok()?).copied()?
    }

    /// The library takes the lowest slots first, so there are as many as it has ever used at once.
    fn set(&self, slot: u64, id: Option<Id>) {
        let Ok(slot) = usize::try_from(slot) else { return };
        let mut ids = self.0.borrow_mut();
        if slot >= ids.len() {
            ids.resize(slot + 1, None);
        }
        ids[slot] = id;
    }
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

/// `(slot, ms, repeats)`.
fn set_timer(names: &Rc<Names>, shared: &Shared, arguments: &Arguments) -> Returned {
    let (slot, ms) = (arguments.id(0), arguments.id(1));
    let repeats = arguments.truth(2);
    if let Some(trace) = &shared.trace {
        trace.timer(slot, ms);
    }
    let caller = shared.caller();
    let set = |lp: &mut Loop| {
        let run = move |lp: &mut Loop| caller.call(lp, Entry::Timer, [number(slot)]);
        if repeats { lp.set_interval(ms, run) } else { lp.set_timeout(ms, run) }
    };
    names.timers.set(slot, shared.with_loop(set));
    NOTHING
}

/// `(slot)`.
fn clear_timer(names: &Rc<Names>, shared: &Shared, arguments: &Arguments) -> Returned {
    if let Some(timer) = names.timers.get(arguments.id(0)) {
        shared.with_loop(|lp| lp.clear_timer(timer));
    }
    NOTHING
}

/// `(slot)`.
fn refresh_timer(names: &Rc<Names>, shared: &Shared, arguments: &Arguments) -> Returned {
    if let Some(timer) = names.timers.get(arguments.id(0)) {
        shared.with_loop(|lp| lp.timer_refresh(timer));
    }
    NOTHING
}

/// `(slot, whether it holds the loop)`.
fn hold_timer(names: &Rc<Names>, shared: &Shared, arguments: &Arguments) -> Returned {
    if let Some(timer) = names.timers.get(arguments.id(0)) {
        shared.with_loop(|lp| match arguments.truth(1) {
            true => lp.timer_ref(timer),
            false => lp.timer_unref(timer),
        });
    }
    NOTHING
}

/// `(slot)`.
fn set_immediate(names: &Rc<Names>, shared: &Shared, arguments: &Arguments) -> Returned {
    let slot = arguments.id(0);
    let caller = shared.caller();
    let set = |lp: &mut Loop| {
        lp.set_immediate(move |lp| caller.call(lp, Entry::Immediate, [number(slot)]))
    };
    names.immediates.set(slot, shared.with_loop(set));
    NOTHING
}

/// `(slot)`.
fn clear_immediate(names: &Rc<Names>, shared: &Shared, arguments: &Arguments) -> Returned {
    if let Some(immediate) = names.immediates.get(arguments.id(0)) {
        shared.with_loop(|lp| lp.clear_immediate(immediate));
    }
    NOTHING
}

/// `(slot, whether it holds the loop)`.
fn hold_immediate(names: &Rc<Names>, shared: &Shared, arguments: &Arguments) -> Returned {
    if let Some(immediate) = names.immediates.get(arguments.id(0)) {
        shared.with_loop(|lp| match arguments.truth(1) {
            true => lp.immediate_ref(immediate),
            false => lp.immediate_unref(immediate),
        });
    }
    NOTHING
}

fn number(slot: u64) -> Value {
    Value::Number(slot as f64)
}
