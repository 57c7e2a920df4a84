//! Scripts: where they come from, and their lines.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use super::heap::{Heap, object, smi};
use super::limits::{
    CACHED_MAX, LINES_BYTES_MAX, LINES_TRIES, SOURCE_CHARS_MAX, SOURCE_CHUNK_CHARS,
};
use crate::url;

/// A script, as far as frames are told by it.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// Where it is.
    tagged: u64,
    /// Its name and source when it was read: when the words are others, it is another script, or
    /// has been moved.
    guard: [u64; 2],
    /// The path of its file, Node's name for it, or where it was eval'd.
    pub(super) file: Option<String>,
    /// It is the body of a function whose arguments are given, as every CommonJS module is.
    pub(super) is_wrapped: bool,
    line_offset: u32,
    column_offset: u32,
    /// The places behind each line, counted when first needed.
    ends: OnceLock<Vec<u32>>,
    /// How often it was tried to count them.
    tries: AtomicU32,
}

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Script {
    /// Where in the script a character stands.
    pub(super) fn place(&self, heap: Heap<'_>, position: u32) -> Option<Place> {
        let ends = match self.ends.get() {
            Some(ends) => ends,
            None => {
                let ends = self.line_ends(heap)?;
                self.ends.get_or_init(|| ends)
            }
        };
        // The last line has no end.
        let length = ends.last().copied().unwrap_or_default();
        let lines = &ends[..ends.len().saturating_sub(1)];
        let line = lines.partition_point(|&end| end <= position);
        if position > length {
            return None;
        }
        let begin = line.checked_sub(1).map_or(0, |before| lines[before]);
        let on_first = if line == 0 { self.column_offset } else { 0 };
        let line = u32::try_from(line).ok()?;
        Some(Place {
            line: line.saturating_add(self.line_offset).saturating_add(1),
            column: (position - begin).saturating_add(on_first).saturating_add(1),
        })
    }

    /// The text is moved by collections while it is young: it is read where it is now, and counts
    /// if it is still there behind that.
    fn line_ends(&self, heap: Heap<'_>) -> Option<Vec<u32>> {
        if self.tries.fetch_add(1, Ordering::Relaxed) >= LINES_TRIES {
            return None;
        }
        let source = || {
            heap.memory.refresh();
            heap.field(self.tagged, heap.layout.script.source)
        };
        let before = source()?;
        let ends = line_ends(heap, before)?;
        (source()? == before).then_some(ends)
    }

    fn bytes(&self) -> usize {
        self.ends.get().map_or(0, |ends| ends.len() * size_of::<u32>())
    }
}

/// The places behind each of a text's lines, the last of which is the end of the text.
fn line_ends(heap: Heap<'_>, source: u64) -> Option<Vec<u32>> {
    let pieces = heap.pieces(object(source)?)?;
    let length = pieces.iter().try_fold(0_usize, |sum, piece| sum.checked_add(piece.chars))?;
    if length > SOURCE_CHARS_MAX {
        return None;
    }
    let mut ends = Vec::new();
    let (mut done, mut after_return) = (0_u32, false);
    for piece in pieces {
        let mut skip = 0;
        while skip < piece.chars {
            let chunk = piece.read(heap, skip, SOURCE_CHUNK_CHARS)?;
            for &char in &chunk {
                if after_return && char != 0x0a {
                    ends.push(done);
                }
                after_return = char == 0x0d;
                done += 1;
                if matches!(char, 0x0a | 0x2028 | 0x2029) {
                    ends.push(done);
                }
            }
            skip += chunk.len();
        }
    }
    if after_return {
        ends.push(done);
    }
    ends.push(done);
    Some(ends)
}

/// The scripts that were seen, by address.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    known: HashMap<u64, Arc<Script>>,
}

/// A script that was made by `eval` or `new Function`: by which code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// The function that called it, a `SharedFunctionInfo`.
    pub(super) shared: u64,
    /// A place in the script of that function, or, below zero, in its bytecode.
    pub(super) position: i32,
}

impl Scripts {
    /// The script at an address. `None`: there is none. Where it has no name but an origin,
    /// `from_origin` gives it one.
    pub(super) fn get(
        &mut self,
        heap: Heap<'_>,
        tagged: u64,
        from_origin: impl FnOnce(&mut Scripts, Origin) -> Option<String>,
    ) -> Option<Arc<Script>> {
        let fields = &heap.layout.script;
        let guard = [heap.field(tagged, fields.name)?, heap.field(tagged, fields.source)?];
        if let Some(known) = self.known.get(&tagged).filter(|known| known.guard == guard) {
            return Some(Arc::clone(known));
        }
        if heap.kind(tagged)? != heap.layout.types.script {
            return None;
        }
        let number = |offset| heap.field(tagged, offset).and_then(smi);
        let offset = |offset| number(offset).and_then(|number| u32::try_from(number).ok());
        let eval_from = fields.eval_from.and_then(|offset| heap.object(tagged, offset));
        let eval_kind = eval_from.and_then(|from| heap.kind(from));
        let mut file =
            heap.text(guard[0]).filter(|name| !name.is_empty()).map(|name| url::path(&name));
        if file.is_none() && eval_kind == Some(heap.layout.types.shared) {
            let position = fields.eval_position.and_then(number).unwrap_or_default();
            let origin = eval_from.map(|shared| Origin { shared, position });
            file = origin.and_then(|origin| from_origin(self, origin));
        }
        let script = Arc::new(Script {
            tagged,
            guard,
            file,
            is_wrapped: eval_kind == Some(heap.layout.types.fixed_array),
            line_offset: offset(fields.line_offset).unwrap_or_default(),
            column_offset: offset(fields.column_offset).unwrap_or_default(),
            ends: OnceLock::new(),
            tries: AtomicU32::new(0),
        });
        let bytes: usize = self.known.values().map(|script| script.bytes()).sum();
        if self.known.len() >= CACHED_MAX || bytes > LINES_BYTES_MAX {
            self.known.clear();
        }
        self.known.insert(tagged, Arc::clone(&script));
        Some(script)
    }
}
