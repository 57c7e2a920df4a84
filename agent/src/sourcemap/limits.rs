//! The bounds of what is read of a source map, each with its reason.

/// Stretches of a script that a map may tell. At 24 bytes each they take 48 MiB.
pub(super) const SEGMENTS_MAX: usize = 1 << 21;

/// Sources, and names, of a map.
pub(super) const WORDS_MAX: usize = 1 << 19;

/// Parts of a map that is made of others.
pub(super) const SECTIONS_MAX: usize = 4_096;

/// Stretches before a function that are looked through for its name.
pub(super) const BEFORE_MAX: usize = 4;

/// Bytes from a function's name to where V8 says that it begins: ` = async function (`, and more.
pub(super) const BETWEEN_BYTES_MAX: usize = 32;
