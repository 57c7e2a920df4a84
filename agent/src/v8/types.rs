//! What goes into the symbolizer, and what comes out.

/// What is copied of a frame while its thread stands still: enough to name it later, though the
/// collector moves functions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawFrame {
    /// Instruction pointer for the innermost frame, else the return address into this frame's
    /// function.
    pub pc: u64,
    /// The frame pointer of this frame: `rbp` while the function runs.
    pub fp: u64,
    /// The words from `fp - 40` to `fp + 8`: bytecode offset, bytecode array, number of arguments,
    /// function, context or mark of the frame's type, saved frame pointer, return address.
    pub words: [u64; 7],
    /// What `JSFunction.shared` of the word at `fp - 16` was at that time, a tagged
    /// `SharedFunctionInfo`; 0 if it could not be read. The symbolizer then reads it itself.
    pub shared: u64,
    /// Of the innermost frame the word at the stack pointer: a function without a frame of its own
    /// returns there. 0 if it isn't known.
    pub top: u64,
}

impl RawFrame {
    pub(super) fn bytecode_offset(&self) -> u64 {
        self.words[0]
    }

    pub(super) fn bytecode_array(&self) -> u64 {
        self.words[1]
    }

    pub(super) fn function(&self) -> u64 {
        self.words[3]
    }

    pub(super) fn context_or_type(&self) -> u64 {
        self.words[4]
    }
}

/// Reads the memory of the process.
pub trait ReadMemory {
    /// Fills all of `buf` from `address`, or says that it can't.
    fn read(&self, address: u64, buf: &mut [u8]) -> bool;

    /// From now on nothing is told that was read before.
    fn refresh(&self) {}
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A function of a script, however it was compiled.
    JavaScript,
    /// One of V8's own functions that scripts call: `JSON.parse`, `Array.prototype.sort`, a regular
    /// expression.
    Builtin,
    /// C++ of Node or V8, or a library.
    Native,
    /// V8's garbage collector.
    Collector,
    /// Code that nothing is known about.
    Unknown,
}

/// A frame of a stack with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: Kind,
    /// Its name: empty if it has none, `(top level)` for the code of a module or main script.
    /// Methods of classes as V8 infers them: `Foo.bar` where it does, else `bar`.
    pub name: String,
    /// The path of its script, or `node:internal/...`; of native code, the name of the file that is
    /// executed; or where eval'd code comes from:
    /// `eval at NAME (FILE:LINE)`.
    pub file: Option<String>,
    /// The line that runs, from 1, where it is known.
    pub line: Option<u32>,
    /// The column on that line, from 1.
    pub column: Option<u32>,
    /// The line where the function begins, from 1.
    pub begins: Option<u32>,
    /// The column on that line, from 1: behind its name, where its arguments begin.
    pub begins_column: Option<u32>,
    /// The frame pointer; 0 where there is none.
    pub fp: u64,
}

impl Frame {
    pub(super) fn of(kind: Kind, name: impl Into<String>) -> Frame {
        Frame {
            kind,
            name: name.into(),
            file: None,
            line: None,
            column: None,
            begins: None,
            begins_column: None,
            fp: 0,
        }
    }

    /// One that nothing is known of.
    pub fn unknown() -> Frame {
        Frame::of(Kind::Unknown, "")
    }
}

/// The name of the code of a module or a main script.
pub const TOP_LEVEL: &str = "(top level)";
