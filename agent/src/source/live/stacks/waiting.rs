//! What a thread that is not on a CPU waits for, as `/proc` tells it from outside.
//!
//! ```text
//! /proc/PID/task/TID/syscall   running
//!                              257 0xff.. .. 0x7ffd.. 0x7f3a..  number, arguments, sp, pc
//!                              -1 0x7ffd.. 0x7f3a..             no system call
//! /proc/PID/task/TID/stat      5871 (node) S ...                             T: stopped
//! /proc/PID/task/TID/wchan     do_freezer_trap
//! ```
//!
//! Cost: one read of about 2 µs while the thread runs, three and a link while it waits. The files
//! are kept open, which ties them to the thread.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::calls::{self, Subject};
use super::limits::PATH_BYTES_MAX;
use super::peers::{ADDRESS_BYTES_MAX, Peers};
use crate::source::live::memory::Memory;

/// What a thread does when it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// It is on a CPU, or could be.
    Runs,
    /// It waits.
    Waits(Waiting),
}

/// What it waits for, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) kind: Kind,
    /// The number of the system call; -1 for none.
    pub(super) number: i64,
    pub(super) arguments: [u64; 6],
    pub(super) sp: u64,
    pub(super) pc: u64,
}

/// Why it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It was stopped by a signal.
    Stopped,
    /// Its control group is frozen.
    Frozen,
    /// For a lock.
    Lock,
    /// For anything else, in a system call.
    Io,
    /// For memory: a page that has to be read.
    Memory,
}

/// The files of one thread.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    syscall: File,
    stat: File,
    wchan: Option<File>,
}

impl Files {
    /// Those of the thread whose folder in `/proc` this is.
    pub(super) fn open(folder: &Path) -> io::Result<Files> {
        Ok(Files {
            syscall: File::open(folder.join("syscall"))?,
            stat: File::open(folder.join("stat"))?,
            wchan: File::open(folder.join("wchan")).ok(),
            folder: folder.to_owned(),
        })
    }

    /// What the thread does now.
    ///
    /// # Errors
    /// It has ended, or the kernel does not let us look.
    pub(super) fn look(&self) -> io::Result<Doing> {
        let mut buffer = [0; 256];
        let Some(call) = Call::of(text(&self.syscall, &mut buffer)?) else {
            return Ok(Doing::Runs);
        };
        let mut buffer = [0; 128];
        let stopped = matches!(state(text(&self.stat, &mut buffer)?), Some('T' | 't'));
        let frozen = self.wchan.as_ref().is_some_and(|file| {
            let mut buffer = [0; 64];
            text(file, &mut buffer).is_ok_and(is_freezer)
        });
        let kind = match () {
            () if stopped => Kind::Stopped,
            () if frozen => Kind::Frozen,
            () if call.number < 0 => Kind::Memory,
            () if calls::is_lock(call.number) => Kind::Lock,
            () => Kind::Io,
        };
        let Call { number, arguments, sp, pc } = call;
        Ok(Doing::Waits(Waiting { kind, number, arguments, sp, pc }))
    }

    /// What the wait is for: a file, a peer, a child; as far as it can be known.
    pub(super) fn subject(
        &self,
        waiting: &Waiting,
        memory: &Memory,
        peers: &mut Peers,
    ) -> Option<String> {
        if waiting.kind != Kind::Io {
            return None;
        }
        // A descriptor is a number of 32 bits, whatever else is in the register.
        let number = |at: usize| waiting.arguments[at] as i32;
        match calls::subject(waiting.number)? {
            Subject::Descriptor(at) => peers.name(&self.folder, number(at)),
            Subject::Address(at, length) => {
                match bytes_at(memory, waiting.arguments[at], waiting.arguments[length]) {
                    Some(address) => peers.at(&self.folder, number(0), &address),
                    None => peers.name(&self.folder, number(0)),
                }
            }
            Subject::Polled => {
                let [list, count, ..] = waiting.arguments;
                let polled = (count == 1).then(|| memory.bytes(list).ok())??;
                peers.name(&self.folder, i32::from_ne_bytes(polled))
            }
            Subject::Path(at) => path_at(memory, waiting.arguments[at]),
            Subject::Child => self.newest_child(),
        }
    }

    /// The child that was started last, by this thread.
    fn newest_child(&self) -> Option<String> {
        let children = fs::read_to_string(self.folder.join("children")).ok()?;
        let newest: u32 = children.split_ascii_whitespace().last()?.parse().ok()?;
        Some(format!("{} ({newest})", crate::process::Process::kernels_name(newest)))
    }
}

fn text<'a>(file: &File, buffer: &'a mut [u8]) -> io::Result<&'a str> {
    let length = file.read_at(buffer, 0)?;
    Ok(std::str::from_utf8(&buffer[..length]).unwrap_or_default().trim_end())
}

/// The letter behind the name, which may hold anything.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Version 2 of the control groups holds threads in the first, version 1 in the second.
fn is_freezer(wchan: &str) -> bool {
    wchan == "do_freezer_trap" || wchan == "__refrigerator"
}

/// An address that a call was given. `None`: it was given none.
fn bytes_at(memory: &Memory, address: u64, length: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length.min(ADDRESS_BYTES_MAX as u64) as usize];
    (address != 0).then(|| memory.read(address, &mut bytes).ok())??;
    Some(bytes)
}

fn path_at(memory: &Memory, address: u64) -> Option<String> {
    const PAGE: u64 = 4_096;
    let mut bytes = Vec::new();
    // Page by page, as the next one need not be there.
    while bytes.len() < PATH_BYTES_MAX {
        let from = address.checked_add(bytes.len() as u64)?;
        let mut chunk = [0; 256];
        let length = (PAGE - from % PAGE).min(chunk.len() as u64) as usize;
        memory.read(from, &mut chunk[..length]).ok()?;
        match chunk[..length].iter().position(|&byte| byte == 0) {
            Some(end) => {
                bytes.extend(&chunk[..end]);
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
            None => bytes.extend(&chunk[..length]),
        }
    }
    None
}

/// A line of `syscall`.
struct Call {
    number: i64,
    arguments: [u64; 6],
    sp: u64,
    pc: u64,
}

impl Call {
    /// `None`: the thread runs.
    fn of(line: &str) -> Option<Call> {
        let mut words = line.split_ascii_whitespace();
        let number: i64 = words.next()?.parse().ok()?;
        let mut word = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
        let mut arguments = [0; 6];
        if number >= 0 {
            for argument in &mut arguments {
                *argument = word()?;
            }
        }
        Some(Call { number, arguments, sp: word()?, pc: word()? })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::process::Process;

    #[test]
    fn lines_of_the_kernel_are_read() {
        let call = Call::of("257 0xffffff9c 0x2 0x3 0x4 0x5 0x6 0x7ffd 0x7f3a").expect("a call");
        assert_eq!((call.number, call.arguments), (257, [0xffff_ff9c, 2, 3, 4, 5, 6]));
        assert_eq!((call.sp, call.pc), (0x7ffd, 0x7f3a));
        let none = Call::of("-1 0x7ffd 0x7f3a").expect("no system call, but a wait");
        assert_eq!((none.number, none.sp, none.pc), (-1, 0x7ffd, 0x7f3a));
        for runs in ["running", "", "257 0x1", "x 0x1 0x2"] {
            assert!(Call::of(runs).is_none(), "{runs}");
        }
        assert_eq!(state("58 (a) R) S 1 2"), Some('S'));
        assert!(is_freezer("do_freezer_trap") && !is_freezer("ep_poll"));
    }

    #[test]
    fn a_thread_that_sleeps_and_one_that_runs_are_told_apart() {
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            tell.send(fs::read_link("/proc/thread-self").unwrap()).unwrap();
            let _ = ended.recv();
        });
        let folder = Path::new("/proc").join(told.recv().unwrap());
        let waits = (0..1_000).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            let doing = Files::open(&folder).unwrap().look().unwrap();
            matches!(doing, Doing::Waits(Waiting { kind: Kind::Lock, .. }))
        });
        assert!(waits, "it waits for a message, which is a futex");
        drop(end);
        thread.join().unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        let runs = Arc::new(AtomicBool::new(true));
        let go_on = Arc::clone(&runs);
        let thread = std::thread::spawn(move || {
            tell.send(fs::read_link("/proc/thread-self").unwrap()).unwrap();
            while go_on.load(Ordering::Relaxed) {}
        });
        let folder = Path::new("/proc").join(told.recv().unwrap());
        let files = Files::open(&folder).unwrap();
        assert!((0..100).any(|_| files.look().unwrap() == Doing::Runs));
        runs.store(false, Ordering::Relaxed);
        thread.join().unwrap();
    }

    #[test]
    fn a_path_that_a_call_was_given_is_read() {
        let own = Process::open(std::process::id()).unwrap();
        let memory = Memory::open(own.identity()).unwrap();
        let path = b"/tmp/a b\0rest";
        let address = path.as_ptr() as usize as u64;
        assert_eq!(path_at(&memory, address).as_deref(), Some("/tmp/a b"));
        assert_eq!(path_at(&memory, 8), None);
        assert_eq!(path_at(&memory, u64::MAX - 3), None);
    }
}
