//! The system calls that hold up a loop, by number: those of x86-64.

/// Where a call says what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// In this argument, a descriptor.
    Descriptor(usize),
    /// In the first argument a descriptor, and in these two an address and its length. Without an
    /// address, the socket's own peer is meant.
    Address(usize, usize),
    /// In the first argument, where descriptors to be waited for are, and in the second how many.
    Polled,
    /// In this argument, the address of a path.
    Path(usize),
    /// A loop that waits inside of another one waits for a child that it has started.
    Child,
}

use Subject::{Address, Child, Descriptor, Path, Polled};

const CALLS: [(i64, &str, Option<Subject>); 58] = [
    (0, "read", Some(Descriptor(0))),
    (1, "write", Some(Descriptor(0))),
    (2, "open", Some(Path(0))),
    (3, "close", Some(Descriptor(0))),
    (4, "stat", Some(Path(0))),
    (6, "lstat", Some(Path(0))),
    (7, "poll", Some(Polled)),
    (9, "mmap", None),
    (10, "mprotect", None),
    (11, "munmap", None),
    (17, "pread64", Some(Descriptor(0))),
    (18, "pwrite64", Some(Descriptor(0))),
    (19, "readv", Some(Descriptor(0))),
    (20, "writev", Some(Descriptor(0))),
    (21, "access", Some(Path(0))),
    (23, "select", None),
    (24, "sched_yield", None),
    (28, "madvise", None),
    (35, "nanosleep", None),
    (40, "sendfile", Some(Descriptor(1))),
    (42, "connect", Some(Address(1, 2))),
    (43, "accept", Some(Descriptor(0))),
    (44, "sendto", Some(Address(4, 5))),
    (45, "recvfrom", Some(Descriptor(0))),
    (46, "sendmsg", Some(Descriptor(0))),
    (47, "recvmsg", Some(Descriptor(0))),
    (61, "wait4", Some(Child)),
    (72, "fcntl", Some(Descriptor(0))),
    (73, "flock", Some(Descriptor(0))),
    (74, "fsync", Some(Descriptor(0))),
    (75, "fdatasync", Some(Descriptor(0))),
    (82, "rename", Some(Path(0))),
    (83, "mkdir", Some(Path(0))),
    (84, "rmdir", Some(Path(0))),
    (87, "unlink", Some(Path(0))),
    (202, "futex", None),
    (217, "getdents64", Some(Descriptor(0))),
    (230, "clock_nanosleep", None),
    (232, "epoll_wait", Some(Child)),
    (247, "waitid", Some(Child)),
    (257, "openat", Some(Path(1))),
    (262, "newfstatat", Some(Path(1))),
    (263, "unlinkat", Some(Path(1))),
    (267, "readlinkat", Some(Path(1))),
    (269, "faccessat", Some(Path(1))),
    (270, "pselect6", None),
    (271, "ppoll", Some(Polled)),
    (281, "epoll_pwait", Some(Child)),
    (285, "fallocate", Some(Descriptor(0))),
    (288, "accept4", Some(Descriptor(0))),
    (295, "preadv", Some(Descriptor(0))),
    (296, "pwritev", Some(Descriptor(0))),
    (326, "copy_file_range", Some(Descriptor(0))),
    (332, "statx", Some(Path(1))),
    (439, "faccessat2", Some(Path(1))),
    (441, "epoll_pwait2", Some(Child)),
    (449, "futex_waitv", None),
    (455, "futex_wait", None),
];

/// The name of a call.
pub(super) fn name(number: i64) -> String {
    let known = CALLS.iter().find(|(of, ..)| *of == number);
    known.map_or_else(|| format!("system call {number}"), |(_, name, _)| (*name).to_owned())
}

/// Where it says what it is for.
pub(super) fn subject(number: i64) -> Option<Subject> {
    CALLS.iter().find(|(of, ..)| *of == number)?.2
}

/// Whether it waits for a lock, or for another thread to tell.
pub(super) fn is_lock(number: i64) -> bool {
    matches!(number, 202 | 449 | 455)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_kernels_headers() {
        let known = [
            (libc::SYS_read, "read"),
            (libc::SYS_openat, "openat"),
            (libc::SYS_futex, "futex"),
            (libc::SYS_epoll_pwait, "epoll_pwait"),
            (libc::SYS_statx, "statx"),
            (libc::SYS_wait4, "wait4"),
            (libc::SYS_flock, "flock"),
            (libc::SYS_getdents64, "getdents64"),
            (libc::SYS_accept, "accept"),
            (libc::SYS_accept4, "accept4"),
            (libc::SYS_preadv, "preadv"),
            (libc::SYS_pwritev, "pwritev"),
            (libc::SYS_copy_file_range, "copy_file_range"),
        ];
        if cfg!(target_arch = "x86_64") {
            known.iter().for_each(|(number, is)| assert_eq!(name(*number), *is));
        }
        assert!(CALLS.is_sorted_by_key(|(number, ..)| *number));
        assert_eq!(name(9_999), "system call 9999");
        assert_eq!(subject(257), Some(Path(1)));
    }
}
