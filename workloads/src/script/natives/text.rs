//! Text and bytes, and the rewriting of sources.

use super::{Table, texts};
use crate::script::imports;
use crate::script::value::Value;

pub(super) fn add(table: &mut Table) {
    table.add("utf8Encode", |mut arguments| Ok(Value::Bytes(arguments.bytes(0))));
    table.add("utf8Decode", |mut arguments| {
        let bytes = arguments.bytes(0);
        Ok(Value::Text(String::from_utf8_lossy(&bytes).into_owned()))
    });
    // `(source) -> names` of what it imports statically, each followed by its type.
    table.add("staticImports", |arguments| {
        let found = imports::statics(arguments.text(0)).into_iter();
        Ok(texts(found.flat_map(|(name, kind)| [name, kind])))
    });
    // `(source) -> source` whose dynamic imports call `_mport` instead.
    table.add("rewriteImports", |arguments| Ok(imports::rewrite(arguments.text(0)).into()));
}
