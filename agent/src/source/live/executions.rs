//! Nodes that the processes of an observation have executed, however short they live.
//!
//! ```text
//! executed ──> by one of the family? ──> a Node? ──> waits ──┬─> observed: settled
//!                                                            ├─> seen, and can't be: settled
//!                                                            └─> gone: missed
//! ```
//!
//! Cost: a system call each time that is looked, and one for each program that the machine has
//! executed since.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::ebpf::Executed;
use super::family::Newcomer;

/// For how long a process that is gone is remembered as one of the family: what it has executed
/// last may not have been looked at yet.
const REMEMBERED_NS: u64 = 5_000_000_000;

/// How many settled ones are kept: an execution may be told of after its process was observed.
const SETTLED: usize = 256;

/// How much later than it can be seen an execution may be told: the kernel tells it when it has
/// mapped the program, and may have no CPU in between.
const TOLD_LATE_NS: u64 = 1_000_000_000;

/// Nodes that were executed, until it is known what became of them.
#[derive(Debug, Default)]
pub(super) struct Executions {
    /// Processes of the family, and when each was seen last to be one.
    family: BTreeMap<u32, u64>,
    waiting: Vec<Waiting>,
    settled: VecDeque<Settled>,
}

/// A process that was observed, or can't be.
#[derive(Debug)]
struct Settled {
    pid: u32,
    at_ns: u64,
    /// That it has executed its program was told by then.
    is_told: bool,
}

impl Settled {
    /// Whether this execution is that of the program which was seen.
    fn is_by(&mut self, pid: u32, at_ns: u64) -> bool {
        let late_ns = if self.is_told { 0 } else { TOLD_LATE_NS };
        let is_by = self.pid == pid && at_ns <= self.at_ns + late_ns;
        self.is_told |= is_by;
        is_by
    }
}

#[derive(Debug)]
struct Waiting {
    pid: u32,
    at_ns: u64,
    tried: bool,
}

impl Executions {
    /// Who is one of the family now.
    pub(super) fn see_family(&mut self, family: &BTreeSet<u32>, now_ns: u64) {
        self.family.extend(family.iter().map(|&pid| (pid, now_ns)));
        self.family.retain(|_, seen_ns| *seen_ns + REMEMBERED_NS > now_ns);
    }

    /// A program was executed. `is_node` is asked where it is one of the family's.
    pub(super) fn add(&mut self, executed: &Executed, is_node: impl FnOnce() -> bool) {
        let of_family = |pid: &u32| self.family.contains_key(pid);
        let Executed { pid, at_ns, .. } = *executed;
        if !(of_family(&pid) || executed.ancestors.iter().any(of_family)) {
            return;
        }
        self.family.insert(pid, at_ns);
        let is_settled = self.settled.iter_mut().any(|settled| settled.is_by(pid, at_ns));
        if !is_settled && is_node() {
            self.waiting.retain(|waiting| waiting.pid != pid);
            self.waiting.push(Waiting { pid, at_ns, tried: false });
        }
    }

    /// Those at which nobody has looked yet.
    pub(super) fn newcomers(&mut self) -> impl Iterator<Item = Newcomer> {
        let new = self.waiting.iter_mut().filter(|waiting| !waiting.tried);
        new.map(|waiting| {
            waiting.tried = true;
            Newcomer { pid: waiting.pid, another_ns: Some(waiting.at_ns) }
        })
    }

    /// A process is observed, or it was seen that it can't be.
    pub(super) fn settle(&mut self, pid: u32, now_ns: u64) {
        let is_told = self.waiting.extract_if(.., |waiting| waiting.pid == pid).count() > 0;
        self.settled.push_back(Settled { pid, at_ns: now_ns, is_told });
        if self.settled.len() > SETTLED {
            self.settled.pop_front();
        }
    }

    /// How many have gone meanwhile and were not observed. They are told once.
    pub(super) fn take_missed(&mut self, is_there: impl Fn(u32) -> bool) -> u64 {
        self.waiting.extract_if(.., |waiting| !is_there(waiting.pid)).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn executed(pid: u32, parent: u32, at_ns: u64) -> Executed {
        let ancestors = [9_999, parent, 1, 0, 0, 0, 0];
        Executed { at_ns, pid, ancestors, file: PathBuf::from("/usr/bin/node") }
    }

    fn of(pid: u32) -> Executions {
        let mut executions = Executions::default();
        executions.see_family(&BTreeSet::from([pid]), 1);
        executions
    }

    #[test]
    fn a_node_of_the_family_that_is_gone_is_missed_once() {
        let mut executions = of(7);
        executions.add(&executed(8, 7, 10), || true);
        executions.add(&executed(9, 6, 11), || true);
        executions.add(&executed(10, 7, 12), || false);
        let new: Vec<_> = executions.newcomers().collect();
        assert_eq!(new, [Newcomer { pid: 8, another_ns: Some(10) }]);
        assert_eq!(executions.newcomers().count(), 0, "looked at once");
        assert_eq!(executions.take_missed(|pid| pid == 8), 0, "it is there");
        assert_eq!(executions.take_missed(|_| false), 1);
        assert_eq!(executions.take_missed(|_| false), 0);
    }

    #[test]
    fn what_another_of_the_family_executes_is_of_the_family() {
        let mut executions = of(7);
        executions.add(&executed(8, 7, 10), || false);
        executions.see_family(&BTreeSet::new(), 2_000_000_000);
        executions.add(&executed(9, 8, 11), || true);
        assert_eq!(executions.take_missed(|_| false), 1, "its parents are gone");
        executions.see_family(&BTreeSet::new(), 6_000_000_000);
        executions.add(&executed(10, 8, 6_000_000_001), || true);
        assert_eq!(executions.take_missed(|_| false), 0, "long ago");
    }

    #[test]
    fn one_that_is_observed_is_not_missed_whenever_it_is_told() {
        let mut executions = of(7);
        executions.add(&executed(8, 7, 10), || true);
        executions.settle(8, 20);
        executions.add(&executed(8, 7, 19), || true);
        assert_eq!(executions.take_missed(|_| false), 0, "before it was observed");
        executions.add(&executed(8, 7, 21), || true);
        assert_eq!(executions.take_missed(|_| false), 1, "it has executed another one since");
    }

    #[test]
    fn an_execution_is_told_a_little_later_than_it_can_be_seen() {
        let mut executions = of(7);
        executions.settle(9, 30);
        executions.add(&executed(9, 7, 31), || true);
        assert_eq!(executions.take_missed(|_| false), 0, "it is the one that was seen");
        executions.add(&executed(9, 7, 32), || true);
        assert_eq!(executions.take_missed(|_| false), 1, "it has executed another one since");
        executions.settle(10, 30);
        executions.add(&executed(10, 7, 31 + TOLD_LATE_NS), || true);
        assert_eq!(executions.take_missed(|_| false), 1, "long after it was seen");
    }
}
