//! What `/proc` tells of a process: who it is, what it executes, its threads and children.
//!
//! A [`Process`] is one program in one process. It keeps one descriptor, of its `maps`, which the
//! kernel ties to the address space: from there nothing is read once the process has ended or
//! executes another program. Whatever is read by number elsewhere is confirmed by it afterwards,
//! so nothing of another process that was given the same number is ever taken for this one's.
//!
//! ```text
//! pid ──> Process ──┬──> threads, children, name, namespaces
//!                   └──> maps ──> modules: the very files that are mapped ──> elf, plan
//! ```
//!
//! Cost: to open one, some ten small reads of `/proc`; `is_same_image` is one `pread` of one byte.
//! `modules` opens each file that has code once.
//!
//! **Invariant**: everything is opened for reading. The process is not stopped, signalled, traced
//! or written to.

mod discover;
mod exports;
mod identity;
mod mapped;
mod maps;
mod name;
mod proc_fs;
mod refusal;
mod rights;
mod root;
mod same_file;
mod stat;
#[cfg(test)]
mod tests;
mod threads;

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

pub use discover::{Discovery, Found};
pub use exports::Holds;
pub use identity::{Identity, Life, environment_of, parent_of};
pub use mapped::{FileId, FileState, MappedFile, Modules};
pub use maps::Mapping;
pub use proc_fs::ProcFs;
pub use refusal::{Kind, Refusal};
pub use rights::{Capability, Own};
pub use root::last_lines;
pub use stat::Status;
pub use threads::{Thread, children_of, listed_children_of};

pub use crate::exit::Cause;

/// One program in one process, opened once; all reads go by it.
#[derive(Debug)]
pub struct Process {
    proc_fs: ProcFs,
    identity: Identity,
    name: String,
    has_command: bool,
    status: Status,
    maps: File,
}

impl Process {
    /// Opens the process that has this number now.
    ///
    /// # Errors
    /// There is none, it has ended, it is a thread of the kernel, or the kernel does not let us
    /// read what it executes. Whether it is a Node is not looked at: see [`Process::modules`].
    pub fn open(pid: u32) -> Result<Process, Refusal> {
        Process::open_in(&ProcFs::default(), pid)
    }

    /// As [`Process::open`], in this `/proc`.
    ///
    /// # Errors
    /// As there.
    pub fn open_in(proc_fs: &ProcFs, pid: u32) -> Result<Process, Refusal> {
        const TRIES: usize = 3;
        for _ in 0..TRIES {
            let process = Process::look(proc_fs, pid)?;
            // One that has executed another program meanwhile would have the name of that.
            if process.is_same_image() {
                return Ok(process);
            }
        }
        Err(Refusal::ended(pid))
    }

    fn look(proc_fs: &ProcFs, pid: u32) -> Result<Process, Refusal> {
        let stat = identity::stat(proc_fs, pid).map_err(|_| rights::unseen(proc_fs, pid))?;
        let identity = Identity { pid, start_ticks: stat.start_ticks };
        let status = proc_fs.read(pid, "status").map_err(|_| Refusal::ended(pid))?;
        let status = Status::parse(&String::from_utf8_lossy(&status));
        if let Some(process) = status.process.filter(|&process| process != pid) {
            let what = format!("{pid} is a thread of process {process}");
            return Err(Refusal::new(Kind::NotFound, what, format!("name {process} instead")));
        }
        if stat.is_kernel_thread() {
            let what = format!("process {pid} ({}) is a thread of the kernel", stat.name);
            let cure = "`loopscope doctor` lists those that can be observed";
            return Err(Refusal::new(Kind::KernelThread, what, cure));
        }
        if stat.has_ended() {
            return Err(Refusal::ended(pid));
        }
        let maps = File::open(proc_fs.path(pid, "maps"));
        let maps = maps.map_err(|error| rights::refusal(proc_fs, pid, &status, &error))?;
        // The number may have been given to another one before it was opened, but not after.
        if !identity.is_alive_in(proc_fs) {
            return Err(Refusal::ended(pid));
        }
        let name = stat.name;
        let (proc_fs, has_command) = (proc_fs.clone(), false);
        let mut process = Process { proc_fs, identity, name, has_command, status, maps };
        (process.name, process.has_command) = name::of(&process, &process.name);
        Ok(process)
    }

    /// Whether it had a command line when it was opened. One that has just begun to execute a
    /// program has none yet.
    pub fn has_command(&self) -> bool {
        self.has_command
    }

    /// What people call it now that it has a command line. `None`: it has none, or has ended, or
    /// executes another program.
    pub fn later_name(&self) -> Option<String> {
        let (name, has_command) = name::of(self, &self.name);
        (has_command && self.is_same_image()).then_some(name)
    }

    /// What the kernel calls the process that has this number now, which needs no rights; empty if
    /// there is none.
    pub fn kernels_name(pid: u32) -> String {
        identity::stat(&ProcFs::default(), pid).map(|stat| stat.name).unwrap_or_default()
    }

    /// Which process it is.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name in the `package.json` of the package that its script is a part of.
    pub fn package(&self) -> Option<String> {
        name::package(self)
    }

    /// What the kernel told of it when it was opened.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The `/proc` that it is read from.
    pub fn proc_fs(&self) -> &ProcFs {
        &self.proc_fs
    }

    /// The path of a file about it.
    pub fn path(&self, file: &str) -> PathBuf {
        self.proc_fs.path(self.identity.pid, file)
    }

    /// Whether it is there and executes what it did when it was opened. One `pread` of a byte, so
    /// it can be asked before every reading.
    pub fn is_same_image(&self) -> bool {
        matches!(self.maps.read_at(&mut [0], 0), Ok(1))
    }

    /// Its address space, by address.
    ///
    /// # Errors
    /// The process has ended or executes another program; or the kernel takes the right to read
    /// away, as when the process changes its user.
    pub fn maps(&self) -> io::Result<Vec<Mapping>> {
        const CHUNK_BYTES: usize = 64 * 1024;
        let mut text = Vec::new();
        loop {
            let begin = text.len();
            text.resize(begin + CHUNK_BYTES, 0);
            let length = self.maps.read_at(&mut text[begin..], begin as u64)?;
            text.truncate(begin + length);
            if length == 0 {
                break;
            }
        }
        if text.is_empty() {
            return Err(self.gone());
        }
        Ok(maps::parse(&text))
    }

    /// What a file about it holds, for certain of this process.
    ///
    /// # Errors
    /// It can't be read, or the process is no longer the same.
    pub fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        let bytes = self.proc_fs.read(self.identity.pid, file)?;
        self.confirm().map(|()| bytes)
    }

    /// As [`Process::read`], of a file that the kernel gives out by one read, as `cgroup`: by a
    /// third of the system calls.
    ///
    /// # Errors
    /// As there.
    pub fn read_short(&self, file: &str) -> io::Result<Vec<u8>> {
        let bytes = self.proc_fs.read_short(self.identity.pid, file)?;
        self.confirm().map(|()| bytes)
    }

    /// The number of its PID namespace (the inode of `ns/pid`), and of the file system that
    /// namespaces lie on: what a kernel program is given to tell numbers as the process does.
    ///
    /// # Errors
    /// As [`Process::read`].
    pub fn pid_namespace(&self) -> io::Result<FileId> {
        let found = std::fs::metadata(self.path("ns/pid"))?;
        self.confirm()?;
        Ok(FileId { dev: found.dev(), inode: found.ino() })
    }

    /// Its number in its own PID namespace, as it itself sees it.
    pub fn own_pid(&self) -> u32 {
        self.status.namespace_pids.last().copied().unwrap_or(self.identity.pid)
    }

    /// Why its memory could not be opened or read, when `error` came of it.
    pub fn memory_refusal(&self, error: &io::Error) -> Refusal {
        let pid = self.identity.pid;
        if error.kind() != io::ErrorKind::PermissionDenied {
            return rights::refusal(&self.proc_fs, pid, &self.status, error);
        }
        let (own, scope) = (Own::read(&self.proc_fs), rights::ptrace_scope(&self.proc_fs));
        let cause = rights::memory_denied(pid, own, &self.status.users, scope);
        Refusal { kind: Kind::NoRights, cause }
    }

    /// What was read until now was read of this very program.
    fn confirm(&self) -> io::Result<()> {
        match self.maps.read_at(&mut [0], 0) {
            Ok(1) => Ok(()),
            Ok(_) => Err(self.gone()),
            Err(error) => Err(error),
        }
    }

    fn gone(&self) -> io::Error {
        let pid = self.identity.pid;
        let what = format!("process {pid} has ended or executes another program");
        io::Error::new(io::ErrorKind::NotFound, what)
    }
}
