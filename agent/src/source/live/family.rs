//! Processes that belong to an observation and are not observed: wrappers, and what may yet become
//! a Node.

use std::collections::BTreeSet;

use crate::process::{ProcFs, Process, children_of};

/// How often a process is looked at again that executes the same program as before: a Node that is
/// linked to shared libraries is none until the linker has mapped them.
const LOOKS_MAX: u32 = 6;

/// How long after the first look the second comes. Each wait is twice the one before.
const AGAIN_NS: u64 = 10_000_000;

/// The processes that were looked at and are no Node.
#[derive(Debug, Default)]
pub(super) struct Others(Vec<Other>);

#[derive(Debug)]
struct Other {
    process: Process,
    looks: u32,
    again_ns: u64,
}

impl Others {
    /// A process that was looked at for the first time.
    pub(super) fn add(&mut self, process: Process, now_ns: u64) {
        self.0.push(Other { process, looks: 1, again_ns: now_ns + AGAIN_NS });
    }

    /// The processes that execute another program by now, or are due to be looked at again. Those
    /// that execute another one, and those that have ended, are forgotten.
    pub(super) fn due(&mut self, now_ns: u64) -> Vec<u32> {
        let mut due = Vec::new();
        self.0.retain_mut(|other| {
            let identity = other.process.identity();
            if !other.process.is_same_image() {
                due.extend(identity.is_alive().then_some(identity.pid));
                return false;
            }
            if other.looks < LOOKS_MAX && now_ns >= other.again_ns {
                due.push(identity.pid);
                other.again_ns = now_ns + (AGAIN_NS << other.looks);
                other.looks += 1;
            }
            true
        });
        due
    }

    /// A process that has turned out to be a Node.
    pub(super) fn remove(&mut self, pid: u32) {
        self.0.retain(|other| other.process.identity().pid != pid);
    }

    /// Their numbers.
    pub(super) fn pids(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|other| other.process.identity().pid)
    }
}

/// Children of `family` that are not in it.
pub(super) fn new_children(family: &BTreeSet<u32>) -> Vec<u32> {
    let children = children_of(&ProcFs::default(), family).unwrap_or_default();
    children.into_iter().filter(|pid| !family.contains(pid)).collect()
}
