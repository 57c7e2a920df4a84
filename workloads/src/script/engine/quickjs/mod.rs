//! QuickJS (quickjs-ng, through rquickjs): an interpreter with its own queue of jobs.
//!
//! Cost, as `bench` measures it (`goals -- --only javascript`): a microtask 80 ns, an `await`
//! 470 ns, a reaction 1.0 us where 60,000 wait; up to sixteen times as much as V8. A start takes
//! 6 ms, most of it for compiling what the library loads at once.
//!
//! **Invariant**: the library's functions are dropped before the runtime.

mod builtins;
mod collector;
mod convert;
mod intrinsics;
mod memory;
mod modules;
mod raw;
mod watcher;

use std::cell::Cell;
use std::rc::Rc;

use rquickjs::function::{Args, IntoJsFunc, ParamRequirement, Params};
use rquickjs::{Context, Ctx, Function, Object, Persistent, Runtime, Value};

use collector::Collector;
use memory::{Counted, Usage};
use modules::{Functions, Modules};
use raw::{Heap, Jobs};
use watcher::Watcher;

use super::{Collected, Engine, Entry, Halted, Job, Memory, Native, Watch};
use crate::script::library;
use crate::script::natives::may_wait;
use crate::script::value::{Arguments, Thrown, Value as Plain};

/// JavaScript's stack: as much as Node gives it, and some, for frames are larger here.
const STACK_BYTES: usize = 4 << 20;

/// Never: a context has one.
const NO_RUNTIME: &str = "the engine has no runtime";

/// See the module.
pub(crate) struct QuickJs {
    entries: Vec<Persistent<Function<'static>>>,
    modules: Modules,
    jobs: Jobs,
    usage: Usage,
    context: Context,
    runtime: Runtime,
    /// Behind the runtime, which knows where it is.
    watcher: Rc<Watcher>,
}

impl Drop for QuickJs {
    /// What the runtime calls holds functions of its own; it could not be freed with them.
    fn drop(&mut self) {
        self.runtime.set_interrupt_handler(None);
        self.runtime.set_host_promise_rejection_tracker(None);
        self.watcher.set_stack(None);
        self.modules.clear();
    }
}

impl Engine for QuickJs {
    fn new(
        memory: Option<Memory>,
        natives: Vec<(&'static str, Native)>,
        watch: Box<dyn Watch>,
        collected: Collected,
    ) -> Result<Self, String> {
        let failed = |error: rquickjs::Error| format!("the engine can't be made ({error})");
        let is_full = memory.as_ref().map(|memory| Rc::clone(&memory.is_full));
        let usage = Usage::new(memory);
        let runtime = Runtime::new_with_alloc(Counted(usage.clone())).map_err(failed)?;
        runtime.set_max_stack_size(STACK_BYTES);
        let context = Context::full(&runtime).map_err(failed)?;
        let watcher = Rc::new(Watcher::new(watch, &context));
        let halted = Rc::new(Cell::new(false));
        let entries = context.with(|ctx| {
            boot(&ctx, natives, &watcher, &halted, &usage)
                .map_err(|error| format!("the library can't be loaded: {}", describe(&ctx, &error)))
        })?;
        track_rejections(&runtime, &entries);
        let (watching, is_full) = (Rc::clone(&watcher), is_full.unwrap_or_default());
        let heap = Heap::of(&context).ok_or(NO_RUNTIME)?;
        let collector = Collector::new(heap, usage.clone(), collected);
        let interrupt = move || {
            collector.look(&watching);
            is_full.get() || halted.get() || watching.interrupt()
        };
        runtime.set_interrupt_handler(Some(Box::new(interrupt)));
        watcher.set_stack(Some(entries.stack));
        let modules = Modules::install(&runtime, entries.modules);
        usage.hold();
        let jobs = Jobs::of(&context).ok_or(NO_RUNTIME)?;
        Ok(QuickJs { entries: entries.called, modules, jobs, usage, context, runtime, watcher })
    }

    #[inline]
    fn has_jobs(&self) -> bool {
        self.jobs.wait()
    }

    #[inline]
    fn run_job(&self) -> Job {
        let ended = self.jobs.run();
        if ended == Some(false) {
            self.tell_uncaught();
        }
        Job { ran: ended.is_some(), more: self.jobs.wait() }
    }

    fn call<const N: usize>(&self, entry: Entry, arguments: [Plain; N]) -> Result<Plain, Halted> {
        self.context.with(|ctx| {
            self.invoke(&ctx, entry, N, |args| {
                let context = args.ctx().clone();
                arguments.into_iter().try_for_each(|argument| {
                    args.push_arg(convert::to_engine(&context, argument, &self.usage)?)
                })
            })
        })
    }
}

impl QuickJs {
    /// Tells the library what a job has thrown.
    #[cold]
    fn tell_uncaught(&self) {
        self.context.with(|ctx| {
            let error = ctx.catch();
            // What ends JavaScript is thrown, too, but is no error of a script.
            if !raw::is_uncatchable(&error) {
                // The program may end by it, and then nobody is left to be told.
                let _ = self.invoke(&ctx, Entry::Uncaught, 1, |args| args.push_arg(error));
            }
        });
    }

    fn invoke<'js>(
        &self,
        ctx: &Ctx<'js>,
        entry: Entry,
        arguments: usize,
        fill: impl FnOnce(&mut Args<'js>) -> rquickjs::Result<()>,
    ) -> Result<Plain, Halted> {
        if entry.runs_program() {
            drop(raw::take_trace(ctx));
        }
        match self.attempt(ctx, entry, arguments, fill) {
            Ok(value) => Ok(convert::from_engine(&value, 0)),
            Err(error) => self.failed(ctx, entry, &error),
        }
    }

    fn attempt<'js>(
        &self,
        ctx: &Ctx<'js>,
        entry: Entry,
        arguments: usize,
        fill: impl FnOnce(&mut Args<'js>) -> rquickjs::Result<()>,
    ) -> rquickjs::Result<Value<'js>> {
        let mut args = Args::new(ctx.clone(), arguments);
        fill(&mut args)?;
        self.entries[entry as usize].clone().restore(ctx)?.call_arg(args)
    }

    /// Tells the library what the program has thrown, and returns what the entry would have.
    #[cold]
    fn failed(
        &self,
        ctx: &Ctx<'_>,
        entry: Entry,
        error: &rquickjs::Error,
    ) -> Result<Plain, Halted> {
        let trace = raw::take_trace(ctx);
        let thrown = ctx.catch();
        if !entry.runs_program() || raw::is_uncatchable(&thrown) {
            return Err(end(&thrown, error));
        }
        let told = self.attempt(ctx, Entry::Uncaught, 3, |args| {
            args.push_arg(thrown)?;
            args.push_arg(trace)?;
            args.push_arg(entry.name())
        });
        told.map(|value| convert::from_engine(&value, 0)).map_err(|error| end(&ctx.catch(), &error))
    }
}

/// What the library lets pass is the end, or its own.
fn end(thrown: &Value<'_>, error: &rquickjs::Error) -> Halted {
    let fault = (!raw::is_uncatchable(thrown)).then(|| told(thrown, error));
    let first_line = |fault: String| fault.lines().next().map(str::to_owned);
    Halted { fault: fault.and_then(first_line) }
}

/// What the library has returned.
struct Entries {
    called: Vec<Persistent<Function<'static>>>,
    rejection: Persistent<Function<'static>>,
    stack: Persistent<Function<'static>>,
    modules: Functions,
}

/// Runs the library's first file with the natives.
fn boot(
    ctx: &Ctx<'_>,
    natives: Vec<(&'static str, Native)>,
    watcher: &Rc<Watcher>,
    halted: &Rc<Cell<bool>>,
    usage: &Usage,
) -> rquickjs::Result<Entries> {
    let internal = Object::new(ctx.clone())?;
    for (name, native) in natives {
        let watcher = may_wait(name).then(|| Rc::clone(watcher));
        let (halted, usage) = (Rc::clone(halted), usage.clone());
        let bridge = Bridge { native, watcher, halted, usage };
        let function = Function::new(ctx.clone(), bridge)?;
        internal.set(name, function.with_name(name)?)?;
    }
    builtins::watch(ctx, watcher)?;
    intrinsics::install(ctx, &internal)?;
    let file = library::file_of(library::BOOTSTRAP);
    let source = library::source(library::BOOTSTRAP).unwrap_or_default();
    let bootstrap = raw::compile(ctx, source, &file, "internal")?;
    let returned: Object<'_> = bootstrap.call((internal,))?;
    let keep = |name: &str| -> rquickjs::Result<Persistent<Function<'static>>> {
        let function: Function<'_> = returned.get(name)?;
        Ok(Persistent::save(ctx, function))
    };
    let called = Entry::ALL.iter().map(|entry| keep(entry.name())).collect::<Result<_, _>>()?;
    Ok(Entries {
        called,
        rejection: keep("rejection")?,
        stack: keep("stack")?,
        modules: Functions {
            resolve: keep("resolveModule")?,
            source: keep("moduleSource")?,
            meta: keep("importMeta")?,
        },
    })
}

/// A native function as the engine calls it, with the arguments where the engine has them.
struct Bridge {
    native: Native,
    /// Is told of those that may wait for the system.
    watcher: Option<Rc<Watcher>>,
    /// JavaScript has been ended. A promise's executor and an async function turn even that into a
    /// rejection, and what called them goes on: as far as the next native function.
    halted: Rc<Cell<bool>>,
    usage: Usage,
}

impl<'js> IntoJsFunc<'js, Native> for Bridge {
    fn param_requirements() -> ParamRequirement {
        ParamRequirement::any()
    }

    fn call<'a>(&self, given: Params<'a, 'js>) -> rquickjs::Result<Value<'js>> {
        if self.halted.get() {
            return Err(convert::throw(given.ctx(), Thrown::Halt, &self.usage));
        }
        let plain = (0..given.len())
            .filter_map(|index| given.arg(index))
            .map(|argument| convert::from_engine(&argument, 0))
            .collect();
        let entered = self.watcher.as_deref().map(Watcher::entered);
        let returned = (self.native)(Arguments(plain));
        if let Some(watcher) = &self.watcher {
            watcher.returned(entered);
        }
        match returned {
            Ok(value) => convert::to_engine(given.ctx(), value, &self.usage),
            Err(thrown) => {
                self.halted.set(self.halted.get() || thrown == Thrown::Halt);
                Err(convert::throw(given.ctx(), thrown, &self.usage))
            }
        }
    }
}

/// Tells the library of each promise that is rejected without a handler, and of each that gets one
/// afterwards.
fn track_rejections(runtime: &Runtime, entries: &Entries) {
    let tell = entries.rejection.clone();
    runtime.set_host_promise_rejection_tracker(Some(Box::new(
        move |ctx, promise, reason, handled| {
            // What a promise has caught is not where anything else was thrown.
            drop(raw::take_trace(&ctx));
            if let Ok(tell) = tell.clone().restore(&ctx)
                && tell.call::<_, ()>((promise, reason, handled)).is_err()
            {
                drop(ctx.catch());
            }
        },
    )));
}

/// What went wrong, for people: only the library's own faults come here.
fn describe(ctx: &Ctx<'_>, error: &rquickjs::Error) -> String {
    told(&ctx.catch(), error)
}

fn told(thrown: &Value<'_>, error: &rquickjs::Error) -> String {
    let exception = thrown.as_exception().map(ToString::to_string);
    let text = || thrown.as_string().and_then(|text| text.to_string().ok());
    exception.or_else(text).unwrap_or_else(|| error.to_string())
}
