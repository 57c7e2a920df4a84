//! Judges each Node of the host: whether it is wanted, and what it is called.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::naming;
use super::rules::{Facts, Rules};
use super::runtimes::Runtimes;
use crate::process::{Process, environment_of};
use crate::source::Choose;

/// See the module.
#[derive(Debug)]
pub(super) struct Choice {
    rules: Rules,
    runtimes: Runtimes,
}

impl Choice {
    pub(super) fn new(rules: Rules) -> Choice {
        Choice { rules, runtimes: Runtimes::default() }
    }
}

impl Choose for Choice {
    fn name(&self, process: &Process) -> Option<String> {
        let cgroup = process.read("cgroup").unwrap_or_default();
        let cgroup = innermost(&String::from_utf8_lossy(&cgroup)).to_owned();
        let link = |file: &str| {
            let path = fs::read_link(process.path(file)).unwrap_or_default();
            path.to_string_lossy().into_owned()
        };
        let user = fs::metadata(process.path("status")).map(|file| file.uid().to_string());
        let environment = environment_of(process.identity().pid).unwrap_or_default();
        let home = self.runtimes.home(process, &environment, &cgroup);
        let facts = Facts {
            name: naming::name(process, &environment, &cgroup, &home),
            executable: link("exe"),
            folder: link("cwd"),
            cgroup,
            user: user.unwrap_or_default(),
            home,
        };
        let wanted = self.rules.wants(&facts);
        wanted.then(|| self.rules.name(&facts).map(str::to_owned).unwrap_or(facts.name))
    }
}

/// The path of a process' group in `/proc/PID/cgroup`: the unified one, else systemd's, else any.
fn innermost(groups: &str) -> &str {
    let lines =
        || groups.lines().filter_map(|line| line.splitn(3, ':').nth(2).map(|path| (line, path)));
    let of = |start: &str| lines().find(|(line, path)| line.starts_with(start) && *path != "/");
    let systemd = || lines().find(|(line, _)| line.contains(":name=systemd:"));
    let found = of("0:").or_else(systemd).or_else(|| lines().next());
    found.map_or("", |(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_that_of_the_newest_hierarchy() {
        for (groups, path) in [
            ("0::/system.slice/a.service\n", "/system.slice/a.service"),
            ("12:cpu:/x\n1:name=systemd:/y.service\n0::/\n", "/y.service"),
            ("3:cpu,cpuacct:/docker/1\n", "/docker/1"),
            ("", ""),
        ] {
            assert_eq!(innermost(groups), path, "{groups}");
        }
    }
}
