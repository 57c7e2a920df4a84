//! The two system calls that the standard library does not offer, and a file made of a descriptor.
//!
//! Cost: a system call each; no allocation.
#![allow(unsafe_code)] // Calls into libc that fill a struct, and one that takes a descriptor.

use std::fs::File;
use std::os::fd::{FromRawFd, IntoRawFd};

/// What `getrusage` says of the calling thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    pub(super) voluntary_switches: u64,
    pub(super) forced_switches: u64,
    pub(super) page_faults: u64,
}

/// Switches and faults of the calling thread. `None` where a sandbox forbids the call.
pub(super) fn usage() -> Option<Usage> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to memory of the struct's size, which the kernel fills.
    let result = unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) };
    // SAFETY: it was zeroed, which is a value of a struct of integers.
    let usage = unsafe { usage.assume_init() };
    (result == 0).then_some(Usage {
        voluntary_switches: usage.ru_nvcsw as u64,
        forced_switches: usage.ru_nivcsw as u64,
        page_faults: (usage.ru_minflt + usage.ru_majflt) as u64,
    })
}

/// Time of the calling thread on a CPU, exact to the call: unlike the figures in `/proc`, which
/// move at ticks of the scheduler.
pub(super) fn thread_clock_ns() -> Option<u64> {
    clock_ns(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// The same of any thread of this process, by its number; `None` when it is gone.
pub(super) fn clock_ns_of(thread_id: u64) -> Option<u64> {
    // How the kernel numbers the clocks of threads: the number inverted, above three bits that say
    // "of one thread" and "as the scheduler counts".
    const OF_ONE_THREAD: i32 = 0b110;
    let thread_id = i32::try_from(thread_id).ok().filter(|&id| id > 0 && id <= i32::MAX >> 3)?;
    clock_ns((!thread_id << 3) | OF_ONE_THREAD)
}

fn clock_ns(clock: libc::clockid_t) -> Option<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec, which the kernel fills; it checks the clock's number.
    let result = unsafe { libc::clock_gettime(clock, &mut time) };
    (result == 0).then_some(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// The descriptor as a file.
pub(super) fn into_file(owner: impl IntoRawFd) -> File {
    // SAFETY: `into_raw_fd` hands over the ownership of an open descriptor, and we are the only
    // ones who have it.
    unsafe { File::from_raw_fd(owner.into_raw_fd()) }
}
