//! Probes that are set into a process.
//!
//! The one that every turn hits is set by itself, so that the others can be taken away without a
//! gap in which turns go unseen and look like a single long one.

use std::io;
use std::mem::take;
use std::sync::Arc;
use std::thread;

use loop_core::snapshot::Tier;

use super::ebpf::{Kernel, Link};
use super::probes::Probes;

/// What holds probes: those are gone when these are.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Those of the tier `turn`.
    pub(super) turns: Vec<Link>,
    /// All others.
    pub(super) rest: Vec<Link>,
}

impl Links {
    /// Takes away what a lower tier does not have. The others stay as they are.
    ///
    /// The kernel waits for each link until nobody runs its program, some ten milliseconds, in which
    /// what comes next goes unseen: so it waits for both at once.
    fn keep(&mut self, tier: Tier) {
        let rest = if tier == Tier::Full { Vec::new() } else { take(&mut self.rest) };
        let turns = if tier == Tier::Passive { take(&mut self.turns) } else { Vec::new() };
        if rest.is_empty() || turns.is_empty() {
            return;
        }
        thread::scope(|scope| {
            // Where there is no thread to be had, they are taken away here.
            let _ = thread::Builder::new().spawn_scoped(scope, move || drop(rest));
            drop(turns);
        });
    }
}

/// Probes that are set into a process. Dropping it takes them away, and gives back the room of its
/// loops: the next target of this number starts from nothing.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) kernel: Arc<Kernel>,
    /// The number of the target in the kernel.
    pub(super) index: u32,
    pub(super) probes: Probes,
    links: Links,
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
        let links = Links::default();
        let mut set = Set { kernel: Arc::clone(kernel), index, probes, links };
        set.links = set.probes.link(kernel, index, pid)?;
        Ok(set)
    }

    /// Leaves those of a lower tier. A turn that goes on meanwhile is counted whole.
    ///
    /// # Errors
    /// The kernel side can't be told what is seen no more. There is no probe any more.
    pub(super) fn reduce(&mut self, tier: Tier) -> io::Result<()> {
        self.probes.reduce(tier);
        // First of all: no phase may be counted that ends at a probe that is being taken away.
        let told = self.kernel.set_target(self.index, &self.probes.layout);
        if told.is_err() {
            self.probes.reduce(Tier::Passive);
        }
        self.links.keep(self.probes.tier);
        told
    }

    /// Takes all of them away, and leaves what they have shown.
    pub(super) fn unlink(&mut self) {
        self.links.keep(Tier::Passive);
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
