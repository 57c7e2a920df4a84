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
    define("declareModule", Function::new(ctx.clone(), declare_module)?)?;
    define("runModule", Function::new(ctx.clone(), run_module)?)?;
    define("promiseState", Function::new(ctx.clone(), promise_state)?)?;
    define("proxyTarget", Function::new(ctx.clone(), proxy_target)?)?;
    define("heapUsed", Function::new(ctx.clone(), heap_used)?)
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

/// `(url, source)`: compiles a module and has the engine ask for all that it imports.
fn declare_module(ctx: Ctx<'_>, url: String, source: String) -> Result<()> {
    rquickjs::Module::declare(ctx, url, source).map(drop)
}

/// `(url, source) -> promise`: runs a module of this source.
fn run_module<'js>(ctx: Ctx<'js>, url: String, source: String) -> Result<Value<'js>> {
    Ok(rquickjs::Module::evaluate(ctx, url, source)?.into_value())
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use loop_core::Clock;
    use rquickjs::{Context, Object, Runtime};

    use crate::script::engine::Watch;
    use crate::script::host::Host;
    use crate::script::{LastLine, Trace, library, natives};

    struct NoWatch;

    impl Watch for NoWatch {
        fn interrupt(&self, _: &mut dyn FnMut() -> String) -> bool {
            false
        }

        fn entered(&self) -> u64 {
            0
        }

        fn returned(&self, _: Option<u64>, _: &mut dyn FnMut() -> String) {}
    }

    /// The names of all natives, those of a timeline included.
    fn defined() -> BTreeSet<String> {
        let clock = Clock::virtual_time();
        let program = natives::Program {
            file: "/program.js".into(),
            source: None,
            arguments: Vec::new(),
            clock: clock.clone(),
            lambda: false,
            last_line: LastLine::default(),
            trace: Some(Trace::new(clock, 1)),
        };
        let host = Host::new(&program, None, Box::new(NoWatch)).unwrap();
        let natives = natives::all(&host.shared, &program);
        let context = Context::full(&Runtime::new().unwrap()).unwrap();
        let own: Vec<String> = context.with(|ctx| {
            let internal = Object::new(ctx.clone()).unwrap();
            super::install(&ctx, &internal).unwrap();
            internal.keys().map(Result::unwrap).collect()
        });
        natives.into_iter().map(|(name, _)| name.to_owned()).chain(own).collect()
    }

    /// What stands behind `internal.` in code, and what quoted words there are.
    fn named(line: &str) -> (Vec<String>, Vec<String>) {
        let word = |text: &str| text.chars().take_while(|char| char.is_alphanumeric()).collect();
        let used = line.split("internal.").skip(1).map(word).collect();
        (used, line.split('\'').skip(1).step_by(2).map(str::to_owned).collect())
    }

    #[test]
    fn the_library_uses_all_natives_and_no_others() {
        let sources = library::names().map(|name| library::source(name).unwrap());
        let code = sources.flat_map(str::lines).filter(|line| !line.trim_start().starts_with("//"));
        let (used, quoted): (Vec<_>, Vec<_>) = code.map(named).unzip();
        let used: BTreeSet<String> = used.into_iter().flatten().collect();
        // Operations on files are called by their names, as texts.
        let quoted: BTreeSet<String> = quoted.into_iter().flatten().collect();
        let defined = defined();
        let missing: Vec<_> = used.difference(&defined).collect();
        assert!(missing.is_empty(), "no native is called {missing:?}");
        let needless = |name: &&String| match natives::is_file_operation(name) {
            true => !quoted.contains(*name),
            false => !used.contains(*name),
        };
        let needless: Vec<_> = defined.iter().filter(needless).collect();
        assert!(needless.is_empty(), "the library does not use {needless:?}");
    }
}
