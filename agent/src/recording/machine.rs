//! What a machine is like, as far as times that were measured on it depend on that.
//!
//! | key | what |
//! |---|---|
//! | `architecture` | as Rust calls it |
//! | `kernel` | as `uname -r` has it |
//! | `cpu` | the model of the first CPU, on ARM its numbers |
//! | `cpus` | how many may be used |
//! | `governor` | how the first CPU's frequency is set |
//! | `cpu_quota` | the smallest `cpu.max` of our control group and those above it |
//! | `memory_bytes` | all of the machine's |
//! | `boot` | a hash that changes when the machine is started, and is the same in its containers |
//!
//! What isn't known is left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ring::hmac::{HMAC_SHA256, Key, sign};

/// With what the kernel's random name of a boot is hashed, so that it is told nobody.
const HASHED_FOR: &[u8] = b"loopscope recording";

/// Bytes of a hash that are told: of a million machines, two have the same once in 16 million.
const HASH_BYTES: usize = 8;

/// What this machine is like. Cost: some small files of `/proc` and `/sys`.
pub fn machine() -> BTreeMap<String, String> {
    of(Path::new("/"))
}

fn of(root: &Path) -> BTreeMap<String, String> {
    let read = |path: &str| fs::read_to_string(root.join(path)).ok();
    let line = |path: &str| read(path).map(|text| text.trim().to_owned());
    let cpuinfo = read("proc/cpuinfo").unwrap_or_default();
    let memory = read("proc/meminfo").unwrap_or_default();
    let found = [
        ("architecture", Some(std::env::consts::ARCH.to_owned())),
        ("kernel", line("proc/sys/kernel/osrelease")),
        ("cpu", cpu_model(&cpuinfo)),
        ("cpus", Some(cpus().to_string())),
        ("governor", line("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        ("cpu_quota", smallest_quota(root)),
        ("memory_bytes", field(&memory, "MemTotal").and_then(|kb| bytes(&kb))),
        ("boot", line("proc/sys/kernel/random/boot_id").map(|boot| hash(&boot))),
    ];
    let known = found.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    known.filter(|(_, value)| !value.is_empty()).collect()
}

/// What is behind a name and a colon.
fn field(text: &str, name: &str) -> Option<String> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let mut found = lines.filter(|(key, _)| key.trim() == name);
    found.next().map(|(_, value)| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let numbers =
        || Some(format!("{} {}", field(cpuinfo, "CPU implementer")?, field(cpuinfo, "CPU part")?));
    field(cpuinfo, "model name").or_else(numbers)
}

/// Those that the process may run on, whatever their quota.
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
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn bytes(kb: &str) -> Option<String> {
    let kb: u64 = kb.strip_suffix("kB")?.trim().parse().ok()?;
    Some((kb.checked_mul(1024)?).to_string())
}

/// Of groups of version 2. A group may have as much as the one above it that may have least.
fn smallest_quota(root: &Path) -> Option<String> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let top = root.join("sys/fs/cgroup");
    let folder = top.join(group);
    let above = folder.ancestors().take_while(|folder| folder.starts_with(&top));
    let texts = above.filter_map(|folder| fs::read_to_string(folder.join("cpu.max")).ok());
    let quotas = texts.map(|text| text.trim().to_owned());
    let known = quotas.filter_map(|text| Some((quota_percent(&text)?, text)));
    known.min().map(|(_, text)| text)
}

/// `QUOTA PERIOD`, both in microseconds, in hundredths of a CPU; `None` of `max PERIOD`.
pub fn quota_percent(text: &str) -> Option<u64> {
    let (quota, period) = text.split_once(' ')?;
    let (quota, period): (u64, u64) = (quota.parse().ok()?, period.trim().parse().ok()?);
    quota.checked_mul(100)?.checked_div(period)
}

fn hash(name: &str) -> String {
    let key = Key::new(HMAC_SHA256, HASHED_FOR);
    let whole = sign(&key, name.as_bytes());
    whole.as_ref().iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_told_and_nothing_else() {
        let machine = machine();
        assert_eq!(machine["architecture"], std::env::consts::ARCH);
        assert!(machine["cpus"].parse::<usize>().is_ok_and(|cpus| cpus > 0), "{machine:?}");
        assert!(machine.values().all(|value| !value.is_empty() && !value.contains('\n')));
        let nothing = of(Path::new("/no/such/folder"));
        let keys: Vec<&str> = nothing.keys().map(String::as_str).collect();
        assert_eq!(keys, ["architecture", "cpus"]);
    }

    #[test]
    fn fields_are_found_by_their_names() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2.5GHz\nmodel name\t: other\n";
        assert_eq!(field(text, "model name").as_deref(), Some("Some CPU @ 2.5GHz"));
        assert_eq!(field(text, "model"), None);
        assert_eq!(bytes("2048 kB").as_deref(), Some("2097152"));
        assert_eq!(bytes("a few"), None);
        assert_eq!((hash("a").len(), hash("a") == hash("b")), (16, false));
    }

    #[test]
    fn what_the_kernel_tells_is_read() {
        let intel = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nmodel name\t: B\n";
        assert_eq!(cpu_model(intel).as_deref(), Some("A CPU @ 2 GHz"));
        let arm = "CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n";
        assert_eq!(cpu_model(arm).as_deref(), Some("0x41 0xd0c"));
        assert_eq!(cpu_model("nothing"), None);
        assert_eq!(quota_percent("150000 100000"), Some(150));
        assert_eq!(quota_percent("max 100000"), None);
        for bad in ["", "1", "1 0", "x y", "99999999999999999999 1"] {
            assert_eq!(quota_percent(bad), None, "{bad}");
        }
    }
}
