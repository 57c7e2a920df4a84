//! Processes that belong to an observation and are not observed: wrappers, and what may yet become
//! a Node.
//!
//! ```text
//! a new process ──> Node: a target
//!               └─> another program: looked at again, as is what it starts
//! ```
//!
//! Cost: one small read for each process of the family, every 2 ms for a second from when something
//! has come, 50 times a second else; and five times a second one for each process of the machine.
//! Neither takes more than a twentieth of a core.

use std::collections::BTreeSet;

use super::clock::{boot_ticks, monotonic_ns};
use crate::process::{Identity, ProcFs, Process, children_of, listed_children_of};

/// How often a process is looked at again that executes the same program as before: a Node that is
/// linked to shared libraries is none until the linker has mapped them.
const LOOKS_MAX: u32 = 6;

/// How long after the first look the second comes. Each wait is twice the one before.
const AGAIN_NS: u64 = 10_000_000;

/// How often children are looked for after something has come: a Node starts within 20 to 40 ms.
const FAST_NS: u64 = 2_000_000;

/// For how long.
const FAST_FOR_NS: u64 = 1_000_000_000;

/// How often they are looked for else. A Node that does nothing lives for longer.
const QUICK_NS: u64 = 20_000_000;

/// How often every process is looked at.
const ALL_NS: u64 = 200_000_000;

/// How many times as long as it took the next look is put off.
const COST_SHARE: u64 = 20;

/// The kernel tells starts in hundredths of a second.
const TICK_NS: u64 = 10_000_000;

/// A process that may be a Node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Newcomer {
    pub(super) pid: u32,
    /// When it was still another program, by the monotonic clock, where that was seen.
    pub(super) another_ns: Option<u64>,
}

impl Newcomer {
    /// When it began to be what it is, at the earliest: as a process, whose start the kernel tells
    /// in ticks, or by executing it.
    pub(super) fn began_ns(self, identity: Identity, now_ns: u64) -> u64 {
        let age_ticks = boot_ticks().saturating_sub(identity.start_ticks) + 1;
        let started_ns = now_ns.saturating_sub(age_ticks.saturating_mul(TICK_NS));
        started_ns.max(self.another_ns.unwrap_or(0))
    }

    /// One of which nothing is known.
    pub(super) fn new(pid: u32) -> Newcomer {
        Newcomer { pid, another_ns: None }
    }
}

/// Of several that tell of one process the first.
pub(super) fn once(mut all: Vec<Newcomer>) -> Vec<Newcomer> {
    let mut known = BTreeSet::new();
    all.retain(|newcomer| known.insert(newcomer.pid));
    all
}

/// The processes that were looked at and are no Node.
#[derive(Debug, Default)]
pub(super) struct Others(Vec<Other>);

#[derive(Debug)]
struct Other {
    process: Process,
    looks: u32,
    again_ns: u64,
    /// When it was seen last to be what it was.
    same_ns: u64,
}

impl Others {
    /// A process that was looked at for the first time.
    pub(super) fn add(&mut self, process: Process, now_ns: u64) {
        let again_ns = now_ns + AGAIN_NS;
        self.0.push(Other { process, looks: 1, again_ns, same_ns: now_ns });
    }

    /// A process that is not to be looked at again while it is what it is.
    pub(super) fn leave_out(&mut self, process: Process, now_ns: u64) {
        self.0.push(Other { process, looks: LOOKS_MAX, again_ns: u64::MAX, same_ns: now_ns });
    }

    /// The processes that execute another program by now, or are due to be looked at again. Those
    /// that execute another one, and those that have ended, are forgotten.
    pub(super) fn due(&mut self, now_ns: u64) -> Vec<Newcomer> {
        let mut due = Vec::new();
        self.0.retain_mut(|other| {
            let identity = other.process.identity();
            if !other.process.is_same_image() {
                let newcomer = Newcomer { pid: identity.pid, another_ns: Some(other.same_ns) };
                due.extend(identity.is_alive().then_some(newcomer));
                return false;
            }
            if other.looks < LOOKS_MAX && now_ns >= other.again_ns {
                due.push(Newcomer::new(identity.pid));
                other.again_ns = now_ns + (AGAIN_NS << other.looks);
                other.looks += 1;
            }
            other.same_ns = now_ns;
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

/// When children are looked for.
#[derive(Debug, Default)]
pub(super) struct Pace {
    due_ns: u64,
    /// When to look at all processes next.
    all_ns: Option<u64>,
    /// Until when something is likely to come.
    fast_until_ns: Option<u64>,
    /// What the last look has found: what is found again can't be observed, and is no news.
    found: Vec<u32>,
}

impl Pace {
    /// When to look next, by the monotonic clock.
    pub(super) fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// Children of `family` that are not in it, if it is time to look for them.
    pub(super) fn new_children(&mut self, family: &BTreeSet<u32>, now_ns: u64) -> Vec<u32> {
        if now_ns < self.due_ns {
            return Vec::new();
        }
        let proc_fs = ProcFs::default();
        let lists = listed_children_of(&proc_fs, family);
        let mut took_ns = monotonic_ns().saturating_sub(now_ns);
        let has_lists = lists.is_some();
        let mut found = lists.unwrap_or_default();
        let all_ns = *self.all_ns.get_or_insert(now_ns + ALL_NS);
        if !has_lists || (found.is_empty() && now_ns >= all_ns) {
            found = children_of(&proc_fs, family).unwrap_or_default();
            found.retain(|pid| !family.contains(pid));
            let all_took_ns = monotonic_ns().saturating_sub(now_ns);
            self.all_ns = Some(now_ns + ALL_NS.max(all_took_ns.saturating_mul(COST_SHARE)));
            if !has_lists {
                took_ns = all_took_ns;
            }
        }
        self.note(found.clone(), now_ns, took_ns);
        found
    }

    fn note(&mut self, found: Vec<u32>, now_ns: u64, took_ns: u64) {
        let is_news = found.iter().any(|pid| !self.found.contains(pid));
        if is_news || self.fast_until_ns.is_none() {
            self.fast_until_ns = Some(now_ns + FAST_FOR_NS);
        }
        self.found = found;
        let is_fast = self.fast_until_ns.is_some_and(|until_ns| now_ns < until_ns);
        let pause_ns = if is_fast { FAST_NS } else { QUICK_NS };
        self.due_ns = now_ns + pause_ns.max(took_ns.saturating_mul(COST_SHARE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn of_one_process_the_first_news_is_taken() {
        let renewed = Newcomer { pid: 7, another_ns: Some(5) };
        let all = vec![renewed, Newcomer::new(8), Newcomer::new(7), Newcomer::new(8)];
        assert_eq!(once(all), [renewed, Newcomer::new(8)]);
    }

    #[test]
    fn children_are_looked_for_faster_behind_news_and_never_for_all_of_the_time() {
        let mut pace = Pace::default();
        pace.note(vec![], 0, 100_000);
        assert_eq!(pace.due_ns(), 2 * MS);
        pace.note(vec![7], 1_500 * MS, 50_000);
        assert_eq!(pace.due_ns(), 1_502 * MS, "somebody has come");
        pace.note(vec![7], 2_499 * MS, 50_000);
        assert_eq!(pace.due_ns(), 2_501 * MS);
        pace.note(vec![7], 2_500 * MS, 50_000);
        assert_eq!(pace.due_ns(), 2_520 * MS, "the same one, who can't be observed");
        pace.note(vec![8], 3_000 * MS, 5 * MS);
        assert_eq!(pace.due_ns(), 3_100 * MS, "a look that took 5 ms");
    }

    #[test]
    fn a_child_is_found_by_its_parents_list_and_by_looking_at_all() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        // A test runs on a thread that is not the main one: the lists of that one don't have it.
        let ours = BTreeSet::from([std::process::id()]);
        assert!(children_of(&ProcFs::default(), &ours).unwrap().contains(&child.id()));
        let mut shell = std::process::Command::new("sh");
        let mut shell = shell.args(["-c", "sleep 60 & wait"]).spawn().unwrap();
        let family = BTreeSet::from([shell.id()]);
        let mut pace = Pace::default();
        let find = |pace: &mut Pace| pace.new_children(&family, monotonic_ns());
        let found = (0..1_000).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            Some(find(&mut pace)).filter(|found| !found.is_empty())
        });
        let found = found.unwrap();
        assert_eq!(found.len(), 1);
        if let Some(listed) = listed_children_of(&ProcFs::default(), &family) {
            assert_eq!(listed, found);
        }
        for pid in [found[0], shell.id(), child.id()] {
            std::process::Command::new("kill").arg(pid.to_string()).status().unwrap();
        }
        shell.wait().unwrap();
        child.wait().unwrap();
    }
}
