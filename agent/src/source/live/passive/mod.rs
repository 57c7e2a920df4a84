//! The passive tier: what reading a process' memory and `/proc` tells of its loops.
//!
//! No probe, no system call in the target, nothing that it could feel. What libuv and V8 count is
//! exact: turns, time waited, microtasks. A turn that holds its loop up is seen while it does, and
//! also if it began before we came. How long turns are that hold nothing up, and what happens in
//! any of them, is not seen.
//!
//! Cost, measured by `examples/passive_cost.rs` in an unoptimised build: an idle loop is looked at
//! 22 times a second (with a threshold of 50 ms), which is 0.3 % of a core; four loops that are
//! busy for a tenth of the time, 40 times a second, are 0.6 %.
//!
//! **Invariant**: what can't be seen is `None`. Ages and durations are lower bounds.
//! On Node 18, which doesn't count its turns, two of them in one millisecond of the loop's clock
//! are taken for one.

mod ended;
mod schedule;
mod stalls;
mod watch;
mod watched;

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use loop_core::snapshot::{Events, LoopSnapshot, Stall};

use super::baseline::Baseline;
use super::clock::{Shift, monotonic_ns, unix_ns};
use super::eye::Eye;
use super::layout::UvLayout;
use super::loops::{Finder, FoundLoop, Places};
use super::memory::Memory;
use super::stacks::{LoopAt, Stacks};
use crate::process::Process;
use ended::Ended;
use schedule::PAUSE_NS_MAX;
use watched::Watched;

/// After a search for loops there is none for so many times as long: where workers come and go all
/// the time, a search that takes up to 5 ms costs 1 % of a core,
const SEARCH_PAUSE: u64 = 100;
/// and new ones are seen after this time at the latest.
const SEARCH_PAUSE_NS_MAX: u64 = 500_000_000;

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// A turn that lasts at least as long is a stall, in nanoseconds.
    pub threshold_ns: u64,
    /// From one look to the next while nothing lasts, in nanoseconds, where somebody calls when a
    /// turn does, by [`Passive::hurry`]. `None`: nobody calls.
    pub called_pause_ns: Option<u64>,
}

/// Watches the loops of one process.
#[derive(Debug)]
pub struct Passive {
    process: Arc<Process>,
    memory: Arc<Memory>,
    layout: &'static UvLayout,
    finder: Finder,
    options: Options,
    clock: Clock,
    loops: Vec<Watched>,
    ended: Ended,
    workers: usize,
    /// How many entries its folder of threads had when it was last looked through.
    threads: u64,
    /// When it may be looked through again.
    search_ns: u64,
    state: State,
    /// Who is asked what was seen in a stall.
    stacks: Option<Arc<Stacks>>,
}

/// How times are told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// From our clock to the target's, which may live in another time namespace.
    shift: Shift,
    /// From our `CLOCK_MONOTONIC` to the time since the Unix epoch.
    unix_since_ns: u64,
}

/// What a watch could not see, and whether it is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Threads that compute and whose stack was not found yet: they may run a loop.
    pub unseen_threads: usize,
    /// Why the main thread's loop isn't observed; `None` while it is.
    pub no_main: Option<&'static str>,
    /// The process has ended or executes another program. What was seen of it stays.
    pub is_over: bool,
}

impl Passive {
    /// Begins to watch a process, whose libuv and V8 are known by these offsets and addresses.
    pub fn new(
        process: Arc<Process>,
        memory: Arc<Memory>,
        layout: &'static UvLayout,
        places: Places,
        options: Options,
    ) -> Passive {
        let shift = Shift::to(&process);
        let unix_since_ns = unix_ns().saturating_sub(monotonic_ns());
        let mut passive = Passive {
            process,
            memory,
            layout,
            finder: Finder::new(layout, places),
            options,
            clock: Clock { shift, unix_since_ns },
            loops: Vec::new(),
            ended: Ended::default(),
            workers: 0,
            threads: 0,
            search_ns: 0,
            state: State::default(),
            stacks: None,
        };
        passive.tick(monotonic_ns());
        passive
    }

    /// Asks there what was seen in stalls. `unix_offset_ns` is what whoever else tells of them adds
    /// to our clock: by it two know a stall for the same one, also when the time was set meanwhile.
    #[must_use]
    pub(super) fn with(mut self, stacks: Arc<Stacks>, unix_offset_ns: u64) -> Passive {
        self.stacks = Some(stacks);
        self.clock.unix_since_ns = unix_offset_ns;
        let eyes: Vec<_> = self.loops.iter().map(|of| self.eye(of.tid())).collect();
        self.loops.iter_mut().zip(eyes).for_each(|(watched, eye)| watched.set_eye(eye));
        self
    }

    fn eye(&self, tid: u32) -> Option<Eye> {
        let stacks = Arc::clone(self.stacks.as_ref()?);
        let pid = self.process.identity().pid;
        Some(Eye { stacks, pid, tid, unix_offset_ns: self.clock.unix_since_ns })
    }

    /// Looks at the loops for which it is time. `now_ns` is our `CLOCK_MONOTONIC`; what it returns
    /// is when to call it next, by the same clock. It never waits for the target.
    pub fn tick(&mut self, now_ns: u64) -> u64 {
        if self.state.is_over {
            return u64::MAX;
        }
        self.find(now_ns);
        for watched in self.loops.iter_mut().filter(|watched| watched.due_ns() <= now_ns) {
            watched.look(&self.memory, self.layout, self.clock, self.options, now_ns);
        }
        let has_ended = |watched: &mut Watched| watched.has_ended();
        for watched in self.loops.extract_if(.., has_ended) {
            let seen = watched.snapshot(self.process.identity().pid, self.clock, self.options);
            self.ended.add(watched.events(), seen, now_ns);
            // Another may have come in its place: there are as many threads as before.
            self.threads = 0;
        }
        if self.loops.is_empty() && !self.process.is_same_image() {
            self.state = State { is_over: true, ..State::default() };
            return u64::MAX;
        }
        let search = self.finder.due_ns().map(|due_ns| due_ns.max(self.search_ns));
        let due = self.loops.iter().map(Watched::due_ns).chain(search);
        let pause_ns = self.options.called_pause_ns.unwrap_or(PAUSE_NS_MAX);
        due.min().unwrap_or(u64::MAX).min(now_ns + pause_ns)
    }

    /// Somebody calls from now on when a turn lasts, by [`Passive::hurry`], so that it need not be
    /// looked as often: after this time while none does.
    pub fn is_called_from_now_on(&mut self, pause_ns: u64) {
        self.options.called_pause_ns = Some(pause_ns);
    }

    /// Looks at all loops that are known, whether it is time for that or not.
    pub(super) fn look(&mut self, now_ns: u64) {
        self.loops.iter_mut().for_each(Watched::hurry);
        self.tick(now_ns);
    }

    /// Turns last that were not known to, or, where they have ended, any: their loops are to be
    /// looked at now. Returns whether there is one.
    pub fn hurry(&mut self, ended: bool) -> bool {
        let mut any = false;
        for watched in self.loops.iter_mut().filter(|watched| watched.is_open() == ended) {
            watched.hurry();
            any = true;
        }
        any
    }

    /// What was seen of each loop since it was found, those that have ended last.
    pub fn loops(&self) -> Vec<LoopSnapshot> {
        let pid = self.process.identity().pid;
        let running = self.loops.iter();
        let running = running.map(|watched| watched.snapshot(pid, self.clock, self.options));
        running.chain(self.ended.loops(monotonic_ns())).collect()
    }

    /// The threads of the loops that are there.
    pub fn tids(&self) -> impl Iterator<Item = u32> {
        self.loops.iter().map(Watched::tid)
    }

    /// The threads of all loops that it tells of by themselves, also of those that have ended.
    pub(super) fn all_tids(&self) -> impl Iterator<Item = u32> {
        self.tids().chain(self.ended.tids())
    }

    /// Whether it tells of this thread by itself.
    pub(super) fn tells(&self, tid: u32) -> bool {
        self.all_tids().any(|of| of == tid)
    }

    /// Whether a loop is held up that is there: a stall goes on.
    pub(super) fn is_held_up(&self) -> bool {
        self.loops.iter().any(|watched| watched.running(self.options).is_some())
    }

    /// Loops of these threads are told each by itself until they are let go.
    pub(super) fn keep_alone(&mut self, tids: impl Iterator<Item = u32>) {
        self.ended.keep_alone(tids);
    }

    /// The threads of loops that have ended before then, and are told each by itself still.
    pub(super) fn ended_before(&self, ns: u64) -> Vec<u32> {
        self.ended.before(ns)
    }

    /// Lets go of the loop of a thread that has ended.
    pub(super) fn let_go(&mut self, tid: u32) {
        self.ended.let_go(tid);
    }

    /// Where the loops are that are there.
    pub(super) fn places(&self) -> impl Iterator<Item = LoopAt> {
        self.loops.iter().map(Watched::place)
    }

    /// What each of the loops that are there had waited when it was found, by its thread.
    pub(super) fn baselines(&self) -> impl Iterator<Item = (u32, Baseline)> {
        let of = |watched: &Watched| Some((watched.tid(), watched.baseline(self.clock)?));
        self.loops.iter().filter_map(of)
    }

    /// When each of the loops that are there was looked at last, by its thread.
    pub(super) fn looked(&self) -> impl Iterator<Item = (u32, u64)> {
        let of = |watched: &Watched| Some((watched.tid(), watched.looked_ns(self.clock)?));
        self.loops.iter().filter_map(of)
    }

    /// Adds a stall of this thread's loop that probes have seen. They are to be asked before this
    /// looks at the loops.
    pub(super) fn add(&mut self, tid: u32, stall: Stall) {
        if let Some(watched) = self.loops.iter_mut().find(|watched| watched.tid() == tid) {
            watched.add(stall);
        }
    }

    /// Sums up for how long each loop was observed. `probed` are the threads of those whose probes
    /// tell of the time since the last call.
    pub(super) fn note_exposure(&mut self, probed: &[u32], now_ns: u64) {
        for watched in &mut self.loops {
            watched.note_exposure(probed.contains(&watched.tid()), now_ns);
        }
    }

    /// For how long the control group of the process was throttled by now. Each loop is asked that
    /// has not been asked before, or all of them.
    pub(super) fn note_throttled(&mut self, group_ns: Option<u64>, all: bool) {
        let asked = self.loops.iter_mut().filter(|watched| all || watched.is_new_to_quota());
        asked.for_each(|watched| watched.note_throttled(group_ns));
    }

    /// The stalls of all loops: how many there were, and how many of them are told in detail.
    pub fn events(&self) -> Events {
        let mut events = self.ended.events();
        for watched in &self.loops {
            events.merge(watched.events());
        }
        events
    }

    /// What can't be seen, and whether it is over.
    pub fn state(&self) -> State {
        self.state
    }

    /// Looks for loops, if threads have come or gone, or some had none when they were looked at.
    fn find(&mut self, now_ns: u64) {
        if now_ns < self.search_ns {
            return;
        }
        let folder = std::fs::metadata(self.process.path("task"));
        let threads = folder.map_or(0, |folder| folder.nlink());
        let is_due = self.finder.due_ns().is_some_and(|due_ns| due_ns <= now_ns);
        if threads == self.threads && !is_due {
            return;
        }
        self.threads = threads;
        let begun_ns = monotonic_ns();
        let found = self.finder.find(&self.process, &self.memory, now_ns);
        let pause_ns = (monotonic_ns() - begun_ns).saturating_mul(SEARCH_PAUSE);
        self.search_ns = now_ns.saturating_add(pause_ns.min(SEARCH_PAUSE_NS_MAX));
        self.state.unseen_threads = found.unseen;
        self.state.no_main = found.no_main;
        for found in found.loops {
            self.watch(found);
        }
    }

    fn watch(&mut self, found: FoundLoop) {
        if let Some(watched) = self.loops.iter_mut().find(|watched| watched.is_of(&found)) {
            watched.update(found);
            return;
        }
        let thread = if found.main {
            "main".to_owned()
        } else {
            self.workers += 1;
            format!("worker-{}", self.workers)
        };
        let folder = self.process.path(&format!("task/{}", found.tid));
        let eye = self.eye(found.tid);
        self.loops.extend(Watched::new(found, thread, &folder, eye));
    }
}

impl Clock {
    /// Now, as the target tells it.
    fn target_ns(&self) -> u64 {
        self.shift.to_target_ns(monotonic_ns())
    }

    /// A time of the target, in nanoseconds since the Unix epoch.
    fn unix_ns(&self, target_ns: u64) -> u64 {
        self.shift.from_target_ns(target_ns).saturating_add(self.unix_since_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::uv_layout;
    use super::super::stacks::Asked;
    use super::*;

    #[test]
    fn times_are_told_as_by_who_else_tells_of_stalls_also_when_the_time_was_set() {
        let process = Process::open(std::process::id()).unwrap();
        let memory = Memory::open(process.identity()).unwrap();
        let layout = uv_layout((1, 50, 0)).unwrap();
        let places = Places { default_loop: None, queue: None };
        let options = Options { threshold_ns: 1_000_000, called_pause_ns: None };
        let passive = Passive::new(Arc::new(process), Arc::new(memory), layout, places, options);
        let stacks = Stacks::start(None, options.threshold_ns, Asked::default()).unwrap();
        // The session began an hour of the clock on the wall earlier.
        let offset_ns = unix_ns() - monotonic_ns() - 3_600_000_000_000;
        let passive = passive.with(stacks, offset_ns);
        let target_ns = passive.clock.shift.to_target_ns(5);
        assert_eq!(passive.clock.unix_ns(target_ns), offset_ns + 5);
        assert_eq!(passive.eye(1).unwrap().unix_offset_ns, offset_ns);
    }
}
