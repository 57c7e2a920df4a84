//! ES modules: the library says what a specifier names and what its source is; this hands both to
//! the engine.

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Function, Module, Object, Persistent, Result, Runtime};

/// The library's functions for modules.
#[derive(Clone)]
pub(super) struct Functions {
    /// `(specifier, url of the importer) -> url`; throws where there is none.
    pub(super) resolve: Persistent<Function<'static>>,
    /// `(url, whether the source was wrong) -> source`.
    pub(super) source: Persistent<Function<'static>>,
    /// `(import.meta, url)`: fills it.
    pub(super) meta: Persistent<Function<'static>>,
}

/// The functions, until the engine is dropped.
#[derive(Clone)]
pub(super) struct Modules(Rc<RefCell<Option<Functions>>>);

impl Modules {
    /// Lets the runtime load modules by these functions.
    pub(super) fn install(runtime: &Runtime, functions: Functions) -> Modules {
        let modules = Modules(Rc::new(RefCell::new(Some(functions))));
        runtime.set_loader(modules.clone(), modules.clone());
        modules
    }

    /// Lets go of the functions: no module is loaded any more.
    pub(super) fn clear(&self) {
        self.0.take();
    }

    fn functions(&self) -> Result<Functions> {
        self.0.borrow().clone().ok_or(Error::Unknown)
    }
}

impl Resolver for Modules {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        base: &str,
        name: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        self.functions()?.resolve.restore(ctx)?.call((name, base))
    }
}

impl Loader for Modules {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        let functions = self.functions()?;
        let source = functions.source.restore(ctx)?;
        let module = Module::declare(ctx.clone(), name, source.call::<_, String>((name,))?);
        let module = module.or_else(|_| {
            let thrown = ctx.catch();
            let plain: Option<String> = source.call((name, true))?;
            let plain = plain.ok_or_else(|| ctx.throw(thrown))?;
            Module::declare(ctx.clone(), name, plain)
        })?;
        let meta: Object<'js> = module.meta()?;
        functions.meta.restore(ctx)?.call::<_, ()>((meta, name))?;
        Ok(module)
    }
}
