//! Reads ELF images: symbols, build id, where functions begin and end, instructions, calls.
//!
//! Cost: headers only when opened; each query reads what it needs and keeps nothing. Limits stand
//! in `limits.rs`.
//!
//! **Invariant**: a damaged file gives an error or finds nothing. It never makes us panic, wait, or
//! take memory for more than the file holds; nothing is mapped, so a file that becomes shorter
//! while it is read is an error too.

mod calls;
mod code;
mod error;
mod functions;
mod header;
mod image;
mod imports;
mod limits;
mod names;
mod notes;
mod source;
mod symbols;
#[cfg(test)]
mod tests;
mod unwind;

pub use calls::{CallSite, SiteKind};
pub use code::{Class, Function, classify};
pub(crate) use code::{branch_target, field, text};
pub use error::ElfError;
pub use functions::Functions;
pub use header::Segment;
pub use image::Image;
pub use imports::Imports;
pub use names::Wanted;
pub use symbols::Symbol;
pub use unwind::{Base, Step, Unwind};
