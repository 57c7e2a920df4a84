//! A stall of a process whose control group holds it back: throttled by a quota, or frozen.
//!
//! They need the right to make a group and to move into it; where they can't, a line that begins
//! with `SKIPPED` says why.
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use loop_core::snapshot::LedgerKey::{Frozen, Native, RunQueue, SyncIo, Throttled};

use support::{MS, assert_part, compute, ms, stall_of};

/// The process is in one group at a time.
static IN_A_GROUP: Mutex<()> = Mutex::new(());

/// A group of our own, with this process in it. It goes, and the process back, in the end.
struct Group {
    path: PathBuf,
    parent: PathBuf,
}

impl Group {
    /// A group below that of this process in the hierarchy at `mount`.
    fn join(mount: &Path, controller: &str, name: &str) -> io::Result<Group> {
        let groups = fs::read_to_string("/proc/self/cgroup")?;
        let own = groups.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            controllers.split(',').any(|name| name == controller).then_some(path)
        });
        let own = own.ok_or_else(|| io::Error::other("the process is in no such hierarchy"))?;
        let parent = mount.join(own.trim_start_matches('/'));
        let path = parent.join(format!("loopscope-{name}-{}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Group { path, parent })
    }

    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        fs::write(self.path.join(file), value)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::write(self.parent.join("cgroup.procs"), "0");
        let _ = fs::remove_dir(&self.path);
    }
}

/// Enters a group with a quota of a quarter of one CPU.
fn under_a_quota() -> io::Result<Group> {
    let v2 = Path::new("/sys/fs/cgroup");
    if v2.join("cgroup.controllers").exists() {
        let group = Group::join(v2, "", "quota")?;
        group.set("cpu.max", "25000 100000")?;
        group.set("cgroup.procs", "0")?;
        return Ok(group);
    }
    let group = Group::join(&v2.join("cpu"), "cpu", "quota")?;
    group.set("cpu.cfs_period_us", "100000")?;
    group.set("cpu.cfs_quota_us", "25000")?;
    group.set("cgroup.procs", "0")?;
    Ok(group)
}

/// Enters a group that can be frozen, if its time in the ice is counted.
fn in_a_freezer() -> io::Result<Group> {
    let root = Path::new("/sys/fs/cgroup");
    let hybrid = root.join("unified");
    let mount = if hybrid.exists() { &hybrid } else { root };
    let group = Group::join(mount, "", "freezer")?;
    fs::read(group.path.join("cgroup.stat.local"))?;
    group.set("cgroup.procs", "0")?;
    Ok(group)
}

fn skipped(test: &str, error: &io::Error) {
    println!("SKIPPED: {test}: no such control group here: {error}");
}

#[test]
fn a_cpu_quota_is_throttled() {
    let _one = IN_A_GROUP.lock().unwrap_or_else(PoisonError::into_inner);
    let group = match under_a_quota() {
        Ok(group) => group,
        Err(error) => return skipped("a_cpu_quota_is_throttled", &error),
    };
    let stall = stall_of(false, |_| compute(ms(150)));
    let told_by_group = throttled_ns(&group);
    drop(group);
    assert_part(&stall, Native, 150 * MS);
    assert_part(&stall, SyncIo, 0);
    // On a machine that is busy otherwise it may be less than the quota lets expect.
    println!("throttled by the group's own account: {} ms", told_by_group / MS);
    assert_part(&stall, Throttled, told_by_group);
    assert_part(&stall, RunQueue, stall.duration_ns.saturating_sub(150 * MS + told_by_group));
}

/// How long a new group was throttled.
fn throttled_ns(group: &Group) -> u64 {
    let text = fs::read_to_string(group.path.join("cpu.stat")).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    let mut figures = lines.map(|(key, value)| (key, value.parse::<u64>().unwrap()));
    let known = figures.find_map(|(key, value)| match key {
        "throttled_usec" => Some(value * 1_000),
        "throttled_time" => Some(value),
        _ => None,
    });
    known.unwrap()
}

#[test]
fn a_frozen_group_is_frozen() {
    let _one = IN_A_GROUP.lock().unwrap_or_else(PoisonError::into_inner);
    let group = match in_a_freezer() {
        Ok(group) => group,
        Err(error) => return skipped("a_frozen_group_is_frozen", &error),
    };
    let freeze = group.path.join("cgroup.freeze");
    // Who freezes is outside of the group, and thaws whatever happens here.
    let outside = group.parent.join("cgroup.procs");
    let script = format!(
        "echo 0 > '{}'; sleep 0.1; echo 1 > '{freeze}'; sleep 0.2; echo 0 > '{freeze}'",
        outside.display(),
        freeze = freeze.display()
    );
    let mut freezer = Command::new("sh").arg("-c").arg(script).spawn().unwrap();
    let stall = stall_of(false, |_| compute(ms(300)));
    assert!(freezer.wait().unwrap().success());
    drop(group);
    assert_part(&stall, Native, 300 * MS);
    assert_part(&stall, Frozen, 200 * MS);
    assert_part(&stall, SyncIo, 0);
}
