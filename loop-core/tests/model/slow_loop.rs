//! The specified order of events, written from the rules with no thought of speed: what the real
//! loop is compared with.
//!
//! ```text
//!   timers ──┐ (once, before the first turn)
//!            v
//!     ┌─> idle ─> prepare ─> poll ─> check ─> close ─> timers ─┐
//!     └────────────────────────────────────────────────────────┘
//!   after every callback: all ticks, then all microtasks, again until both are empty,
//!   then what was rejected and nobody handles, and again
//! ```
//!
//! Handles, timers and promises are never forgotten: they stay in their vectors, marked as gone.

use std::collections::VecDeque;

use loop_core::{PHASES, Phase, RunStatus};

use super::host::{Many, Once};
use super::program::{Mode, Watched};
use super::slow_promises::Promise;
use super::slow_timers::NodeTimers;

const MS: u64 = 1_000_000;

/// What a recorder of this loop would have to tell.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) turns_ns: Vec<u64>,
    pub(crate) waits_ns: Vec<u64>,
    pub(crate) callbacks: [u64; PHASES],
    pub(crate) phases_ns: [u64; PHASES],
    pub(crate) tick_drains: Vec<u64>,
    pub(crate) microtask_drains: Vec<u64>,
    pub(crate) lateness_ns: Vec<u64>,
    pub(crate) immediates: u64,
    pub(crate) frozen_ns: u64,
    pub(crate) cost_declared: bool,
}

pub(crate) enum What {
    Watcher(Watched),
    Timer { repeat_ms: u64, due_ns: u64 },
    Waker,
}

pub(crate) struct Handle {
    pub(crate) what: What,
    pub(crate) active: bool,
    pub(crate) referenced: bool,
    pub(crate) closing: bool,
    /// `None` while it runs.
    pub(crate) callback: Option<Many<SlowLoop>>,
    pub(crate) on_close: Option<Once<SlowLoop>>,
}

pub(crate) struct Immediate {
    pub(crate) run: Option<Once<SlowLoop>>,
    pub(crate) referenced: bool,
}

impl Immediate {
    fn holds(&self) -> bool {
        self.referenced && self.run.is_some()
    }
}

/// A loop timer that is set: of a handle, or the one behind Node's lists.
pub(crate) struct Set {
    pub(crate) due_ms: u64,
    pub(crate) number: u64,
    pub(crate) handle: Option<usize>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct SlowLoop {
    pub(crate) counts: Counts,
    pub(crate) clock_ns: u64,
    /// The time by which timers are set.
    pub(crate) loop_ns: u64,
    pub(crate) turn_since_ns: Option<u64>,
    running: bool,
    phase: Option<Phase>,
    pub(crate) stopped: bool,
    pub(crate) freezing: bool,
    frozen_since_ns: Option<u64>,
    /// Whether something was rejected that nobody handles. Nothing runs any more until the run has
    /// ended, and then everything that is left.
    pub(crate) fatal: bool,
    /// Whether a poll would have waited for good. The run was ended there.
    pub(crate) blocked: bool,

    pub(crate) handles: Vec<Handle>,
    /// Started idle, prepare and check handles, the one to run first in front.
    pub(crate) watching: [VecDeque<usize>; 3],
    /// What is left of the pass that is being run.
    pub(crate) pass: VecDeque<usize>,
    pub(crate) closing: Vec<usize>,
    set: Vec<Set>,
    /// Due timers that were taken aside to be run.
    due: VecDeque<Set>,
    sets: u64,
    pub(crate) node: NodeTimers,

    pub(crate) ticks: VecDeque<Once<SlowLoop>>,
    pub(crate) microtasks: VecDeque<Once<SlowLoop>>,
    pub(crate) immediates: Vec<Immediate>,
    /// Immediates that wait.
    pub(crate) waiting: VecDeque<usize>,
    pub(crate) jobs: VecDeque<Once<SlowLoop>>,
    /// Jobs whose callback has not begun.
    pub(crate) outstanding: usize,
    pub(crate) wakes: VecDeque<usize>,
    pub(crate) promises: Vec<Promise>,
    pub(crate) rejected: Vec<usize>,
    pub(crate) on_unhandled: Option<Many<SlowLoop>>,
}

impl SlowLoop {
    pub(crate) fn enter_main(&mut self, main: Once<Self>) {
        self.thaw();
        self.open_turn();
        main(self);
        self.drain();
    }

    pub(crate) fn run_turns(&mut self, mode: Mode) -> Option<RunStatus> {
        self.running = true;
        self.thaw();
        self.open_turn();
        self.drain();
        let mut alive = self.alive();
        if mode == Mode::Default && alive && !self.must_end() {
            self.run_timers();
        }
        while alive && !self.must_end() {
            self.turn(mode);
            alive = self.alive();
            if mode != Mode::Default {
                break;
            }
        }
        self.close_turn();
        self.running = false;
        let (stopped, freezing) =
            (std::mem::take(&mut self.stopped), std::mem::take(&mut self.freezing));
        if std::mem::take(&mut self.fatal) {
            return None;
        }
        if freezing {
            self.frozen_since_ns = Some(self.clock_ns);
        }
        Some(match (freezing, stopped, alive) {
            (true, ..) => RunStatus::Frozen,
            (_, true, _) => RunStatus::Stopped,
            (_, _, true) => RunStatus::Alive,
            (_, _, false) => RunStatus::Done,
        })
    }

    fn turn(&mut self, mode: Mode) {
        let can_sleep = self.watching[Watched::Idle as usize].is_empty();
        self.run_watchers(Watched::Idle, Phase::Idle);
        self.run_watchers(Watched::Prepare, Phase::Prepare);
        let waits = mode == Mode::Default || (mode == Mode::Once && can_sleep);
        self.poll(waits);
        self.in_phase(Phase::Check, |lp| {
            lp.run_watchers(Watched::Check, Phase::Check);
            lp.run_immediates();
        });
        self.run_closing();
        self.run_timers();
    }

    fn must_end(&self) -> bool {
        self.stopped || self.freezing || self.blocked || self.fatal
    }

    fn has_work(&self) -> bool {
        let holds = |handle: &Handle| handle.active && handle.referenced && !handle.closing;
        self.handles.iter().any(holds)
            || self.immediates.iter().any(Immediate::holds)
            || self.node.referenced()
            || self.outstanding > 0
    }

    pub(crate) fn alive(&self) -> bool {
        self.has_work() || !self.closing.is_empty()
    }

    /// In how many milliseconds the poll must return; `None` for any number.
    fn may_wait_ms(&self) -> Option<u64> {
        let immediates = self.immediates.iter().any(Immediate::holds);
        let idle = !self.watching[Watched::Idle as usize].is_empty();
        if self.must_end() || !self.has_work() || !self.closing.is_empty() || idle || immediates {
            return Some(0);
        }
        let next_ms = self.set.iter().map(|set| set.due_ms).min()?;
        Some(next_ms.saturating_sub(self.clock_ns / MS))
    }

    /// Waits, unless something is ready, until the millisecond in which the next timer is due.
    fn poll(&mut self, may_wait: bool) {
        let wait_ms = if may_wait { self.may_wait_ms() } else { Some(0) };
        self.close_turn();
        let since_ns = self.clock_ns;
        let ready = !self.jobs.is_empty() || !self.wakes.is_empty();
        match wait_ms {
            Some(ms) if ms > 0 && !ready => self.clock_ns = (self.clock_ns / MS + ms) * MS,
            None if !ready => self.blocked = true,
            _ => {}
        }
        if wait_ms != Some(0) {
            self.counts.waits_ns.push(self.clock_ns - since_ns);
        }
        self.open_turn();
        self.loop_ns = self.clock_ns;
        self.in_phase(Phase::Poll, Self::run_ready);
    }

    /// What comes meanwhile is for the next poll.
    fn run_ready(&mut self) {
        let (mut jobs, mut wakes) =
            (std::mem::take(&mut self.jobs), std::mem::take(&mut self.wakes));
        while let Some(after) = self.unless_fatal(&mut jobs) {
            self.outstanding -= 1;
            self.callback(after);
        }
        while let Some(handle) = self.unless_fatal(&mut wakes) {
            self.run_handle(handle);
        }
        jobs.append(&mut self.jobs);
        wakes.retain(|handle| !self.wakes.contains(handle));
        wakes.append(&mut self.wakes);
        (self.jobs, self.wakes) = (jobs, wakes);
    }

    /// The next of a queue, if anything may run.
    fn unless_fatal<T>(&self, queue: &mut VecDeque<T>) -> Option<T> {
        if self.fatal { None } else { queue.pop_front() }
    }

    /// Those started meanwhile are for the next turn, and come first in it.
    fn run_watchers(&mut self, what: Watched, phase: Phase) {
        self.in_phase(phase, |lp| {
            lp.pass = std::mem::take(&mut lp.watching[what as usize]);
            while !lp.fatal
                && let Some(handle) = lp.pass.pop_front()
            {
                lp.watching[what as usize].push_back(handle);
                lp.run_handle(handle);
            }
            let rest = std::mem::take(&mut lp.pass);
            lp.watching[what as usize].extend(rest);
        });
    }

    /// Those queued meanwhile are for the next turn.
    fn run_immediates(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        while let Some(number) = self.unless_fatal(&mut waiting) {
            if let Some(run) = self.immediates[number].run.take() {
                self.counts.immediates += 1;
                self.count_callback();
                run(self);
                self.drain();
            }
        }
        waiting.append(&mut self.waiting);
        self.waiting = waiting;
    }

    /// The last closed first. Those closed meanwhile are for the next turn.
    fn run_closing(&mut self) {
        self.in_phase(Phase::Close, |lp| {
            let mut closing = std::mem::take(&mut lp.closing);
            while !lp.fatal
                && let Some(number) = closing.pop()
            {
                let run = lp.handles[number].on_close.take().expect("it closes once");
                lp.callback(run);
            }
            closing.append(&mut lp.closing);
            lp.closing = closing;
        });
    }

    /// Those set meanwhile are for the next turn, whatever their timeout; but Node's run again
    /// where they have become due.
    fn run_timers(&mut self) {
        self.loop_ns = self.clock_ns;
        let now_ms = self.loop_ns / MS;
        self.in_phase(Phase::Timers, |lp| {
            let (mut due, set): (Vec<_>, Vec<_>) =
                std::mem::take(&mut lp.set).into_iter().partition(|set| set.due_ms <= now_ms);
            due.sort_by_key(|set| (set.due_ms, set.number));
            (lp.set, lp.due) = (set, due.into());
            while !lp.fatal
                && let Some(set) = lp.due.pop_front().or_else(|| lp.node_timer_due_by_now())
            {
                match set.handle {
                    None => lp.run_node_timers(),
                    Some(handle) => lp.run_loop_timer(handle),
                }
            }
            let rest = std::mem::take(&mut lp.due);
            lp.set.extend(rest);
        });
    }

    /// Node's timer, where the loop's time has moved past it since the phase began.
    fn node_timer_due_by_now(&mut self) -> Option<Set> {
        let now_ms = self.loop_ns / MS;
        let is_due = |set: &Set| set.handle.is_none() && set.due_ms <= now_ms;
        let place = self.set.iter().position(is_due)?;
        Some(self.set.remove(place))
    }

    fn run_loop_timer(&mut self, handle: usize) {
        let What::Timer { repeat_ms, due_ns } = self.handles[handle].what else { return };
        self.counts.lateness_ns.push(self.clock_ns.saturating_sub(due_ns));
        self.handles[handle].active = false;
        if repeat_ms > 0 {
            self.arm(handle, repeat_ms);
        }
        self.run_handle(handle);
    }

    pub(crate) fn arm(&mut self, handle: usize, ms: u64) {
        let due = self.loop_ns + ms * MS;
        self.set_loop_timer(Some(handle), self.loop_ns / MS + ms);
        self.handles[handle].active = true;
        if let What::Timer { due_ns, .. } = &mut self.handles[handle].what {
            *due_ns = due;
        }
    }

    pub(crate) fn set_loop_timer(&mut self, handle: Option<usize>, due_ms: u64) {
        self.sets += 1;
        self.set.push(Set { due_ms, number: self.sets, handle });
    }

    pub(crate) fn unset_loop_timer(&mut self, handle: Option<usize>) {
        self.set.retain(|set| set.handle != handle);
        self.due.retain(|set| set.handle != handle);
    }

    pub(crate) fn due_ms(&self, handle: usize) -> Option<u64> {
        let mut set = self.set.iter().chain(&self.due);
        set.find(|set| set.handle == Some(handle)).map(|set| set.due_ms)
    }

    fn run_handle(&mut self, number: usize) {
        if self.handles[number].closing {
            return;
        }
        let mut run = self.handles[number].callback.take().expect("it does not run");
        self.callback(Box::new(move |lp| {
            run(lp);
            lp.handles[number].callback = Some(run);
        }));
    }

    fn callback(&mut self, run: Once<Self>) {
        self.count_callback();
        run(self);
        self.drain();
    }

    pub(crate) fn count_callback(&mut self) {
        if let Some(phase) = self.phase {
            self.counts.callbacks[phase as usize] += 1;
        }
    }

    pub(crate) fn drain(&mut self) {
        loop {
            let mut ticks = 0;
            while let Some(tick) = self.ticks.pop_front() {
                tick(self);
                ticks += 1;
            }
            let mut microtasks = 0;
            while let Some(microtask) = self.microtasks.pop_front() {
                microtask(self);
                microtasks += 1;
            }
            self.counts.tick_drains.extend((ticks > 0).then_some(ticks));
            self.counts.microtask_drains.extend((microtasks > 0).then_some(microtasks));
            let told = self.ticks.is_empty() && self.tell_rejections();
            if self.fatal || (!told && self.ticks.is_empty()) {
                return;
            }
        }
    }

    fn in_phase(&mut self, phase: Phase, run: impl FnOnce(&mut Self)) {
        let outer = self.phase.replace(phase);
        let since_ns = self.clock_ns;
        run(self);
        self.phase = outer;
        if outer.is_none() {
            self.counts.phases_ns[phase as usize] += self.clock_ns - since_ns;
        }
    }

    pub(crate) fn thaw(&mut self) {
        if let Some(since_ns) = self.frozen_since_ns.take() {
            self.counts.frozen_ns += self.clock_ns - since_ns;
        }
    }

    fn open_turn(&mut self) {
        if self.turn_since_ns.is_none() {
            self.turn_since_ns = Some(self.clock_ns);
            self.loop_ns = self.clock_ns;
        }
    }

    pub(crate) fn close_turn(&mut self) {
        if let Some(since_ns) = self.turn_since_ns.take() {
            self.counts.turns_ns.push(self.clock_ns - since_ns);
        }
    }
}
