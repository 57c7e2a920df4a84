//! Where V8 keeps things in its heap, by the symbols that it exports for debuggers.
//!
//! Each build of V8 has some 500 numbers named `v8dbg_*`: offsets of fields, types of objects,
//! masks. `strip` leaves them. Few things have none; those are the same in all versions, or follow
//! from one that has a symbol. Node 18 to 26 (V8 10.2 to 14) are tested.
//!
//! Cost: one query of symbols, some 20 ms a file.

use std::collections::BTreeMap;
use std::fmt;

use super::bytecode_sizes::BytecodeSizes;
use super::positions::Encoding;
use crate::elf::{Image, Wanted};
use crate::plan::Versions;

const PREFIX: &str = "v8dbg_";

/// Where V8 of one build keeps things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub(super) shared: u32,
    pub(super) map_type: u32,
    pub(super) types: Types,
    pub(super) strings: Strings,
    pub(super) sfi: SharedFunction,
    pub(super) script: Script,
    pub(super) scope: Scope,
    pub(super) bytecode: Bytecode,
    pub(super) code: Code,
    pub(super) frames: Frames,
    pub(super) positions: Encoding,
    pub(super) bytecode_sizes: BytecodeSizes,
}

/// A symbol without which nothing can be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which, without its end where that differs between versions.
    pub symbol: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let symbol = &self.symbol;
        write!(f, "this Node.js has no {PREFIX}{symbol}, so its JavaScript can't be named")
    }
}

impl std::error::Error for Missing {}

/// Types of objects, as their maps tell them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Types {
    pub(super) shared: u16,
    pub(super) script: u16,
    pub(super) scope_info: u16,
    pub(super) bytecode: u16,
    pub(super) byte_array: u16,
    /// Another type of the same form, from V8 12 on.
    pub(super) trusted_byte_array: Option<u16>,
    pub(super) fixed_array: u16,
    pub(super) interpreter_data: Option<u16>,
    /// What refers to a function from where V8 keeps code.
    pub(super) shared_wrapper: Option<u16>,
}

/// Strings: the bits of their types, and their fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Strings {
    pub(super) not_string_mask: u16,
    pub(super) form_mask: u16,
    pub(super) one_byte: u16,
    pub(super) sequential: u16,
    pub(super) cons: u16,
    pub(super) sliced: u16,
    pub(super) thin: Option<u16>,
    pub(super) external: u16,
    pub(super) length: u32,
    pub(super) chars: u32,
    pub(super) first: u32,
    pub(super) second: u32,
    pub(super) parent: u32,
    pub(super) offset: u32,
    pub(super) actual: u32,
    /// Where the characters of an external string are: behind its resource.
    pub(super) external_data: u32,
}

/// `SharedFunctionInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SharedFunction {
    pub(super) name_or_scope: u32,
    pub(super) script: u32,
    /// Bytecode, or what it can be reached by. The first field behind the map in all versions.
    pub(super) data: u32,
}

/// `Script`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) source: u32,
    pub(super) name: u32,
    /// The fields behind the name, in this order in all versions.
    pub(super) line_offset: u32,
    pub(super) column_offset: u32,
    pub(super) eval_from: Option<u32>,
    pub(super) eval_position: Option<u32>,
}

/// `ScopeInfo`: numbers of its fields, of 8 bytes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) locals: u64,
    /// The first field behind the fixed ones.
    pub(super) first: u64,
}

/// `BytecodeArray`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bytecode {
    pub(super) data: u32,
    pub(super) positions: u32,
}

/// Code that is made while V8 runs: the object with the instructions, and `Code`, which tells of
/// them; until V8 10 they are one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    /// The type of the object with the instructions.
    pub(super) kind: u16,
    /// Where in it these begin.
    pub(super) instructions: u32,
    /// `Code` is another object, the first that it refers to.
    pub(super) is_apart: bool,
    pub(super) code_type: Option<u16>,
    /// Fields of `Code`: bytecode or what optimised code was made from, and a table of positions.
    pub(super) data: u32,
    pub(super) positions: u32,
    /// Elements of what optimised code was made from.
    pub(super) literals: u32,
    pub(super) inlined: u32,
}

/// Types of frames, by the number that stands in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Frames {
    pub(super) irregexp: Option<u64>,
    pub(super) wasm: Vec<u64>,
}

impl Layout {
    /// Of the file that V8 is in: Node's program, or its library. Versions that aren't known are
    /// taken for the newest.
    ///
    /// # Errors
    /// It lacks a symbol that all builds of V8 have.
    pub fn of(image: &Image, versions: &Versions) -> Result<Layout, Missing> {
        let none = || Missing { symbol: "* symbols".to_owned() };
        let mut found = image.symbols(&[Wanted::Prefix(PREFIX)]).map_err(|_| none())?;
        let symbols = found.pop().unwrap_or_default();
        let mut numbers = Numbers::default();
        for symbol in symbols {
            // What lies in memory that begins as zeros isn't in the file.
            let bytes = image.bytes_at(symbol.address, 4).and_then(|bytes| bytes.try_into().ok());
            let number = bytes.map_or(0, i32::from_le_bytes);
            let name = symbol.name.strip_prefix(PREFIX).unwrap_or_default();
            numbers.0.insert(name.to_owned(), number);
        }
        let layout = Layout::from_numbers(&numbers, positions(versions))?;
        Ok(Layout { bytecode_sizes: BytecodeSizes::of_image(image), ..layout })
    }

    /// `JSFunction.shared`: where a function refers to what all closures of it share.
    pub fn shared_offset(&self) -> u32 {
        self.shared
    }

    fn from_numbers(numbers: &Numbers, positions: Encoding) -> Result<Layout, Missing> {
        Ok(Layout {
            shared: numbers.field("class_JSFunction__shared__")?,
            map_type: numbers.field("class_Map__instance_type__")?,
            types: types(numbers)?,
            strings: strings(numbers)?,
            sfi: SharedFunction {
                name_or_scope: numbers.field("class_SharedFunctionInfo__name_or_scope_info__")?,
                script: numbers.field("class_SharedFunctionInfo__script")?,
                data: 8,
            },
            script: script(numbers)?,
            scope: Scope {
                locals: numbers.field("scopeinfo_idx_ncontextlocals")?.into(),
                first: numbers.field("scopeinfo_idx_first_vars")?.into(),
            },
            bytecode: bytecode(numbers)?,
            code: code(numbers)?,
            bytecode_sizes: BytecodeSizes::default(),
            frames: frames(numbers),
            positions,
        })
    }
}

/// Which encoding the tables of positions have. Node 25 is the first with V8 14.
fn positions(versions: &Versions) -> Encoding {
    let first = |version: &str| version.split('.').next()?.parse::<u32>().ok();
    let v8 = versions.v8.as_deref().and_then(first);
    let is_old = match v8 {
        Some(v8) => v8 < 14,
        None => versions.node.as_deref().and_then(first).is_some_and(|node| node < 25),
    };
    if is_old { Encoding::Signed } else { Encoding::Flagged }
}

/// The numbers by name, without the common beginning.
#[derive(Clone, Debug, Default)]
struct Numbers(BTreeMap<String, i32>);

impl Numbers {
    /// The first whose name begins so: names of fields end with their types, which change.
    fn first(&self, prefix: &str) -> Option<i32> {
        let (name, number) = self.0.range(prefix.to_owned()..).next()?;
        name.starts_with(prefix).then_some(*number)
    }

    fn field(&self, prefix: &str) -> Result<u32, Missing> {
        let number = self.first(prefix).and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| Missing { symbol: prefix.to_owned() })
    }

    fn optional(&self, prefix: &str) -> Option<u32> {
        self.field(prefix).ok()
    }

    fn kind(&self, prefix: &str) -> Option<u16> {
        self.first(prefix).and_then(|number| u16::try_from(number).ok())
    }

    fn needed_kind(&self, prefix: &str) -> Result<u16, Missing> {
        self.kind(prefix).ok_or_else(|| Missing { symbol: prefix.to_owned() })
    }
}

fn types(numbers: &Numbers) -> Result<Types, Missing> {
    Ok(Types {
        shared: numbers.needed_kind("type_SharedFunctionInfo__")?,
        script: numbers.needed_kind("type_Script__")?,
        scope_info: numbers.needed_kind("type_ScopeInfo__")?,
        bytecode: numbers.needed_kind("type_BytecodeArray__")?,
        byte_array: numbers.needed_kind("type_ByteArray__")?,
        trusted_byte_array: numbers.kind("type_TrustedByteArray__"),
        fixed_array: numbers.needed_kind("type_FixedArray__")?,
        interpreter_data: numbers.kind("type_InterpreterData__"),
        shared_wrapper: numbers.kind("type_SharedFunctionInfoWrapper__"),
    })
}

fn strings(numbers: &Numbers) -> Result<Strings, Missing> {
    let bits = |name: &str| {
        let number = numbers.first(name).ok_or_else(|| Missing { symbol: name.to_owned() })?;
        // A negative mask has all bits above its own.
        Ok(number as u16)
    };
    let resource = numbers.field("class_ExternalString__resource__")?;
    Ok(Strings {
        not_string_mask: bits("IsNotStringMask")?,
        form_mask: bits("StringRepresentationMask")?,
        one_byte: bits("OneByteStringTag")?,
        sequential: bits("SeqStringTag")?,
        cons: bits("ConsStringTag")?,
        sliced: bits("SlicedStringTag")?,
        thin: bits("ThinStringTag").ok(),
        external: bits("ExternalStringTag")?,
        length: numbers.field("class_String__length__")?,
        chars: numbers.field("class_SeqOneByteString__chars__")?,
        first: numbers.field("class_ConsString__first__")?,
        second: numbers.field("class_ConsString__second__")?,
        // Where a cons string has its first part, others have their only one.
        parent: numbers.field("class_ConsString__first__")?,
        offset: numbers.field("class_SlicedString__offset__")?,
        actual: numbers.field("class_ThinString__actual__")?,
        external_data: resource + 8,
    })
}

fn script(numbers: &Numbers) -> Result<Script, Missing> {
    let name = numbers.field("class_Script__name__")?;
    Ok(Script {
        source: numbers.field("class_Script__source__")?,
        name,
        line_offset: name + 8,
        column_offset: name + 16,
        eval_from: numbers.optional("class_Script__eval_from_shared_or_wrapped_arguments"),
        eval_position: numbers.optional("class_Script__eval_from_position__"),
    })
}

fn bytecode(numbers: &Numbers) -> Result<Bytecode, Missing> {
    // map, length, constants, handlers, positions .. until V8 11;
    // map, length, wrapper, positions, handlers, constants .. from V8 12 on.
    let wrapper = numbers.optional("class_BytecodeArray__wrapper__");
    let positions = wrapper.map_or(32, |wrapper| wrapper + 8);
    Ok(Bytecode { data: numbers.field("class_BytecodeArray__data__")?, positions })
}

fn code(numbers: &Numbers) -> Result<Code, Missing> {
    let stream = numbers.kind("type_InstructionStream__");
    let code_type = numbers.kind("type_Code__");
    let start = numbers.optional("class_InstructionStream__instruction_start__");
    let own_start = numbers.optional("class_Code__instruction_start__");
    let missing = || Missing { symbol: "class_Code__instruction_start__".to_owned() };
    // From V8 11.8 on code has nothing to be relocated by, which only V8 11 has a symbol for.
    let is_new = numbers.optional("class_Code__instruction_stream__").is_some();
    let told = numbers.optional("class_Code__deoptimization_data__");
    let data = told.unwrap_or(if is_new { 8 } else { 16 });
    let positions = data + 8;
    Ok(Code {
        kind: stream.or(code_type).ok_or_else(missing)?,
        instructions: start.or(own_start).ok_or_else(missing)?,
        is_apart: stream.is_some(),
        code_type,
        data,
        positions,
        literals: numbers.optional("DeoptimizationDataLiteralArrayIndex").unwrap_or(2),
        inlined: numbers.optional("DeoptimizationDataInliningPositionsIndex").unwrap_or(7),
    })
}

fn frames(numbers: &Numbers) -> Frames {
    let number = |name: &str| numbers.optional(&format!("frametype_{name}Frame")).map(u64::from);
    Frames {
        irregexp: number("Irregexp"),
        wasm: ["Wasm", "WasmToJs", "JsToWasm"].into_iter().filter_map(number).collect(),
    }
}

#[cfg(test)]
impl Layout {
    /// That of Node 24, which the tests' memory is made for.
    pub(super) fn example() -> Layout {
        let numbers = EXAMPLE.lines().filter_map(|line| line.split_once(' '));
        let numbers =
            numbers.filter_map(|(name, number)| Some((name.into(), number.parse().ok()?)));
        Layout::from_numbers(&Numbers(numbers.collect()), Encoding::Signed).expect("it has all")
    }
}

#[cfg(test)]
const EXAMPLE: &str = "\
class_BytecodeArray__data__uintptr_t 64
class_BytecodeArray__wrapper__Tagged_BytecodeWrapper_ 16
class_Code__instruction_stream__Tagged_InstructionStream_ 32
class_ConsString__first__String 16
class_ConsString__second__String 24
class_ExternalString__resource__Object 16
class_InstructionStream__instruction_start__uintptr_t 32
class_JSFunction__shared__SharedFunctionInfo 32
class_Map__instance_type__uint16_t 12
class_Script__eval_from_position__SMI 80
class_Script__eval_from_shared_or_wrapped_arguments__Tagged_Object_ 72
class_Script__name__Object 16
class_Script__source__Object 8
class_SeqOneByteString__chars__char 16
class_SharedFunctionInfo__name_or_scope_info__Tagged_NameOrScopeInfoT_ 24
class_SharedFunctionInfo__script__Tagged_HeapObject_ 40
class_SlicedString__offset__SMI 24
class_String__length__int32_t 12
class_ThinString__actual__String 16
frametype_IrregexpFrame 31
IsNotStringMask -128
StringRepresentationMask 7
OneByteStringTag 8
SeqStringTag 0
ConsStringTag 1
SlicedStringTag 3
ThinStringTag 5
ExternalStringTag 2
scopeinfo_idx_first_vars 5
scopeinfo_idx_ncontextlocals 2
type_ByteArray__BYTE_ARRAY_TYPE 217
type_BytecodeArray__BYTECODE_ARRAY_TYPE 186
type_Code__CODE_TYPE 187
type_InstructionStream__INSTRUCTION_STREAM_TYPE 192
type_FixedArray__FIXED_ARRAY_TYPE 205
type_InterpreterData__INTERPRETER_DATA_TYPE 188
type_ScopeInfo__SCOPE_INFO_TYPE 280
type_Script__SCRIPT_TYPE 167
type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE 282";
