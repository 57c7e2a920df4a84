//! What a session tells of those that are there, those that have ended, and those that are told no
//! longer.

use loop_core::snapshot::{ClockKind, Snapshot};

use super::Live;
use super::host::Host;
use crate::source::live::clock::monotonic_ns;
use crate::source::live::past::together;
use crate::source::live::target::Target;
use crate::source::{Census, Observe};

impl Observe for Live {
    fn snapshot(&self) -> Snapshot {
        let shared = &self.shared;
        let state = shared.state();
        let now_ns = state.ended_ns.unwrap_or_else(monotonic_ns);
        let there = state.targets.iter().map(Target::told);
        let dead = state.host.iter().flat_map(|host| host.told(now_ns));
        let past = state.past.told().cloned().chain(dead);
        let (mut events, targets, loops) = together(past.chain(there));
        events.merge(state.host.as_ref().map(Host::gone).unwrap_or_default());
        Snapshot {
            wall_ns: now_ns.saturating_sub(shared.started_ns),
            clock: ClockKind::Real,
            events,
            targets,
            loops,
        }
    }

    fn stalls_ended(&self) -> Option<u64> {
        let state = self.shared.state();
        let there = state.targets.iter().map(Target::events);
        let dead = state.host.iter().flat_map(Host::dead);
        let past = state.past.told().chain(dead).map(|told| told.events);
        let gone = state.host.iter().map(Host::gone);
        Some(there.chain(past).chain(gone).map(|events| events.seen).sum())
    }

    fn may_be_held_up(&self) -> bool {
        self.shared.stacks.may_be_held()
    }

    fn census(&self) -> Option<Census> {
        self.shared.state().census()
    }
}
