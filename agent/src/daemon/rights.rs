//! Gives up the rights that watching does not need, once what needs them is done.
//!
//! Kept are those to read other processes' memory and files, to set probes, and to go before
//! others where all CPUs are taken. What is given up does not come back: neither for this process
//! nor for what it might start.
//!
//! **Invariant**: it is called before there is another thread, as each thread has rights of its
//! own.

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set,
    set_capabilities, set_no_new_privs,
};

/// What is needed.
const NEEDED: CapabilitySet = CapabilitySet::empty()
    // Memory and files of other users' processes.
    .union(CapabilitySet::SYS_PTRACE)
    // Source maps and scripts in their folders.
    .union(CapabilitySet::DAC_READ_SEARCH)
    // Probes, and samples.
    .union(CapabilitySet::BPF)
    .union(CapabilitySet::PERFMON)
    // A CPU where all are taken.
    .union(CapabilitySet::SYS_NICE);

/// What was kept and what was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// How many rights are left.
    pub kept: u32,
    /// How many there were.
    pub before: u32,
}

/// Gives up what is not needed.
///
/// # Errors
/// The kernel does not let us; nothing is lost then.
pub fn keep_rights() -> Result<Kept, Errno> {
    let now = capabilities(None)?;
    let kept = now.permitted & NEEDED;
    set_no_new_privs(true)?;
    for one in CapabilitySet::all().difference(NEEDED).iter() {
        // Who has no right to change this set gains nothing by it: nothing is executed.
        let _ = remove_capability_from_bounding_set(one);
    }
    set_capabilities(
        None,
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() },
    )?;
    Ok(Kept { kept: kept.bits().count_ones(), before: now.permitted.bits().count_ones() })
}
