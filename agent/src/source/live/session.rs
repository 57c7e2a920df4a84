//! Several targets observed at once, for as long as somebody holds the session.
//!
//! A thread of its own looks ten times a second who has come and gone. Snapshots are taken by
//! whoever asks, at any time; they wait for that thread for some milliseconds at most.
//!
//! **Invariant**: the session never waits for a target. A target that is blocked, stopped or dead
//! is read as readily as an idle one.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use loop_core::snapshot::{ClockKind, Events, Snapshot, Tier};

use super::candidate::{Candidate, Plans};
use super::clock::monotonic_ns;
use super::command::Prepared;
use super::ebpf::{Kernel, TARGETS};
use super::family::{Others, new_children};
use super::probes::{self, Probes};
use super::target::{Common, Target};
use crate::exit::{Cause, Failure};
use crate::process::{Process, Refusal};
use crate::source::Observe;

/// How often loops are looked for and stalls taken.
const TICK: Duration = Duration::from_millis(100);

/// The same while nothing is observed yet: a command has just been started.
const FIRST_TICKS: Duration = Duration::from_millis(5);

/// How often new children are looked for, in ticks.
const CHILDREN_EVERY: u64 = 4;

/// The name of the thread, as `top -H` shows it.
const THREAD_NAME: &str = "loopscope-watch";

/// How to observe.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A turn that lasts this long is a stall.
    pub stall_threshold_ns: u64,
    /// The most that is wanted to be seen.
    pub tier: Tier,
    /// Whether the Node processes that a target starts, or has started, are observed too.
    pub children: bool,
    /// The most that probes may cost a loop's thread, as a share of its time.
    pub budget_ratio: f64,
}

/// Running processes under observation. Dropping it ends it, and leaves nothing in the kernel.
#[derive(Debug)]
pub struct Live {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) kernel: Kernel,
    pub(super) options: Options,
    common: Common,
    started_ns: u64,
    plans: Mutex<Plans>,
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct State {
    targets: Vec<Target>,
    others: Others,
    /// Probes in a program that a process is about to execute.
    prepared: Option<Prepared>,
    ticks: u64,
    ended_ns: Option<u64>,
    stop: bool,
}

/// Observes these processes. `on_end` is called when all of them have ended.
///
/// # Errors
/// One of them can't be observed, or the kernel does not let us: in one line, with the cure.
pub fn attach(
    pids: &[u32],
    options: Options,
    on_end: impl FnOnce() + Send + 'static,
) -> Result<Arc<Live>, Failure> {
    let pids: BTreeSet<u32> = pids.iter().copied().collect();
    let mut plans = Plans::default();
    let found: Result<Vec<_>, Refusal> = pids.into_iter().map(|pid| plans.find(pid)).collect();
    let found = found?;
    let live = Live::new(options, plans)?;
    for candidate in found {
        live.shared.add(candidate)?;
    }
    live.start(on_end)?;
    Ok(Arc::new(live))
}

/// Whether this kernel lets us set probes: by loading what would be set, about 0.3 s.
pub fn probes_can_be_set() -> bool {
    Kernel::load().is_ok()
}

impl Live {
    /// An observation of nothing yet.
    pub(super) fn new(options: Options, plans: Plans) -> Result<Live, Failure> {
        let kernel = Kernel::load().map_err(|error| not_allowed(error.to_string()))?;
        let hit_ns = kernel.hit_ns();
        let now_ns = monotonic_ns();
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let unix_ns = u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX);
        let common = Common {
            stall_threshold_ns: options.stall_threshold_ns,
            unix_offset_ns: unix_ns.saturating_sub(now_ns),
            hit_ns,
            budget_ratio: options.budget_ratio,
        };
        let shared = Shared {
            kernel,
            options,
            common,
            started_ns: now_ns,
            plans: Mutex::new(plans),
            state: Mutex::default(),
            stopped: Condvar::new(),
        };
        Ok(Live { shared: Arc::new(shared) })
    }

    /// Starts the thread.
    pub(super) fn start(&self, on_end: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name(THREAD_NAME.to_owned());
        thread.spawn(move || shared.watch(on_end)).map(drop).map_err(|error| {
            Failure::run(format!("no thread can be made ({error}); see `ulimit -u`"))
        })
    }

    /// A process that is about to execute a program. It is the root of what is observed.
    pub(super) fn expect(&self, process: Process, prepared: Option<Prepared>) {
        let mut state = self.shared.state();
        state.prepared = prepared;
        state.others.add(process, monotonic_ns());
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Nothing more is to come: what is observed stands still. Returns whether there was a Node.
    pub(super) fn end(&self) -> bool {
        let mut state = self.shared.state();
        state.tick(&self.shared.kernel);
        state.ended_ns.get_or_insert_with(monotonic_ns);
        !state.targets.is_empty()
    }
}

/// The kernel does not let us.
pub(super) fn not_allowed(what: String) -> Failure {
    Failure::refused(Cause::new(what, "`loopscope doctor` says what this machine allows"))
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, pid: u32) -> Result<Candidate, Refusal> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).find(pid)
    }

    fn add(&self, candidate: Candidate) -> Result<(), Failure> {
        let mut state = self.state();
        let index = u32::try_from(state.targets.len()).unwrap_or(u32::MAX);
        if index >= TARGETS {
            return Err(Failure::refused(format!(
                "{TARGETS} processes are observed already; observe others from another loopscope"
            )));
        }
        let pid = candidate.process.identity().pid;
        let prepared = state.prepared.take_if(|prepared| prepared.is_of(&candidate));
        let target = match prepared {
            Some(prepared) => Ok(prepared.attached(candidate, self.common)),
            None => self.attach(index, candidate),
        };
        let what = |error| format!("the probes can't be set into process {pid} ({error})");
        state.targets.push(target.map_err(|error| not_allowed(what(error)))?);
        Ok(())
    }

    fn attach(&self, index: u32, candidate: Candidate) -> io::Result<Target> {
        let Candidate { plan, layout, files, memory, .. } = &candidate;
        let layout = probes::layout(self.options.stall_threshold_ns, layout, plan);
        let probes = Probes::of(self.options.tier, plan, files, memory, layout);
        let pid = candidate.process.identity().pid;
        self.kernel.set_target(index, &probes.layout)?;
        let links = probes.link(&self.kernel, index, pid)?;
        Ok(Target::new(index, candidate, probes, links, self.common))
    }

    /// The body of the thread.
    fn watch(&self, on_end: impl FnOnce()) {
        let mut on_end = Some(on_end);
        let mut state = self.state();
        while !state.stop {
            state.tick(&self.kernel);
            let new = state.to_look_at(self.options.children);
            if !new.is_empty() {
                drop(state);
                new.into_iter().for_each(|pid| self.look_at(pid));
                state = self.state();
            }
            if state.have_all_ended()
                && let Some(on_end) = on_end.take()
            {
                on_end();
            }
            let tick = if state.targets.is_empty() { FIRST_TICKS } else { TICK };
            let waited = self.stopped.wait_timeout(state, tick);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Observes this process, if it can be.
    fn look_at(&self, pid: u32) {
        if self.find(pid).is_ok_and(|candidate| self.add(candidate).is_ok()) {
            self.state().others.remove(pid);
            return;
        }
        let Ok(process) = Process::open(pid) else { return };
        let mut state = self.state();
        if state.others.pids().all(|known| known != pid) {
            state.others.add(process, monotonic_ns());
        }
    }
}

impl State {
    fn tick(&mut self, kernel: &Kernel) {
        if self.ended_ns.is_some() {
            return;
        }
        self.ticks += 1;
        self.targets.iter_mut().for_each(|target| target.tick(kernel));
    }

    /// Processes that may be Nodes: those that execute another program by now, and new children.
    fn to_look_at(&mut self, children: bool) -> Vec<u32> {
        let mut pids = self.others.due(monotonic_ns());
        pids.extend(self.targets.iter_mut().filter_map(Target::take_renewed));
        if children && self.ticks % CHILDREN_EVERY == 1 {
            let targets = self.targets.iter().filter(|target| !target.has_ended());
            let family = targets.map(Target::pid).chain(self.others.pids()).collect();
            pids.extend(new_children(&family));
        }
        pids
    }

    fn have_all_ended(&mut self) -> bool {
        let ended = !self.targets.is_empty() && self.targets.iter().all(Target::has_ended);
        if ended {
            self.ended_ns.get_or_insert_with(monotonic_ns);
        }
        ended
    }
}

impl Observe for Live {
    fn snapshot(&self) -> Snapshot {
        let shared = &self.shared;
        let state = shared.state();
        let mut events = Events::default();
        state.targets.iter().for_each(|target| events.merge(target.events()));
        let now_ns = state.ended_ns.unwrap_or_else(monotonic_ns);
        Snapshot {
            wall_ns: now_ns.saturating_sub(shared.started_ns),
            clock: ClockKind::Real,
            events,
            targets: state.targets.iter().map(|target| target.describe(&shared.kernel)).collect(),
            loops: state.targets.iter().flat_map(|target| target.loops(&shared.kernel)).collect(),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.shared.state().stop = true;
        self.shared.stopped.notify_all();
    }
}
