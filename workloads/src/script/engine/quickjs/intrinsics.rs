//! The native functions that handle JavaScript's own objects, and so belong to the engine.

use rquickjs::{Array, Ctx, Function, Object, Result, Value};

use super::raw;

/// Adds them to what the library is given.
pub(super) fn install<'js>(ctx: &Ctx<'js>, internal: &Object<'js>) -> Result<()> {
    let define =
        |name: &str, function: Function<'js>| internal.set(name, function.with_name(name)?);
    define("makeQueueMicrotask", Function::new(ctx.clone(), make_queue_microtask)?)?;
    define("compile", Function::new(ctx.clone(), compile)?)?;
    define("importModule", Function::new(ctx.clone(), import_module)?)?;
    define("promiseState", Function::new(ctx.clone(), promise_state)?)?;
    define("proxyTarget", Function::new(ctx.clone(), proxy_target)?)?;
    define("heapUsed", Function::new(ctx.clone(), heap_used)?)?;
    define("collectGarbage", Function::new(ctx.clone(), collect_garbage)?)
}

/// `(refuse) -> function`: as `queueMicrotask`, where `refuse` throws for what is no function.
fn make_queue_microtask<'js>(ctx: Ctx<'js>, refuse: Function<'js>) -> Result<Value<'js>> {
    raw::queue_microtask(&ctx, &refuse)
}

/// `(body, file, parameters) -> function`.
fn compile<'js>(
    ctx: Ctx<'js>,
    body: String,
    file: String,
    parameters: String,
) -> Result<Function<'js>> {
    raw::compile(&ctx, &body, &file, &parameters)
}

/// `(url) -> promise of its namespace`.
fn import_module<'js>(ctx: Ctx<'js>, url: String) -> Result<Value<'js>> {
    Ok(rquickjs::Module::import(&ctx, url)?.into_value())
}

/// `(value) -> [state, result]`, or undefined for what is no promise.
fn promise_state<'js>(ctx: Ctx<'js>, value: Value<'js>) -> Result<Option<Array<'js>>> {
    let Some((state, result)) = raw::promise_state(&ctx, &value) else { return Ok(None) };
    let pair = Array::new(ctx)?;
    pair.set(0, state)?;
    pair.set(1, result)?;
    Ok(Some(pair))
}

/// `(value) -> what it stands before`, or undefined for what is no proxy.
fn proxy_target<'js>(ctx: Ctx<'js>, value: Value<'js>) -> Option<Value<'js>> {
    raw::proxy_target(&ctx, &value)
}

/// `() -> bytes`: what the engine has allocated.
fn heap_used(ctx: Ctx<'_>) -> f64 {
    raw::heap_bytes(&ctx)
}

/// `()`: as `global.gc`.
fn collect_garbage(ctx: Ctx<'_>) {
    ctx.run_gc();
}
