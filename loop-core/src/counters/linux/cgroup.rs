//! What the thread's control group took from it: time throttled by a CPU quota, time frozen.
//!
//! ```text
//!  /proc/thread-self/cgroup    0::/a/b               version 2
//!                              5:cpu,cpuacct:/a/b    version 1
//!  /sys/fs/cgroup/a/b/cpu.stat.local                 throttled_usec, quotas of parents included
//!  /sys/fs/cgroup/cpu/a/b/cpu.stat                   throttled_time, in ns; its own quota only
//!  /sys/fs/cgroup/a/b/cgroup.stat.local              frozen_usec
//!  /sys/fs/cgroup/a/b/cgroup.events                  frozen: 1 while it is
//!  /sys/fs/cgroup/freezer/a/b/freezer.state          the same in version 1
//! ```
//!
//! The `.local` files came with Linux 6.7 and 6.18; before, `cpu.stat` has to do. The files are
//! those of the group the thread is in when they are opened, and are kept open. In a container
//! that sees less of the tree than the path says, the root that it sees is taken.
//!
//! The figures are the group's: time throttled adds up over CPUs, so that of a thread is at most
//! this and at most its own run delay.

use std::fs::{self, File};
use std::path::Path;

use super::{read_with, stat};

const ROOT: &str = "/sys/fs/cgroup";

/// Where version 2 is mounted: alone, or beside version 1.
const V2_MOUNTS: [&str; 2] = ["", "unified"];

/// Where the `cpu` controller of version 1 is mounted.
const V1_MOUNTS: [&str; 2] = ["cpu", "cpu,cpuacct"];

/// What version 1 says of a group that is frozen.
const FROZEN: &[u8] = b"FROZEN";

/// A number in a file that is kept open.
#[derive(Debug)]
struct Figure {
    file: File,
    key: &'static [u8],
    ns_per_unit: u64,
}

/// What a control group has taken from the threads in it.
#[derive(Debug, Default)]
pub struct Cgroup {
    throttled: Option<Figure>,
    frozen: Option<Figure>,
    /// Tells whether it is frozen now, in either version.
    events: Option<File>,
    state: Option<File>,
}

impl Cgroup {
    pub(super) fn of_this_thread() -> Cgroup {
        let groups = fs::read_to_string("/proc/thread-self/cgroup").unwrap_or_default();
        Cgroup::of(&groups)
    }

    /// The group that is meant by the text of a `/proc/PID/cgroup`, as this process sees it.
    pub fn of(groups: &str) -> Cgroup {
        Cgroup::find(Path::new(ROOT), groups)
    }

    fn find(root: &Path, groups: &str) -> Cgroup {
        let (v2, v1) = (path_of(groups, ""), path_of(groups, "cpu"));
        let usec = |path: Option<&str>, file, key| {
            V2_MOUNTS.iter().find_map(|mount| {
                Figure { file: open(&root.join(mount), path?, file)?, key, ns_per_unit: 1_000 }
                    .tried()
            })
        };
        let ns = |path: Option<&str>, file| {
            V1_MOUNTS.iter().find_map(|mount| {
                let file = open(&root.join(mount), path?, file)?;
                Figure { file, key: b"throttled_time", ns_per_unit: 1 }.tried()
            })
        };
        let events = v2.and_then(|path| {
            V2_MOUNTS.iter().find_map(|mount| open(&root.join(mount), path, "cgroup.events"))
        });
        let state = path_of(groups, "freezer")
            .and_then(|path| open(&root.join("freezer"), path, "freezer.state"));
        Cgroup {
            events,
            state,
            throttled: usec(v2, "cpu.stat.local", b"throttled_usec")
                .or_else(|| usec(v2, "cpu.stat", b"throttled_usec"))
                .or_else(|| ns(v1, "cpu.stat.local"))
                .or_else(|| ns(v1, "cpu.stat")),
            frozen: usec(v2, "cgroup.stat.local", b"frozen_usec"),
        }
    }

    /// For how long it was held back by its CPU quota, summed over CPUs, in nanoseconds. `None`:
    /// the kernel does not tell.
    pub fn throttled_ns(&self) -> Option<u64> {
        self.throttled.as_ref().and_then(Figure::read)
    }

    /// For how long it was frozen, in nanoseconds. `None`: the kernel does not tell.
    pub fn frozen_ns(&self) -> Option<u64> {
        self.frozen.as_ref().and_then(Figure::read)
    }

    /// Whether it is frozen now. Where the kernel does not tell, it isn't.
    pub fn is_frozen(&self) -> bool {
        let events = self.events.as_ref();
        let told = events.and_then(|file| read_with(file, |text| stat::value_of(text, b"frozen")));
        let state = self.state.as_ref();
        let named = state.and_then(|file| read_with(file, |text| Some(text.starts_with(FROZEN))));
        told == Some(1) || named == Some(true)
    }
}

impl Figure {
    fn read(&self) -> Option<u64> {
        let units = read_with(&self.file, |text| stat::value_of(text, self.key))?;
        units.checked_mul(self.ns_per_unit)
    }

    /// Itself, if the file has the figure.
    fn tried(self) -> Option<Figure> {
        self.read().is_some().then_some(self)
    }
}

/// The path of the group in the hierarchy that has this controller; version 2 has none.
fn path_of<'a>(groups: &'a str, controller: &str) -> Option<&'a str> {
    groups.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        controllers.split(',').any(|name| name == controller).then_some(path)
    })
}

fn open(mount: &Path, path: &str, file: &str) -> Option<File> {
    let group = mount.join(path.trim_start_matches('/'));
    let group = if group.is_dir() { group } else { mount.to_owned() };
    File::open(group.join(file)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of files in a folder of its own, which goes with it.
    struct Tree(std::path::PathBuf);

    impl Tree {
        fn with(name: &str, files: &[(&str, &str)]) -> Tree {
            let root =
                std::env::temp_dir().join(format!("loopscope-{name}-{}", std::process::id()));
            for (path, text) in files {
                let path = root.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Tree(root)
        }

        fn read(&self, groups: &str) -> (Option<u64>, Option<u64>) {
            let cgroup = Cgroup::find(&self.0, groups);
            (cgroup.throttled_ns(), cgroup.frozen_ns())
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn version_2_is_read_local_first() {
        let tree = Tree::with(
            "v2",
            &[
                ("a/b/cpu.stat.local", "throttled_usec 5\n"),
                ("a/b/cpu.stat", "usage_usec 9\nthrottled_usec 3\n"),
                ("a/b/cgroup.stat.local", "frozen_usec 7\n"),
                ("old/cpu.stat", "usage_usec 9\nthrottled_usec 4\n"),
                ("free/cpu.stat", "usage_usec 9\n"),
            ],
        );
        assert_eq!(tree.read("0::/a/b\n"), (Some(5_000), Some(7_000)));
        assert_eq!(tree.read("0::/old\n"), (Some(4_000), None));
        assert_eq!(tree.read("0::/free\n"), (None, None), "no quota is possible");
        assert_eq!(tree.read(""), (None, None));
    }

    #[test]
    fn a_group_is_frozen_by_either_version() {
        let tree = Tree::with(
            "frozen",
            &[
                ("a/cgroup.events", "populated 1\nfrozen 1\n"),
                ("b/cgroup.events", "populated 1\nfrozen 0\n"),
                ("freezer/c/freezer.state", "FROZEN\n"),
                ("freezer/d/freezer.state", "THAWED\n"),
            ],
        );
        let is_frozen = |groups: &str| Cgroup::find(&tree.0, groups).is_frozen();
        let groups = ["0::/a\n", "0::/b\n", "7:freezer:/c\n0::/b\n", "7:freezer:/d\n", ""];
        assert_eq!(groups.map(is_frozen), [true, false, true, false, false]);
    }

    #[test]
    fn version_1_is_read_where_2_has_no_figure_and_a_container_sees_its_own_root() {
        let tree = Tree::with(
            "v1",
            &[
                ("cpu,cpuacct/a/cpu.stat", "nr_throttled 1\nthrottled_time 600\n"),
                ("cpu,cpuacct/cpu.stat", "throttled_time 800\n"),
                ("unified/cgroup.stat.local", "frozen_usec 2\n"),
            ],
        );
        let groups = |path: &str| format!("3:memory:/x\n2:cpu,cpuacct:{path}\n0::/docker/1\n");
        assert_eq!(tree.read(&groups("/a")), (Some(600), Some(2_000)));
        assert_eq!(tree.read(&groups("/docker/1")), (Some(800), Some(2_000)));
        assert_eq!(tree.read("4:cpuset:/a\nnonsense\n"), (None, None));
    }
}
