//! Gathers the facts about this host from `/proc` and `/sys`.

use std::fs;
use std::path::Path;

use super::host::{Cgroups, Host, Lockdown, Trial};
use crate::process::{Own, ProcFs};
use crate::source::live::{Refused, try_probes};

impl Host {
    /// The facts about this host. Our program is loaded, a probe set in a function of our own, and
    /// both taken away.
    pub fn read() -> Host {
        let host = Host::read_in(&ProcFs::default(), Path::new("/sys"));
        let tried = try_probes();
        let bpf = trial(tried.program);
        Host { bpf, uprobe_links: tried.probe.map_or(Trial::NotTried, trial), ..host }
    }

    /// The facts that these folders hold. What isn't there is not allowed, or not known.
    pub(super) fn read_in(proc_fs: &ProcFs, sys: &Path) -> Host {
        let setting = |name: &str| line(&proc_fs.root().join("sys/kernel").join(name));
        let limits = fs::read_to_string(proc_fs.root().join("self/limits")).unwrap_or_default();
        Host {
            release: setting("osrelease").unwrap_or_default(),
            architecture: std::env::consts::ARCH.to_owned(),
            btf: sys.join("kernel/btf/vmlinux").exists(),
            own: Own::read(proc_fs),
            in_user_namespace: in_user_namespace(&proc_fs.root().join("self/uid_map")),
            unprivileged_bpf_disabled: number(setting("unprivileged_bpf_disabled")),
            perf_event_paranoid: number(setting("perf_event_paranoid")),
            ptrace_scope: number(setting("yama/ptrace_scope")),
            lockdown: lockdown(&line(&sys.join("kernel/security/lockdown")).unwrap_or_default()),
            uprobe_events: sys.join("bus/event_source/devices/uprobe/type").exists(),
            bpf: Trial::NotTried,
            uprobe_links: Trial::NotTried,
            memlock_bytes: memlock(&limits),
            cgroups: cgroups(&sys.join("fs/cgroup")),
        }
    }
}

fn trial(tried: Result<(), Refused>) -> Trial {
    match tried {
        Ok(()) => Trial::Works,
        Err(Refused { errno, said }) => Trial::Fails { errno, said },
    }
}

fn line(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn number<T: std::str::FromStr>(text: Option<String>) -> Option<T> {
    text?.parse().ok()
}

/// All users stand for themselves in the first namespace, and in no other.
fn in_user_namespace(map: &Path) -> bool {
    let text = fs::read_to_string(map).unwrap_or_default();
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    !words.is_empty() && words != ["0", "0", "4294967295"]
}

/// The level that holds stands in brackets: `none [integrity] confidentiality`.
fn lockdown(text: &str) -> Lockdown {
    let level = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    match level.map(|(level, _)| level) {
        Some("integrity") => Lockdown::Integrity,
        Some("confidentiality") => Lockdown::Confidentiality,
        _ => Lockdown::None,
    }
}

/// `Max locked memory         8388608              8388608              bytes`: the first holds.
fn memlock(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max locked memory"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

fn cgroups(mount: &Path) -> Cgroups {
    let has = |file: &str| mount.join(file).exists();
    match () {
        () if has("cgroup.controllers") => Cgroups::V2,
        () if has("unified/cgroup.controllers") => Cgroups::Hybrid,
        () if has("cpu") || has("memory") => Cgroups::V1,
        () => Cgroups::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lines_are_read() {
        assert_eq!(lockdown("none [integrity] confidentiality"), Lockdown::Integrity);
        assert_eq!(lockdown("none integrity [confidentiality]"), Lockdown::Confidentiality);
        assert_eq!(lockdown("[none] integrity confidentiality"), Lockdown::None);
        assert_eq!(lockdown(""), Lockdown::None);
        let line = "Max locked memory         8388608              unlimited            bytes \n";
        assert_eq!(memlock(line), Some(8_388_608));
        assert_eq!(memlock(&line.replace("8388608", "unlimited")), None);
        assert_eq!(memlock(""), None);
    }

    #[test]
    fn a_host_that_tells_nothing_allows_nothing() {
        let nowhere = ProcFs::at("/nowhere/at/all");
        let host = Host::read_in(&nowhere, Path::new("/nowhere"));
        assert!(!host.btf && !host.uprobe_events && host.own.capabilities == 0);
        assert_eq!((host.kernel(), host.ptrace_scope), (None, None));
        assert_eq!(host.cgroups, Cgroups::None);
    }

    #[test]
    fn this_host_is_read() {
        let host = Host::read();
        assert!(host.kernel().is_some_and(|(major, _)| major >= 3), "{}", host.release);
        assert_ne!(host.own.user, u32::MAX);
        assert_ne!(host.bpf, Trial::NotTried);
    }
}
