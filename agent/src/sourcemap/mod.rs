//! Where compiled JavaScript comes from: source maps of version 3 (ECMA-426).
//!
//! ```text
//! script ──reference──> Reference: the name of the map's file, or the map (`data:`)
//! map ──SourceMap::parse──┐
//! script ─────────────────┴> Compiled: a place in the script ──> source, line, column; name
//! ```
//!
//! Bytes in, values out: no file is read here. Written for loopscope, on `serde_json`, which is
//! here already: the crate `sourcemap` brings 40 more that nothing else here has (`url` with its
//! tables for international names, `bitvec`, `uuid`), of which reading a map needs none.
//!
//! Cost: a map is read once, in one pass; a place is a search among sorted ones. A map takes 24
//! bytes for each stretch that it tells, while it is read some ten times its bytes at most.
//!
//! **Invariant**: any bytes are a map or an error; nothing panics, and what is kept is bounded.

mod compiled;
mod limits;
mod map;
mod reference;
mod vlq;

pub use compiled::Compiled;
pub use map::{Original, SourceMap};
pub use reference::{Reference, reference};

use std::fmt;

/// Why a source map is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Broken {
    /// It is no JSON, or other JSON.
    Json,
    /// It is of another version.
    Version,
    /// What it says of places can't be read.
    Mappings,
    /// It tells more than is kept.
    TooLarge,
    /// It is at another place than in a file.
    Elsewhere,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Broken::Json => "is no source map",
            Broken::Version => "is not of version 3",
            Broken::Mappings => "is damaged",
            Broken::TooLarge => "is too large",
            Broken::Elsewhere => "is neither a file nor base64",
        })
    }
}

impl std::error::Error for Broken {}
