//! Functions: what all closures of one share, a `SharedFunctionInfo`.

use std::collections::HashMap;
use std::sync::Arc;

use super::heap::{ARRAY_LENGTH, Heap, at, object, smi};
use super::limits::{BYTECODE_BYTES_MAX, CACHED_MAX, PLACES_MAX, POSITIONS_BYTES_MAX};
use super::positions::{self, Position};
use super::scope_info::ScopeInfo;
use super::script::{Origin, Place, Script, Scripts};
use super::types::{Frame, Kind, TOP_LEVEL};

/// A function with what tells of it.
#[derive(Debug)]
pub(super) struct Function {
    /// Its scope and script when it was read.
    guard: [u64; 2],
    /// Empty if it has none.
    pub(super) name: String,
    /// `None`: one of V8's own.
    pub(super) script: Option<Arc<Script>>,
    /// The character with which it begins, and where that stands, once its script could be read.
    start: Option<u32>,
    begins: Option<Place>,
    /// The positions of its bytecode, by the address of that.
    positions: Option<(u64, Arc<[Position]>)>,
    /// Where the places in its script are that were asked for.
    places: HashMap<u32, Place>,
}

impl Function {
    /// A frame of it, where its script's character `position` runs.
    pub(super) fn frame(&mut self, heap: Heap<'_>, position: Option<u32>) -> Frame {
        let kind = if self.script.is_some() { Kind::JavaScript } else { Kind::Builtin };
        let mut frame = Frame::of(kind, self.name.as_str());
        if let Some(script) = &self.script {
            frame.file = script.file.clone();
            // What could not be read may be read the next time: collections move texts.
            let place = |position| script.place(heap, position);
            self.begins = self.begins.or_else(|| self.start.and_then(place));
            frame.begins = self.begins.map(|place| place.line);
            frame.begins_column = self.begins.map(|place| place.column);
            if self.places.len() >= PLACES_MAX {
                self.places.clear();
            }
            let known = position.and_then(|position| {
                let known = self.places.get(&position).copied().or_else(|| place(position))?;
                self.places.insert(position, known);
                Some(known)
            });
            frame.line = known.map(|place| place.line);
            frame.column = known.map(|place| place.column);
        }
        frame
    }

    /// Which character of its script a place in its bytecode was made from.
    pub(super) fn position(&mut self, heap: Heap<'_>, bytecode: u64, offset: i64) -> Option<u32> {
        if self.positions.as_ref().is_none_or(|(known, _)| *known != bytecode) {
            let table = heap.bytecode_positions(bytecode)?;
            self.positions = Some((bytecode, table.into()));
        }
        let (_, table) = self.positions.as_ref()?;
        positions::find(table, offset)?.source
    }
}

impl Heap<'_> {
    /// The table of positions of a `BytecodeArray`. `None`: V8 has not made it.
    pub(super) fn bytecode_positions(&self, bytecode: u64) -> Option<Vec<Position>> {
        if self.kind(bytecode)? != self.layout.types.bytecode {
            return None;
        }
        let table = self.object(bytecode, self.layout.bytecode.positions)?;
        let bytes = self.byte_array(table, POSITIONS_BYTES_MAX)?;
        Some(positions::decode(&bytes, self.layout.positions))
    }

    /// The bytecode itself.
    pub(super) fn bytecode_bytes(&self, bytecode: u64) -> Option<Vec<u8>> {
        if self.kind(bytecode)? != self.layout.types.bytecode {
            return None;
        }
        let length = usize::try_from(smi(self.field(bytecode, ARRAY_LENGTH)?)?).ok()?;
        let data = at(bytecode, self.layout.bytecode.data);
        (length <= BYTECODE_BYTES_MAX).then(|| self.many(data, length))?
    }

    /// Where in the bytecode itself an offset is that V8 counts from the array that holds it.
    pub(super) fn bytecode_place(&self, offset: i32) -> Option<i64> {
        let place = i64::from(offset) - i64::from(self.layout.bytecode.data) + 1;
        (place >= 0).then_some(place)
    }
}

/// The functions that were seen, by address.
#[derive(Debug, Default)]
pub(super) struct FunctionTable {
    known: HashMap<u64, Function>,
    scripts: Scripts,
}

impl FunctionTable {
    /// The function at an address. `None`: there is none.
    pub(super) fn get(&mut self, heap: Heap<'_>, shared: u64) -> Option<&mut Function> {
        let fields = &heap.layout.sfi;
        object(shared)?;
        let guard = heap.two_fields(shared, fields.name_or_scope, fields.script)?;
        if self.known.get(&shared).is_none_or(|known| known.guard != guard) {
            if heap.kind(shared)? != heap.layout.types.shared {
                return None;
            }
            let function = read(heap, guard, &mut self.scripts, EVALS_MAX);
            if function.script.is_none() && heap.kind(guard[1]) == Some(heap.layout.types.script) {
                // It was moved meanwhile: the next sample may tell.
                return None;
            }
            if self.known.len() >= CACHED_MAX {
                self.known.clear();
            }
            self.known.insert(shared, function);
        }
        self.known.get_mut(&shared)
    }
}

/// Scripts that were eval'd by one another are followed for so many.
const EVALS_MAX: usize = 4;

fn read(heap: Heap<'_>, guard: [u64; 2], scripts: &mut Scripts, evals: usize) -> Function {
    let script = scripts.get(heap, guard[1], |scripts, origin| {
        origin_text(heap, scripts, origin, evals.checked_sub(1)?)
    });
    let scope = heap.scope_info(guard[0]);
    let name = match scope {
        Some(scope) => name(heap, scope, script.as_deref()),
        None => heap.text(guard[0]).unwrap_or_default(),
    };
    let is_whole = scope.is_some_and(|scope| !scope.is_function);
    let start = scope.and_then(|scope| scope.start).or(is_whole.then_some(0));
    let begins = None;
    Function { guard, name, script, start, begins, positions: None, places: HashMap::new() }
}

fn name(heap: Heap<'_>, scope: ScopeInfo, script: Option<&Script>) -> String {
    if script.is_some() && !scope.is_function {
        return TOP_LEVEL.to_owned();
    }
    let name = scope.name.and_then(|name| heap.text(name)).unwrap_or_default();
    let inferred = scope.inferred.and_then(|name| heap.text(name)).unwrap_or_default();
    if name.is_empty() {
        let is_body = script.is_some_and(|script| script.is_wrapped) && scope.start == Some(0);
        return if is_body { TOP_LEVEL.to_owned() } else { inferred };
    }
    let with_owner = inferred.strip_suffix(&name).is_some_and(|owner| owner.ends_with('.'));
    if with_owner { inferred } else { name }
}

/// `eval at NAME (FILE:LINE)`.
fn origin_text(
    heap: Heap<'_>,
    scripts: &mut Scripts,
    Origin { shared, position }: Origin,
    evals: usize,
) -> Option<String> {
    let fields = &heap.layout.sfi;
    let guard = [heap.field(shared, fields.name_or_scope)?, heap.field(shared, fields.script)?];
    let function = read(heap, guard, scripts, evals);
    let position = match u32::try_from(position) {
        Ok(position) => Some(position),
        Err(_) => heap.bytecode_of(shared).and_then(|bytecode| {
            let table = heap.bytecode_positions(bytecode)?;
            positions::find(&table, -i64::from(position))?.source
        }),
    };
    let script = function.script.as_ref()?;
    let line = position.and_then(|position| script.place(heap, position)).map(|place| place.line);
    let file = script.file.as_deref().unwrap_or("unknown");
    let name = if function.name.is_empty() { "anonymous" } else { &function.name };
    Some(match line {
        Some(line) => format!("eval at {name} ({file}:{line})"),
        None => format!("eval at {name} ({file})"),
    })
}

impl Heap<'_> {
    /// The bytecode of a function.
    pub(super) fn bytecode_of(&self, shared: u64) -> Option<u64> {
        let types = &self.layout.types;
        let code = &self.layout.code;
        let data = self.object(shared, self.layout.sfi.data)?;
        // What has baseline code refers to that, which refers to the bytecode.
        let is_code = code.code_type.is_some() && self.kind(data) == code.code_type;
        let data = if is_code { self.object(data, code.data)? } else { data };
        let kind = self.kind(data)?;
        if kind == types.bytecode {
            return Some(data);
        }
        let inner = (Some(kind) == types.interpreter_data).then(|| self.object(data, 8))??;
        (self.kind(inner)? == types.bytecode).then_some(inner)
    }
}
