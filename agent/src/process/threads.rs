//! The threads and the children of a process.

use std::collections::BTreeSet;
use std::io;

use super::stat::Stat;
use super::{ProcFs, Process};

/// A thread of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Its number.
    pub tid: u32,
    /// When it started, in ticks since the machine booted: with the number it tells threads apart
    /// that were given the same one.
    pub start_ticks: u64,
    /// The name that it gave itself, at most 15 bytes.
    pub name: String,
}

impl Process {
    /// Its threads, by start, then number. One small read each; a thread that ends meanwhile is
    /// left out.
    ///
    /// # Errors
    /// The process has ended or executes another program.
    pub fn threads(&self) -> io::Result<Vec<Thread>> {
        let tids = ProcFs::numbers(&self.path("task"))?;
        let mut threads: Vec<Thread> =
            tids.into_iter().filter_map(|tid| self.thread(tid)).collect();
        self.confirm()?;
        threads.sort_by_key(|thread| (thread.start_ticks, thread.tid));
        Ok(threads)
    }

    fn thread(&self, tid: u32) -> Option<Thread> {
        let bytes = std::fs::read(self.path(&format!("task/{tid}/stat"))).ok()?;
        let stat = Stat::parse(&bytes).filter(|stat| !stat.has_ended())?;
        Some(Thread { tid, start_ticks: stat.start_ticks, name: stat.name })
    }
}

/// New processes that the main threads of `parents` started, by the kernel's own lists: those that
/// are not among them and have not ended. One small read each.
///
/// A list leaves some out when one of them ends while it is read, and what another thread started
/// is in another list: [`children_of`] finds those. `None`: this kernel keeps no lists.
pub fn listed_children_of(proc_fs: &ProcFs, parents: &BTreeSet<u32>) -> Option<Vec<u32>> {
    let has_lists = proc_fs.root().join("thread-self/children").exists();
    let list = |&pid: &u32| proc_fs.read(pid, &format!("task/{pid}/children")).ok();
    let is_new = |pid: &u32| {
        let stat = || super::identity::stat(proc_fs, *pid);
        !parents.contains(pid) && stat().is_ok_and(|stat| !stat.has_ended())
    };
    has_lists.then(|| {
        let lists = parents.iter().filter_map(list);
        lists.flat_map(|list| numbers_in(&list)).filter(is_new).collect()
    })
}

fn numbers_in(list: &[u8]) -> Vec<u32> {
    let words = list.split(u8::is_ascii_whitespace);
    words.filter_map(|word| std::str::from_utf8(word).ok()?.parse().ok()).collect()
}

/// The processes that any of `parents` started and that have not ended, by number.
///
/// All processes are looked at, one small read each: the kernel's own list, of a thread's children,
/// leaves some out when one of them ends while it is read.
///
/// # Errors
/// `/proc` can't be read.
pub fn children_of(proc_fs: &ProcFs, parents: &BTreeSet<u32>) -> io::Result<Vec<u32>> {
    let is_child = |&pid: &u32| {
        let stat = super::identity::stat(proc_fs, pid);
        stat.is_ok_and(|stat| parents.contains(&stat.parent) && !stat.has_ended())
    };
    let pids = ProcFs::numbers(proc_fs.root())?;
    let mut children: Vec<u32> = pids.into_iter().filter(is_child).collect();
    children.sort_unstable();
    Ok(children)
}
