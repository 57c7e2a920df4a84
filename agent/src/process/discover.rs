//! Which processes may be Nodes, by the content of what they execute.
//!
//! Cost: for each process one `stat` of `/proc/PID/exe`; each executable file is looked
//! into once, as long as it does not change.
//!
//! A program that loads a library with Node in it while it runs is not found, only one that is
//! linked to it. It can be named by its number.

use std::collections::BTreeMap;
use std::io;

use super::exports;
use super::mapped::{FileState, open_regular};
use super::proc_fs::ProcFs;

/// Looks for Nodes and remembers what it has looked into.
#[derive(Debug, Default)]
pub struct Discovery {
    /// Of the files that were executed when it last looked.
    known: BTreeMap<FileState, bool>,
}

/// What a look has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The processes that may be Nodes, by number.
    pub nodes: Vec<u32>,
    /// How many could not be looked at for lack of rights.
    pub unseen: usize,
}

impl Discovery {
    /// Looks at every process that there is now.
    ///
    /// # Errors
    /// `/proc` can't be listed.
    pub fn look(&mut self, proc_fs: &ProcFs) -> io::Result<Found> {
        let mut found = Found::default();
        let mut known = BTreeMap::new();
        let mut pids = ProcFs::numbers(proc_fs.root())?;
        pids.sort_unstable();
        for pid in pids {
            let path = proc_fs.path(pid, "exe");
            let executed = match std::fs::metadata(&path) {
                Ok(metadata) => FileState::of(&metadata),
                Err(error) => {
                    // Threads of the kernel and zombies execute nothing.
                    let denied = error.kind() == io::ErrorKind::PermissionDenied;
                    found.unseen += usize::from(denied);
                    continue;
                }
            };
            let looked = self.known.get(&executed).or(known.get(&executed)).copied();
            let may_be = looked.unwrap_or_else(|| {
                // What another program is executed instead by now is looked at the next time.
                open_regular(&path).is_ok_and(|file| exports::holds(&file).may_be_node())
            });
            known.insert(executed, may_be);
            found.nodes.extend(may_be.then_some(pid));
        }
        self.known = known;
        Ok(found)
    }
}
