//! From the facts to the source and tier, what is missing, and the command that cures it.

use loop_core::snapshot::{Source, Tier};
use serde::Serialize;

use super::host::{Host, Lockdown, Trial};
use super::target::Target;
use crate::exit::Cause;
use crate::process::Capability;

/// The oldest kernel with links of many probes (`BPF_TRACE_UPROBE_MULTI`), by which all probes of a
/// process are set at once, in 3 ms instead of 50.
const PROBES_KERNEL: (u32, u32) = (6, 6);
const EPERM: i32 = 1;
const EACCES: i32 = 13;
const ENOSYS: i32 = 38;

/// How a process would be observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// By what; `None`: it can't be observed.
    pub source: Option<Source>,
    /// The best tier that is possible.
    pub tier: Option<Tier>,
    /// What stands in the way of a better one, or of any, the worst first.
    pub missing: Vec<Cause>,
}

impl Verdict {
    /// Why it can't be observed at all.
    pub fn refusal(&self) -> Option<&Cause> {
        self.missing.first().filter(|_| self.tier.is_none())
    }

    /// Why it can't be observed in this tier.
    pub fn below(&self, least: Tier) -> Option<&Cause> {
        self.missing.first().filter(|_| self.tier.is_none_or(|tier| rank(tier) < rank(least)))
    }
}

fn rank(tier: Tier) -> u8 {
    match tier {
        Tier::Passive => 0,
        Tier::Turn => 1,
        Tier::Full => 2,
    }
}

/// How this process would be observed on this host.
pub fn verdict(host: &Host, target: &Target) -> Verdict {
    if let Some(refusal) = &target.refusal {
        return Verdict { source: None, tier: None, missing: vec![refusal.cause.clone()] };
    }
    let mut missing = host.probes_missing();
    let best = if missing.is_empty() { target.best } else { Tier::Passive };
    missing.extend(target.unseen.iter().cloned());
    let tier = match &target.memory_missing {
        None => Some(best),
        Some(cause) => {
            missing.insert(0, cause.clone());
            None
        }
    };
    Verdict { source: tier.map(|_| Source::Ebpf), tier, missing }
}

impl Host {
    /// What stands in the way of probes, the worst first; nothing if they can be set.
    pub fn probes_missing(&self) -> Vec<Cause> {
        let checks = [
            self.architecture_missing(),
            self.kernel_missing(),
            self.btf_missing(),
            self.rights_missing(),
            self.lockdown_missing(),
            self.uprobes_missing(),
            self.bpf_missing(),
        ];
        checks.into_iter().flatten().collect()
    }

    fn architecture_missing(&self) -> Option<Cause> {
        let name = &self.architecture;
        (name != "x86_64").then(|| {
            let what = format!("probes can be set on x86_64 only, and this is {name}");
            Cause::new(what, "use `--tier passive`")
        })
    }

    fn kernel_missing(&self) -> Option<Cause> {
        let (major, minor) = PROBES_KERNEL;
        (!self.has_kernel(PROBES_KERNEL)).then(|| {
            let what = format!("kernel {} is too old for the probes", self.release);
            Cause::new(what, format!("boot {major}.{minor} or a newer one"))
        })
    }

    fn btf_missing(&self) -> Option<Cause> {
        (!self.btf).then(|| {
            let what =
                "the kernel does not describe its types (/sys/kernel/btf/vmlinux is missing)";
            Cause::new(what, "boot a kernel that was built with CONFIG_DEBUG_INFO_BTF=y")
        })
    }

    fn rights_missing(&self) -> Option<Cause> {
        let needed = [Capability::Bpf, Capability::Perfmon];
        let lacking = needed.into_iter().filter(|&capability| !self.may(capability));
        let lacking: Vec<&str> = lacking.map(Capability::name).collect();
        if !lacking.is_empty() {
            let are = if lacking.len() == 1 { "is" } else { "are" };
            let what = format!("{} {are} missing, so probes can't be set", lacking.join(" and "));
            return Some(Cause::new(what, self.rights_cure()));
        }
        self.in_user_namespace.then(|| {
            let what = "this process is in a user namespace, in which its rights don't count";
            Cause::new(what, "run it outside: as root of the host, not of a rootless container")
        })
    }

    /// Root without rights is root in a container.
    fn rights_cure(&self) -> &'static str {
        if self.own.user == 0 {
            "start the container with `--cap-add BPF --cap-add PERFMON --cap-add SYS_PTRACE`"
        } else {
            "run as root, or `sudo setcap cap_bpf,cap_perfmon,cap_sys_ptrace+ep \
             \"$(command -v loopscope)\"`"
        }
    }

    fn lockdown_missing(&self) -> Option<Cause> {
        // Integrity forbids writing to programs, and we don't.
        (self.lockdown == Lockdown::Confidentiality).then(|| {
            let what =
                "the kernel is locked down (confidentiality): its programs can't read memory";
            Cause::new(what, "boot with `lockdown=integrity`")
        })
    }

    fn uprobes_missing(&self) -> Option<Cause> {
        let what = "the kernel sets no probes in programs";
        let what = match &self.uprobe_links {
            Trial::Works => return None,
            Trial::NotTried if self.uprobe_events => return None,
            Trial::NotTried => what.to_owned(),
            Trial::Fails { said, .. } => format!("{what} ({said})"),
        };
        // Without the rights, and in an old kernel, nothing else is to be expected.
        let told = self.rights_missing().or(self.kernel_missing()).is_some();
        let cure = "boot a kernel that was built with CONFIG_UPROBES=y and CONFIG_BPF_EVENTS=y";
        (!told).then(|| Cause::new(what, cure))
    }

    fn bpf_missing(&self) -> Option<Cause> {
        let Trial::Fails { errno, said } = &self.bpf else { return None };
        let causes = [self.kernel_missing(), self.btf_missing(), self.rights_missing()];
        if causes.into_iter().flatten().next().is_some() {
            return None;
        }
        Some(match (errno, self.own.seccomp) {
            (Some(EPERM | EACCES | ENOSYS), 1..) => Cause::new(
                "a seccomp filter forbids this process bpf()",
                "start the container with `--security-opt seccomp=unconfined`, or allow bpf and \
                 perf_event_open in its profile",
            ),
            (Some(ENOSYS), _) => {
                let cure = "boot a kernel that was built with CONFIG_BPF_SYSCALL=y";
                Cause::new("the kernel has no bpf()", cure)
            }
            (Some(EPERM | EACCES), _) => Cause::new(
                "bpf() is forbidden, although the rights are there",
                "see whether SELinux or another security module objects (`journalctl -k`)",
            ),
            _ => Cause::new(said.clone(), "see the kernel's log (`dmesg`)"),
        })
    }
}
