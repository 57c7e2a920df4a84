//! Where runs were made. Times of different machines are never compared.

use std::fs;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// What a time depends on, besides the program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The machine, as a hash of its id and boot-independent; `None` where it has none.
    pub machine: Option<String>,
    /// The CPU's model.
    pub cpu: Option<String>,
    /// CPUs that the process may use.
    pub cpus: usize,
    /// The governor of the CPU's frequency.
    pub governor: Option<String>,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// The CPU quota of the control group, in hundredths of a CPU.
    pub quota_percent: Option<u64>,
    /// Version of the runtime that ran.
    pub runtime: Option<String>,
    /// loopscope's version.
    pub loopscope: String,
}

/// Bytes of the machine's hash that are kept: enough to tell machines apart, too few to be an id.
const HASH_BYTES: usize = 6;

impl Fingerprint {
    /// That of this machine as it is now. The runtime is not known yet.
    ///
    /// Cost: some small files.
    pub fn here() -> Fingerprint {
        Fingerprint {
            machine: line("/etc/machine-id").map(|id| hash(&id)),
            cpu: fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| cpu_model(&text)),
            cpus: cpus(),
            governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            kernel: line("/proc/sys/kernel/osrelease"),
            quota_percent: quota_percent(Path::new("/sys/fs/cgroup")),
            runtime: None,
            loopscope: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// What makes times of the two incomparable; `None` where nothing does. Which runtime ran is
    /// part of what is compared.
    pub fn differs(&self, other: &Fingerprint) -> Option<String> {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
        let number =
            |value: Option<u64>| value.map_or("none".to_owned(), |value| value.to_string());
        let pairs = [
            ("machine", text(&self.machine), text(&other.machine)),
            ("CPU", text(&self.cpu), text(&other.cpu)),
            ("CPUs", self.cpus.to_string(), other.cpus.to_string()),
            ("governor", text(&self.governor), text(&other.governor)),
            ("kernel", text(&self.kernel), text(&other.kernel)),
            ("CPU quota", number(self.quota_percent), number(other.quota_percent)),
        ];
        let differ = pairs.into_iter().filter(|(_, ours, theirs)| ours != theirs);
        let told: Vec<String> =
            differ.map(|(what, ours, theirs)| format!("{what} {ours} and {theirs}")).collect();
        (!told.is_empty()).then(|| told.join(", "))
    }
}

/// The first line of a file; `None` where it can't be read or has nothing in it.
fn line(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}

/// The id itself is confidential (machine-id(5)).
fn hash(id: &str) -> String {
    let digest = digest(&SHA256, format!("loopscope fingerprint\n{id}").as_bytes());
    digest.as_ref().iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let value = |key: &str| {
        let lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(name, _)| name.trim() == key);
        values.next().map(|(_, value)| value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    // ARM has numbers instead of a name.
    value("model name")
        .or_else(|| Some(format!("{} {}", value("CPU implementer")?, value("CPU part")?)))
}

#[cfg(target_os = "linux")]
fn cpus() -> usize {
    let allowed = rustix::thread::sched_getaffinity(None).map(|set| set.count() as usize);
    allowed.unwrap_or_else(|_| available())
}

#[cfg(not(target_os = "linux"))]
fn cpus() -> usize {
    available()
}

fn available() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// The smallest quota of our control group and those above it.
fn quota_percent(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let folder: PathBuf = root.join(group);
    let above = folder.ancestors().take_while(|folder| folder.starts_with(root));
    let quotas = above.filter_map(|folder| quota(&line(folder.join("cpu.max"))?));
    quotas.min()
}

/// `QUOTA PERIOD` or `max PERIOD`, in microseconds.
fn quota(text: &str) -> Option<u64> {
    let (quota, period) = text.split_once(' ')?;
    let (quota, period): (u64, u64) = (quota.parse().ok()?, period.trim().parse().ok()?);
    quota.checked_mul(100)?.checked_div(period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_like_itself_and_unlike_others() {
        let here = Fingerprint::here();
        assert_eq!(here.differs(&Fingerprint::here()), None);
        assert!(here.cpus >= 1);
        let other_runtime = Fingerprint { runtime: Some("18".to_owned()), ..here.clone() };
        assert_eq!(here.differs(&other_runtime), None);
        let elsewhere = Fingerprint { cpus: here.cpus + 1, kernel: None, ..here.clone() };
        let told = here.differs(&elsewhere).unwrap();
        assert!(told.contains("CPUs ") && told.contains("kernel "), "{told}");
        let throttled = Fingerprint { quota_percent: Some(50), ..Fingerprint::default() };
        let told = throttled.differs(&Fingerprint::default()).unwrap();
        assert_eq!(told, "CPU quota 50 and none");
    }

    #[test]
    fn the_machines_id_is_not_told() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(hash(id).len(), 2 * HASH_BYTES);
        assert!(!id.contains(&hash(id)));
        assert_ne!(hash(id), hash("0123456789abcdef0123456789abcdee"));
    }

    #[test]
    fn what_the_kernel_tells_is_read() {
        let intel = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nmodel name\t: B\n";
        assert_eq!(cpu_model(intel).as_deref(), Some("A CPU @ 2 GHz"));
        let arm = "CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n";
        assert_eq!(cpu_model(arm).as_deref(), Some("0x41 0xd0c"));
        assert_eq!(cpu_model("nothing"), None);
        assert_eq!(quota("150000 100000"), Some(150));
        assert_eq!(quota("max 100000"), None);
        for bad in ["", "1", "1 0", "x y", "99999999999999999999 1"] {
            assert_eq!(quota(bad), None, "{bad}");
        }
    }
}
