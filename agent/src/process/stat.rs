//! `/proc/PID/stat` and `/proc/PID/status` as values: bytes in, value out, no file is touched.

/// What is used of `stat`, of a process or of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// The name that the kernel keeps: at most 15 bytes, set by the thread itself.
    pub(super) name: String,
    pub(super) state: u8,
    pub(super) parent: u32,
    pub(super) flags: u64,
    /// In ticks of the kernel's clock since it booted.
    pub(super) start_ticks: u64,
}

/// It was forked and has not executed a program since (`PF_FORKNOEXEC`).
const FORKED: u64 = 0x40;

/// A thread of the kernel's own (`PF_KTHREAD`).
const KERNEL_THREAD: u64 = 0x0020_0000;

impl Stat {
    /// The name stands in round brackets and may hold any byte, brackets too.
    pub(super) fn parse(bytes: &[u8]) -> Option<Stat> {
        let open = bytes.iter().position(|&byte| byte == b'(')?;
        let close = bytes.iter().rposition(|&byte| byte == b')')?;
        let name = String::from_utf8_lossy(bytes.get(open + 1..close)?).into_owned();
        let rest = std::str::from_utf8(&bytes[close + 1..]).ok()?;
        // The first word is field 3 of proc(5).
        let words: Vec<&str> = rest.split_ascii_whitespace().collect();
        let field = |number: usize| words.get(number - 3);
        Some(Stat {
            name,
            state: *field(3)?.as_bytes().first()?,
            parent: field(4)?.parse().ok()?,
            flags: field(9)?.parse().ok()?,
            start_ticks: field(22)?.parse().ok()?,
        })
    }

    /// It has ended and waits for its parent to take notice, or is about to go.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }

    /// A signal or a debugger has stopped it.
    pub(super) fn is_stopped(&self) -> bool {
        matches!(self.state, b'T' | b't')
    }

    /// It is a copy of the process that has started it.
    pub(super) fn is_copy(&self) -> bool {
        self.flags & FORKED != 0
    }

    pub(super) fn is_kernel_thread(&self) -> bool {
        self.flags & KERNEL_THREAD != 0
    }
}

/// What is used of `status`. A line that an older kernel doesn't write is `None`, or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The process that this thread belongs to.
    pub process: Option<u32>,
    /// Real, effective, saved and file system user.
    pub users: Vec<u32>,
    /// The number in each PID namespace that it is in, the reader's first.
    pub namespace_pids: Vec<u32>,
    /// The effective capabilities, one bit each.
    pub capabilities: Option<u64>,
    /// 0 none, 1 strict, 2 with a filter.
    pub seccomp: Option<u8>,
}

impl Status {
    /// Reads what is there; a line that can't be read is as if it weren't there.
    pub fn parse(text: &str) -> Status {
        let value = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
        };
        let numbers = |name: &str| {
            let words = value(name).unwrap_or_default().split_ascii_whitespace();
            words.filter_map(|word| word.parse().ok()).collect()
        };
        Status {
            process: value("Tgid").and_then(|text| text.parse().ok()),
            users: numbers("Uid"),
            namespace_pids: numbers("NSpid"),
            capabilities: value("CapEff").and_then(|text| u64::from_str_radix(text, 16).ok()),
            seccomp: value("Seccomp").and_then(|text| text.parse().ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "7 (no) de\n) S 1 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 11 0 99 1 2";

    #[test]
    fn a_name_may_hold_any_byte() {
        let stat = Stat::parse(LINE.as_bytes()).expect("it is whole");
        assert_eq!(stat.name, "no) de\n");
        assert_eq!((stat.state, stat.parent, stat.start_ticks), (b'S', 1, 99));
        assert!(!stat.is_kernel_thread() && !stat.has_ended());
        let bytes = [b"1 (\xff) Z 0 0 0 0 -1 2129984", &b" 0".repeat(13)[..]].concat();
        let stat = Stat::parse(&bytes).expect("it is whole");
        assert_eq!(stat.name, "\u{fffd}");
        assert!(stat.is_kernel_thread() && stat.has_ended());
    }

    #[test]
    fn what_is_cut_off_is_no_stat() {
        let whole = LINE.as_bytes();
        let wanted = LINE.find("99").unwrap_or_default() + 1;
        for length in 0..wanted {
            assert_eq!(Stat::parse(&whole[..length]), None, "{length}");
        }
        assert_eq!(Stat::parse(b")("), None);
        assert_eq!(Stat::parse(b"1 (a) S x"), None);
    }

    #[test]
    fn lines_that_are_missing_or_bad_are_not_known() {
        let text = "Name:\tnode\nTgid:\t12\nUid:\t1\t2\t3\t4\nNSpid:\t12\t1\nCapEff:\t00ff\n";
        let status = Status::parse(text);
        assert_eq!(status.process, Some(12));
        assert_eq!(status.users, [1, 2, 3, 4]);
        assert_eq!(status.namespace_pids, [12, 1]);
        assert_eq!((status.capabilities, status.seccomp), (Some(0xff), None));
        assert_eq!(Status::parse("Tgid:\tx\nCapEff: zz\nUid"), Status::default());
    }
}
