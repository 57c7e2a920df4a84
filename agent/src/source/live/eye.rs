//! Asks what was seen of a loop while it was held up.

use std::sync::Arc;

use loop_core::snapshot::Stall;

use super::ebpf::Ended;
use super::ledger::refine;
use super::stacks::Stacks;

/// What is seen of one thread.
#[derive(Clone, Debug)]
pub(super) struct Eye {
    pub(super) stacks: Arc<Stacks>,
    pub(super) pid: u32,
    pub(super) tid: u32,
    /// What to add to the monotonic clock to have the time since the Unix epoch.
    pub(super) unix_offset_ns: u64,
}

impl Eye {
    /// Until when the loop waited for events in what was taken for a turn, as far as it was seen.
    pub(super) fn waited_until(&self, turn: &Ended) -> Option<u64> {
        self.stacks.waited_until((self.pid, self.tid), turn)
    }

    /// Puts in who is to blame for a stall, what was waited for, and where its time went.
    pub(super) fn fill(&self, stall: &mut Stall) {
        let start_ns = stall.start_unix_ns.saturating_sub(self.unix_offset_ns);
        let end_ns = start_ns.saturating_add(stall.duration_ns);
        let Some(seen) = self.stacks.seen(self.pid, self.tid, start_ns, end_ns) else { return };
        stall.culprit = seen.blamed.culprit;
        stall.stack = seen.blamed.stack.filter(|stack| !stack.is_empty());
        stall.profile = seen.blamed.profile;
        stall.waits = Some(seen.waits);
        if let Some(drain) = &mut stall.drain {
            drain.reactions = seen.reactions;
            drain.waiting_max = seen.growth.map(|growth| growth.waiting_max);
            drain.is_square = seen.growth.is_some_and(|growth| growth.is_square);
        }
        stall.repeated = seen.repeated;
        stall.ledger_ns = refine(stall.ledger_ns, &seen.shares);
    }
}
