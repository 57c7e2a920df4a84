//! Raw frames of one process in, named frames out.

use std::collections::HashMap;
use std::sync::Arc;

use super::code::{Body, Generated, GeneratedCode, Level};
use super::code_map::CodeMap;
use super::function::FunctionTable;
use super::heap::{Heap, object, smi};
use super::layout::Layout;
use super::limits::{CACHED_MAX, FRAMES_MAX};
use super::names::{self, Native};
use super::positions;
use super::types::{Frame, Kind, RawFrame, ReadMemory};

/// What the code of a regular expression is called.
const REGEXP: &str = "RegExp";

/// Names the frames of one process.
///
/// Cost: one small read of memory for each function of a script that was seen before; the first
/// time some ten, and for its script's lines the whole script once. What is kept is bounded.
///
/// **Invariant**: whatever the memory holds, it neither panics nor waits, and takes no more memory
/// than `limits.rs` says.
#[derive(Debug)]
pub struct Symbolizer {
    layout: Arc<Layout>,
    code: Arc<CodeMap>,
    natives: HashMap<u64, Native>,
    functions: FunctionTable,
    generated: GeneratedCode,
    /// What runs at an instruction, of a function with some bytecode.
    levels: HashMap<LevelsKey, Levels>,
}

/// An instruction, whether it is that of the innermost frame, a function, its bytecode.
type LevelsKey = (u64, bool, u64, u64);
/// The code that it is in, and what runs there.
type Levels = (Arc<Generated>, Arc<[Level]>);

/// What stands at an instruction.
enum Code {
    /// A file's function.
    File(Native),
    /// What V8 has made while it ran.
    Generated,
}

impl Symbolizer {
    /// For a process with these files mapped for execution. All other code is V8's.
    pub fn new(layout: Arc<Layout>, code: Arc<CodeMap>) -> Symbolizer {
        let functions = FunctionTable::default();
        let generated = GeneratedCode::default();
        Symbolizer {
            layout,
            code,
            natives: HashMap::new(),
            functions,
            generated,
            levels: HashMap::new(),
        }
    }

    /// Names frames, innermost first. Functions that were inlined stand as frames of their own;
    /// what only leads from scripts to V8 is left out.
    pub fn frames(&mut self, memory: &dyn ReadMemory, raw: &[RawFrame]) -> Vec<Frame> {
        let layout = Arc::clone(&self.layout);
        let heap = Heap { layout: &layout, memory };
        let mut frames = Vec::new();
        for (index, raw) in raw.iter().take(FRAMES_MAX).enumerate() {
            let before = frames.len();
            self.add(heap, raw, index == 0, &mut frames);
            frames[before..].iter_mut().for_each(|frame| frame.fp = raw.fp);
        }
        name_regexp(&mut frames);
        mark_collector(&mut frames);
        frames
    }

    fn add(&mut self, heap: Heap<'_>, raw: &RawFrame, innermost: bool, frames: &mut Vec<Frame>) {
        let is_script = object(raw.context_or_type()).is_some();
        match self.code_at(raw.pc, innermost) {
            Code::File(Native::Glue) => {}
            Code::File(Native::Other(name)) => {
                let file = self.code.at(raw.pc).map(|mapping| mapping.file.to_string());
                frames.push(Frame { file, ..Frame::of(Kind::Native, name) });
            }
            Code::File(Native::Collector(name)) => frames.push(Frame::of(Kind::Collector, name)),
            Code::File(Native::Builtin(name)) => frames.push(Frame::of(Kind::Builtin, name)),
            Code::File(Native::Interpreter) => {
                frames.extend(self.script(heap, raw).or_else(|| innermost.then(Frame::unknown)));
            }
            Code::File(Native::Embedded(name)) if is_script => {
                self.add_embedded(heap, raw, &name, innermost, frames);
            }
            Code::File(Native::Embedded(name)) => frames.push(Frame::of(Kind::Builtin, name)),
            Code::Generated if is_script => {
                self.add_generated(heap, raw, innermost, frames);
            }
            Code::Generated => frames.extend(self.typed(raw)),
        }
    }

    /// One of V8's own functions, and where it has no frame of its own, also who called it.
    fn add_embedded(
        &mut self,
        heap: Heap<'_>,
        raw: &RawFrame,
        name: &str,
        innermost: bool,
        frames: &mut Vec<Frame>,
    ) {
        let function = shared(heap, raw).and_then(|shared| self.functions.get(heap, shared));
        if function.is_none_or(|function| function.script.is_none()) {
            frames.push(Frame::of(Kind::Builtin, names::script_name(name)));
            return;
        }
        // Deeper in the stack such a frame is one that bytecode handlers share.
        if innermost {
            frames.push(Frame::of(Kind::Builtin, name));
        }
        // Where it returns to, unless it has put something else on the stack.
        let is_called = raw.top != 0 && matches!(self.code_at(raw.top, false), Code::Generated);
        if innermost && is_called {
            let caller = RawFrame { pc: raw.top, ..*raw };
            self.add_generated(heap, &caller, false, frames);
        } else {
            frames.extend(self.script(heap, raw));
        }
    }

    /// A function of a script that V8 has compiled, and those in it.
    fn add_generated(
        &mut self,
        heap: Heap<'_>,
        raw: &RawFrame,
        innermost: bool,
        frames: &mut Vec<Frame>,
    ) {
        let Some(shared) = shared(heap, raw) else {
            return frames.extend(innermost.then(Frame::unknown));
        };
        let code = self.generated.at(heap, raw.pc.wrapping_sub(u64::from(!innermost)));
        let levels = match code {
            Some(code) => self.levels(heap, raw, shared, (&code, innermost)),
            None => [Level { shared: None, source: None }].into(),
        };
        let begun = frames.len();
        for Level { shared: inlined, source } in levels.iter().copied() {
            let function = self.functions.get(heap, inlined.unwrap_or(shared));
            frames.extend(function.map(|function| function.frame(heap, source)));
        }
        if frames.len() == begun && innermost {
            frames.push(Frame::unknown());
        }
    }

    /// Which functions run at an instruction of generated code, innermost first.
    fn levels(
        &mut self,
        heap: Heap<'_>,
        raw: &RawFrame,
        shared: u64,
        (code, innermost): (&Arc<Generated>, bool),
    ) -> Arc<[Level]> {
        // Optimised code keeps other things there.
        let bytecode = match code.body {
            Body::Baseline(_) => raw.bytecode_array(),
            _ => 0,
        };
        let key = (raw.pc, innermost, shared, bytecode);
        let known = self.levels.get(&key).filter(|(known, _)| Arc::ptr_eq(known, code));
        if let Some((_, levels)) = known {
            return Arc::clone(levels);
        }
        let place = raw.pc.saturating_sub(code.start).saturating_add(u64::from(innermost));
        let whole = |source| vec![Level { shared: None, source }];
        let levels: Arc<[Level]> = match &code.body {
            Body::Baseline(sizes) => {
                let position = object(bytecode).and_then(|bytecode| {
                    let place = heap.baseline_place(sizes, bytecode, place)?;
                    self.functions.get(heap, shared)?.position(heap, bytecode, place)
                });
                whole(position)
            }
            Body::Optimised(optimised) => {
                let before = i64::try_from(place).unwrap_or(i64::MAX).saturating_sub(1);
                match positions::find(&optimised.positions, before) {
                    Some(position) => optimised.levels(heap, position),
                    None => whole(optimised.only_call().filter(|_| !innermost).and_then(|place| {
                        let bytecode = heap.bytecode_of(shared)?;
                        self.functions.get(heap, shared)?.position(heap, bytecode, place)
                    })),
                }
            }
            Body::Other => whole(None),
        }
        .into();
        if self.levels.len() >= CACHED_MAX {
            self.levels.clear();
        }
        self.levels.insert(key, (Arc::clone(code), Arc::clone(&levels)));
        levels
    }

    /// The function of a script whose frame it is, where its bytecode runs.
    fn script(&mut self, heap: Heap<'_>, raw: &RawFrame) -> Option<Frame> {
        let function = self.functions.get(heap, shared(heap, raw)?)?;
        let offset = smi(raw.bytecode_offset()).and_then(|offset| heap.bytecode_place(offset));
        let position = match (object(raw.bytecode_array()), offset) {
            (Some(bytecode), Some(offset)) => function.position(heap, bytecode, offset),
            _ => None,
        };
        Some(function.frame(heap, position))
    }

    /// A frame that says itself what it is.
    fn typed(&self, raw: &RawFrame) -> Option<Frame> {
        let number = raw.context_or_type() >> 1;
        let frames = &self.layout.frames;
        if frames.irregexp == Some(number) {
            Some(Frame::of(Kind::Builtin, REGEXP))
        } else if frames.wasm.contains(&number) {
            Some(Frame::of(Kind::Native, "WebAssembly"))
        } else {
            None
        }
    }

    /// The code before a return address, or at the instruction that runs.
    fn code_at(&mut self, pc: u64, innermost: bool) -> Code {
        // A call that never returns may be the last of its function, so behind it is another one.
        let before = if innermost { pc } else { pc.wrapping_sub(1) };
        let Some(mapping) = self.code.at(before) else { return Code::Generated };
        if let Some(known) = self.natives.get(&before) {
            return Code::File(known.clone());
        }
        let native = match mapping.symbol(before) {
            Some(symbol) => names::native(&symbol),
            // V8 lets a function that it has to run otherwise return to where another begins.
            None => match mapping.symbol(pc).map(|symbol| names::native(&symbol)) {
                Some(Native::Interpreter) => Native::Interpreter,
                _ => Native::Other(mapping.file.to_string()),
            },
        };
        if self.natives.len() >= CACHED_MAX {
            self.natives.clear();
        }
        self.natives.insert(before, native.clone());
        Code::File(native)
    }
}

/// V8 gives frames of compiled regular expressions a type from version 11 on. Before, they are what
/// was called to execute one and is nothing that is known. [`Symbolizer::frames`] does it where it
/// names the caller, too.
pub fn name_regexp(frames: &mut [Frame]) {
    let [innermost, caller, ..] = frames else { return };
    let executes = match caller.kind {
        Kind::Builtin => caller.name.starts_with("RegExp"),
        Kind::Native => caller.name.contains("NativeRegExpMacroAssembler"),
        _ => false,
    };
    if executes && innermost.kind == Kind::Unknown {
        let fp = innermost.fp;
        *innermost = Frame { fp, ..Frame::of(Kind::Builtin, REGEXP) };
    }
}

/// What the collector calls is a part of it.
fn mark_collector(frames: &mut [Frame]) {
    let mut in_collector = false;
    for frame in frames.iter_mut().rev() {
        match frame.kind {
            Kind::Collector => in_collector = true,
            Kind::Native if in_collector => frame.kind = Kind::Collector,
            _ => in_collector = false,
        }
    }
}

/// What all closures of a frame's function share.
fn shared(heap: Heap<'_>, raw: &RawFrame) -> Option<u64> {
    match raw.shared {
        0 => heap.field(object(raw.function())?, heap.layout.shared),
        shared => Some(shared),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_called_to_execute_a_regular_expression_is_one() {
        let told = |caller: Frame| {
            let mut frames = [Frame::unknown(), caller];
            name_regexp(&mut frames);
            (frames[0].kind, frames[0].name.clone())
        };
        let regexp = (Kind::Builtin, REGEXP.to_owned());
        assert_eq!(told(Frame::of(Kind::Builtin, "RegExpReplace")), regexp);
        let native = "v8::internal::NativeRegExpMacroAssembler::Execute";
        assert_eq!(told(Frame::of(Kind::Native, native)), regexp);
        let nothing = (Kind::Unknown, String::new());
        assert_eq!(told(Frame::of(Kind::Builtin, "Array.prototype.map")), nothing);
        assert_eq!(told(Frame::of(Kind::JavaScript, "RegExpReplace")), nothing);
    }
}
