//! Short windows at tier *full*, which a stall opens in a process that is watched without probes.
//!
//! ```text
//!  passive ──a stall──> budget and room? ──> window of 10 s at full ──> passive
//! ```
//!
//! The budget is an average: it grows with the time that passes, and a window is opened when it
//! holds what the last one has cost. What a window has cost is counted (see
//! [`super::governor`]), so probes that cost little are set often, and never for more than half of
//! the time.
//!
//! **Invariant**: what a window has shown stays shown: no count falls when it closes.

use std::collections::BTreeMap;

use loop_core::snapshot::LoopSnapshot;

use super::probed::Seen;

/// How long a window is: so long that what happens each second happens ten times in it.
pub(super) const WINDOW_NS: u64 = 10_000_000_000;

/// What a window is taken to cost before there was one, as a share of its time: a server with many
/// short requests.
const FIRST_COST: f64 = 0.05;

/// Windows are at least so far apart.
const PAUSE_NS: u64 = WINDOW_NS;

/// Threads that are not told each by itself, and whose figures are kept so all the same: they may
/// yet be found in memory.
const GONE_MAX: usize = 32;

/// The windows of one process.
#[derive(Debug)]
pub(super) struct Windows {
    budget: Budget,
    /// Until when one is open.
    until_ns: Option<u64>,
    /// Not before then.
    pause_until_ns: u64,
    /// How many stalls there had been when it was looked last.
    stalls: u64,
    opened: u64,
    /// When the newest stall began that was taken of the open one, by thread.
    taken_unix_ns: BTreeMap<u32, u64>,
    /// What those that are closed have shown, by thread.
    shown: BTreeMap<u32, LoopSnapshot>,
    /// The same of threads that are gone, together: there may be new ones for ever.
    gone: Option<LoopSnapshot>,
}

/// What may be spent, in nanoseconds of the loop's time.
#[derive(Clone, Copy, Debug)]
struct Budget {
    ratio: f64,
    saved_ns: f64,
    /// What a window costs.
    price_ns: f64,
    as_of_ns: u64,
}

impl Windows {
    /// None yet; together they may cost this share of the time.
    pub(super) fn new(ratio: f64, now_ns: u64) -> Windows {
        Windows {
            budget: Budget::new(ratio, now_ns),
            until_ns: None,
            pause_until_ns: 0,
            stalls: 0,
            opened: 0,
            taken_unix_ns: BTreeMap::new(),
            shown: BTreeMap::new(),
            gone: None,
        }
    }

    /// Whether a window is wanted: there was a stall since the last look, by this count of them,
    /// and none is open. `Err`: it is, and the budget does not allow it.
    pub(super) fn wanted(&mut self, stalls: u64, now_ns: u64) -> Result<bool, ()> {
        let is_new = stalls > self.stalls;
        self.stalls = stalls;
        if !is_new || self.is_open() || now_ns < self.pause_until_ns {
            return Ok(false);
        }
        if self.budget.allows(now_ns) { Ok(true) } else { Err(()) }
    }

    /// One is open from now on.
    pub(super) fn open(&mut self, now_ns: u64) {
        self.until_ns = Some(now_ns + WINDOW_NS);
        self.opened += 1;
    }

    pub(super) fn is_open(&self) -> bool {
        self.until_ns.is_some()
    }

    /// Whether the open one is to be closed.
    pub(super) fn is_over(&self, now_ns: u64) -> bool {
        self.until_ns.is_some_and(|until_ns| now_ns >= until_ns)
    }

    /// The open one is closed. It has cost so much, and shown this. `told` are the threads that
    /// are told each by itself.
    pub(super) fn close(&mut self, now_ns: u64, cost_ns: u64, seen: Vec<Seen>, told: &[u32]) {
        self.until_ns = None;
        self.pause_until_ns = now_ns + PAUSE_NS;
        self.budget.spend(cost_ns, now_ns);
        // The next one sees stalls that begin later.
        self.taken_unix_ns.clear();
        for Seen { snapshot, .. } in seen {
            // The newest stalls were told as they came; this is for what is counted.
            let snapshot = LoopSnapshot { stalls: Vec::new(), open: None, ..snapshot };
            match self.shown.get_mut(&snapshot.tid) {
                Some(shown) => shown.merge(&snapshot),
                None => drop(self.shown.insert(snapshot.tid, snapshot)),
            }
        }
        if self.shown.len() <= told.len() + GONE_MAX {
            return;
        }
        for (tid, shown) in std::mem::take(&mut self.shown) {
            match told.contains(&tid) {
                true => drop(self.shown.insert(tid, shown)),
                false => self.put(shown),
            }
        }
    }

    /// What they have shown of a thread that has ended is told no longer by itself, and with others
    /// if it was not `alone` before. None may be open.
    pub(super) fn let_go(&mut self, tid: u32, alone: bool) {
        if let Some(shown) = self.shown.remove(&tid).filter(|_| !alone) {
            self.put(shown);
        }
    }

    fn put(&mut self, shown: LoopSnapshot) {
        match &mut self.gone {
            Some(gone) => gone.merge(&shown),
            gone => *gone = Some(shown),
        }
    }

    /// Whether a stall of the open one is taken now for the first time. They come oldest first.
    pub(super) fn is_new(&mut self, tid: u32, start_unix_ns: u64) -> bool {
        let taken_unix_ns = self.taken_unix_ns.entry(tid).or_default();
        let is_new = start_unix_ns > *taken_unix_ns;
        *taken_unix_ns = start_unix_ns.max(*taken_unix_ns);
        is_new
    }

    /// How many there have been.
    pub(super) fn opened(&self) -> u64 {
        self.opened
    }

    /// What those that are closed have shown of a thread, with what the open one shows.
    pub(super) fn shown(&self, tid: u32, open: &[Seen]) -> Option<LoopSnapshot> {
        let mut all = self.shown.get(&tid).cloned();
        for seen in open.iter().filter(|seen| seen.snapshot.tid == tid) {
            match &mut all {
                Some(all) => all.merge(&seen.snapshot),
                None => all = Some(seen.snapshot.clone()),
            }
        }
        all
    }

    /// What those that are closed have shown of threads that are gone.
    pub(super) fn gone(&self) -> Option<&LoopSnapshot> {
        self.gone.as_ref()
    }

    /// The threads that were seen in one that is closed.
    pub(super) fn tids(&self) -> impl Iterator<Item = u32> {
        self.shown.keys().copied()
    }
}

impl Budget {
    fn new(ratio: f64, now_ns: u64) -> Budget {
        let price_ns = FIRST_COST * WINDOW_NS as f64;
        Budget { ratio, saved_ns: price_ns, price_ns, as_of_ns: now_ns }
    }

    fn grow(&mut self, now_ns: u64) {
        let passed_ns = now_ns.saturating_sub(self.as_of_ns) as f64;
        self.as_of_ns = now_ns;
        // What has been saved in quiet hours is not spent in one go.
        self.saved_ns = (self.saved_ns + passed_ns * self.ratio).min(2.0 * self.price_ns);
    }

    fn allows(&mut self, now_ns: u64) -> bool {
        self.grow(now_ns);
        self.ratio > 0.0 && self.saved_ns >= self.price_ns
    }

    fn spend(&mut self, cost_ns: u64, now_ns: u64) {
        self.grow(now_ns);
        self.saved_ns -= cost_ns as f64;
        // One that cost nothing, as nothing ran, says little of the next.
        self.price_ns = (cost_ns as f64).max(self.price_ns / 2.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// Opens windows wherever it may be, for an hour of a stall a second. Each costs this share of
    /// its time.
    fn hour(ratio: f64, cost: f64) -> (u64, f64) {
        let mut windows = Windows::new(ratio, 0);
        let cost_ns = (cost * WINDOW_NS as f64) as u64;
        for second in 1..=3_600_u64 {
            let now_ns = second * SECOND;
            if windows.is_over(now_ns) {
                windows.close(now_ns, cost_ns, Vec::new(), &[]);
            }
            if windows.wanted(second, now_ns) == Ok(true) {
                windows.open(now_ns);
            }
        }
        let opened = windows.opened();
        (opened, opened as f64 * cost_ns as f64 / (3_600 * SECOND) as f64)
    }

    #[test]
    fn the_first_stall_opens_one_and_the_average_is_kept() {
        for (ratio, cost) in [(0.01, 0.15), (0.01, 0.05), (0.002, 0.06), (0.01, 0.02)] {
            let (opened, average) = hour(ratio, cost);
            assert!(opened >= 1, "{ratio} {cost}");
            // The first one is ahead of its time.
            assert!(average <= ratio * 1.05 + 0.0005, "{average} of {ratio}, each {cost}");
            assert!(average > ratio * 0.8, "{average} of {ratio}, each {cost}");
        }
        assert_eq!(hour(0.01, 0.0).0, 180, "never for more than half of the time");
        assert_eq!(hour(0.0, 0.05).0, 0);
    }

    #[test]
    fn only_a_new_stall_opens_one() {
        let mut windows = Windows::new(0.01, 0);
        assert_eq!(windows.wanted(0, SECOND), Ok(false));
        assert_eq!(windows.wanted(3, 2 * SECOND), Ok(true));
        windows.open(2 * SECOND);
        assert_eq!(windows.wanted(4, 3 * SECOND), Ok(false), "one is open");
        assert!(!windows.is_over(11 * SECOND) && windows.is_over(12 * SECOND));
        windows.close(12 * SECOND, SECOND, Vec::new(), &[]);
        assert_eq!(windows.wanted(5, 13 * SECOND), Ok(false), "too soon");
        assert_eq!(windows.wanted(5, 30 * SECOND), Ok(false), "no new one");
        assert_eq!(windows.wanted(6, 31 * SECOND), Err(()), "the last one was dear");
        assert_eq!(windows.wanted(7, 400 * SECOND), Ok(true));
    }

    #[test]
    fn a_stall_is_taken_once() {
        let mut windows = Windows::new(0.01, 0);
        let looks = [[5, 6], [6, 7], [6, 7]];
        let taken = looks.map(|look| look.map(|start| windows.is_new(1, start)));
        assert_eq!(taken, [[true, true], [false, true], [false, false]]);
        assert!(windows.is_new(2, 1), "another thread");
    }

    #[test]
    fn what_was_shown_is_summed_up() {
        let seen = |microtasks| Seen {
            snapshot: LoopSnapshot {
                tid: 7,
                microtasks: Some(microtasks),
                ..LoopSnapshot::default()
            },
            first_poll_ns: None,
        };
        let mut windows = Windows::new(0.01, 0);
        windows.close(1, 0, vec![seen(5)], &[7]);
        windows.close(2, 0, vec![seen(6)], &[7]);
        let shown = windows.shown(7, &[seen(1)]).unwrap();
        assert_eq!(shown.microtasks, Some(12));
        assert!(windows.shown(8, &[seen(1)]).is_none());
    }
    #[test]
    fn threads_that_come_and_go_are_shown_together() {
        let mut windows = Windows::new(0.01, 0);
        let of = |tid| LoopSnapshot { tid, microtasks: Some(1), ..LoopSnapshot::default() };
        for window in 0..1_000 {
            let told: Vec<u32> = (window..window + 32).collect();
            let seen = |&tid| Seen { snapshot: of(tid), first_poll_ns: None };
            windows.is_new(window, 1);
            windows.close(1, 0, told.iter().map(seen).collect(), &told);
            let shown = windows.tids().filter_map(|tid| windows.shown(tid, &[]));
            let all = shown.chain(windows.gone().cloned()).filter_map(|of| of.microtasks);
            assert_eq!(all.sum::<u64>(), u64::from(window + 1) * 32);
        }
        assert!(windows.tids().count() <= 32 + GONE_MAX && windows.taken_unix_ns.is_empty());
    }
}
