//! What threads that run loops are called.

use std::collections::BTreeMap;

/// The name of loops that are told together, as they have ended long ago. They have no thread.
pub(super) const OTHER: &str = "other";

/// The names of the threads that run loops: workers are numbered as they were seen.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<u32, usize>);

impl Names {
    pub(super) fn add(&mut self, mut tids: Vec<u32>) {
        tids.retain(|tid| !self.0.contains_key(tid));
        tids.sort_unstable();
        tids.dedup();
        for tid in tids {
            self.0.insert(tid, self.0.len() + 1);
        }
    }

    pub(super) fn of(&self, pid: u32, tid: u32) -> String {
        match self.0.get(&tid) {
            _ if tid == pid => "main".to_owned(),
            // Several that have ended, together.
            _ if tid == 0 => OTHER.to_owned(),
            Some(number) => format!("worker-{number}"),
            None => format!("worker-{}", self.0.len() + 1),
        }
    }
}
