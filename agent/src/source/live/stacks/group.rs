//! The control group of a process, found once and not with each stall: to be sure that it is that
//! one, the kernel is asked for all processes in it.

use std::sync::Arc;

use loop_core::Cgroup;

use crate::process::Process;

/// See the module. Its files stay open from the first stall on.
#[derive(Debug, Default)]
pub(super) struct Group(Option<(Vec<u8>, Arc<Cgroup>)>);

impl Group {
    /// The one that the process is in now. Cost: one file of `/proc` is read; where the process was
    /// put into another group, or is looked at for the first time, some more.
    pub(super) fn now(&mut self, process: &Process) -> Arc<Cgroup> {
        let names = process.read("cgroup").unwrap_or_default();
        if let Some((known, cgroup)) = &self.0
            && *known == names
        {
            return Arc::clone(cgroup);
        }
        let text = String::from_utf8_lossy(&names);
        let cgroup = Arc::new(Cgroup::of_process(process.identity().pid, &text));
        self.0 = Some((names, Arc::clone(&cgroup)));
        cgroup
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_for_when_the_process_has_another() {
        let process = Process::open(std::process::id()).expect("that is this one");
        let mut group = Group::default();
        let first = group.now(&process);
        assert!(Arc::ptr_eq(&first, &group.now(&process)));
        if let Some((names, _)) = &mut group.0 {
            names.push(b'x');
        }
        assert!(!Arc::ptr_eq(&first, &group.now(&process)));
    }
}
