//! What looking at loops that are held up may cost.
//!
//! ```text
//! 1 % of the time, of each loop that is held up ──> saved, at most a burst ──> CPU time of looks
//!                                                  none left: a stall is looked at half as often
//! ```
//!
//! A stall that comes alone is looked at as closely as its parts are to be told. Where they follow
//! one another for seconds, what is saved is used up, and the next ones have half as many samples
//! and looks, until there is some again. With fewer than that, one long callback could not be told
//! from many short ones. How often is settled when a stall begins.
//!
//! Cost: the CPU time of this thread is read at each look at all loops.

use rustix::time::{ClockId, clock_gettime};

use super::limits::{BURST_NS, SHARE};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    saved_ns: i64,
    /// When it was counted last, what the thread had taken of a CPU until then, and whether a loop
    /// was held up.
    at_ns: u64,
    cpu_ns: u64,
    was_held: bool,
}

impl Allowance {
    pub(super) fn new(now_ns: u64, cpu_ns: u64) -> Self {
        Allowance { saved_ns: BURST_NS, at_ns: now_ns, cpu_ns, was_held: false }
    }

    /// So many loops are held up, behind a look at all of them.
    pub(super) fn count(&mut self, held: usize, now_ns: u64, cpu_ns: u64) {
        let lasted_ns = now_ns.saturating_sub(std::mem::replace(&mut self.at_ns, now_ns));
        let earned_ns = lasted_ns as f64 * held.max(1) as f64 * SHARE;
        let took_ns = cpu_ns.saturating_sub(std::mem::replace(&mut self.cpu_ns, cpu_ns));
        // Also the look that found that the last one goes on.
        let was_held = std::mem::replace(&mut self.was_held, held > 0);
        let spent_ns = if was_held || held > 0 { took_ns } else { 0 };
        let saved_ns = self.saved_ns + earned_ns as i64 - spent_ns as i64;
        self.saved_ns = saved_ns.clamp(-BURST_NS, BURST_NS);
    }

    /// What the thread took until now was for no look.
    pub(super) fn pass_over(&mut self, cpu_ns: u64) {
        self.cpu_ns = cpu_ns;
    }

    /// How many times less often than usual a stall is looked at that begins now.
    pub(super) fn slower(&self) -> u64 {
        if self.saved_ns >= 0 { 1 } else { 2 }
    }
}

/// CPU time of the calling thread.
pub(super) fn thread_cpu_ns() -> u64 {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    spent.tv_sec as u64 * 1_000_000_000 + spent.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// Stalls of 60 ms, 10 ms between them, each of which costs so much at the usual pace. Returns
    /// what all of them have cost, and how much slower the last ones were looked at.
    fn stalls(count: u64, cost_ns: u64) -> (u64, u64) {
        let (mut allowance, mut cpu_ns) = (Allowance::new(0, 0), 0);
        let mut slower = 1;
        for stall in 0..count {
            let begins_ns = stall * 70 * MS;
            slower = allowance.slower();
            allowance.count(1, begins_ns, cpu_ns);
            cpu_ns += cost_ns / slower;
            allowance.count(0, begins_ns + 60 * MS, cpu_ns);
        }
        (cpu_ns, slower)
    }

    #[test]
    fn what_comes_alone_is_looked_at_closely() {
        assert_eq!(stalls(1, 5 * MS), (5 * MS, 1));
        assert_eq!(stalls(9, 5 * MS), (45 * MS, 1));
    }

    #[test]
    fn what_follows_one_another_costs_a_share_of_the_time() {
        let most = BURST_NS as f64 + 70_000.0 * MS as f64 * SHARE;
        for cost_ns in [MS, MS * 5 / 4, MS * 7 / 5] {
            let (cpu_ns, _) = stalls(1_000, cost_ns);
            assert!((cpu_ns as f64) < 1.01 * most, "{cost_ns}: {cpu_ns}");
        }
        assert_eq!(stalls(1_000, MS / 2), (500 * MS, 1), "that is cheap enough");
        // What costs more is halved, and no more than that.
        let (cpu_ns, slower) = stalls(1_000, 4 * MS);
        assert!(cpu_ns < 2_100 * MS, "{cpu_ns}");
        assert_eq!(slower, 2);
    }

    #[test]
    fn each_loop_that_is_held_up_adds_to_it() {
        let mut allowance = Allowance::new(0, 0);
        allowance.count(4, 1_000 * MS, 40 * MS);
        assert_eq!(allowance.slower(), 1);
        allowance.count(4, 1_001 * MS, 40 * MS + 2 * BURST_NS as u64);
        assert_eq!(allowance.slower(), 2);
    }

    #[test]
    fn looks_at_loops_that_go_on_are_free() {
        let mut allowance = Allowance::new(0, 0);
        allowance.count(0, 1_000 * MS, 800 * MS);
        allowance.pass_over(900 * MS);
        allowance.count(1, 1_000 * MS, 900 * MS);
        assert_eq!(allowance.slower(), 1);
        allowance.count(1, 1_001 * MS, 901 * MS + 2 * BURST_NS as u64);
        assert_eq!(allowance.slower(), 2, "what begins to look at one is not");
    }

    #[test]
    fn the_thread_tells_what_it_took() {
        let before_ns = thread_cpu_ns();
        assert!(std::iter::repeat_with(thread_cpu_ns).any(|now_ns| now_ns > before_ns));
    }
}
