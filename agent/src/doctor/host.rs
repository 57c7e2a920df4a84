//! The facts about a host, as plain values.

use serde::Serialize;

use crate::process::{Capability, Own};

/// What came of trying something.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Trial {
    /// It was not tried.
    #[default]
    NotTried,
    /// It works.
    Works,
    /// It does not.
    Fails {
        /// What the kernel answered, where it was asked.
        errno: Option<i32>,
        /// In words.
        said: String,
    },
}

/// How much the kernel hides from root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lockdown {
    /// Nothing.
    None,
    /// Its integrity is protected: what it is can't be changed.
    Integrity,
    /// Its memory can't be read, either.
    Confidentiality,
}

/// Which control groups are mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cgroups {
    /// None.
    None,
    /// Of version 1 only.
    V1,
    /// Both.
    Hybrid,
    /// Of version 2 only.
    V2,
}

/// The facts about a host that decide how a Node is observed there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// As `uname -r` has it.
    pub release: String,
    /// As Rust calls it.
    pub architecture: String,
    /// The kernel describes its types in `/sys/kernel/btf/vmlinux`.
    pub btf: bool,
    /// The rights of this process.
    pub own: Own,
    /// Its users are not the machine's, so that its capabilities count for less.
    pub in_user_namespace: bool,
    /// `kernel.unprivileged_bpf_disabled`.
    pub unprivileged_bpf_disabled: Option<u8>,
    /// `kernel.perf_event_paranoid`.
    pub perf_event_paranoid: Option<i8>,
    /// `kernel.yama.ptrace_scope`; `None` without Yama.
    pub ptrace_scope: Option<u8>,
    /// `/sys/kernel/security/lockdown`.
    pub lockdown: Lockdown,
    /// Probes in programs can be set as performance events.
    pub uprobe_events: bool,
    /// What came of loading our program.
    pub bpf: Trial,
    /// What came of a link of many probes (`uprobe_multi`).
    pub uprobe_links: Trial,
    /// How much memory may be locked; `None` is any amount. Of no matter since Linux 5.11, which
    /// accounts what programs take to the control group.
    pub memlock_bytes: Option<u64>,
    /// Which control groups are mounted.
    pub cgroups: Cgroups,
}

impl Host {
    /// Major and minor version of the kernel.
    pub fn kernel(&self) -> Option<(u32, u32)> {
        let mut numbers = self.release.split(|char: char| !char.is_ascii_digit());
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }

    /// Whether the kernel is at least this one. One that can't be told is taken for new: what it
    /// lacks is found by trying.
    pub fn has_kernel(&self, least: (u32, u32)) -> bool {
        self.kernel().is_none_or(|kernel| kernel >= least)
    }

    /// Whether this process has a capability, itself or by that to do everything.
    pub fn may(&self, capability: Capability) -> bool {
        self.own.has(capability) || self.own.has(Capability::SysAdmin)
    }
}
