//! The clocks of the kernel: `CLOCK_MONOTONIC`, which libuv measures by, and that of start times.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::process::Process;

/// Now, in nanoseconds of `CLOCK_MONOTONIC`, as this process sees it. About 25 ns.
pub fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Now, in ticks since the machine booted, as `/proc/PID/stat` tells starts: 100 a second.
pub(super) fn boot_ticks() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec as u64 * 100 + now.tv_nsec as u64 / 10_000_000
}

/// A time of the clock that counts sleep, by `CLOCK_MONOTONIC`, which does not; as of now.
pub(super) fn boot_to_monotonic_ns(boot_ns: u64) -> u64 {
    boot_ns.saturating_sub(self::boot_ns().saturating_sub(monotonic_ns()))
}

/// How far the clock that counts sleep is ahead of `CLOCK_MONOTONIC`. Who reads them may be
/// interrupted between, so it is two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ahead {
    pub(super) least_ns: u64,
    pub(super) most_ns: u64,
}

impl Ahead {
    /// Now. About 75 ns.
    pub(super) fn now() -> Ahead {
        let (before_ns, now_ns, after_ns) = (boot_ns(), monotonic_ns(), boot_ns());
        Ahead {
            least_ns: before_ns.saturating_sub(now_ns),
            most_ns: after_ns.saturating_sub(now_ns),
        }
    }
}

fn boot_ns() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Now, in nanoseconds since the Unix epoch.
pub(super) fn unix_ns() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

/// How far the `CLOCK_MONOTONIC` of a process is ahead of ours: nothing, but in another time
/// namespace.
///
/// ```text
/// /proc/PID/timens_offsets
/// monotonic      864000         0       seconds and nanoseconds ahead of the machine's
/// boottime      1728000         0
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shift {
    ahead_ns: i64,
}

impl Shift {
    /// From our clock to that of a process. Nothing, where the kernel has no time namespaces, and
    /// where it does not tell.
    pub fn to(process: &Process) -> Shift {
        let own = process.proc_fs().root().join("self");
        let (ours, theirs) = (namespaces(&own), namespaces(&process.path("")));
        // The file tells of the namespace that children are born in.
        let is_told = |(its, of_children): &(PathBuf, PathBuf)| its == of_children;
        let offsets = ours
            .zip(theirs)
            .filter(|(ours, theirs)| ours.0 != theirs.0 && is_told(ours) && is_told(theirs));
        let ahead_ns = offsets.and_then(|_| {
            let theirs = offset_ns(&process.read("timens_offsets").ok()?)?;
            theirs.checked_sub(offset_ns(&fs::read(own.join("timens_offsets")).ok()?)?)
        });
        Shift { ahead_ns: ahead_ns.unwrap_or(0) }
    }

    /// How far it is ahead.
    pub(super) fn ahead_ns(self) -> i64 {
        self.ahead_ns
    }

    /// A time of ours, as the process tells it.
    pub fn to_target_ns(self, own_ns: u64) -> u64 {
        own_ns.saturating_add_signed(self.ahead_ns)
    }

    /// A time of the process', as we tell it.
    pub fn from_target_ns(self, target_ns: u64) -> u64 {
        target_ns.saturating_add_signed(self.ahead_ns.saturating_neg())
    }
}

/// The time namespace of a process, and that of the children that it will have.
fn namespaces(process: &Path) -> Option<(PathBuf, PathBuf)> {
    let link = |name: &str| fs::read_link(process.join("ns").join(name)).ok();
    Some((link("time")?, link("time_for_children")?))
}

fn offset_ns(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("monotonic"))?;
    let mut words = line.split_ascii_whitespace();
    let seconds: i64 = words.next()?.parse().ok()?;
    let rest_ns: i64 = words.next()?.parse().ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(rest_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_and_anything_else_is_none() {
        let text = b"monotonic      -864000    500000000\nboottime             7         0\n";
        assert_eq!(offset_ns(text), Some(-864_000_000_000_000 + 500_000_000));
        for none in ["", "boottime 7 0\n", "monotonic x 0\n", "monotonic 99999999999999 0\n"] {
            assert_eq!(offset_ns(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn times_go_there_and_back() {
        let shift = Shift { ahead_ns: -5_000 };
        assert_eq!(shift.to_target_ns(12_000), 7_000);
        assert_eq!(shift.from_target_ns(7_000), 12_000);
        assert!(monotonic_ns() > 0 && boot_ticks() > 0 && unix_ns() > 0);
    }
}
