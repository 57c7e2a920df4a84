//! Code that V8 made while it ran: which object it is, and what it was made from.
//!
//! ```text
//! V8 10 (Node 18)  Code: map, relocation, data, positions, .. | instructions
//! V8 11 (Node 20)  InstructionStream: map, Code | instructions
//!                  Code: map, relocation, data, positions
//! from V8 11.8 on  InstructionStream: map, Code, .. | instructions
//!                  Code: map, data, positions
//! ```
//!
//! `data` of baseline code is its bytecode, and `positions` then tells how many bytes of code each
//! bytecode has. `data` of optimised code is an array that has the functions that were inlined, and
//! where each of them was called.
//!
//! Maglev leaves `positions` empty where nobody wanted them when it began; then `data` tells where
//! the function calls, which is the line of a caller if it does so at one place alone.
//!
//! The object is found by looking for its map before the instruction, word by word. The map must
//! name its type, and so must that of the `Code` behind it.
//!
//! Cost: the first time for an instruction one read for each 16 KiB before it, at most 64; then
//! one of 16 bytes.

use std::collections::HashMap;
use std::sync::Arc;

use super::heap::{ARRAY_DATA, ARRAY_LENGTH, Heap, at, object, smi};
use super::limits::{
    CACHED_MAX, CALLS_MAX, CODE_BYTES_MAX, CODE_CHUNK_BYTES, INLINED_MAX, MAPS_MAX,
    POSITIONS_BYTES_MAX,
};
use super::positions::{self, Position};

/// The code that an instruction is in.
#[derive(Debug)]
pub(super) struct Generated {
    /// The first two words of its object.
    guard: [u64; 2],
    /// The address of its first instruction.
    pub(super) start: u64,
    pub(super) body: Body,
}

/// What code was made from.
#[derive(Debug)]
pub(super) enum Body {
    /// Each bytecode by itself. How many bytes of code they have.
    Baseline(Vec<u8>),
    /// A function with others in it.
    Optimised(Optimised),
    /// Neither, such as a regular expression.
    Other,
}

/// Optimised code.
#[derive(Debug)]
pub(super) struct Optimised {
    /// What each stretch of code was made from.
    pub(super) positions: Vec<Position>,
    /// The array with the functions that were inlined.
    literals: u64,
    /// Where each inlined function was called.
    inlined: Vec<Inlined>,
    /// Of code without positions and inlined functions, if it calls at one place alone: where in
    /// the function's bytecode that is.
    only_call: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Inlined {
    called_at: Position,
    function: u32,
}

/// A function that was inlined, and which character of its script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// `None`: the function whose code it is.
    pub(super) shared: Option<u64>,
    pub(super) source: Option<u32>,
}

impl Optimised {
    /// The functions that run at a position, innermost first.
    pub(super) fn levels(&self, heap: Heap<'_>, position: Position) -> Vec<Level> {
        let mut levels = Vec::new();
        let mut position = position;
        while let Some(inlined) = position.inlined {
            let known = self.inlined.get(usize::from(inlined));
            let Some(known) = known.filter(|_| levels.len() < INLINED_MAX) else { break };
            let shared = self.shared(heap, known.function);
            levels.push(Level { shared, source: position.source });
            position = known.called_at;
        }
        levels.retain(|level| level.shared.is_some());
        levels.push(Level { shared: None, source: position.source });
        levels
    }

    /// Where in the function's bytecode it has called, where nothing but that tells.
    pub(super) fn only_call(&self) -> Option<i64> {
        self.only_call
    }

    fn shared(&self, heap: Heap<'_>, function: u32) -> Option<u64> {
        let offset = function.checked_mul(8)?.checked_add(ARRAY_DATA)?;
        // A weak reference has another bit.
        let word = heap.field(self.literals, offset)? & !2;
        let kind = heap.kind(word)?;
        if Some(kind) == heap.layout.types.shared_wrapper {
            return heap.object(word, 8);
        }
        (kind == heap.layout.types.shared).then_some(word)
    }
}

/// The code that was seen.
#[derive(Debug, Default)]
pub(super) struct GeneratedCode {
    /// By instruction: where its object begins, and that.
    known: HashMap<u64, (u64, Arc<Generated>)>,
    /// The map of the last object, which most have.
    map: Option<u64>,
}

impl GeneratedCode {
    /// The code around an instruction.
    pub(super) fn at(&mut self, heap: Heap<'_>, pc: u64) -> Option<Arc<Generated>> {
        if let Some((begin, known)) = self.known.get(&pc) {
            // As long as the object is there, the instruction is in it.
            if heap.bytes::<16>(*begin).map(words) == Some(known.guard) {
                return Some(Arc::clone(known));
            }
        }
        let map = self.map;
        let begin = nearest(heap, pc, map).or_else(|| map.and_then(|_| nearest(heap, pc, None)))?;
        let found = Arc::new(read(heap, begin)?);
        self.map = Some(found.guard[0]);
        if self.known.len() >= CACHED_MAX {
            self.known.clear();
        }
        self.known.insert(pc, (begin, Arc::clone(&found)));
        Some(found)
    }
}

/// Where the nearest object with code begins: one with this map, or with any that says so.
fn nearest(heap: Heap<'_>, pc: u64, known_map: Option<u64>) -> Option<u64> {
    let code = &heap.layout.code;
    let lowest = pc.saturating_sub(CODE_BYTES_MAX) & !7;
    let mut end = pc.saturating_sub(code.instructions.into()) & !7;
    let mut looked_at = 0;
    let mut is_map = |word: u64| match known_map {
        Some(map) => word == map,
        None => {
            let map = object(word).filter(|map| map & 7 == 1 && looked_at < MAPS_MAX);
            looked_at += usize::from(map.is_some());
            let kind = map.and_then(|map| heap.bytes(at(map, heap.layout.map_type)));
            kind.map(u16::from_le_bytes) == Some(code.kind)
        }
    };
    loop {
        let begin = end.saturating_sub(CODE_CHUNK_BYTES).max(lowest);
        let size = usize::try_from(end.checked_sub(begin)?.checked_add(8)?).ok()?;
        // Where nothing is mapped, no code goes on; but a part may be enough.
        let (begin, bytes) = match heap.many(begin, size) {
            Some(bytes) => (begin, bytes),
            None => {
                let page = end - end % PAGE_BYTES;
                (page, heap.many(page, usize::try_from(end - page + 8).ok()?)?)
            }
        };
        for (index, word) in bytes.chunks_exact(8).enumerate().rev() {
            let word = u64::from_le_bytes(word.try_into().ok()?);
            let place = begin + index as u64 * 8;
            if is_map(word) && heap.code_object(place).is_some() {
                return Some(place);
            }
        }
        if begin <= lowest {
            return None;
        }
        end = begin.checked_sub(8)?;
    }
}

const PAGE_BYTES: u64 = 4096;

fn words(bytes: [u8; 16]) -> [u64; 2] {
    let number = u128::from_le_bytes(bytes);
    [number as u64, (number >> 64) as u64]
}

fn read(heap: Heap<'_>, begin: u64) -> Option<Generated> {
    let layout = &heap.layout.code;
    let guard = words(heap.bytes(begin)?);
    let start = begin.checked_add(layout.instructions.into())?;
    let code = heap.code_object(begin)?;
    let table = heap.object(code, layout.positions);
    let table = table.and_then(|table| heap.byte_array(table, POSITIONS_BYTES_MAX));
    let data = heap.object(code, layout.data);
    let body = match data.and_then(|data| heap.kind(data)) {
        Some(kind) if kind == heap.layout.types.bytecode => Body::Baseline(table?),
        Some(kind) if Some(kind) == heap.layout.types.interpreter_data => Body::Baseline(table?),
        Some(_) => optimised(heap, data?, &table?).map_or(Body::Other, Body::Optimised),
        None => Body::Other,
    };
    Some(Generated { guard, start, body })
}

fn optimised(heap: Heap<'_>, data: u64, table: &[u8]) -> Option<Optimised> {
    const ENTRY_BYTES: usize = 16;
    let layout = &heap.layout.code;
    let literals = heap.object(data, ARRAY_DATA + layout.literals * 8)?;
    let inlined = heap.object(data, ARRAY_DATA + layout.inlined * 8)?;
    let inlined = heap.byte_array(inlined, POSITIONS_BYTES_MAX)?;
    let entries = inlined.chunks_exact(ENTRY_BYTES).filter_map(|entry| {
        let (position, function) = entry.split_at(8);
        let position = i64::from_le_bytes(position.try_into().ok()?);
        let function = u32::from_le_bytes(function.get(..4)?.try_into().ok()?);
        Some(Inlined { called_at: Position::of(0, position), function })
    });
    let (positions, inlined) =
        (positions::decode(table, heap.layout.positions), entries.collect::<Vec<_>>());
    let is_bare = positions.is_empty() && inlined.is_empty();
    let only_call = is_bare.then(|| only_call(heap, data)).flatten();
    Some(Optimised { positions, literals, inlined, only_call })
}

/// What stands behind the positions of inlined functions: where the code begins by which this one
/// is given up, how often that may be at once, and how often behind calls; then each of these with
/// its place in the bytecode, how its values are found, and its code. The entry of a function is
/// behind a call, too, and has place -1. Which return belongs to which of them is told elsewhere.
fn only_call(heap: Heap<'_>, data: u64) -> Option<i64> {
    const AT_ONCE: u32 = 2;
    const BEHIND_CALLS: u32 = 3;
    const FIRST: u32 = 4;
    const ENTRY_WORDS: u32 = 3;
    let number = |index: u32| {
        let index = heap.layout.code.inlined.checked_add(index)?.checked_mul(8)?;
        smi(heap.field(data, ARRAY_DATA.checked_add(index)?)?)
    };
    let count = |index| u32::try_from(number(index)?).ok();
    let (at_once, calls) = (count(AT_ONCE)?, count(BEHIND_CALLS)?);
    let entry = |call: u32| at_once.checked_add(call)?.checked_mul(ENTRY_WORDS)?.checked_add(FIRST);
    // An array of another length is not of this form.
    let length = smi(heap.field(data, ARRAY_LENGTH)?)?;
    if entry(calls)?.checked_add(heap.layout.code.inlined) != u32::try_from(length).ok() {
        return None;
    }
    let places = (0..calls).filter(|_| calls <= CALLS_MAX).map(|call| number(entry(call)?));
    let places: Vec<i32> = places.collect::<Option<_>>()?;
    let mut called = places.into_iter().filter(|place| *place >= 0);
    called.next().filter(|_| called.next().is_none()).map(i64::from)
}

impl Heap<'_> {
    /// The `Code` of the object with instructions that begins at an address.
    fn code_object(&self, begin: u64) -> Option<u64> {
        let layout = &self.layout.code;
        if !layout.is_apart {
            return Some(begin + 1);
        }
        let code = object(self.word(begin.checked_add(8)?)?)?;
        (Some(self.kind(code)?) == layout.code_type).then_some(code)
    }

    /// Where in its bytecode an instruction of baseline code is. `place` is that of the instruction
    /// in the code, or behind the call where that has not returned.
    pub(super) fn baseline_place(&self, sizes: &[u8], bytecode: u64, place: u64) -> Option<i64> {
        let bytes = self.bytecode_bytes(bytecode)?;
        let mut sizes = sizes.iter().copied();
        let mut end = positions::unsigned(&mut sizes)?;
        let (mut current, mut next) = (-1_i64, 0_usize);
        while end < place {
            current = next as i64;
            next += self.layout.bytecode_sizes.of(bytes.get(next..)?)?;
            end = end.checked_add(positions::unsigned(&mut sizes)?)?;
        }
        Some(current)
    }
}
