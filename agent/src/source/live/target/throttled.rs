//! What a CPU quota takes from the threads of a process.

use super::Target;

impl Target {
    /// Looks at its control group, once a second.
    pub(super) fn look_at_group(&mut self) {
        if let Ok(names) = self.process.read("cgroup") {
            self.group.look(String::from_utf8_lossy(&names).into_owned());
        }
    }

    /// Has what the group lost divided among its loops, where it was `looked` at just now. Else
    /// those that are new are noted, so that they bear a part of what is lost from now on.
    pub(super) fn note_throttled(&mut self, looked: bool) {
        let group_ns = self.group.throttled_ns();
        self.passive.note_throttled(group_ns, looked);
        self.probed.iter_mut().for_each(|probed| probed.note_throttled(group_ns, looked));
    }
}
