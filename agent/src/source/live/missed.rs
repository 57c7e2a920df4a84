//! What the kernel side saw of loops and could not count.

use loop_core::snapshot::Limit;
use loop_core::units::format_count;

use super::ebpf::Head;

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Missed {
    /// Reads of the target's memory that failed.
    unread: u64,
    /// Drains and collections that had a beginning or an end only.
    unpaired: u64,
    /// Drains within drains of other queues.
    nested: u64,
}

impl Missed {
    /// Of one loop.
    pub(super) fn of(head: &Head) -> Missed {
        let totals = &head.totals;
        Missed { unread: totals.faults, unpaired: totals.unpaired, nested: totals.nested_drains }
    }

    /// Adds what was missed of others.
    pub(super) fn add(&mut self, other: Missed) {
        self.unread += other.unread;
        self.unpaired += other.unpaired;
        self.nested += other.nested;
    }

    /// Reads that failed: what they were for is in no count.
    pub(super) fn unread(&self) -> u64 {
        self.unread
    }

    /// The same for readers of the report. What there is none of is not told.
    pub(super) fn limits(&self) -> impl Iterator<Item = Limit> {
        let all = [
            (
                self.unread,
                "polls, timers and drains whose memory could not be read",
                "the page was not there at that moment: the kernel moves pages and swaps them out",
            ),
            (
                self.unpaired,
                "drains and collections of which only one end was seen",
                "some are under way when probes are set",
            ),
            (
                self.nested,
                "microtasks of drains within the drain of another queue",
                "a context with a queue of its own was drained there; the outer drain is exact",
            ),
        ];
        all.into_iter().filter(|(count, ..)| *count > 0).map(|(count, what, why)| Limit {
            what: format!("{what} ({})", format_count(count)),
            why: why.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::ebpf::Reading;
    use super::*;

    #[test]
    fn what_was_missed_is_told_with_its_count_and_nothing_else_is() {
        let mut head = Reading::empty().head;
        assert_eq!(Missed::of(&head).limits().count(), 0);
        head.totals.faults = 2;
        let mut all = Missed::of(&head);
        head.totals.unpaired = 1;
        all.add(Missed::of(&head));
        let told: Vec<String> = all.limits().map(|limit| limit.what).collect();
        let [unread, unpaired] = told.as_slice() else { panic!("{told:?}") };
        assert!(unread.ends_with("could not be read (4)"), "{unread}");
        assert!(unpaired.ends_with("only one end was seen (1)"), "{unpaired}");
    }
}
