//! For how long the machine slept while a process was observed.
//!
//! The clock by which loops are measured, libuv's own, stands still while the machine is suspended;
//! another one does not. So a suspend is in no turn, no wait, and no share of the time; that it was
//! is told by the two clocks, by how much they have parted. Whatever else stops a machine, as a
//! hypervisor may, and moves neither clock or both, is not seen here.
//!
//! **Invariant**: no sleep is told to be longer than it was.

use loop_core::snapshot::Limit;
use loop_core::units::format_ns;

use super::clock::Ahead;

/// What is told: two readings of clocks differ by less.
const TOLD_NS: u64 = 10_000_000;

/// The looks at the clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sleep {
    /// How far the clocks were apart at first, at most, and by now, at least.
    first_ns: u64,
    now_ns: u64,
}

impl Sleep {
    /// By the first look.
    pub(super) fn since(first: Ahead) -> Sleep {
        Sleep { first_ns: first.most_ns, now_ns: first.least_ns }
    }

    /// Another look.
    pub(super) fn note(&mut self, now: Ahead) {
        // Each is a lower bound.
        self.now_ns = self.now_ns.max(now.least_ns);
    }

    /// What is not seen for it.
    pub(super) fn limit(&self) -> Option<Limit> {
        let slept_ns = self.now_ns.saturating_sub(self.first_ns);
        (slept_ns >= TOLD_NS).then(|| Limit {
            what: format!("{} in which the machine was suspended", format_ns(slept_ns)),
            why:
                "the clock of loops stands still meanwhile: they are part of no turn and no wait, \
                  and what came later is told so much too early"
                    .to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// Readings that were interrupted for so long.
    fn ahead(ms: u64, interrupted_ms: u64) -> Ahead {
        Ahead { least_ns: ms * MS, most_ns: (ms + interrupted_ms) * MS }
    }

    #[test]
    fn a_suspend_is_told_by_how_far_the_clocks_have_parted() {
        let mut sleep = Sleep::since(ahead(5_000, 0));
        assert_eq!(sleep.limit(), None);
        sleep.note(ahead(12_000, 0));
        let limit = sleep.limit().expect("7 s");
        assert!(
            limit.what.starts_with("7 s in which") || limit.what.starts_with("7.00 s in which")
        );
        sleep.note(ahead(12_000, 900));
        assert_eq!(sleep.limit(), Some(limit), "and no more than it was");
    }

    #[test]
    fn readings_that_were_interrupted_are_no_suspend() {
        let mut sleep = Sleep::since(ahead(5_000, 300));
        sleep.note(ahead(5_300, 0));
        assert_eq!(sleep.limit(), None);
        let mut sleep = Sleep::since(ahead(5_000, 0));
        sleep.note(ahead(5_000, 300));
        assert_eq!(sleep.limit(), None);
    }

    #[test]
    fn the_clocks_of_this_machine_agree_while_it_runs() {
        let mut sleep = Sleep::since(Ahead::now());
        std::thread::sleep(std::time::Duration::from_millis(20));
        sleep.note(Ahead::now());
        assert_eq!(sleep.limit(), None);
    }
}
