//! Control groups for targets.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

const ROOT: &str = "/sys/fs/cgroup";

/// From one grant of a quota to the next.
const PERIOD_US: u64 = 100_000;

/// A control group. It is removed when this is dropped.
pub(crate) struct Group(PathBuf);

impl Group {
    /// One of the first version. `None` where none can be made; it is told that the test is
    /// skipped.
    pub(crate) fn make(controller: &str, test: &str) -> Option<Group> {
        Group::at(PathBuf::from(ROOT).join(controller), test)
    }

    /// One of either version that may use so much of a CPU, in percent.
    pub(crate) fn with_quota(percent: u64, test: &str) -> Option<Group> {
        let quota_us = PERIOD_US * percent / 100;
        if fs::exists(PathBuf::from(ROOT).join("cpu")).unwrap_or(false) {
            let group = Group::make("cpu", test)?;
            group.set("cpu.cfs_period_us", &PERIOD_US.to_string());
            group.set("cpu.cfs_quota_us", &quota_us.to_string());
            return Some(group);
        }
        let group = Group::at(PathBuf::from(ROOT), test)?;
        if !group.0.join("cpu.max").exists() {
            println!("SKIPPED: {test}: {ROOT} gives no CPU quotas to its groups");
            return None;
        }
        group.set("cpu.max", &format!("{quota_us} {PERIOD_US}"));
        Some(group)
    }

    fn at(parent: PathBuf, test: &str) -> Option<Group> {
        let path = parent.join(format!("loopscope-{test}-{}", std::process::id()));
        if let Err(error) = fs::create_dir(&path) {
            println!("SKIPPED: {test}: {}: {error}", path.display());
            return None;
        }
        Some(Group(path))
    }

    /// Takes a process in.
    pub(crate) fn take(&self, pid: u32) {
        self.set("cgroup.procs", &pid.to_string());
    }

    pub(crate) fn set(&self, file: &str, value: &str) {
        let path = self.0.join(file);
        fs::write(&path, value).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    pub(crate) fn get(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap_or_default().trim().to_owned()
    }

    /// For how long it was throttled, in seconds.
    pub(crate) fn throttled_s(&self) -> f64 {
        let stat = self.get("cpu.stat");
        let of = |key| stat.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok());
        let in_us = of("throttled_usec").map(|us: f64| us / 1e6);
        in_us.or(of("throttled_time").map(|ns: f64| ns / 1e9)).expect("it is told")
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Nobody stays frozen behind a test that has failed.
        let _ = fs::write(self.0.join("freezer.state"), "THAWED");
        let removed = || fs::remove_dir(&self.0).is_ok() || !self.0.exists();
        let _ = (0..200).any(|_| {
            sleep(Duration::from_millis(10));
            removed()
        });
    }
}
