//! What a recording holds at most, and what reading one may take.

/// The shortest bound on the size of a file: some minutes of a few loops.
pub const SIZE_BYTES_MIN: u64 = 1 << 20;

/// The longest bound on the size of a file.
pub const SIZE_BYTES_MAX: u64 = 1 << 30;

/// The bound where none is given.
pub const SIZE_BYTES_DEFAULT: u64 = 64 << 20;

/// A file that is longer is not read: twice the longest that is written.
pub(super) const READ_BYTES_MAX: u64 = 2 * SIZE_BYTES_MAX;

/// A block's payload, inflated. A snapshot has up to [`LOOP_BYTES_MAX`] a loop; the samples of a
/// stall have up to 4,096 functions with the paths of their files.
pub(super) const RAW_BYTES_MAX: u32 = 32 << 20;

/// What a loop of a snapshot takes: its 26 histograms seldom have 100 buckets with something in
/// them, of six bytes.
const LOOP_BYTES_MAX: usize = 16 << 10;

/// What a reader takes of a loop of a snapshot: with each bucket of all histograms in use it has
/// some 150 KB.
pub(super) const LOOP_READ_BYTES_MAX: usize = 256 << 10;

/// A stall without its samples: a stack of 128 functions, and 16 waits, of the longest paths have
/// some 600 KB.
pub(super) const STALL_BYTES_MAX: usize = 4 << 20;

/// All numbers of the samples of a stall: 1,024 stacks of 128 functions, and 2,048 samples, have
/// some 300 KB.
pub(super) const SAMPLES_LISTS_BYTES_MAX: usize = 1 << 20;

/// Words of a command, and notes.
pub(super) const WORDS_MAX: usize = 1 << 18;

/// The details of all stalls together that are kept in memory by a reader. What the newest
/// snapshot lists of them is there a second time, without its samples.
pub(super) const DETAILS_BYTES_MAX: u64 = 512 << 20;

/// Loops in one snapshot: 256 processes that have ended, with eight loops each. In memory one has
/// up to 26 histograms of 8 KiB.
pub(super) const LOOPS_MAX: usize = 2_048;

/// Processes in one snapshot.
pub(super) const TARGETS_MAX: usize = 4_096;

/// What is not seen of one process.
pub(super) const LIMITS_MAX: usize = 256;

/// The name of a thread: `worker-` and a number.
pub(super) const THREAD_BYTES_MAX: usize = 256;

/// Loops in all ticks of a timeline. When there are more, every second tick is left out; one has
/// some 150 bytes, so this is 150 MiB, and with the longest names of threads 400 MiB.
pub(super) const TIMELINE_LOOPS_MAX: usize = 1 << 20;

/// Frames, waits and reactions of one stall.
pub(super) const PARTS_MAX: usize = 4_096;

/// Durations and counts: two years of nanoseconds. A few hundred of them can be added.
pub(super) const VALUE_MAX: u64 = 1 << 56;

/// Times since the Unix epoch, in nanoseconds: the year 2116. A duration can be added.
pub(super) const UNIX_NS_MAX: u64 = 1 << 62;

/// Shares and ratios.
pub(super) const RATIO_MAX: f64 = 1e6;

/// Snapshots of the timeline that are kept before details of stalls are dropped.
pub(super) const TIMELINE_MIN: usize = 64;

const _: () = assert!(SIZE_BYTES_DEFAULT <= SIZE_BYTES_MAX);
const _: () = assert!(LOOPS_MAX * LOOP_BYTES_MAX <= RAW_BYTES_MAX as usize);
const _: () = assert!(LOOP_BYTES_MAX < LOOP_READ_BYTES_MAX);
const _: () = assert!(UNIX_NS_MAX + VALUE_MAX < i64::MAX as u64);
