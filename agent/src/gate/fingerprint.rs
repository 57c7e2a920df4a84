//! Where runs were made. Times of different machines are never compared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::recording::{machine, quota_percent};

/// What a time depends on, besides the program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The machine since it was started, as a hash; `None` where that isn't known.
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

impl Fingerprint {
    /// That of this machine as it is now. The runtime is not known yet.
    ///
    /// Cost: some small files.
    pub fn here() -> Fingerprint {
        Fingerprint {
            loopscope: env!("CARGO_PKG_VERSION").to_owned(),
            ..Fingerprint::of(&machine())
        }
    }

    /// That of a machine by what a recording says of it. What it does not say is not known.
    pub fn of(machine: &BTreeMap<String, String>) -> Fingerprint {
        let text = |key: &str| machine.get(key).cloned();
        Fingerprint {
            machine: text("boot"),
            cpu: text("cpu"),
            cpus: text("cpus").and_then(|cpus| cpus.parse().ok()).unwrap_or(0),
            governor: text("governor"),
            kernel: text("kernel"),
            quota_percent: text("cpu_quota").and_then(|quota| quota_percent(&quota)),
            runtime: None,
            loopscope: String::new(),
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
    fn a_recording_has_the_fingerprint_of_where_it_was_made() {
        let there = Fingerprint::of(&machine());
        assert_eq!(there.differs(&Fingerprint::here()), None);
        let pairs = [("cpus", "4"), ("cpu_quota", "150000 100000"), ("boot", "b")];
        let told = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let told = Fingerprint::of(&told.into_iter().collect());
        assert_eq!((told.cpus, told.quota_percent, told.cpu), (4, Some(150), None));
        assert_eq!(told.machine.as_deref(), Some("b"));
    }
}
