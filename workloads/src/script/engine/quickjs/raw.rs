//! What the safe wrapper of QuickJS does not offer: a job at a time with its exception, scripts
//! that begin at a line of ours, the state of a promise, and errors that nothing can catch.
//!
//! **Invariant**: all unsafe code of the engine stands here. Every function takes a `Ctx`, so the
//! runtime is alive and locked by this thread; [`Jobs`] keeps the runtime alive itself.
#![allow(unsafe_code)] // The C interface of the engine.

use std::ffi::{CString, c_int};
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use super::watcher::Watcher;
use rquickjs::{ArrayBuffer, Context, Ctx, Error, Function, Result, TypedArray, Value, qjs};

/// Where a script's first line stands, so that a wrapper of one line and an empty one come before
/// line 1. QuickJS reads line 0 as 1.
const LINE_OF_WRAPPER: i32 = -1;

/// From this length on a text, and a list, is worth two readings of the clock.
const TEXT_MIN: i64 = 10_000;
const LIST_MIN: i64 = 1_000;

/// The queue of jobs, without the wrapper's lock and references for each: those take as long as the
/// rest of what the host adds to a job.
pub(super) struct Jobs {
    runtime: NonNull<qjs::JSRuntime>,
    /// Keeps the runtime alive.
    _context: Context,
}

impl Jobs {
    /// `None` where the context has no runtime, which is never.
    pub(super) fn of(context: &Context) -> Option<Jobs> {
        let runtime = NonNull::new(context.get_runtime_ptr())?;
        Some(Jobs { runtime, _context: context.clone() })
    }

    /// Whether a job waits.
    #[inline]
    pub(super) fn wait(&self) -> bool {
        // SAFETY: the runtime is alive, and nothing of this wrapper leaves its thread.
        unsafe { qjs::JS_IsJobPending(self.runtime.as_ptr()) }
    }

    /// Runs one job: `None` where there was none, else whether it returned. What it has thrown is
    /// the context's exception.
    #[inline]
    pub(super) fn run(&self) -> Option<bool> {
        let mut of = ptr::null_mut();
        // SAFETY: as above. There is one context in the runtime, so the job's is ours.
        let done = unsafe { qjs::JS_ExecutePendingJob(self.runtime.as_ptr(), &raw mut of) };
        match done {
            0 => None,
            done => Some(done > 0),
        }
    }
}

/// The heap, for the interrupt handler.
pub(super) struct Heap(NonNull<qjs::JSRuntime>);

impl Heap {
    /// `None` where the context has no runtime, which is never.
    pub(super) fn of(context: &Context) -> Option<Heap> {
        NonNull::new(context.get_runtime_ptr()).map(Heap)
    }

    /// Frees what refers to itself in a circle and is not referred to else.
    pub(super) fn collect(&self) {
        // SAFETY: the runtime is alive, as it calls the handler. There the host may run JavaScript,
        // which makes objects, and where it makes one the engine collects by itself.
        unsafe { qjs::JS_RunGC(self.0.as_ptr()) }
    }

    /// From this size on, the engine collects where it makes an object.
    pub(super) fn collect_by_itself_from(&self, bytes: usize) {
        // SAFETY: the runtime is alive: this is called where the handler is made, and by it.
        unsafe { qjs::JS_SetGCThreshold(self.0.as_ptr(), bytes as _) }
    }
}

/// The function `queueMicrotask`, without a call of JavaScript for what is a function; anything
/// else goes to `refuse`, which throws.
pub(super) fn queue_microtask<'js>(ctx: &Ctx<'js>, refuse: &Function<'js>) -> Result<Value<'js>> {
    let mut data = [refuse.as_value().as_raw()];
    // SAFETY: the engine takes a reference of its own to the one value of the data. `enqueue` gets
    // as many arguments as its length says.
    let made = unsafe {
        let context = ctx.as_raw().as_ptr();
        let name = c"queueMicrotask".as_ptr();
        qjs::JS_NewCFunctionData2(context, Some(enqueue), name, 1, 0, 1, data.as_mut_ptr())
    };
    take(ctx, made)
}

/// # Safety
/// The engine calls it, with at least one argument and what [`queue_microtask`] has given.
unsafe extern "C" fn enqueue(
    context: *mut qjs::JSContext,
    _this: qjs::JSValue,
    _count: qjs::c_int,
    arguments: *mut qjs::JSValue,
    _magic: qjs::c_int,
    refuse: *mut qjs::JSValue,
) -> qjs::JSValue {
    // SAFETY: by the contract there are an argument and `refuse`, which live for this call; the
    // queue takes its own reference to the argument.
    unsafe {
        if !qjs::JS_IsFunction(context, *arguments) {
            return qjs::JS_Call(context, *refuse, qjs::JS_UNDEFINED, 1, arguments);
        }
        match qjs::JS_EnqueueJob(context, Some(call_job), 1, arguments) {
            0 => qjs::JS_UNDEFINED,
            _ => qjs::JS_EXCEPTION,
        }
    }
}

/// # Safety
/// The engine calls it, as a job with one argument.
unsafe extern "C" fn call_job(
    context: *mut qjs::JSContext,
    _count: qjs::c_int,
    arguments: *mut qjs::JSValue,
) -> qjs::JSValue {
    // SAFETY: by the contract there is an argument, which lives for this call.
    unsafe { qjs::JS_Call(context, *arguments, qjs::JS_UNDEFINED, 0, ptr::null_mut()) }
}

/// Compiles the body of a function with these parameters. The function stands as an argument: the
/// engine reads what stands in parentheses at the start of an expression twice, for it may be the
/// parameters of an arrow function.
pub(super) fn compile<'js>(
    ctx: &Ctx<'js>,
    body: &str,
    file: &str,
    parameters: &str,
) -> Result<Function<'js>> {
    let source = CString::new(format!("(f => f)(function ({parameters}) {{\n\n{body}\n}})"))?;
    let file = CString::new(file)?;
    let mut options = qjs::JSEvalOptions {
        version: 1,
        eval_flags: qjs::JS_EVAL_TYPE_GLOBAL as i32,
        filename: file.as_ptr(),
        line_num: LINE_OF_WRAPPER,
    };
    // SAFETY: the texts end with a zero and outlive the call; the length is without that zero.
    let value = unsafe {
        qjs::JS_Eval2(
            ctx.as_raw().as_ptr(),
            source.as_ptr(),
            source.as_bytes().len() as _,
            &raw mut options,
        )
    };
    take(ctx, value)?.into_function().ok_or(Error::Unknown)
}

/// Whether a value is a promise, then its state (0 pending, 1 fulfilled, 2 rejected) and result.
pub(super) fn promise_state<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Option<(i32, Value<'js>)> {
    let context = ctx.as_raw().as_ptr();
    // SAFETY: the value belongs to this context. The result is a new reference, which `take` owns.
    let (state, result) = unsafe {
        let state = qjs::JS_PromiseState(context, value.as_raw());
        let settled = state as i32 > 0;
        let result = match settled {
            true => qjs::JS_PromiseResult(context, value.as_raw()),
            false => qjs::JS_UNDEFINED,
        };
        (state as i32, result)
    };
    let result = take(ctx, result).ok()?;
    (0..=2).contains(&state).then_some((state, result))
}

/// What a proxy stands before, null where it is revoked; `None` where the value is no proxy.
pub(super) fn proxy_target<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Option<Value<'js>> {
    // SAFETY: as for the state of a promise.
    unsafe {
        if !qjs::JS_IsProxy(value.as_raw()) {
            return None;
        }
        let target = take(ctx, qjs::JS_GetProxyTarget(ctx.as_raw().as_ptr(), value.as_raw()));
        Some(target.unwrap_or_else(|_| {
            drop(ctx.catch());
            Value::new_null(ctx.clone())
        }))
    }
}

unsafe extern "C" {
    /// The engine's own door for its standard library, which nothing else opens; the test of where
    /// things are thrown fails where another version of the engine has another.
    fn js_std_cmd(command: c_int, ...) -> usize;
}

/// The command that gives the stack of what was thrown, and forgets it.
const TAKE_TRACE: c_int = 2;

/// From where was thrown what has been thrown since this was called last, or was caught by a
/// handler: frames as in a stack, or whatever the program makes of such.
#[inline]
pub(super) fn take_trace<'js>(ctx: &Ctx<'js>) -> Option<Value<'js>> {
    let mut trace = qjs::JS_UNDEFINED;
    // SAFETY: the context is alive, and this command takes it and the place of a value. The value
    // is ours then.
    let trace = unsafe {
        js_std_cmd(TAKE_TRACE, ctx.as_raw().as_ptr(), &raw mut trace);
        Value::from_raw(ctx.clone(), trace)
    };
    (!trace.is_undefined()).then_some(trace)
}

/// Makes an error pass all handlers.
pub(super) fn make_uncatchable<'js>(ctx: &Ctx<'js>, error: &Value<'js>) {
    // SAFETY: the value belongs to this context; what is no error is left as it is.
    unsafe { qjs::JS_SetUncatchableError(ctx.as_raw().as_ptr(), error.as_raw()) }
}

/// Lets the functions that [`watched`] makes find their watcher.
pub(super) fn set_watcher(ctx: &Ctx<'_>, watcher: &Watcher) {
    let watcher = ptr::from_ref(watcher).cast_mut().cast();
    // SAFETY: the context is alive. Only `call_watched` reads this, as what it is.
    unsafe { qjs::JS_SetContextOpaque(ctx.as_raw().as_ptr(), watcher) }
}

/// What a built-in works on: how large that is decides whether it is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorksOn {
    This,
    /// The first argument. Where that says nothing, its result does.
    Argument,
}

/// A function that calls `original` and tells the watcher when it has returned.
pub(super) fn watched<'js>(
    ctx: &Ctx<'js>,
    original: &Function<'js>,
    name: &str,
    length: i32,
    works_on: WorksOn,
) -> Result<Value<'js>> {
    let name = CString::new(name)?;
    let mut original = original.as_raw();
    // SAFETY: the name and the one value outlive the call, which takes a reference of its own.
    let value = unsafe {
        qjs::JS_NewCFunctionData2(
            ctx.as_raw().as_ptr(),
            Some(call_watched),
            name.as_ptr(),
            length,
            works_on as i32,
            1,
            &raw mut original,
        )
    };
    take(ctx, value)
}

/// Whether this is a text, list or typed array that takes a built-in long enough to be timed.
///
/// # Safety
/// The value is one of this context, which is alive.
#[inline]
unsafe fn is_large(context: *mut qjs::JSContext, value: qjs::JSValue) -> bool {
    // SAFETY: as the caller says. No JavaScript runs: lists and texts have lengths of their own.
    unsafe {
        let least = if qjs::JS_IsString(value) {
            TEXT_MIN
        } else if qjs::JS_IsArray(value) {
            LIST_MIN
        } else {
            return qjs::JS_GetTypedArrayType(value) >= 0;
        };
        let mut length = 0;
        qjs::JS_GetLength(context, value, &raw mut length) == 0 && length >= least
    }
}

/// What the engine calls for [`watched`]. What is small is not timed: two readings of the clock
/// take as long as it does.
unsafe extern "C" fn call_watched(
    context: *mut qjs::JSContext,
    this: qjs::JSValue,
    count: i32,
    arguments: *mut qjs::JSValue,
    works_on: i32,
    data: *mut qjs::JSValue,
) -> qjs::JSValue {
    // SAFETY: the engine calls this with a context that lives, and so does its watcher
    // (`set_watcher`); `data` is the one value that `watched` has given, and what is passed on is
    // as it came. An exception is put aside while the stack is taken.
    unsafe {
        let watcher = || &*qjs::JS_GetContextOpaque(context).cast::<Watcher>();
        let on_this = works_on == WorksOn::This as i32;
        let is_timed = match on_this {
            true => is_large(context, this),
            false => count > 0 && is_large(context, *arguments),
        };
        let entered = is_timed.then(|| watcher().entered());
        let value = qjs::JS_Call(context, *data, this, count, arguments);
        match entered {
            Some(entered) if qjs::JS_IsException(value) => {
                let thrown = qjs::JS_GetException(context);
                watcher().returned(Some(entered));
                qjs::JS_Throw(context, thrown);
            }
            None if on_this || !qjs::JS_IsString(value) || !is_large(context, value) => {}
            entered => watcher().returned(entered),
        }
        value
    }
}

/// Whether an error is one that nothing can catch.
pub(super) fn is_uncatchable(error: &Value<'_>) -> bool {
    // SAFETY: the value is alive, and is only looked at.
    unsafe { qjs::JS_IsUncatchableError(error.as_raw()) }
}

/// A copy of the bytes of an `ArrayBuffer` or `Uint8Array`.
pub(super) fn bytes(value: &Value<'_>) -> Option<Vec<u8>> {
    let object = value.as_object()?;
    if let Ok(array) = TypedArray::<u8>::from_object(object.clone()) {
        // SAFETY: no JavaScript runs while the bytes are copied, so they stay where they are.
        return unsafe { array.as_bytes() }.map(<[u8]>::to_vec);
    }
    let buffer = ArrayBuffer::from_object(object.clone())?;
    // SAFETY: as above.
    unsafe { buffer.as_bytes() }.map(<[u8]>::to_vec)
}

/// A text that is no UTF-16, with what is wrong in it replaced.
pub(super) fn text_lossy(text: &rquickjs::String<'_>) -> Result<String> {
    let ctx = text.ctx();
    let mut bytes = 0;
    // SAFETY: the engine gives a text of `bytes` bytes, which is freed when it has been copied.
    unsafe {
        let context = ctx.as_raw().as_ptr();
        let start = qjs::JS_ToCStringLen(context, &raw mut bytes, text.as_value().as_raw());
        if start.is_null() {
            return Err(Error::Exception);
        }
        let copy = std::slice::from_raw_parts(start.cast::<u8>(), bytes).to_vec();
        qjs::JS_FreeCString(context, start);
        Ok(replace_surrogates(copy))
    }
}

/// The engine writes a lone surrogate as three bytes, as if it were a character.
fn replace_surrogates(mut bytes: Vec<u8>) -> String {
    for at in 0..bytes.len().saturating_sub(2) {
        if bytes[at] == 0xED && bytes[at + 1] >= 0xA0 {
            bytes[at..at + 3].copy_from_slice("\u{FFFD}".as_bytes());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How many bytes the engine has allocated.
pub(super) fn heap_bytes(ctx: &Ctx<'_>) -> f64 {
    let mut usage = MaybeUninit::uninit();
    // SAFETY: the engine fills the whole structure.
    let usage = unsafe {
        let runtime = qjs::JS_GetRuntime(ctx.as_raw().as_ptr());
        qjs::JS_ComputeMemoryUsage(runtime, usage.as_mut_ptr());
        usage.assume_init()
    };
    usage.malloc_size as f64
}

/// Owns a value that the engine has returned, or tells of its exception.
fn take<'js>(ctx: &Ctx<'js>, value: qjs::JSValue) -> Result<Value<'js>> {
    // SAFETY: every caller passes a value that it got as a new reference from this context.
    unsafe {
        if qjs::JS_IsException(value) {
            return Err(Error::Exception);
        }
        Ok(Value::from_raw(ctx.clone(), value))
    }
}

/// The context, for the interrupt handler: that is called while JavaScript runs, when the context
/// is locked already.
pub(super) struct Borrowed(NonNull<qjs::JSContext>);

impl Borrowed {
    pub(super) fn of(context: &Context) -> Borrowed {
        Borrowed(context.as_raw())
    }

    /// Uses the context from within the interrupt handler. Its exception is as before: an async
    /// function is resumed by what is thrown into it, and the handler is called in between.
    pub(super) fn with<T>(&self, run: impl for<'js> FnOnce(&Ctx<'js>) -> T) -> T {
        let context = self.0.as_ptr();
        // SAFETY: the handler is called by the runtime of this context, on the thread that has it
        // locked, and is dropped with it. What was thrown is taken, and given back when nobody else
        // uses the context any more; where nothing was, so is that.
        unsafe {
            let ctx = Ctx::from_raw(self.0);
            let thrown = qjs::JS_GetException(context);
            let result = run(&ctx);
            qjs::JS_Throw(context, thrown);
            result
        }
    }
}
