//! Stalls of the turn in which a loop was found: memory has seen them, and no probe did.

use loop_core::snapshot::{LedgerKey, LoopSnapshot, Stall};

/// Stalls that are over and lie before a moment: most of them, as two clocks never quite agree.
pub(super) fn earlier(memory: &LoopSnapshot, before_unix_ns: u64) -> impl Iterator<Item = &Stall> {
    let half = |stall: &Stall| stall.start_unix_ns.saturating_add(stall.duration_ns / 2);
    memory.stalls.iter().filter(move |stall| !stall.running && half(stall) < before_unix_ns)
}

/// Memory is read when there are probes already, so a turn that was seen there, and no poll before,
/// has ended with the first poll. What it did since it was looked at last is not known.
pub(super) fn until_first_poll(stall: &Stall, first_unix_ns: u64) -> Stall {
    let end_ns = stall.start_unix_ns.saturating_add(stall.duration_ns);
    let more_ns = first_unix_ns.saturating_sub(end_ns);
    let unknown_ns = stall.ledger_ns.get(LedgerKey::Unknown).unwrap_or(0) + more_ns;
    Stall {
        duration_ns: stall.duration_ns + more_ns,
        ledger_ns: stall.ledger_ns.with(LedgerKey::Unknown, unknown_ns),
        ..stall.clone()
    }
}

#[cfg(test)]
mod tests {
    use loop_core::snapshot::{Counters, Ledger};

    use super::*;

    fn stall(start_unix_ns: u64, duration_ns: u64, running: bool) -> Stall {
        Stall {
            start_unix_ns,
            duration_ns,
            running,
            phase: None,
            callbacks: None,
            microtasks: None,
            repeated: None,
            ledger_ns: Ledger::default().with(LedgerKey::Javascript, duration_ns),
            counters: Counters::default(),
            culprit: None,
            profile: None,
            waits: None,
            drain: None,
            stack: None,
        }
    }

    #[test]
    fn stalls_before_the_first_poll_are_told_once_and_to_their_end() {
        let stalls = vec![stall(100, 280, false), stall(401, 90, false), stall(300, 90, true)];
        let memory = LoopSnapshot { stalls, ..LoopSnapshot::default() };
        let told: Vec<Stall> = earlier(&memory, 400).map(|of| until_first_poll(of, 400)).collect();
        let [one] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((one.start_unix_ns, one.duration_ns), (100, 300));
        assert_eq!(one.ledger_ns.total_ns(), 300);
        assert_eq!(one.ledger_ns.get(LedgerKey::Unknown), Some(20));
        assert_eq!(until_first_poll(one, 399), *one, "clocks that do not quite agree");
    }
}
