//! What is read of an ELF file at most. Node 26 is the largest that was measured.

/// Program headers. Node has 14.
pub(super) const SEGMENTS_MAX: usize = 256;
/// Section headers. Node has 42, with a section a function it would be some 200,000.
pub(super) const SECTIONS_MAX: usize = 4_096;
/// Notes before the build id is given up.
pub(super) const NOTE_BYTES_MAX: u64 = 64 << 10;
/// A build id. The usual one, a SHA-1, has 20 bytes.
pub(super) const BUILD_ID_BYTES_MAX: usize = 64;
/// `.eh_frame_hdr` (1.0 MB in Node 26), `.eh_frame` (5.4 MB), the jump slots (0.8 MB in libnode).
pub(super) const TABLE_BYTES_MAX: u64 = 32 << 20;
/// Symbols, and names of symbols, each streamed through: 4 MB and 19 MB in Node 26.
pub(super) const SYMBOL_BYTES_MAX: u64 = 128 << 20;
/// All executable segments together, streamed through for calls: 47 MB in Node 26.
pub(super) const CODE_BYTES_MAX: u64 = 512 << 20;
/// Bytes read at once while a table is streamed through.
pub(super) const CHUNK_BYTES: usize = 128 << 10;
/// Kept of the chunk before and read beyond the end of a chunk: names looked for are shorter.
pub(super) const MARGIN_BYTES: usize = 256;
/// Symbols that one query may find: a prefix has fewer than ten in Node.
pub(super) const MATCHES_MAX: usize = 1_024;
/// Functions of one file: 120,000 in Node 26.
pub(super) const FUNCTIONS_MAX: usize = 4 << 20;
/// Bytes of a name that is handed out. Longer ones are cut.
pub(super) const NAME_BYTES_MAX: usize = 1_024;
/// Places that may call one of the functions looked for. Node has six at most.
pub(super) const CALLS_MAX: usize = 256;
/// A function that is disassembled. The largest of those, libuv's poll, has 2.8 KB.
pub(super) const FUNCTION_BYTES_MAX: u64 = 64 << 10;

const _: () = assert!(MARGIN_BYTES < CHUNK_BYTES && NAME_BYTES_MAX < CHUNK_BYTES);
