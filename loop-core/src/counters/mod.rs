//! What the kernel counts for the calling thread: its time on a CPU and in the queue for one, its
//! context switches and page faults, and what its control group took from it.
//!
//! ```text
//!  clock_gettime  time on a CPU, exact            schedstat       time in the run queue
//!  getrusage      context switches, page faults   cpu.stat.local  throttled by a CPU quota
//!  perf           cycles, instructions            cgroup.stat.local   frozen
//! ```
//!
//! A task clock, switches and faults could be read from one group of software events of perf. They
//! are not, for three reasons: each such event makes every context switch of the thread dearer,
//! also those of a loop that is never read; a user without rights (`perf_event_paranoid` 2) counts
//! no context switches by them, as those happen in the kernel; and many containers refuse the
//! call. The system calls above cost nothing until they are made, and nobody refuses them.
//!
//! Cost of a reading: two system calls where the thread has not been switched since the last one,
//! 0.9 µs together (`goals` in `bench`); else a third one, and one for each of the two files of its
//! control group that are there; with `detail` and a PMU one more. No allocation.
//!
//! **Invariant**: what the kernel doesn't tell is `None`. Nothing here fails a loop.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod none;
mod reading;

#[cfg(target_os = "linux")]
pub use linux::Cgroup;
#[cfg(target_os = "linux")]
pub(crate) use linux::ThreadCounters;
#[cfg(not(target_os = "linux"))]
pub(crate) use none::ThreadCounters;
pub(crate) use reading::{READING_WORDS, Reading};
