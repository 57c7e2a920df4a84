//! The bounds of the loop, each with its reason. Those named after libuv are libuv's.

/// Times the callbacks that writes put off are run right after the poll (libuv: 8): enough to
/// finish what was begun, not enough to starve the phases behind.
pub(crate) const PENDING_PASSES: usize = 8;

/// Events taken from the kernel at once (libuv: 1024).
pub(crate) const POLL_EVENTS: usize = 1024;

/// Times the kernel is asked again in one turn while it returns all [`POLL_EVENTS`] (libuv: 48):
/// at most 49,152 events before timers have their turn.
pub(crate) const POLL_PASSES: usize = 48;

/// Reads of one stream or UDP socket at one go before others have their turn (libuv: 32).
pub(crate) const READS_A_TURN: usize = 32;

/// Bytes read from a stream at once (libuv suggests 64 KiB).
pub(crate) const READ_BYTES: usize = 64 * 1024;

/// Signals taken for one handle in one turn: more than wait for it but in a flood, when others
/// have their turn, too.
pub(crate) const SIGNALS_A_TURN: usize = 512;

/// After how many milliseconds a listener that could not accept tries again: ten times a second,
/// in which a few descriptors may have been given back.
pub(crate) const ACCEPT_RETRY_MS: u64 = 100;

/// Threads of the pool (libuv: 4) when neither the options nor `UV_THREADPOOL_SIZE` say otherwise.
pub(crate) const POOL_THREADS: usize = 4;

/// The most threads of the pool (libuv: 1024).
pub(crate) const POOL_THREADS_MAX: usize = 1024;

/// Jobs in a drain from which on its duration is put into a histogram without `detail`. For the
/// ledger of a stall it is always taken.
pub(crate) const TIMED_DRAIN_JOBS: u64 = 8;

/// From which age on the thread's counters are read again between two turns: a thousand times a
/// second, which at 1 to 3 µs is a few thousandths of the time. A drain as long is timed by them.
pub(crate) const READING_AGE_NS: u64 = NS_PER_MS;

/// What timers count in, in what clocks count in.
pub(crate) const NS_PER_MS: u64 = 1_000_000;

const _: () = assert!(POOL_THREADS <= POOL_THREADS_MAX);
const _: () = assert!(POLL_EVENTS.is_power_of_two());
