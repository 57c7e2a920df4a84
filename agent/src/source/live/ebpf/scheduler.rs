//! The clock by which the kernel schedules, beside the monotonic one.
//!
//! A thread's time on a CPU is exact only up to now: what the kernel has counted when the thread
//! was given its CPU, and the time since, which it notes by another clock. How far the two clocks
//! are apart is seen on a thread of our own: it has just woken up when it asks.
//!
//! Cost: one system call each time.

use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::system::{self, Words};

/// Of so many askings the best counts. The clocks drift apart by some microseconds a second.
const ASKED: usize = 8;

/// Where the kernel side looks, and where it writes.
pub(super) const AHEAD: usize = 0;
const ARRIVED: usize = 1;
const NOW: usize = 2;

/// The size of what is shared.
pub(super) const WORDS: usize = 3;

/// How far the clocks were found to be apart lately.
#[derive(Debug, Default)]
pub(super) struct Scheduler {
    newest: [Option<u64>; ASKED],
    next: usize,
}

impl Scheduler {
    /// Asks several times, each time after a short sleep.
    pub(super) fn begin(&mut self, program: BorrowedFd<'_>, words: &Words) {
        for _ in 0..ASKED {
            std::thread::sleep(Duration::from_micros(100));
            self.ask(program, words);
        }
    }

    /// Asks once. Where the kernel does not tell, nothing is set.
    pub(super) fn ask(&mut self, program: BorrowedFd<'_>, words: &Words) {
        let word = |index: usize| words[index].load(Ordering::Relaxed);
        if system::run(program).is_err() || word(ARRIVED) == 0 {
            return;
        }
        // The shortest way from waking up to asking: what is longer was spent on that way.
        self.newest[self.next] = Some(word(NOW).wrapping_sub(word(ARRIVED)));
        self.next = (self.next + 1) % ASKED;
        if let Some(ahead_ns) = self.ahead_ns() {
            words[AHEAD].store(ahead_ns as u64, Ordering::Relaxed);
        }
    }

    /// The clocks may be apart in either direction.
    fn ahead_ns(&self) -> Option<i64> {
        self.newest.iter().flatten().map(|&ahead_ns| ahead_ns as i64).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_the_newest_counts() {
        let mut scheduler = Scheduler::default();
        assert_eq!(scheduler.ahead_ns(), None);
        scheduler.newest[0] = Some(900);
        scheduler.newest[1] = Some(-50_i64 as u64);
        assert_eq!(scheduler.ahead_ns(), Some(-50));
        scheduler.newest[1] = Some(300);
        assert_eq!(scheduler.ahead_ns(), Some(300));
    }
}
