//! Probes that are set into a process.
//!
//! All of a file are one link: the kernel waits for each link that is closed until nobody runs its
//! program, some ten milliseconds, in which what is executed next would go unseen.
//!
//! **Invariant**: turns that nobody saw, as probes are exchanged, are never told as a single one.

use std::io;
use std::sync::Arc;

use loop_core::snapshot::Tier;

use super::ebpf::{Kernel, Link};
use super::probes::Probes;

/// Probes that are set into a process. Dropping it takes them away, and gives back the room of its
/// loops: the next target of this number starts from nothing.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) kernel: Arc<Kernel>,
    /// The number of the target in the kernel.
    pub(super) index: u32,
    pub(super) probes: Probes,
    pid: u32,
    links: Vec<Link>,
}

impl Set {
    /// Sets them.
    ///
    /// # Errors
    /// The kernel refuses. None of them is left.
    pub(super) fn link(
        kernel: &Arc<Kernel>,
        index: u32,
        probes: Probes,
        pid: u32,
    ) -> io::Result<Set> {
        let links = Vec::new();
        let mut set = Set { kernel: Arc::clone(kernel), index, probes, pid, links };
        set.links = set.probes.link(kernel, index, pid)?;
        Ok(set)
    }

    /// Sets those of a lower tier instead. Turns that began by then are told by their time alone:
    /// how many there were meanwhile is not known.
    ///
    /// # Errors
    /// The kernel side can't be told what is seen no more, or refuses. There is no probe any more.
    pub(super) fn reduce(&mut self, tier: Tier) -> io::Result<()> {
        self.unlink();
        self.probes.reduce(tier);
        for (slot, _) in self.kernel.heads().filter(|(_, head)| head.target == self.index) {
            self.kernel.void_turn(slot);
        }
        let told = self.kernel.set_target(self.index, &self.probes.layout);
        let set = told.and_then(|()| self.probes.link(&self.kernel, self.index, self.pid));
        if set.is_err() {
            self.probes.reduce(Tier::Passive);
        }
        self.links = set?;
        Ok(())
    }

    /// Takes all of them away, and leaves what they have shown.
    pub(super) fn unlink(&mut self) {
        self.links.clear();
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        // First of all: no probe may reach a loop whose room is given back.
        self.unlink();
        for (slot, _) in self.kernel.heads().filter(|(_, head)| head.target == self.index) {
            // One that can't be given back is lost to others, and that they have none is counted.
            let _ = self.kernel.release(slot);
        }
    }
}
