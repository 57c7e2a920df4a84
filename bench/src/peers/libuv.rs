//! libuv, built from the source in its -sys crate (feature `libuv`): turns with an idle and a
//! check handle, and timers, as in our own cases.
//!
//! libuv can't be given a virtual clock. Its timers expire after a sleep, spread over
//! [`EXPIRE_SPREAD_MS`] instead of a minute.
#![allow(unsafe_code)] // libuv is a C library; each block says why it is sound.

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::time::Instant;

use libuv_sys2 as uv;

use crate::Failure;
use crate::cases::timers::{
    Durations, EXPIRE_SPREAD_MS, Part, Random, SPREAD_MS, durations, let_all_fall_due,
};
use crate::measure::{Batch, Case};

/// The version of libuv, as `1.53.1`.
pub fn version() -> String {
    // SAFETY: the function has no precondition.
    let version = unsafe { uv::uv_version() };
    format!("{}.{}.{}", version >> 16, version >> 8 & 0xff, version & 0xff)
}

/// A timer's handle, which is all that libuv keeps of it.
pub const TIMER_BYTES: usize = size_of::<uv::uv_timer_t>();

/// Turns with an idle and a check handle: an operation is a turn.
///
/// # Errors
/// When libuv can't make a loop.
pub fn turns(turns: u64) -> Result<Case, Failure> {
    let lp = new_loop()?;
    let left: *mut u64 = Box::into_raw(Box::new(0));
    let idle: *mut uv::uv_idle_t = forever();
    let check: *mut uv::uv_check_t = forever();
    // SAFETY: loop and handles have addresses of their own for ever; the handles are initialized
    // before they are started; `data` is for the user of libuv.
    unsafe {
        uv::uv_idle_init(lp, idle);
        uv::uv_idle_start(idle, Some(on_idle));
        uv::uv_check_init(lp, check);
        (*check).data = left.cast();
        uv::uv_check_start(check, Some(on_check));
    }
    Ok(Box::new(move || {
        // SAFETY: only this thread uses the loop, and only its callbacks and this closure use the
        // counter, never at the same time.
        Ok(Batch::timed(turns, || unsafe {
            *left = turns;
            uv::uv_run(lp, uv::uv_run_mode_UV_RUN_DEFAULT);
        }))
    }))
}

unsafe extern "C" fn on_idle(idle: *mut uv::uv_idle_t) {
    black_box(idle);
}

unsafe extern "C" fn on_check(check: *mut uv::uv_check_t) {
    // SAFETY: libuv passes the handle that was started, whose `data` is the counter of `turns`.
    unsafe {
        let left = (*check).data.cast::<u64>();
        *left -= 1;
        if *left == 0 {
            uv::uv_stop((*check).loop_);
        }
    }
}

/// One part of the life of so many timers: an operation is a timer. Their handles, 152 bytes each,
/// were made before.
///
/// # Errors
/// When libuv can't make a loop.
pub fn timers(count: usize, which: Durations, part: Part) -> Result<Case, Failure> {
    let lp = new_loop()?;
    let handles: *mut uv::uv_timer_t =
        Box::into_raw(Box::<[uv::uv_timer_t]>::new_uninit_slice(count)).cast();
    // SAFETY: every index is within the block, which lives for ever.
    let all: Vec<_> = (0..count).map(|index| unsafe { handles.add(index) }).collect();
    for &timer in &all {
        // SAFETY: loop and handle live for ever.
        unsafe { uv::uv_timer_init(lp, timer) };
    }
    let durations = durations(count, which);
    let mut shuffled = all.clone();
    Random::default().shuffle(&mut shuffled);
    Ok(Box::new(move || {
        let shorter = if part == Part::Expire { SPREAD_MS / EXPIRE_SPREAD_MS } else { 1 };
        let start = Instant::now();
        for (timer, ms) in all.iter().zip(&durations) {
            // SAFETY: the handle was initialized and is not closing.
            unsafe { uv::uv_timer_start(*timer, Some(on_timer), ms / shorter, 0) };
        }
        let inserted = Batch { time: start.elapsed(), operations: count as u64 };
        if part == Part::Expire {
            let_all_fall_due();
        }
        let ended = Batch::timed(count as u64, || expire_or_stop(lp, &shuffled, part));
        Ok(if part == Part::Insert { inserted } else { ended })
    }))
}

fn expire_or_stop(lp: *mut uv::uv_loop_t, timers: &[*mut uv::uv_timer_t], part: Part) {
    if part == Part::Expire {
        // SAFETY: the loop was initialized and only this thread uses it.
        unsafe { uv::uv_run(lp, uv::uv_run_mode_UV_RUN_DEFAULT) };
        return;
    }
    for &timer in timers {
        // SAFETY: the handle was initialized.
        unsafe { uv::uv_timer_stop(timer) };
    }
}

unsafe extern "C" fn on_timer(timer: *mut uv::uv_timer_t) {
    black_box(timer);
}

fn new_loop() -> Result<*mut uv::uv_loop_t, Failure> {
    let lp = forever();
    // SAFETY: the memory is large enough, and libuv asks nothing of what is in it.
    match unsafe { uv::uv_loop_init(lp) } {
        0 => Ok(lp),
        code => Err(format!("libuv can't make a loop: error {code}").into()),
    }
}

/// Memory that is never freed: libuv keeps pointers to it, and a benchmark ends with its process.
fn forever<T>() -> *mut T {
    Box::into_raw(Box::new(MaybeUninit::<T>::zeroed())).cast()
}
