//! What an agent has in the kernel, and whether it may have anything there.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::common::until;

/// Whether attaching can work here; tells that `test` is skipped where it can't.
pub(crate) fn can_attach(test: &str) -> bool {
    let missing = if !Path::new("/sys/kernel/btf/vmlinux").exists() {
        Some("the kernel has no BTF")
    } else if !is_root() {
        Some("not root")
    } else if ids("prog").is_none() {
        Some("`bpftool prog` fails; .ci/setup installs it, the kernel must allow bpf(2)")
    } else {
        None
    };
    if let Some(why) = missing {
        println!("SKIPPED: {test}: {why}");
    }
    missing.is_none()
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut uids = status.lines().filter_map(|line| line.strip_prefix("Uid:"));
    uids.next().and_then(|uids| uids.split_whitespace().nth(1)) == Some("0")
}

/// The objects that one process has made. The kernel gives their numbers out one by one and does
/// not soon begin anew, so that those of others are not mistaken for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Objects {
    programs: Vec<u64>,
    maps: Vec<u64>,
    links: Vec<u64>,
}

impl Objects {
    /// Those that a process holds by a descriptor, and the maps of its programs.
    pub(crate) fn of(pid: u32) -> Objects {
        let mut found = Objects::default();
        for info in descriptors(pid) {
            found.programs.extend(number(&info, "prog_id:"));
            found.maps.extend(number(&info, "map_id:"));
            found.links.extend(number(&info, "link_id:"));
        }
        for program in listed("prog").unwrap_or_default() {
            if program["id"].as_u64().is_some_and(|id| found.programs.contains(&id)) {
                let maps = program["map_ids"].as_array().into_iter().flatten();
                found.maps.extend(maps.filter_map(Value::as_u64));
            }
        }
        for ids in [&mut found.programs, &mut found.maps, &mut found.links] {
            ids.sort_unstable();
            ids.dedup();
        }
        found
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Objects::default()
    }

    /// How many links of probes there are.
    pub(crate) fn links(&self) -> usize {
        self.links.len()
    }

    /// Waits until none of them is left; fails when some stay.
    pub(crate) fn until_gone(&self) {
        until(&format!("the end of {self:?} in the kernel"), || {
            let of = |kind: &str| ids(kind).unwrap_or_default();
            let none = |ours: &[u64], kind: &str| {
                let there = of(kind);
                !ours.iter().any(|id| there.contains(id))
            };
            none(&self.links, "link") && none(&self.programs, "prog") && none(&self.maps, "map")
        });
    }
}

/// What the kernel tells of each descriptor of a process; empty when it is gone.
fn descriptors(pid: u32) -> Vec<String> {
    let folder = fs::read_dir(format!("/proc/{pid}/fdinfo"));
    let entries = folder.into_iter().flatten().flatten();
    entries.filter_map(|entry| fs::read_to_string(entry.path()).ok()).collect()
}

fn number(info: &str, key: &str) -> Option<u64> {
    let mut lines = info.lines().filter_map(|line| line.strip_prefix(key));
    lines.next()?.trim().parse().ok()
}

fn ids(kind: &str) -> Option<Vec<u64>> {
    Some(listed(kind)?.iter().filter_map(|object| object["id"].as_u64()).collect())
}

/// All objects of a kind; `None` where they can't be listed.
fn listed(kind: &str) -> Option<Vec<Value>> {
    // Debian has it where only root looks.
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new("bpftool").env("PATH", path).args(["-j", kind, "show"]).output();
    let output = output.ok().filter(|output| output.status.success())?;
    serde_json::from_slice(&output.stdout).ok()
}
