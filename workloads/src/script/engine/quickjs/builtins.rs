//! The engine's own functions that may take long, each behind one that lets the host look when it
//! has returned. They look the same to scripts: name, length, text, `this`, what they throw.
//!
//! Regular expressions are not among them: the engine can be looked at while they backtrack.
//!
//! Cost: one more call, and a look at how large what it works on is; two readings of the clock
//! where that is large.

use rquickjs::object::Property;
use rquickjs::{Ctx, Function, Object, Result};

use super::raw::{self, WorksOn};
use super::watcher::Watcher;

/// What they belong to, and their names; what decides how long they take.
const LONG: [(&[&str], &[&str], WorksOn); 4] = [
    (&["JSON"], &["parse", "stringify"], WorksOn::Argument),
    (&["Array", "prototype"], &["sort", "toSorted", "join"], WorksOn::This),
    (&["String", "prototype"], &["split", "replaceAll"], WorksOn::This),
    (&["Int8Array", "prototype", "__proto__"], &["sort", "toSorted"], WorksOn::This),
];

/// Puts them in place. The watcher must outlive the runtime.
pub(super) fn watch(ctx: &Ctx<'_>, watcher: &Watcher) -> Result<()> {
    raw::set_watcher(ctx, watcher);
    for (path, names, works_on) in LONG {
        let mut owner: Object<'_> = ctx.globals();
        for step in path {
            owner = owner.get(*step)?;
        }
        for name in names {
            let original: Function<'_> = owner.get(*name)?;
            let length: i32 = original.get("length")?;
            let watched = raw::watched(ctx, &original, name, length, works_on)?;
            owner.prop(*name, Property::from(watched).writable().configurable())?;
        }
    }
    Ok(())
}
