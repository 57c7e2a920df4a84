//! ES modules: the library says what a specifier names and what its source is; this hands both to
//! the engine.

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Function, Module, Object, Persistent, Result, Runtime};

/// The library's functions for modules.
#[derive(Clone)]
pub(super) struct Functions {
    /// `(specifier, url of the importer, type) -> url`; throws where there is none.
    pub(super) resolve: Persistent<Function<'static>>,
    /// `(url) -> source`.
    pub(super) source: Persistent<Function<'static>>,
    /// `(import.meta, url)`: fills it.
    pub(super) meta: Persistent<Function<'static>>,
}

pub(super) fn install(runtime: &Runtime, functions: &Functions) {
    runtime.set_loader(functions.clone(), functions.clone());
}

impl Resolver for Functions {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        base: &str,
        name: &str,
        attributes: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        let kind = attributes.map(|given| given.get("type")).transpose()?.flatten();
        self.resolve.clone().restore(ctx)?.call((name, base, kind))
    }
}

impl Loader for Functions {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        let source: String = self.source.clone().restore(ctx)?.call((name,))?;
        let module = Module::declare(ctx.clone(), name, source)?;
        let meta: Object<'js> = module.meta()?;
        self.meta.clone().restore(ctx)?.call::<_, ()>((meta, name))?;
        Ok(module)
    }
}
