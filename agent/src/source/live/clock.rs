//! The clocks of the kernel: `CLOCK_MONOTONIC`, which libuv measures by, and that of start times.

use rustix::time::{ClockId, clock_gettime};

/// Now, in nanoseconds of `CLOCK_MONOTONIC`, as this process sees it. About 25 ns.
pub fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Now, in ticks since the machine booted, as `/proc/PID/stat` tells starts: 100 a second.
pub(super) fn boot_ticks() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec as u64 * 100 + now.tv_nsec as u64 / 10_000_000
}
