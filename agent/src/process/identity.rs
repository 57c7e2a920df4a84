//! Which process it is, for certain: numbers are given out again, start times are not.

use std::io;

use super::proc_fs::ProcFs;
use super::stat::Stat;

/// A process, for certain the same one: its number, and when it started (field 22 of
/// `/proc/PID/stat`, in ticks of 10 ms as a rule).
///
/// A number is given out again when all others have been, which takes longer than a tick. What it
/// executes may change under the same identity: see [`Process::is_same_image`].
///
/// [`Process::is_same_image`]: super::Process::is_same_image
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Identity {
    /// Its number, as the `/proc` that it was read from numbers processes.
    pub pid: u32,
    /// When it started, in ticks since the machine booted.
    pub start_ticks: u64,
}

/// What a process does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    /// Nothing more: it is gone, or a zombie.
    Ended,
    /// Nothing: a signal or a debugger has stopped it.
    Stopped,
    /// It runs, or waits.
    GoesOn,
}

impl Identity {
    /// The process that has this number now. One read of `/proc`.
    ///
    /// # Errors
    /// There is no such process, or `/proc` can't be read.
    pub fn of(pid: u32) -> io::Result<Identity> {
        Identity::read(&ProcFs::default(), pid)
    }

    /// As [`Identity::of`], from this `/proc`.
    ///
    /// # Errors
    /// There is no such process, or its `stat` can't be read.
    pub fn read(proc_fs: &ProcFs, pid: u32) -> io::Result<Identity> {
        let stat = stat(proc_fs, pid)?;
        Ok(Identity { pid, start_ticks: stat.start_ticks })
    }

    /// What this very process does. One read of `/proc`.
    pub fn life(self) -> Life {
        self.life_in(&ProcFs::default())
    }

    fn life_in(self, proc_fs: &ProcFs) -> Life {
        match stat(proc_fs, self.pid) {
            Ok(stat) if stat.start_ticks != self.start_ticks || stat.has_ended() => Life::Ended,
            Ok(stat) if stat.is_stopped() => Life::Stopped,
            Ok(_) => Life::GoesOn,
            Err(_) => Life::Ended,
        }
    }

    /// Whether this very process is there and has not ended. A zombie has.
    pub fn is_alive(self) -> bool {
        self.life() != Life::Ended
    }

    /// As [`Identity::is_alive`], in this `/proc`.
    pub fn is_alive_in(self, proc_fs: &ProcFs) -> bool {
        self.life_in(proc_fs) != Life::Ended
    }

    /// Whether this very process is there, and still the copy that it began as: it is about to
    /// execute a program, most likely.
    pub fn is_copy(self) -> bool {
        stat(&ProcFs::default(), self.pid)
            .is_ok_and(|stat| stat.start_ticks == self.start_ticks && stat.is_copy())
    }
}

/// Who has started a process, or was given it when that one ended.
pub fn parent_of(pid: u32) -> Option<u32> {
    stat(&ProcFs::default(), pid).ok().map(|stat| stat.parent)
}

/// The variables that a process was started with, each with a zero byte behind it. It may have
/// written over them since.
///
/// # Errors
/// There is no such process, or we may not read it.
pub fn environment_of(pid: u32) -> io::Result<Vec<u8>> {
    ProcFs::default().read(pid, "environ")
}

pub(super) fn stat(proc_fs: &ProcFs, pid: u32) -> io::Result<Stat> {
    let bytes = proc_fs.read_short(pid, "stat")?;
    Stat::parse(&bytes).ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat is no such file")))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_is_stopped_until_it_goes_on() {
        let mut child = Command::new("sh")
            .args(["-c", "kill -STOP $$; exec cat"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let id = Identity::of(child.id()).expect("it is there");
        while id.life() != Life::Stopped {
            std::thread::yield_now();
        }
        assert!(id.is_alive());
        assert_eq!(Identity { start_ticks: id.start_ticks + 1, ..id }.life(), Life::Ended);
        let went_on = Command::new("kill").args(["-CONT", &id.pid.to_string()]).status();
        assert!(went_on.expect("kill is there").success());
        while id.life() == Life::Stopped {
            std::thread::yield_now();
        }
        drop(child.stdin.take());
        child.wait().expect("it ends");
    }

    #[test]
    fn a_process_is_alive_until_it_ends() {
        let own = Identity::of(std::process::id()).expect("this process is there");
        assert!(own.is_alive());
        assert!(!Identity { start_ticks: own.start_ticks + 1, ..own }.is_alive());
        let mut command = Command::new("cat");
        let mut child = command.stdin(Stdio::piped()).spawn().expect("cat starts");
        let id = Identity::of(child.id()).expect("it is there");
        assert!(id.is_alive());
        drop(child.stdin.take());
        while id.is_alive() {
            std::thread::yield_now();
        }
        assert!(Identity::of(child.id()).is_ok(), "a zombie is there, but not alive");
        child.wait().expect("it has ended");
        assert!(Identity::of(child.id()).is_err());
    }
}
