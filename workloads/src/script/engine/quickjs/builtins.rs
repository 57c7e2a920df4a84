//! The engine's own functions that may take long, each behind one that lets the host look when it
//! has returned. They look the same to scripts: name, length, text, `this`, what they throw.
//!
//! Regular expressions are not among them: the engine can be looked at while they backtrack.
//!
//! Cost: one more call, and a look at how large the argument is; two readings of the clock where it
//! is large.

use rquickjs::object::Property;
use rquickjs::{Ctx, Function, Object, Result};

use super::raw;
use super::watcher::Watcher;

/// What they belong to, and their names.
const LONG: [(&[&str], &[&str]); 4] = [
    (&["JSON"], &["parse", "stringify"]),
    (&["Array", "prototype"], &["sort", "toSorted", "join"]),
    (&["String", "prototype"], &["split", "replaceAll"]),
    (&["Int8Array", "prototype", "__proto__"], &["sort", "toSorted"]),
];

/// Puts them in place. The watcher must outlive the runtime.
pub(super) fn watch(ctx: &Ctx<'_>, watcher: &Watcher) -> Result<()> {
    raw::set_watcher(ctx, watcher);
    for (path, names) in LONG {
        let mut owner: Object<'_> = ctx.globals();
        for step in path {
            owner = owner.get(*step)?;
        }
        for name in names {
            let original: Function<'_> = owner.get(*name)?;
            let length: i32 = original.get("length")?;
            let watched = raw::watched(ctx, &original, name, length)?;
            owner.prop(*name, Property::from(watched).writable().configurable())?;
        }
    }
    Ok(())
}
