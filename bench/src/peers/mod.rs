//! The same things done by others, measured in the same run.

#[cfg(feature = "libuv")]
pub mod libuv;
pub mod tokio_timers;

use std::time::Duration;

/// Over how many milliseconds the timers of peers are spread that are to expire in real time.
pub const EXPIRE_SPREAD_MS: u64 = 60;

/// Sleeps until timers that were just set, spread over [`EXPIRE_SPREAD_MS`], are due.
fn let_all_fall_due() {
    std::thread::sleep(Duration::from_millis(EXPIRE_SPREAD_MS + 5));
}
