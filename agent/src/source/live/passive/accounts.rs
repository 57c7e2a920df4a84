//! What the kernel accounts to a thread of another process: `/proc/PID/task/TID/schedstat`.
//!
//! ```text
//! 1503912345 20871 42        time on a CPU, time waiting for one (both in ns), time slices
//! ```
//!
//! The file is kept open, which ties it to the thread: when the thread has ended, reads fail, also
//! if its number was given out again. Cost: 2 µs a reading. No allocation.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

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

    /// What they say now; `None` where the kernel keeps none.
    ///
    /// # Errors
    /// The thread has ended.
    pub(super) fn read(&self) -> io::Result<Option<Account>> {
        let mut text = [0; 64];
        let length = self.file.read_at(&mut text, 0)?;
        Ok(parse(&text[..length]))
    }
}

/// A thread that has run has had a CPU: zeros are those of a kernel that does not count.
fn parse(text: &[u8]) -> Option<Account> {
    let text = std::str::from_utf8(text).ok()?;
    let mut numbers = text.split_ascii_whitespace().map(|word| word.parse().ok());
    let (on_cpu_ns, run_delay_ns) = (numbers.next()??, numbers.next()??);
    (on_cpu_ns > 0).then_some(Account { on_cpu_ns, run_delay_ns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_is_read_and_zeros_are_nothing() {
        let account = parse(b"1503912345 20871 42\n");
        assert_eq!(account, Some(Account { on_cpu_ns: 1_503_912_345, run_delay_ns: 20_871 }));
        for none in ["0 0 0\n", "", "x y z", "12", "-1 5 0"] {
            assert_eq!(parse(none.as_bytes()), None, "{none}");
        }
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
