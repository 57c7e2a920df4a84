//! Where runs were made. Times of different machines are never compared.

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
