//! Until when the kernel is kept ready to sample threads.
//!
//! Where somebody has named the processes, for as long as they are looked at. Where a whole host
//! is watched, behind each stall for a while: what stalls does so again, and nobody else is to be
//! touched for as long as nothing does.

use super::limits::READY_NS;
use crate::source::live::ebpf::Ready;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    ready: Option<Ready>,
    /// When a loop was held up last.
    held_ns: Option<u64>,
    is_refused: bool,
}

impl Readiness {
    /// It is now, and a loop is held up or none is.
    pub(super) fn keep(&mut self, always: bool, is_held: bool, now_ns: u64) {
        if is_held {
            self.held_ns = Some(now_ns);
        }
        let wanted = self.is_wanted(always, now_ns);
        if !wanted {
            self.ready = None;
        } else if self.ready.is_none() && !self.is_refused {
            // Without it a sampler waits for that itself.
            self.ready = Ready::get().ok();
            self.is_refused = self.ready.is_none();
        }
    }

    fn is_wanted(&self, always: bool, now_ns: u64) -> bool {
        always || self.held_ns.is_some_and(|held_ns| now_ns < held_ns.saturating_add(READY_NS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_touched_behind_a_stall_for_a_while_and_no_longer() {
        let held = |held_ns| Readiness { held_ns, ..Readiness::default() };
        assert!(held(None).is_wanted(true, 7));
        assert!(!held(None).is_wanted(false, 7));
        assert!(held(Some(5)).is_wanted(false, 4 + READY_NS));
        assert!(!held(Some(5)).is_wanted(false, 5 + READY_NS));
    }
}
