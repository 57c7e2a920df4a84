//! Sets probes into a process.

use std::io;
use std::sync::{Arc, PoisonError};

use loop_core::snapshot::Tier;

use super::{Shared, State};
use crate::exit::Failure;
use crate::source::live::candidate::Candidate;
use crate::source::live::clock::Shift;
use crate::source::live::ebpf::{Kernel, TARGETS};
use crate::source::live::probes::{self, Probes};
use crate::source::live::set::Set;

impl Shared {
    /// The probes of the tier that is always on; else why there is none. One that has `come` by
    /// itself, and was not named, can do without.
    pub(super) fn set_always(
        &self,
        state: &State,
        candidate: &Candidate,
        come: bool,
    ) -> Result<Result<Set, String>, Failure> {
        let (kernel, tier) = match (&self.kernel, self.options.tier) {
            (Ok(_), Tier::Passive) => return Ok(Err("it is watched without probes".to_owned())),
            (Ok(kernel), tier) => (kernel, tier),
            (Err(why), _) => return Ok(Err(why.clone())),
        };
        let pid = candidate.process.identity().pid;
        let Some(index) = state.free_index() else {
            let why = format!("{TARGETS} processes are observed with probes already");
            return if come || state.host.is_some() {
                Ok(Err(why))
            } else {
                Err(Failure::refused(format!("{why}; observe others from another loopscope")))
            };
        };
        let set = self.set(kernel, index, tier, candidate);
        Ok(set.map_err(|error| format!("the probes can't be set into process {pid} ({error})")))
    }

    /// The probes of a tier, under this number in the kernel.
    pub(super) fn set(
        &self,
        kernel: &Arc<Kernel>,
        index: u32,
        tier: Tier,
        candidate: &Candidate,
    ) -> io::Result<Set> {
        let Candidate { plan, layout, files, memory, .. } = candidate;
        let shift = Shift::to(&candidate.process);
        let layout = probes::layout(self.options.stall_threshold_ns, shift, layout, plan);
        let mut open = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let probes = Probes::of(tier, plan, files, &mut open, memory, layout);
        drop(open);
        let pid = candidate.process.identity().pid;
        kernel.set_target(index, &probes.layout)?;
        Set::link(kernel, index, probes, pid)
    }
}
