//! What is summed up at each look at a process: what a CPU quota takes from its threads, and for
//! how long its loops are observed.

use super::{Probed, Target};

impl Target {
    /// Looks at its control group, once a second.
    pub(super) fn look_at_group(&mut self) {
        if let Ok(names) = self.process.read_short("cgroup") {
            self.group.look(String::from_utf8_lossy(&names).into_owned());
        }
    }

    /// Sums up for how long its loops are observed without probes. Those with probes do so by
    /// themselves.
    pub(super) fn note_exposure(&mut self, now_ns: u64) {
        let probed: Vec<u32> = self.probed.iter().flat_map(Probed::tids_there).collect();
        self.passive.note_exposure(&probed, now_ns);
    }

    /// Has what the group lost divided among its loops, where it was `looked` at just now. Else
    /// those that are new are noted, so that they bear a part of what is lost from now on.
    pub(super) fn note_throttled(&mut self, looked: bool) {
        let group_ns = self.group.throttled_ns();
        self.passive.note_throttled(group_ns, looked);
        self.probed.iter_mut().for_each(|probed| probed.note_throttled(group_ns, looked));
    }
}
