//! Names the frames of JavaScript in a live, unmodified Node.js, by what V8 keeps in its memory.
//!
//! ```text
//! file ──> Layout ──┐            RawFrame: instruction, frame pointer, seven words
//! files mapped ─────┴> Symbolizer <── raw frames, from the kernel or from `unwind::unwound`
//!                          │     <── memory of the process, read when it is needed
//!                          └──> Frame: kind, name, file, line
//! ```
//!
//! Nothing here reads a file or a process by itself: memory comes through [`ReadMemory`].

mod bytecode_sizes;
mod code;
mod code_map;
mod function;
mod heap;
mod layout;
mod limits;
mod names;
mod perf_map;
mod positions;
mod scope_info;
mod script;
mod strings;
mod symbolizer;
#[cfg(test)]
mod tests;
mod types;
pub mod unwind;

pub use code_map::{CodeMap, CodeMapping};
pub use layout::{Layout, Missing};
pub use perf_map::PerfMap;
pub use symbolizer::{Symbolizer, name_regexp};
pub use types::{Frame, Kind, RawFrame, ReadMemory, TOP_LEVEL};
