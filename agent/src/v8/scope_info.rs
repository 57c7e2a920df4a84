//! `ScopeInfo`: what V8 keeps of a function's scope, its name and place in the script among it.
//!
//! ```text
//! V8 until 12                        from V8 13 on
//! flags, parameters, locals          flags, parameters, locals, start, end
//! [variables of the module]          [variables of the module]
//! names of locals, or their table    names of locals, or their table
//! properties of locals               properties of locals
//! [saved class variable]             [saved class variable]
//! [name of the function, its slot]   [name of the function, its slot]
//! [inferred name]                    [inferred name]
//! [start, end]
//! ```

use super::heap::{Heap, at, object, smi};
use super::limits::SCOPE_LOCALS_MAX;

/// What a scope tells of its function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ScopeInfo {
    /// A string, or none.
    pub(super) name: Option<u64>,
    pub(super) inferred: Option<u64>,
    pub(super) start: Option<u32>,
    pub(super) end: Option<u32>,
    /// A function's. Else the code of a script, module or `eval`.
    pub(super) is_function: bool,
}

/// More names of locals than this stand in a table of their own.
const INLINE_NAMES_MAX: u64 = 75;

/// Bits of the flags, the same since V8 9.
const SCOPE_TYPE: u32 = 0xf;
const HAS_CLASS_VARIABLE: u32 = 1 << 10;
const FUNCTION_VARIABLE: u32 = 3 << 12;
const HAS_INFERRED_NAME: u32 = 1 << 14;

impl Heap<'_> {
    /// Reads a scope. `None`: it is no `ScopeInfo`.
    pub(super) fn scope_info(&self, tagged: u64) -> Option<ScopeInfo> {
        if self.kind(tagged)? != self.layout.types.scope_info {
            return None;
        }
        let scope = &self.layout.scope;
        let slot = |index: u64| self.word(at(tagged, 8).wrapping_add(index.wrapping_mul(8)));
        let flags = slot(0)?;
        // A small number until V8 12, 32 bits since.
        let flags = smi(flags).map_or(flags as u32, |flags| flags as u32);
        let positions_first = scope.first >= POSITIONS_END;
        let types = if positions_first { TYPES } else { OLD_TYPES };
        let scope_type = flags & SCOPE_TYPE;
        let locals = u64::try_from(smi(slot(scope.locals)?)?).ok()?;
        if locals > SCOPE_LOCALS_MAX {
            return None;
        }
        let names = if locals < INLINE_NAMES_MAX { locals } else { 1 };
        let mut next = scope.first + u64::from(scope_type == types.module) + names + locals;
        next += u64::from(flags & HAS_CLASS_VARIABLE != 0);
        let mut info =
            ScopeInfo { is_function: scope_type == types.function, ..ScopeInfo::default() };
        if flags & FUNCTION_VARIABLE != 0 {
            info.name = object(slot(next)?);
            next += 2;
        }
        if flags & HAS_INFERRED_NAME != 0 {
            info.inferred = object(slot(next)?);
            next += 1;
        }
        let positions = if positions_first { scope.locals + 1 } else { next };
        let position = |index| u32::try_from(smi(slot(index)?)?).ok();
        if let (Some(start), Some(end)) = (position(positions), position(positions + 1)) {
            (info.start, info.end) = (Some(start), Some(end));
        }
        Some(info)
    }
}

/// With start and end among the fixed fields there are five.
const POSITIONS_END: u64 = 5;

/// Numbers of types of scopes.
struct ScopeTypes {
    function: u32,
    module: u32,
}

/// class, eval, function, module, script, ..
const OLD_TYPES: ScopeTypes = ScopeTypes { function: 2, module: 3 };
/// script, repl, class, eval, function, module, ..
const TYPES: ScopeTypes = ScopeTypes { function: 4, module: 5 };
