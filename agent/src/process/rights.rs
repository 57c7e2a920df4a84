//! Which right is missing where the kernel says no, and the command that gives it.

use std::io;

use super::proc_fs::ProcFs;
use super::refusal::{Kind, Refusal};
use super::stat::Status;
use crate::exit::Cause;

/// A capability that matters here, by its bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Reading the memory of others.
    SysPtrace = 19,
    /// Nearly everything.
    SysAdmin = 21,
    /// Raising limits.
    SysResource = 24,
    /// Measuring other processes.
    Perfmon = 38,
    /// Loading programs into the kernel.
    Bpf = 39,
    /// Opening what others have mapped.
    CheckpointRestore = 40,
}

impl Capability {
    /// All of them.
    pub const ALL: [Capability; 6] = [
        Capability::SysPtrace,
        Capability::SysAdmin,
        Capability::SysResource,
        Capability::Perfmon,
        Capability::Bpf,
        Capability::CheckpointRestore,
    ];

    /// As capabilities(7) writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Capability::SysPtrace => "CAP_SYS_PTRACE",
            Capability::SysAdmin => "CAP_SYS_ADMIN",
            Capability::SysResource => "CAP_SYS_RESOURCE",
            Capability::Perfmon => "CAP_PERFMON",
            Capability::Bpf => "CAP_BPF",
            Capability::CheckpointRestore => "CAP_CHECKPOINT_RESTORE",
        }
    }
}

/// The rights of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Own {
    /// The user that files are opened as.
    pub user: u32,
    /// The effective capabilities, one bit each.
    pub capabilities: u64,
    /// How system calls are filtered: 0 not at all, 1 strictly, 2 by a filter.
    pub seccomp: u8,
}

impl Own {
    /// What the kernel tells of this process; no rights where it tells nothing.
    pub fn read(proc_fs: &ProcFs) -> Own {
        let text = std::fs::read(proc_fs.root().join("self/status")).unwrap_or_default();
        let status = Status::parse(&String::from_utf8_lossy(&text));
        Own {
            user: status.users.last().copied().unwrap_or(u32::MAX),
            capabilities: status.capabilities.unwrap_or(0),
            seccomp: status.seccomp.unwrap_or(0),
        }
    }

    /// Whether it has this capability.
    pub const fn has(&self, capability: Capability) -> bool {
        self.capabilities >> capability as u32 & 1 == 1
    }
}

/// The process can't be seen: there is none, or it is hidden.
pub(super) fn unseen(proc_fs: &ProcFs, pid: u32) -> Refusal {
    let mounts = std::fs::read(proc_fs.root().join("self/mountinfo")).unwrap_or_default();
    match hidden(&String::from_utf8_lossy(&mounts)) {
        Some(option) => Refusal::new(
            Kind::NotFound,
            format!("there is no process {pid}, or /proc hides it (it is mounted with {option})"),
            "run as root",
        ),
        None => Refusal::not_found(pid),
    }
}

/// The option by which `/proc` hides the processes of others.
fn hidden(mountinfo: &str) -> Option<&str> {
    let line = mountinfo.lines().rfind(|line| line.split(' ').nth(4) == Some("/proc"))?;
    let options = line.split(" - ").nth(1)?.rsplit(' ').next()?;
    let shown = ["hidepid=0", "hidepid=off"];
    options.split(',').find(|option| option.starts_with("hidepid=") && !shown.contains(option))
}

/// What the process executes can't be read.
pub(super) fn refusal(proc_fs: &ProcFs, pid: u32, status: &Status, error: &io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let cause = denied(pid, Own::read(proc_fs), &status.users);
            Refusal { kind: Kind::NoRights, cause }
        }
        _ if is_gone(error) => Refusal::ended(pid),
        _ => {
            let what = format!("/proc/{pid} can't be read ({error})");
            Refusal::new(Kind::Unreadable, what, "see that /proc is mounted, and try again")
        }
    }
}

/// `ENOENT`, or `ESRCH`: it was there when its file was opened, and no longer is.
fn is_gone(error: &io::Error) -> bool {
    const ESRCH: i32 = 3;
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(ESRCH)
}

/// Why the kernel does not let us read what a process executes, or what is in its memory.
fn denied(pid: u32, own: Own, users: &[u32]) -> Cause {
    if own.has(Capability::SysPtrace) {
        return Cause::new(
            format!(
                "the kernel does not let process {pid} be read, although CAP_SYS_PTRACE is set"
            ),
            "run on the host, outside of any container; see whether AppArmor or SELinux objects",
        );
    }
    let as_root = "run as root, or `sudo setcap cap_sys_ptrace+ep \"$(command -v loopscope)\"`";
    match users.iter().find(|&&user| user != own.user) {
        Some(user) => Cause::new(
            format!("process {pid} belongs to user {user}, and CAP_SYS_PTRACE is missing"),
            format!("run as that user, {}", as_root.replacen("run as root", "as root", 1)),
        ),
        None => Cause::new(
            format!("process {pid} has more rights than this one, and CAP_SYS_PTRACE is missing"),
            as_root,
        ),
    }
}

/// Why the memory of a process that can be looked at otherwise can't be read. `scope` is Yama's
/// `kernel.yama.ptrace_scope`, where there is one.
pub(super) fn memory_denied(pid: u32, own: Own, users: &[u32], scope: Option<u8>) -> Cause {
    let what = |scope: u8| {
        format!("the memory of process {pid} can't be read: kernel.yama.ptrace_scope is {scope}")
    };
    match scope {
        Some(3) => Cause::new(what(3), "restart the machine with a lower one; no right helps"),
        Some(scope @ 1..) if !own.has(Capability::SysPtrace) => {
            let as_root =
                "run as root, or `sudo setcap cap_sys_ptrace+ep \"$(command -v loopscope)\"`";
            Cause::new(format!("{}, and CAP_SYS_PTRACE is missing", what(scope)), as_root)
        }
        _ => denied(pid, own, users),
    }
}

/// Yama's setting; `None` where the kernel has no Yama.
pub(super) fn ptrace_scope(proc_fs: &ProcFs) -> Option<u8> {
    let text = std::fs::read_to_string(proc_fs.root().join("sys/kernel/yama/ptrace_scope")).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PTRACE: u64 = 1 << Capability::SysPtrace as u32;

    fn own(user: u32, capabilities: u64) -> Own {
        Own { user, capabilities, seccomp: 0 }
    }

    #[test]
    fn the_right_that_is_missing_is_named_with_its_cure() {
        let check = |own, users: &[u32], want: &[&str]| {
            let line = denied(12, own, users).to_string();
            assert!(want.iter().all(|part| line.contains(part)), "{want:?} not in {line}");
        };
        check(own(1, 0), &[7; 4], &["12 belongs to user 7", "run as that user, as root, or `sudo"]);
        check(own(1, 0), &[1, 0, 1, 1], &["belongs to user 0", "setcap cap_sys_ptrace+ep"]);
        check(own(7, 0), &[7; 4], &["more rights than this one", "; run as root"]);
        check(own(0, PTRACE), &[7; 4], &["although CAP_SYS_PTRACE", "outside of any container"]);
    }

    #[test]
    fn memory_needs_more_under_yama() {
        let check = |own, scope, want: &[&str]| {
            let line = memory_denied(12, own, &[7; 4], scope).to_string();
            assert!(want.iter().all(|part| line.contains(part)), "{want:?} not in {line}");
        };
        check(own(7, 0), Some(1), &["ptrace_scope is 1, and CAP_SYS_PTRACE is missing", "as root"]);
        check(own(7, PTRACE), Some(3), &["ptrace_scope is 3", "no right helps"]);
        check(own(1, 0), Some(0), &["belongs to user 7"]);
        check(own(1, 0), None, &["belongs to user 7"]);
    }

    #[test]
    fn a_hiding_proc_is_told() {
        let line = |options: &str| format!("1 2 0:3 / /proc rw,nosuid - proc proc rw,{options}\n");
        assert_eq!(hidden(&line("hidepid=invisible")), Some("hidepid=invisible"));
        assert_eq!(hidden(&line("gid=4,hidepid=2")), Some("hidepid=2"));
        assert_eq!(hidden(&line("hidepid=0")), None);
        assert_eq!(
            hidden("1 2 0:3 / /proc rw - proc proc rw\n2 2 0:4 / /x rw - a b hidepid=2"),
            None
        );
        assert_eq!(hidden(""), None);
    }
}
