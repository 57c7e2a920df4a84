//! What a loop did between the moment when it was found, or its thread began, and its first poll:
//! in probes it shows from there on only, and a loop that has waited all the time would look like
//! one that never does.
//!
//! libuv counts how long a loop has waited in all. So two readings of that count, one from memory
//! when the loop was found, one by the probe at its first poll, tell exactly what was between.

use super::ebpf::Head;

/// How long a loop had waited in all at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Baseline {
    /// By our monotonic clock.
    pub(super) at_ns: u64,
    pub(super) idle_ns: u64,
}

/// Time that no probe has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) active_ns: u64,
    pub(super) idle_ns: u64,
}

impl Baseline {
    /// Of a thread that began when it was observed already: its loop has waited for nothing.
    pub(super) fn of_thread(start_ns: u64) -> Baseline {
        Baseline { at_ns: start_ns, idle_ns: 0 }
    }

    /// The first poll that the kernel has counted from. Its times since then are a whole.
    pub(super) fn first(head: &Head) -> Option<Baseline> {
        let totals = &head.totals;
        let counted_ns = totals.active_ns + totals.idle_ns;
        (head.boundary_ns != 0).then(|| Baseline {
            at_ns: head.boundary_ns.saturating_sub(counted_ns),
            idle_ns: head.boundary_idle_ns.saturating_sub(totals.idle_ns),
        })
    }

    /// What was between this and the first poll. Nothing, where it came later, or is of another
    /// loop.
    pub(super) fn until_first(self, head: &Head) -> Before {
        let between = Baseline::first(head).and_then(|first| {
            let wall_ns = first.at_ns.checked_sub(self.at_ns)?;
            Some((wall_ns, first.idle_ns.checked_sub(self.idle_ns)?))
        });
        let (wall_ns, idle_ns) = between.unwrap_or_default();
        let idle_ns = idle_ns.min(wall_ns);
        Before { active_ns: wall_ns - idle_ns, idle_ns }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ebpf::Reading;
    use super::*;

    fn head() -> Head {
        let mut head = Reading::empty().head;
        head.boundary_ns = 10_000;
        head.boundary_idle_ns = 6_500;
        head.totals.active_ns = 1_000;
        head.totals.idle_ns = 500;
        head
    }

    #[test]
    fn what_was_before_the_first_poll_is_told_exactly() {
        let found = Baseline { at_ns: 500, idle_ns: 100 };
        let before = found.until_first(&head());
        assert_eq!(before, Before { active_ns: 2_100, idle_ns: 5_900 });
        let together = before.active_ns + before.idle_ns + 1_500;
        assert_eq!(together, 10_000 - 500, "all time since it was found is counted once");
    }

    #[test]
    fn a_loop_that_was_found_later_or_is_another_one_adds_nothing() {
        let none = Before::default();
        assert_eq!(Baseline { at_ns: 8_501, idle_ns: 6_000 }.until_first(&head()), none);
        assert_eq!(Baseline { at_ns: 500, idle_ns: 6_001 }.until_first(&head()), none);
        let mut unseen = head();
        unseen.boundary_ns = 0;
        assert_eq!(Baseline { at_ns: 0, idle_ns: 0 }.until_first(&unseen), none);
    }
}
