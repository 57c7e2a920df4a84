//! A process that is watched by its memory, and by probes in short windows.
//!
//! Its memory tells of all the time: turns, time waited, microtasks, stalls. What only probes show
//! (how long phases, drains and collections take, how late timers are) is of the windows, and the
//! stalls of a window are told as its probes have seen them.
//!
//! **Invariant**: a stall is counted once, by whoever tells of it first; probes are asked first.

use std::sync::Arc;

use loop_core::snapshot::{CauseTotals, Limit, LoopSnapshot, ThreadCpu};
use loop_core::units::format_count;

use super::{Called, Probed, TICK_NS, Target, complete};
use crate::process::Process;
use crate::source::live::clock::monotonic_ns;
use crate::source::live::set::Set;
use crate::source::live::windows::Windows;

/// How often a process is looked at that is not held up.
const CALM_TICK_NS: u64 = 500_000_000;

impl Target {
    /// Somebody tells when a loop of it is held up, so that its memory need not be looked at as
    /// often.
    pub(in crate::source::live) fn allow_calls(&mut self) {
        self.called = Called::Soon;
    }

    /// Probes may be set from now on in windows that together cost this share of the time.
    pub(in crate::source::live) fn allow_windows(&mut self, budget_ratio: f64) {
        self.windows = Some(Windows::new(budget_ratio, monotonic_ns()));
    }

    /// Whether a window is wanted. `Err`: it is, and the budget does not allow it.
    pub(in crate::source::live) fn wants_window(&mut self) -> Result<bool, ()> {
        let stalls = self.passive.events().seen;
        let has_ended = self.has_ended();
        let Some(windows) = &mut self.windows else { return Ok(false) };
        if has_ended { Ok(false) } else { windows.wanted(stalls, monotonic_ns()) }
    }

    /// Opens one by these probes.
    pub(in crate::source::live) fn open_window(&mut self, set: Set) {
        if let Some(windows) = &mut self.windows {
            windows.open(monotonic_ns());
            self.probed = Some(Probed::new(self.known.clone(), set, self.common));
        }
    }

    /// Closes the one that is open, if its time is over or the process has ended.
    pub(in crate::source::live) fn close_window_if_over(&mut self) {
        let now_ns = monotonic_ns();
        let has_ended = self.has_ended();
        let is_over =
            |windows: &Windows| windows.is_open() && (has_ended || windows.is_over(now_ns));
        if !self.windows.as_ref().is_some_and(is_over) {
            return;
        }
        let Some(mut probed) = self.probed.take() else { return };
        probed.close();
        self.take_exact_of(&probed);
        let told: Vec<u32> = self.passive.loops().iter().map(|of| of.tid).collect();
        if let Some(windows) = &mut self.windows {
            windows.close(now_ns, probed.cost_ns(), probed.loops(), &told);
        }
        if !has_ended {
            // The room of its loops in the kernel is about to be given back.
            self.tell_stacks(true);
        }
    }

    /// How many windows there have been.
    pub(in crate::source::live) fn windows_opened(&self) -> u64 {
        self.windows.as_ref().map_or(0, Windows::opened)
    }

    /// How many of its loops are there.
    pub(in crate::source::live) fn loops_there(&self) -> usize {
        self.passive.tids().count()
    }

    /// Whether this is the process.
    pub(in crate::source::live) fn is_process(&self, process: &Process) -> bool {
        self.process.identity() == process.identity()
    }

    /// It is called so, where its command line is known.
    pub(in crate::source::live) fn call(&mut self, name: String) {
        if self.name_looks == 0 {
            self.name = name;
        }
    }

    /// The process.
    pub(in crate::source::live) fn process(&self) -> Arc<Process> {
        Arc::clone(&self.process)
    }

    /// It was judged by other rules. One that is not wanted any more is told as if it had ended.
    pub(in crate::source::live) fn judge(&mut self, name: Option<String>) {
        if self.has_ended() {
            return;
        }
        match name {
            Some(name) => self.call(name),
            None => self.dismiss(),
        }
    }

    /// It is observed no longer.
    fn dismiss(&mut self) {
        self.until_ns = Some(monotonic_ns());
        // What it executes is no news.
        self.renewed = true;
        if let Some(probed) = &mut self.probed {
            probed.tick(false);
        }
        self.tell_stacks(false);
    }

    /// Loops that have ended are told for so long from now on, if memory tells of all of them. Of
    /// workers `alone_max` are told each by itself, others share a place.
    pub(in crate::source::live) fn linger(&mut self, linger_ns: u64, alone_max: usize) {
        let by_memory = self.windows.is_some() || self.probed.is_none();
        if by_memory && self.fallen.is_none() {
            self.linger_ns = Some(linger_ns);
            self.names.tell_alone(alone_max);
        }
    }

    /// Lets go of loops that were told for long enough. Their numbers are given again, and what
    /// shares a place stays told in it.
    pub(super) fn let_go(&mut self, now_ns: u64) {
        let Some(linger_ns) = self.linger_ns else { return };
        self.passive.keep_alone(self.names.alone());
        if self.windows.as_ref().is_some_and(Windows::is_open) {
            // It tells of them when it closes.
            return;
        }
        let mut there: Vec<u32> = self.passive.tids().collect();
        there.push(self.pid());
        let alone: Vec<u32> = self.names.alone().collect();
        for tid in self.passive.ended_before(now_ns.saturating_sub(linger_ns)) {
            if there.contains(&tid) {
                continue;
            }
            self.passive.let_go(tid);
            let windows = self.windows.as_mut();
            windows.into_iter().for_each(|of| of.let_go(tid, alone.contains(&tid)));
            self.names.let_go(tid);
        }
    }

    /// From one look at it to the next, at the most.
    pub(super) fn tick_ns(&self) -> u64 {
        let is_calm = self.windows.as_ref().is_some_and(|windows| !windows.is_open());
        let is_found = self.called == Called::Yes && self.passive.state().no_main.is_none();
        if is_calm && is_found { CALM_TICK_NS } else { TICK_NS }
    }

    /// Stacks are looked at once its symbols have been read. Until then its memory alone tells.
    pub(super) fn see_who_calls(&mut self) {
        if self.called == Called::Soon && self.stacks.looks_at(self.pid()) {
            self.called = Called::Yes;
            let pause_ns = if self.windows.is_some() { CALM_TICK_NS } else { TICK_NS };
            self.passive.is_called_from_now_on(pause_ns);
        }
    }

    /// One of its loops is held up, or was: it is to be looked at now.
    pub(in crate::source::live) fn hurry(&mut self, ended: bool) {
        if self.called == Called::Yes && self.passive.hurry(ended) {
            self.due_ns = 0;
        }
    }

    pub(super) fn has_had_windows(&self) -> bool {
        self.windows_opened() > 0
    }

    /// Takes the stalls that the window's probes have seen.
    pub(super) fn take_exact(&mut self) {
        if self.windows.is_none() {
            return;
        }
        if let Some(probed) = self.probed.take() {
            self.take_exact_of(&probed);
            self.probed = Some(probed);
        }
    }

    fn take_exact_of(&mut self, probed: &Probed) {
        let Some(windows) = &mut self.windows else { return };
        // What memory has told meanwhile may have taken the place of one that was taken before.
        for (tid, stall) in probed.newest_stalls() {
            if windows.is_new(tid, stall.start_unix_ns) {
                self.passive.add(tid, stall.clone());
            }
        }
    }

    /// Its loops by their memory, and what windows have shown besides.
    pub(super) fn in_windows(&self, windows: &Windows) -> Vec<LoopSnapshot> {
        let open = self.seen();
        let mut told = self.passive.loops();
        // Of two loops on threads of one number the one that is there comes first.
        let mut used = Vec::new();
        for of in &mut told {
            if !used.contains(&of.tid) {
                used.push(of.tid);
                with_shown(of, windows.shown(of.tid, &open));
            }
        }
        let gone = windows.tids().filter(|tid| !used.contains(tid));
        let gone = gone.filter_map(|tid| windows.shown(tid, &[])).chain(windows.gone().cloned());
        add_gone(&mut told, gone.collect());
        told
    }

    pub(super) fn windows_limit(&self) -> Option<Limit> {
        let windows = self.windows.as_ref()?;
        let what = "how long phases, drains and collections take, at all times";
        let why = match windows.opened() {
            0 => "a stall sets probes for 10 s, and there was none yet".to_owned(),
            opened => format!("{} stalls have set probes for 10 s each", format_count(opened)),
        };
        Some(Limit { what: what.to_owned(), why })
    }
}

/// Adds what probes have shown to what its memory tells.
fn with_shown(memory: &mut LoopSnapshot, shown: Option<LoopSnapshot>) {
    let Some(mut shown) = shown else { return };
    let told = std::mem::take(memory);
    let (pid, tid, thread, cpu) = (told.pid, told.tid, told.thread.clone(), told.cpu);
    let microtasks = told.microtasks;
    complete(&mut shown, told);
    // Of a window only, which is less.
    *memory = LoopSnapshot { pid, tid, thread, cpu, microtasks, ..shown };
}

/// Loops that have ended so long ago that their memory's figures are told together: so are these.
fn add_gone(told: &mut [LoopSnapshot], gone: Vec<LoopSnapshot>) {
    let Some(other) = told.iter_mut().find(|of| of.tid == 0) else { return };
    for shown in gone {
        let histograms = LoopSnapshot {
            turns: None,
            active_ns: None,
            idle_ns: None,
            microtasks: None,
            cpu: ThreadCpu::default(),
            stall_totals: CauseTotals::default(),
            ..shown
        };
        other.merge(&histograms);
    }
}

#[cfg(test)]
mod tests {
    use loop_core::buckets::Scale;
    use loop_core::snapshot::Histogram;

    use super::*;

    #[test]
    fn memory_tells_of_all_the_time_and_probes_of_windows() {
        let mut memory = LoopSnapshot {
            pid: 5,
            tid: 7,
            thread: "main".to_owned(),
            turns: Some(100),
            active_ns: Some(40),
            idle_ns: Some(60),
            microtasks: Some(9),
            ..LoopSnapshot::default()
        };
        let shown = LoopSnapshot {
            tid: 7,
            turns: Some(3),
            active_ns: Some(1),
            idle_ns: Some(2),
            microtasks: Some(50),
            turn_ns: Some(Histogram::new(Scale::Time)),
            ..LoopSnapshot::default()
        };
        with_shown(&mut memory, Some(shown));
        assert_eq!((memory.pid, memory.tid, &*memory.thread), (5, 7, "main"));
        assert_eq!(
            (memory.turns, memory.active_ns, memory.microtasks),
            (Some(100), Some(40), Some(9))
        );
        assert!(memory.turn_ns.is_some());
    }

    #[test]
    fn what_was_shown_of_loops_that_are_gone_stays_in_their_sum() {
        let shown = |tid| {
            let turns = Histogram::of(Scale::Time, [5_000]);
            LoopSnapshot { tid, turns: Some(1), turn_ns: Some(turns), ..LoopSnapshot::default() }
        };
        let mut told = vec![LoopSnapshot { tid: 0, turns: Some(9), ..LoopSnapshot::default() }];
        add_gone(&mut told, vec![shown(3), shown(4)]);
        assert_eq!(told[0].turns, Some(9));
        assert_eq!(told[0].turn_ns.as_ref().map(Histogram::count), Some(2));
    }
}
