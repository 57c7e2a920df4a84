//! What the kernel accounts to a thread: `/proc/PID/task/TID/schedstat`.
//!
//! ```text
//! 1503912345 20871 42        time on a CPU, time waiting for one (both in ns), time slices
//! ```
//!
//! [`Accounts`] keeps the file open, which ties it to the thread: when the thread has ended, reads
//! fail, also if its number was given out again. Cost: 2 µs a reading, without an allocation; five
//! times as much where the file is opened for it. How much of the wait is due to a quota it does
//! not tell: see [`super::quota`].

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use loop_core::snapshot::ThreadCpu;

/// The accounts of one thread.
#[derive(Debug)]
pub(super) struct Accounts {
    file: File,
}

/// What was accounted to a thread since it began, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) on_cpu_ns: u64,
    pub(super) run_delay_ns: u64,
}

impl Accounts {
    /// Opens those of the thread whose folder in `/proc` this is.
    pub(super) fn open(thread: &Path) -> io::Result<Accounts> {
        File::open(thread.join("schedstat")).map(|file| Accounts { file })
    }

    /// Opens those of a thread of any process that we may read.
    pub(super) fn of(pid: u32, tid: u32) -> io::Result<Accounts> {
        Accounts::open(Path::new(&format!("/proc/{pid}/task/{tid}")))
    }

    /// What they say now; `None` where there is no such line.
    ///
    /// # Errors
    /// The thread has ended.
    pub(super) fn read(&self) -> io::Result<Option<Account>> {
        let mut text = [0; 64];
        let length = self.file.read_at(&mut text, 0)?;
        Ok(parse(&text[..length]))
    }
}

impl Account {
    /// Nothing where it is zero: a thread that has run has had a CPU, so the kernel does not count,
    /// or not yet.
    pub(super) fn counted(self) -> Option<Account> {
        (self.on_cpu_ns > 0).then_some(self)
    }
}

impl From<Account> for ThreadCpu {
    fn from(account: Account) -> ThreadCpu {
        ThreadCpu {
            on_cpu_ns: Some(account.on_cpu_ns),
            run_delay_ns: Some(account.run_delay_ns),
            throttled_ns: None,
        }
    }
}

/// The figures of a thread of this process; nothing where the kernel does not tell.
pub(super) fn read(tid: u32) -> ThreadCpu {
    read_of(std::process::id(), tid)
}

/// The figures of a thread of any process that we may read; nothing else.
pub(super) fn read_of(pid: u32, tid: u32) -> ThreadCpu {
    let account = Accounts::of(pid, tid).and_then(|accounts| accounts.read());
    account.ok().flatten().map(ThreadCpu::from).unwrap_or_default()
}

fn parse(text: &[u8]) -> Option<Account> {
    let text = std::str::from_utf8(text).ok()?;
    let mut numbers = text.split_ascii_whitespace().map(|word| word.parse().ok());
    let (on_cpu_ns, run_delay_ns) = (numbers.next()??, numbers.next()??);
    Some(Account { on_cpu_ns, run_delay_ns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_is_read_and_zeros_are_nothing() {
        let account = parse(b"1503912345 20871 42\n");
        assert_eq!(account, Some(Account { on_cpu_ns: 1_503_912_345, run_delay_ns: 20_871 }));
        let zeros = parse(b"0 0 0\n").expect("a line of the kernel");
        assert_eq!((zeros.counted(), account.and_then(Account::counted)), (None, account));
        for none in ["", "x y z", "12", "-1 5 0", "99999999999999999999999 5 1"] {
            assert_eq!(parse(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn a_thread_that_is_not_there_is_not_measured() {
        assert_eq!(read(u32::MAX), ThreadCpu::default());
        assert!(read(std::process::id()).on_cpu_ns > Some(0));
    }

    #[test]
    fn a_thread_that_has_ended_has_none() {
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            tell.send(Accounts::open(Path::new("/proc/thread-self"))).unwrap();
        });
        let accounts = told.recv().unwrap().unwrap();
        thread.join().unwrap();
        // The kernel may take a moment to let go of it.
        let ended = (0..1000).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            accounts.read().is_err()
        });
        assert!(ended);
    }
}
