//! Times in which nothing ran, as when a hypervisor has paused the machine and its clock went on.
//!
//! Three things tell it together, of which each alone has other reasons:
//!
//! 1. The thread that watches was woken late, and for so long it did not wait for a CPU.
//! 2. The thread that is watched was on a CPU meanwhile, as the kernel accounts it,
//! 3. and the timer that samples it on that CPU did not fire once.
//!
//! So no timer of either CPU has fired. Where the watching thread alone was stopped there are
//! samples, or they were lost; where the other waited, or had no CPU, none is accounted to it. Time
//! that the hypervisor accounts as stolen is waiting for a CPU and isn't told here, nor is a pause
//! in which the thread waited anyway.
//!
//! Cost: two small reads of `/proc` a look, 2 µs each.

use super::limits::SILENCE_NS;
use crate::source::schedstat::Accounts;

/// Samples so close to the ends of a time may be late, or the clock read a little before.
const EDGE_NS: u64 = 2_000_000;

/// The part of a silence that must be accounted to the thread, in percent: the kernel accounts at
/// ticks.
const ACCOUNTED_PERCENT: u64 = 80;

/// A time in which the watching thread should have been woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    from_ns: u64,
    to_ns: u64,
}

impl Gap {
    /// Of a thread that was to be woken then, went on then, and has waited for a CPU for so long.
    fn of(due_ns: u64, woke_ns: u64, run_delay_ns: u64) -> Option<Gap> {
        let to_ns = woke_ns.saturating_sub(run_delay_ns);
        let is_long = to_ns.saturating_sub(due_ns) >= SILENCE_NS;
        is_long.then_some(Gap { from_ns: due_ns, to_ns })
    }

    /// How much of it nothing ran in, as far as it is proved. `sampled_ns` are the times of all
    /// samples, none of which was lost; `cpu_ns` is what the thread was accounted meanwhile, and
    /// for a little longer, of which each sample stands for `period_ns`.
    pub(super) fn silent_ns(self, sampled_ns: &[u64], cpu_ns: u64, period_ns: u64) -> u64 {
        let inside = self.from_ns + EDGE_NS..self.to_ns.saturating_sub(EDGE_NS);
        if sampled_ns.iter().any(|at_ns| inside.contains(at_ns)) {
            return 0;
        }
        let gap_ns = self.to_ns - self.from_ns;
        let unseen_ns = cpu_ns.saturating_sub(sampled_ns.len() as u64 * period_ns);
        let is_accounted = unseen_ns >= gap_ns / 100 * ACCOUNTED_PERCENT;
        if is_accounted { gap_ns.min(unseen_ns) } else { 0 }
    }
}

/// What the kernel accounts to one thread: `schedstat`, as its first two numbers.
#[derive(Debug)]
pub(super) struct Account(Option<Accounts>);

impl Account {
    /// That of the thread whose folder in `/proc` this is.
    pub(super) fn of(folder: &std::path::Path) -> Account {
        Account(Accounts::open(folder).ok())
    }

    /// Its time on a CPU and that in which it waited for one; `None` where the kernel does not say.
    pub(super) fn read(&self) -> Option<(u64, u64)> {
        let account = self.0.as_ref()?.read().ok()??;
        Some((account.on_cpu_ns, account.run_delay_ns))
    }
}

/// The waits of the watching thread.
#[derive(Debug)]
pub(super) struct Beat {
    account: Account,
    run_delay_ns: Option<u64>,
    due_ns: u64,
}

impl Beat {
    /// Of the thread that calls it.
    pub(super) fn new() -> Beat {
        let account = Account::of(std::path::Path::new("/proc/thread-self"));
        Beat { account, run_delay_ns: None, due_ns: u64::MAX }
    }

    /// It is about to wait until then.
    pub(super) fn waits_until(&mut self, due_ns: u64) {
        self.run_delay_ns = self.account.read().map(|(_, run_delay_ns)| run_delay_ns);
        self.due_ns = due_ns;
    }

    /// It goes on.
    pub(super) fn goes_on(&mut self, now_ns: u64) -> Option<Gap> {
        if now_ns.saturating_sub(self.due_ns) < SILENCE_NS {
            return None;
        }
        let (_, now_delay_ns) = self.account.read()?;
        Gap::of(self.due_ns, now_ns, now_delay_ns.saturating_sub(self.run_delay_ns?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn gap() -> Gap {
        Gap::of(1_000 * MS, 1_200 * MS, 0).expect("200 ms")
    }

    #[test]
    fn a_machine_that_stood_still_is_told() {
        let sampled = [998, 999, 1_200].map(|ms| ms * MS);
        assert_eq!(gap().silent_ns(&sampled, 203 * MS, MS), 200 * MS);
        assert_eq!(gap().silent_ns(&sampled, 170 * MS, MS), 167 * MS, "no more than is accounted");
    }

    #[test]
    fn a_thread_that_was_sampled_meanwhile_ran() {
        let sampled: Vec<u64> = (1_168..1_200).map(|ms| ms * MS).collect();
        assert_eq!(gap().silent_ns(&sampled, 300 * MS, MS), 0, "we alone were stopped");
        assert_eq!(gap().silent_ns(&[1_100 * MS], 300 * MS, MS), 0);
    }

    #[test]
    fn a_thread_that_was_on_no_cpu_proves_nothing() {
        assert_eq!(gap().silent_ns(&[], 0, MS), 0, "it waited");
        assert_eq!(gap().silent_ns(&[], 50 * MS, MS), 0);
    }

    #[test]
    fn who_waits_for_a_cpu_is_no_silence() {
        assert_eq!(Gap::of(1_000 * MS, 1_200 * MS, 190 * MS), None);
        assert_eq!(Gap::of(1_000 * MS, 1_001 * MS, 0), None, "woken in time");
        assert_eq!(Gap::of(1_000 * MS, 900 * MS, 0), None, "woken by another");
        let part = Gap::of(1_000 * MS, 1_200 * MS, 50 * MS).expect("150 ms");
        assert_eq!(part.silent_ns(&[], 500 * MS, MS), 150 * MS);
    }

    #[test]
    fn a_beat_in_time_is_none() {
        let mut beat = Beat::new();
        assert_eq!(beat.goes_on(0), None, "it has not waited yet");
        beat.waits_until(1_000 * MS);
        assert_eq!(beat.goes_on(1_000 * MS + SILENCE_NS - 1), None);
        let gap = beat.goes_on(10_000 * MS).expect("9 s in which this thread ran");
        assert_eq!(gap.from_ns, 1_000 * MS);
    }
}
