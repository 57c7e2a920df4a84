//! What is read of a process at most. Its memory may hold anything by the time it is read.

/// Calls of optimised code that are looked at for the only one.
pub(super) const CALLS_MAX: u32 = 64;

/// Characters of a name or a path. Longer ones are cut.
pub(super) const NAME_CHARS_MAX: usize = 1_024;
/// Strings that one string is put together from.
pub(super) const STRING_PARTS_MAX: usize = 256;
/// Characters of a script that are looked through for the ends of lines.
pub(super) const SOURCE_CHARS_MAX: usize = 32 << 20;
/// Characters of a script that are read at once.
pub(super) const SOURCE_CHUNK_CHARS: usize = 64 << 10;
/// Bytes of a table of positions.
pub(super) const POSITIONS_BYTES_MAX: usize = 256 << 10;
/// Variables of one scope that a name may stand behind.
pub(super) const SCOPE_LOCALS_MAX: u64 = 100_000;
/// Bytes of the bytecode of one function.
pub(super) const BYTECODE_BYTES_MAX: usize = 4 << 20;
/// Bytes before an instruction that are looked through for the beginning of its code.
pub(super) const CODE_BYTES_MAX: u64 = 1 << 20;
/// Words there that may be maps, and are looked at.
pub(super) const MAPS_MAX: usize = 4_096;
/// Of these, read at once.
pub(super) const CODE_CHUNK_BYTES: u64 = 16 << 10;
/// Functions that may be inlined into one another.
pub(super) const INLINED_MAX: usize = 32;
/// Frames of one stack.
pub(super) const FRAMES_MAX: usize = 512;
/// Functions, scripts, and stretches of code that are kept by address. All are dropped when full.
pub(super) const CACHED_MAX: usize = 4_096;
/// Places of one function whose lines are kept.
pub(super) const PLACES_MAX: usize = 256;
/// Bytes of all tables of lines that are kept.
pub(super) const LINES_BYTES_MAX: usize = 16 << 20;
/// Bytes of a waiting thread's stack that are looked through.
pub(super) const STACK_BYTES_MAX: usize = 1 << 20;
/// Bytes from the stack pointer in which the first frame must be found.
pub(super) const FIRST_FRAME_BYTES_MAX: usize = 64 << 10;
/// Bytes that one frame may have.
pub(super) const FRAME_BYTES_MAX: u64 = 256 << 10;

/// How often the lines of a script are tried to be counted. A collection that moves its text while
/// it is read makes one fail.
pub(super) const LINES_TRIES: u32 = 32;
