//! What a CPU quota takes from a process, by its control group, and how much of that a thread bore.
//!
//! ```text
//!  cpu.stat of the group:  throttled |----1.2 s----|      all its threads, summed over CPUs
//!  schedstat of a thread:  run delay |---0.9 s---|        quota and neighbours together
//!  told of the thread:               |---0.9 s---|        the smaller of both, look by look
//! ```
//!
//! The kernel accounts throttling to groups alone, and the wait that it makes to each thread. So
//! from one look to the next a thread was held back by the quota for at most either. The less time
//! lies between two looks, the closer this is.
//!
//! **Invariant**: what is told of a thread is part of its run delay, and never falls.

use loop_core::Cgroup;

/// The control group of a process, looked at now and then.
#[derive(Debug)]
pub(super) struct Group {
    pid: u32,
    /// What the kernel says of which groups they are.
    names: String,
    cgroup: Cgroup,
    /// The group's own figure at the last look.
    last_ns: Option<u64>,
    /// For how long it was throttled since the first look, whichever group it was in.
    total_ns: u64,
}

impl Group {
    /// That of a process, `names` being its `/proc/PID/cgroup`.
    pub(super) fn of(pid: u32, names: String) -> Group {
        let cgroup = Cgroup::of_process(pid, &names);
        Group { pid, last_ns: cgroup.throttled_ns(), cgroup, names, total_ns: 0 }
    }

    /// The group that it was in at the last look.
    pub(super) fn cgroup(&self) -> &Cgroup {
        &self.cgroup
    }

    /// Looks again. Cost: one read of a file that is open; where the process was put into another
    /// group, a few more.
    pub(super) fn look(&mut self, names: String) {
        if names != self.names {
            // What this one was throttled before is nothing to the process.
            self.cgroup = Cgroup::of_process(self.pid, &names);
            self.names = names;
            self.last_ns = self.cgroup.throttled_ns();
            return;
        }
        let now_ns = self.cgroup.throttled_ns();
        if let (Some(now_ns), Some(then_ns)) = (now_ns, self.last_ns) {
            self.total_ns += now_ns.saturating_sub(then_ns);
        }
        self.last_ns = now_ns;
    }

    /// For how long it was throttled from the first look to the last, in nanoseconds. `None`: the
    /// kernel does not tell.
    pub(super) fn throttled_ns(&self) -> Option<u64> {
        self.last_ns.map(|_| self.total_ns)
    }
}

/// For how long a quota held one thread back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Throttled {
    /// What was known at the last look of the group and of the thread's run delay.
    last: Option<(u64, u64)>,
    ns: u64,
    /// Whether there were two looks: one alone says nothing.
    is_measured: bool,
}

impl Throttled {
    /// Takes what is known now: of the group since it was looked at, and how long the thread has
    /// waited for a CPU, ever.
    pub(super) fn note(&mut self, group_ns: Option<u64>, run_delay_ns: Option<u64>) {
        let now = group_ns.zip(run_delay_ns);
        if let (Some((group_ns, delay_ns)), Some((group_then_ns, delay_then_ns))) = (now, self.last)
        {
            let group_ns = group_ns.saturating_sub(group_then_ns);
            self.ns += group_ns.min(delay_ns.saturating_sub(delay_then_ns));
            self.is_measured = true;
        }
        self.last = now;
    }

    /// Whether it was looked at.
    pub(super) fn has_begun(&self) -> bool {
        self.last.is_some()
    }

    /// In nanoseconds, of a thread that has waited for so long since it is observed. `None`: one
    /// of both is not known.
    pub(super) fn of(&self, run_delay_ns: Option<u64>) -> Option<u64> {
        run_delay_ns.filter(|_| self.is_measured).map(|delay_ns| delay_ns.min(self.ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_told_the_less_of_what_its_group_lost_and_what_it_waited() {
        let mut thread = Throttled::default();
        assert_eq!(thread.of(Some(5)), None, "nobody has looked");
        thread.note(Some(0), Some(1_000));
        assert_eq!(thread.of(Some(5)), None, "one look is no time");
        // Four threads were held back at once.
        thread.note(Some(400), Some(1_100));
        assert_eq!(thread.of(Some(100)), Some(100));
        // A neighbour took the CPU.
        thread.note(Some(400), Some(1_900));
        assert_eq!(thread.of(Some(900)), Some(100), "nothing was throttled meanwhile");
        thread.note(Some(450), Some(2_000));
        assert_eq!(thread.of(Some(1_000)), Some(150));
        assert_eq!(thread.of(Some(120)), Some(120), "a part of the run delay that is told");
        assert_eq!(thread.of(None), None);
    }

    #[test]
    fn where_a_group_can_not_be_read_time_is_left_out_and_nothing_falls() {
        let mut thread = Throttled::default();
        thread.note(None, Some(10));
        thread.note(Some(100), Some(20));
        assert_eq!(thread.of(Some(20)), None);
        thread.note(Some(130), Some(60));
        thread.note(None, Some(500));
        assert_eq!(thread.of(Some(490)), Some(30));
        thread.note(Some(900), Some(1_000));
        assert_eq!(thread.of(Some(990)), Some(30), "unknown for how much of this");
        thread.note(Some(910), Some(1_050));
        assert_eq!(thread.of(Some(1_040)), Some(40));
    }

    #[test]
    fn a_process_in_no_group_is_not_known_to_be_throttled() {
        // There is no process of that number.
        let mut group = Group::of(u32::MAX, "0::/../of-another\n".to_owned());
        assert_eq!(group.throttled_ns(), None);
        group.look(String::new());
        assert_eq!((group.throttled_ns(), group.cgroup().is_out_of_sight()), (None, false));
    }
}
