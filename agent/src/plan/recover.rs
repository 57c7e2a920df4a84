//! Finds libuv's phases where they have no symbols, by what they do.
//!
//! `uv_run` is exported by every libuv and calls each phase directly. Which of the functions it
//! calls is which shows in the fields of `uv_loop_t` they use. Those lie where they do in all of
//! libuv 1.x: the struct is a part of its ABI.
//!
//! ```text
//! backend_fd 64 | prepare_handles 384 | check_handles 400 | idle_handles 416
//!               | timer_heap.min 520 | time 544
//! ```
//!
//! **Invariant**: a phase is told only where exactly one function that `uv_run` calls fits it.

use iced_x86::{Code, FlowControl, Mnemonic, Register};

use super::{Point, evidence::Evidence};
use crate::elf::{Function, branch_target};

/// The queues of handles that run once a turn: `next`, and 8 bytes behind it `prev`.
const QUEUES: [(Point, u64); 3] =
    [(Point::RunPrepare, 384), (Point::RunCheck, 400), (Point::RunIdle, 416)];
/// The loop's fields that hold those queues.
const QUEUE_FIELDS: std::ops::Range<u64> = 384..432;
const BACKEND_FD: u64 = 64;
const TIMER_HEAP_MIN: u64 = 520;
const TIME: u64 = 544;

/// What stops a timer, exported by every libuv.
pub(super) const TIMER_STOP: &str = "uv_timer_stop";
/// More functions than `uv_run` calls: 18 in Node 24.
const CALLEES_MAX: usize = 64;
/// What a function calls that finds its stack overwritten.
const STACK_GUARD: &str = "__stack_chk_fail";
/// What waits for events, imported from the C library.
const WAITS: [&str; 2] = ["epoll_pwait", "epoll_wait"];

/// The function of a phase among those that `uv_run` calls.
pub(super) fn phase(uv: &Evidence<'_>, run: &Function, point: Point) -> Result<Function, String> {
    let mut callees: Vec<u64> = run.callees().map(|(_, callee)| callee).collect();
    callees.sort_unstable();
    callees.dedup();
    if callees.len() > CALLEES_MAX {
        return Err(format!("uv_run calls {} functions: that is no libuv's", callees.len()));
    }
    let functions: Vec<Function> =
        callees.into_iter().filter_map(|callee| uv.function_at(callee)).collect();
    let fitting = match point {
        Point::RunTimers => unique(functions.iter().filter(|one| runs_timers(uv, one))),
        Point::IoPoll => unique(functions.iter().filter(|one| polls(uv, one))),
        _ => runner(uv, &functions, point),
    };
    let stripped = "the file is stripped, and no function that uv_run calls is for certain it";
    fitting.cloned().ok_or_else(|| stripped.to_owned())
}

fn unique<'a>(mut fitting: impl Iterator<Item = &'a Function>) -> Option<&'a Function> {
    fitting.next().filter(|_| fitting.next().is_none())
}

/// Idle, prepare and check are made from one macro: three functions of the same instructions, each
/// with a queue of its own. Only all three together are certain.
fn runner<'a>(uv: &Evidence<'_>, all: &'a [Function], point: Point) -> Option<&'a Function> {
    let queues: Vec<Option<u64>> = all.iter().map(|one| queue_of(uv, one)).collect();
    let with = |queue| all.iter().zip(&queues).filter(move |one| *one.1 == Some(queue));
    let [prepare, check, idle] = QUEUES.map(|(_, queue)| unique(with(queue).map(|one| one.0)));
    let all = [prepare?, check?, idle?];
    let alike = all.windows(2).all(|pair| steps(pair[0]).eq(steps(pair[1])));
    let index = QUEUES.iter().position(|&(one, _)| one == point)?;
    alike.then_some(all[index])
}

/// What a function does: its instructions but for the numbers in them, and for what lies between
/// them for alignment.
fn steps(function: &Function) -> impl Iterator<Item = (Code, [Register; 4])> {
    let done = function.instructions.iter().filter(|one| one.mnemonic() != Mnemonic::Nop);
    done.map(|one| {
        let operands = [one.op0_register(), one.op1_register()];
        (one.code(), [operands[0], operands[1], one.memory_base(), one.memory_index()])
    })
}

/// The queue whose handles a function runs: it uses no other, and calls nothing but the callback,
/// and what it ends in when its stack was overwritten.
fn queue_of(uv: &Evidence<'_>, function: &Function) -> Option<u64> {
    let mut used = function.fields().filter(|at| QUEUE_FIELDS.contains(at));
    let queue = used.next()? & !15;
    let one_queue = used.all(|at| at == queue || at == queue + 8);
    let calls_back = callbacks(function) == 1;
    let calls_more = function
        .callees()
        .any(|(_, callee)| uv.name_of_stub(callee).as_deref() != Some(STACK_GUARD));
    (one_queue && calls_back && !calls_more).then_some(queue)
}

fn callbacks(function: &Function) -> usize {
    let calls = function.instructions.iter();
    calls.filter(|one| one.flow_control() == FlowControl::IndirectCall).count()
}

/// It takes the first timer from the heap as long as that is due, stops it and calls it back.
fn runs_timers(uv: &Evidence<'_>, function: &Function) -> bool {
    let uses = |field| function.fields().any(|at| at == field);
    let stop = uv.one(TIMER_STOP).map(|symbol| symbol.address);
    let stops = function.callees().any(|(_, callee)| {
        stop == Ok(callee) || uv.name_of_stub(callee).as_deref() == Some(TIMER_STOP)
    });
    uses(TIMER_HEAP_MIN) && uses(TIME) && stops && callbacks(function) > 0
}

/// It waits for events of the loop's epoll descriptor.
fn polls(uv: &Evidence<'_>, function: &Function) -> bool {
    let waits =
        function.instructions.iter().filter_map(branch_target).any(|target| {
            uv.name_of_stub(target).is_some_and(|name| WAITS.contains(&name.as_str()))
        });
    waits && function.fields().any(|at| at == BACKEND_FD)
}
