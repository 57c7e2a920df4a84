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
//! that sees less of the tree than the path says, the root that it sees is its own group's.
//!
//! That of another process need not be in what we see: a path such as `/../pod/b` leads out of it.
//! Then it is looked for where that process sees the root of the tree, by `/proc/PID/root`: with a
//! view of its own, as a container has, that is its group. Whether it is, `cgroup.procs` says.
//!
//! The figures are the group's: time throttled adds up over CPUs, so that of a thread is at most
//! this and at most its own run delay.

use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};

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
    out_of_sight: bool,
    /// Tells whether it is frozen now, in either version.
    events: Option<File>,
    state: Option<File>,
}

impl Cgroup {
    pub(super) fn of_this_thread() -> Cgroup {
        let groups = fs::read_to_string("/proc/thread-self/cgroup").unwrap_or_default();
        Cgroup::find(&Places::Own(Path::new(ROOT)), &groups)
    }

    /// The group of another process, which is meant by the text of its `/proc/PID/cgroup`. Where
    /// it is not in sight, it is no group: the figures of others are never taken.
    pub fn of_process(pid: u32, groups: &str) -> Cgroup {
        let theirs = PathBuf::from(format!("/proc/{pid}/root{ROOT}"));
        Cgroup::find(&Places::Of { ours: Path::new(ROOT), theirs: &theirs, pid }, groups)
    }

    fn find(places: &Places<'_>, groups: &str) -> Cgroup {
        let folders = |controller, mounts: &[&str]| -> Vec<PathBuf> {
            let path = path_of(groups, controller);
            let each = |path| mounts.iter().filter_map(move |mount| places.folder(mount, path));
            path.map_or_else(Vec::new, |path| each(path).collect())
        };
        let v2 = folders("", &V2_MOUNTS);
        let (v1, freezer) = (folders("cpu", &V1_MOUNTS), folders("freezer", &["freezer"]));
        let first = |folders: &[PathBuf], file: &str| {
            folders.iter().find_map(|folder| File::open(folder.join(file)).ok())
        };
        let figure = |folders: &[PathBuf], file: &str, key, ns_per_unit| {
            folders.iter().find_map(|folder| {
                let file = File::open(folder.join(file)).ok()?;
                Figure { file, key, ns_per_unit }.tried()
            })
        };
        let usec = |file: &str, key| figure(&v2, file, key, 1_000);
        let ns = |file: &str| figure(&v1, file, b"throttled_time", 1);
        let has_path = ["", "cpu", "freezer"].iter().any(|name| path_of(groups, name).is_some());
        Cgroup {
            out_of_sight: has_path && [&v2, &v1, &freezer].iter().all(|found| found.is_empty()),
            events: first(&v2, "cgroup.events"),
            state: first(&freezer, "freezer.state"),
            throttled: usec("cpu.stat.local", b"throttled_usec")
                .or_else(|| usec("cpu.stat", b"throttled_usec"))
                .or_else(|| ns("cpu.stat.local"))
                .or_else(|| ns("cpu.stat")),
            frozen: usec("cgroup.stat.local", b"frozen_usec"),
        }
    }

    /// Whether there is a group, and its files can't be found from here.
    pub fn is_out_of_sight(&self) -> bool {
        self.out_of_sight
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

/// Where the folders of groups are looked for.
enum Places<'a> {
    /// Those of this thread, below this root.
    Own(&'a Path),
    /// Those of a process: below our root, or at its own.
    Of { ours: &'a Path, theirs: &'a Path, pid: u32 },
}

impl Places<'_> {
    /// The folder of the group of this path in the hierarchy that is mounted so.
    fn folder(&self, mount: &str, path: &str) -> Option<PathBuf> {
        let below = |root: &Path| {
            let path = Path::new(path.trim_start_matches('/'));
            let leads_out = path.components().any(|part| part == Component::ParentDir);
            let folder = root.join(mount).join(path);
            (!leads_out && folder.is_dir()).then_some(folder)
        };
        match *self {
            Places::Own(root) => {
                below(root).or_else(|| Some(root.join(mount)).filter(|folder| folder.is_dir()))
            }
            Places::Of { ours, theirs, pid } => below(ours)
                .filter(|folder| holds(folder, pid) != Some(false))
                .or_else(|| Some(theirs.join(mount)).filter(|root| holds(root, pid) == Some(true))),
        }
    }
}

/// Whether a process is in the group of this folder. `None`: it does not tell, as one whose
/// threads are in groups of their own.
fn holds(folder: &Path, pid: u32) -> Option<bool> {
    let members = fs::read_to_string(folder.join("cgroup.procs")).ok()?;
    let pid = pid.to_string();
    Some(members.lines().any(|member| member == pid))
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
            let cgroup = Cgroup::find(&Places::Own(&self.0), groups);
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
        let is_frozen = |groups: &str| Cgroup::find(&Places::Own(&tree.0), groups).is_frozen();
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

    #[test]
    fn the_group_of_another_process_is_its_own_or_none() {
        let tree = Tree::with(
            "another",
            &[
                ("ours/cpu.stat", "throttled_usec 1\n"),
                ("ours/cgroup.procs", "1\n40\n"),
                ("ours/pod/cpu.stat", "throttled_usec 2\n"),
                ("ours/pod/cgroup.procs", "41\n"),
                ("ours/threaded/cpu.stat", "throttled_usec 3\n"),
                ("theirs/cpu.stat", "throttled_usec 4\n"),
                ("theirs/cgroup.events", "populated 1\nfrozen 1\n"),
                ("theirs/cgroup.procs", "42\n"),
            ],
        );
        let (ours, theirs) = (tree.0.join("ours"), tree.0.join("theirs"));
        let of = |pid, groups: &str| {
            let cgroup = Cgroup::find(&Places::Of { ours: &ours, theirs: &theirs, pid }, groups);
            (cgroup.throttled_ns(), cgroup.is_frozen(), cgroup.is_out_of_sight())
        };
        assert_eq!(of(41, "0::/pod\n"), (Some(2_000), false, false));
        assert_eq!(of(41, "0::/threaded\n"), (Some(3_000), false, false));
        assert_eq!(of(42, "0::/../../pod/b\n"), (Some(4_000), true, false), "as it sees it");
        assert_eq!(of(42, "0::/pod\n"), (Some(4_000), true, false), "another of that name");
        assert_eq!(of(41, "0::/../../pod/b\n"), (None, false, true), "not the root that we see");
        assert_eq!(of(41, "0::/gone\n"), (None, false, true));
        assert_eq!(of(41, "0::/\n"), (None, false, true), "the host's root, and a path of ours");
        assert_eq!(of(40, "0::/\n"), (Some(1_000), false, false));
        assert_eq!(of(40, "4:cpuset:/a\n"), (None, false, false), "it is in none of these");
    }
}
