//! What Node says of the system's error numbers: libuv's words, by Linux's numbers.

/// The words for an error number. A number that is not known has none.
pub(super) fn words(errno: i32) -> Option<&'static str> {
    let found = WORDS.binary_search_by_key(&errno, |(number, _)| *number);
    found.ok().map(|index| WORDS[index].1)
}

const WORDS: &[(i32, &str)] = &[
    (1, "operation not permitted"),
    (2, "no such file or directory"),
    (3, "no such process"),
    (4, "interrupted system call"),
    (5, "i/o error"),
    (6, "no such device or address"),
    (7, "argument list too long"),
    (9, "bad file descriptor"),
    (11, "resource temporarily unavailable"),
    (12, "not enough memory"),
    (13, "permission denied"),
    (14, "bad address in system call argument"),
    (16, "resource busy or locked"),
    (17, "file already exists"),
    (18, "cross-device link not permitted"),
    (19, "no such device"),
    (20, "not a directory"),
    (21, "illegal operation on a directory"),
    (22, "invalid argument"),
    (23, "file table overflow"),
    (24, "too many open files"),
    (25, "inappropriate ioctl for device"),
    (26, "text file is busy"),
    (27, "file too large"),
    (28, "no space left on device"),
    (29, "invalid seek"),
    (30, "read-only file system"),
    (31, "too many links"),
    (32, "broken pipe"),
    (34, "result too large"),
    (36, "name too long"),
    (38, "function not implemented"),
    (39, "directory not empty"),
    (40, "too many symbolic links encountered"),
    (49, "protocol driver not attached"),
    (61, "no data available"),
    (64, "machine is not on the network"),
    (71, "protocol error"),
    (75, "value too large for defined data type"),
    (84, "illegal byte sequence"),
    (88, "socket operation on non-socket"),
    (89, "destination address required"),
    (90, "message too long"),
    (91, "protocol wrong type for socket"),
    (92, "protocol not available"),
    (93, "protocol not supported"),
    (94, "socket type not supported"),
    (95, "operation not supported on socket"),
    (97, "address family not supported"),
    (98, "address already in use"),
    (99, "address not available"),
    (100, "network is down"),
    (101, "network is unreachable"),
    (103, "software caused connection abort"),
    (104, "connection reset by peer"),
    (105, "no buffer space available"),
    (106, "socket is already connected"),
    (107, "socket is not connected"),
    (108, "cannot send after transport endpoint shutdown"),
    (110, "connection timed out"),
    (111, "connection refused"),
    (112, "host is down"),
    (113, "host is unreachable"),
    (114, "connection already in progress"),
    (121, "remote I/O error"),
    (125, "operation canceled"),
];

#[cfg(test)]
mod tests {
    use super::{WORDS, words};

    #[test]
    fn numbers_are_sorted() {
        assert!(WORDS.is_sorted_by_key(|(number, _)| number));
        assert_eq!(words(2), Some("no such file or directory"));
        assert_eq!(words(0), None);
    }
}
