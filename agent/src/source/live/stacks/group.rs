//! The control group of a process, found once and not with each of its stalls: to be sure that it
//! is that one, the kernel is asked for all processes in it.

use std::sync::Arc;

use loop_core::Cgroup;

use super::limits::GROUP_KEPT_NS;
use crate::process::Process;

/// See the module. Its files are closed when no stall has begun for a while.
#[derive(Debug, Default)]
pub(super) struct Group(Option<Found>);

#[derive(Debug)]
struct Found {
    /// What the kernel says of which groups they are.
    names: Vec<u8>,
    cgroup: Arc<Cgroup>,
    /// When it was asked for last.
    asked_ns: u64,
}

impl Group {
    /// The one that the process is in now. Cost: one file of `/proc` is read; where it is not known
    /// yet, some more.
    pub(super) fn now(&mut self, process: &Process, now_ns: u64) -> Arc<Cgroup> {
        let names = process.read("cgroup").unwrap_or_default();
        let known = self.0.take().filter(|found| found.names == names);
        let found = known.unwrap_or_else(|| {
            let text = String::from_utf8_lossy(&names);
            let cgroup = Arc::new(Cgroup::of_process(process.identity().pid, &text));
            Found { names, cgroup, asked_ns: now_ns }
        });
        let found = self.0.insert(Found { asked_ns: now_ns, ..found });
        Arc::clone(&found.cgroup)
    }

    /// Closes what nobody has asked for lately.
    pub(super) fn release(&mut self, now_ns: impl FnOnce() -> u64) {
        let since = |found: &Found| now_ns().saturating_sub(found.asked_ns);
        if self.0.as_ref().is_some_and(|found| since(found) > GROUP_KEPT_NS) {
            self.0 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_for_when_the_process_has_another() {
        let process = Process::open(std::process::id()).expect("that is this one");
        let mut group = Group::default();
        let first = group.now(&process, 1);
        assert!(Arc::ptr_eq(&first, &group.now(&process, 2)));
        group.0.iter_mut().for_each(|found| found.names.push(b'x'));
        assert!(!Arc::ptr_eq(&first, &group.now(&process, 3)));
    }

    #[test]
    fn it_is_closed_when_no_stall_begins_any_more() {
        let process = Process::open(std::process::id()).expect("that is this one");
        let mut group = Group::default();
        group.release(|| unreachable!("nothing is open"));
        group.now(&process, 5);
        group.release(|| 5 + GROUP_KEPT_NS);
        assert!(group.0.is_some());
        group.release(|| 6 + GROUP_KEPT_NS);
        assert!(group.0.is_none());
    }
}
